"""Doubt of streaks on the CPU: means over boxes and what is made of them, in one pass over bands of rows."""

from __future__ import annotations

from math import sqrt

import numpy as np

from rainopt.kernels.compiler import compiled
from rainopt.parallel.threads import run_all

BAND_ROWS = 128  # rows that a thread takes at a time; the boxes reach over some tens more


def doubt(
    O: np.ndarray, layer: np.ndarray, boxes: tuple[int, int, int, int], reaches: tuple[int, ...], numbers: tuple
) -> np.ndarray:
    """Return factors on the sparsity (H, W) float32, as `rainopt.still.adaptive.doubt`.

    Parameters
    ----------
    O, layer
        (H, W) float32, a picture whose streaks are upright and a first layer.
    boxes
        Odd lengths: of the mean along the streaks, of the texture's along and across them, of the layer's along them.
    reaches
        Numbers of pixels to either side, that a streak is brighter than.
    numbers
        As of `rainopt.kernels.doubt_cuda.doubt`.
    """
    O, layer, out = np.ascontiguousarray(O), np.ascontiguousarray(layer), np.empty(O.shape, np.float32)
    share, noise, most, faint, power = map(np.float32, numbers)
    sides = np.array(reaches, np.int64)

    def work(first: int) -> None:
        band = out[first : first + BAND_ROWS]
        write_doubt(O, layer, *boxes, sides, share, noise, most, faint, first, band)
        if power != 1:
            np.power(band, power, out=band)

    run_all(work, [(first,) for first in range(0, O.shape[0], BAND_ROWS)])
    return out


@compiled
def write_doubt(O, layer, smooth, down, aside, along, reaches, share, noise, most, faint, first, out):
    """Write the rows of `doubt` from the row ``first`` on, before they are raised to a power.

    Sums run in double precision, as those of the means over whole fields do.
    """
    height, width = O.shape
    last, zero, one = first + out.shape[0], np.float32(0), np.float32(1)
    per_smooth, per_down, per_aside, per_along = 1 / smooth, 1 / down, 1 / aside, 1 / along
    low, high = max(first - down // 2, 0), min(last + down // 2, height)
    # Of the rows that the texture's box reaches: the mean along the streaks, and the square of the difference from it.
    mean = np.empty((high - low, width), np.float32)
    square = np.empty((high - low, width), np.float32)
    total = np.zeros(width)
    for k in range(low - smooth // 2, low + smooth // 2 + 1):
        total += O[min(max(k, 0), height - 1)]
    for i in range(low, high):
        image, smoothed, squared = O[i], mean[i - low], square[i - low]
        after, before = O[min(i + smooth // 2 + 1, height - 1)], O[max(i - smooth // 2, 0)]
        for j in range(width):
            smoothed[j] = np.float32(total[j] * per_smooth)
            rest = image[j] - smoothed[j]
            squared[j] = rest * rest
            total[j] += np.float64(after[j]) - np.float64(before[j])
    rough, run = np.zeros(width), np.zeros(width)
    for k in range(first - down // 2, first + down // 2 + 1):
        rough += square[min(max(k, 0), height - 1) - low]
    for k in range(first - along // 2, first + along // 2 + 1):
        run += layer[min(max(k, 0), height - 1)]
    texture, wide, rises = np.empty(width, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    # Rows with their borders repeated: loops without a test for the border vectorise.
    margin = max(reaches.max(), aside // 2 + 1)
    padded = np.empty(width + 2 * margin, np.float32)
    for i in range(first, last):
        # Behind the last row of the band there may be none, and nobody asks.
        after, before = square[min(i + down // 2 + 1, high - 1) - low], square[max(i - down // 2, 0) - low]
        for j in range(width):
            texture[j] = np.float32(rough[j] * per_down)
            rough[j] += np.float64(after[j]) - np.float64(before[j])
        repeat_border(texture, margin, padded)
        beside = 0.0
        for k in range(margin - aside // 2, margin + aside // 2 + 1):
            beside += padded[k]
        after, before = padded[margin + aside // 2 + 1 :], padded[margin - aside // 2 :]
        for j in range(width):
            wide[j] = np.float32(beside * per_aside)
            beside += np.float64(after[j]) - np.float64(before[j])
        here = mean[i - low]
        repeat_border(here, margin, padded)
        rises[:] = zero
        for n in range(len(reaches)):
            left, right = padded[margin - reaches[n] :][:width], padded[margin + reaches[n] :][:width]
            for j in range(width):
                higher = left[j] if left[j] > right[j] else right[j]
                rise = here[j] - higher
                rises[j] = rise if rise > rises[j] else rises[j]
        after, before = layer[min(i + along // 2 + 1, height - 1)], layer[max(i - along // 2, 0)]
        target = out[i - first]
        for j in range(width):
            rough_here = wide[j] if wide[j] > zero else zero
            ratio = rises[j] / (share * np.float32(sqrt(rough_here)) + noise)
            ratio *= ratio
            covered = np.float32(run[j] * per_along)
            covered = covered if covered > zero else zero
            run[j] += np.float64(after[j]) - np.float64(before[j])
            target[j] = (one + most * (one - ratio / (one + ratio))) * faint / (covered + faint)


@compiled
def repeat_border(row, margin, padded):
    """Write a row to ``padded``, with so many of its first and last pixels more on both sides."""
    padded[:margin] = row[0]
    padded[margin : margin + row.size] = row
    padded[margin + row.size :] = row[-1]
