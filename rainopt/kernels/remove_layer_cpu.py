"""A rain layer taken off all colours on the CPU, in one pass."""

from __future__ import annotations

import numpy as np

from rainopt.kernels.compiler import compiled
from rainopt.parallel.threads import run_all

BAND_ROWS = 64  # rows that a thread takes at a time


def remove_layer(
    colour: np.ndarray,
    rain: np.ndarray,
    shares: np.ndarray,
    cell: int,
    first_row: int,
    slack: float,
    weights: tuple[float, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Return planes without the rain, and the layer that was taken, as `rainopt.still.colour.remove_layer`.

    ``colour`` is (C, H, W), ``rain`` (H, W), ``shares`` (C, h, w), all float32; ``weights`` are those of luminance. The
    planes lie in memory pixel by pixel, as those of most images do.
    """
    lacks, luma = np.float32(slack), np.array(weights, np.float32)
    channels, height, width = colour.shape
    clean, taken = np.empty((height, width, channels), np.float32), np.empty((height, width), np.float32)

    def work(i: int) -> None:
        rows = slice(i, i + BAND_ROWS)
        take_off(colour[:, rows], rain[rows], shares, cell, first_row + i, lacks, luma, clean[rows], taken[rows])

    run_all(work, [(i,) for i in range(0, height, BAND_ROWS)])
    return np.moveaxis(clean, -1, 0), taken


@compiled
def take_off(colour, rain, shares, cell, first_row, slack, weights, clean, taken):
    """Write the planes without the rain to ``clean`` (H, W, C), and the layer to ``taken`` (H, W)."""
    channels, height, width = colour.shape
    down, wide = shares.shape[1], shares.shape[2]
    zero, half = np.float32(0), np.float32(0.5)
    cells = np.empty((channels, wide), np.float32)
    here = np.empty(channels, np.float32)
    for i in range(height):
        y = min(max((np.float32(first_row + i) + half) / np.float32(cell) - half, zero), np.float32(down - 1))
        top = int(y)
        part, below = y - np.float32(top), min(top + 1, down - 1)
        for c in range(channels):
            for k in range(wide):
                cells[c, k] = shares[c, top, k] + part * (shares[c, below, k] - shares[c, top, k])
        for j in range(width):
            most = rain[i, j]
            if not most > zero:
                taken[i, j] = most
                for c in range(channels):
                    clean[i, j, c] = colour[c, i, j]
                continue
            x = min(max((np.float32(j) + half) / np.float32(cell) - half, zero), np.float32(wide - 1))
            left = int(x)
            across, right = x - np.float32(left), min(left + 1, wide - 1)
            for c in range(channels):
                here[c] = cells[c, left] + across * (cells[c, right] - cells[c, left])
                most = min(most, (colour[c, i, j] + slack) / here[c])
            layer = most
            for c in range(channels):
                rest = colour[c, i, j] - most * here[c]
                clean[i, j, c] = max(rest, zero)
                if rest < zero:
                    layer += weights[c] * rest
            taken[i, j] = max(layer, zero)
