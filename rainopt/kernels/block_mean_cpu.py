"""Means of blocks of pixels, straight from the pixels of a file."""

from __future__ import annotations

import numpy as np

from rainopt.kernels.compiler import compiled
from rainopt.parallel.threads import run_all

BAND_ROWS = 64  # rows of the result that a thread takes at a time


def block_mean(
    pixels: np.ndarray, channels: int, factor: int, scale: float, low: float, high: float
) -> np.ndarray | None:
    """Return ``scale`` times the means of blocks of pixels, (H, W, C) to (channels, H // factor, W // factor) float32.

    Rows and columns that fill no block, and channels beyond the first ``channels``, are left out. None where a pixel,
    also one that is left out, is outside [low, high], or NaN.
    """
    dtype = np.float32 if pixels.dtype.kind == "f" else pixels.dtype
    out = np.empty((channels, pixels.shape[0] // factor, pixels.shape[1] // factor), np.float32)
    numbers = np.float32(scale), np.float32(low), np.float32(high)

    def reduce(first: int) -> bool:
        rows = slice(first, first + BAND_ROWS)
        with np.errstate(over="ignore"):  # a double beyond all bounds is out of range as an infinity, too
            band = np.ascontiguousarray(pixels[first * factor : min(first + BAND_ROWS, out.shape[1]) * factor], dtype)
        return bool(block_means(band, factor, *numbers, out[:, rows]))

    if pixels.dtype.kind == "f":
        rest = (pixels[out.shape[1] * factor :], pixels[:, out.shape[2] * factor :], pixels[:, :, channels:])
        if not all(((numbers[1] <= part) & (part <= numbers[2])).all() for part in rest):
            return None
    return out if all(run_all(reduce, [(first,) for first in range(0, out.shape[1], BAND_ROWS)])) else None


@compiled
def block_means(image, factor, scale, low, high, out):
    """Write ``scale`` times the mean of each ``factor`` × ``factor`` block of ``image`` (H, W, C) to ``out`` (C, h, w).

    Returns whether every pixel lies in ``[low, high]``; NaN does not. Rows and columns that fill no block are left
    out.
    """
    channels, height, width = out.shape
    weight = scale / (factor * factor)
    valid = True
    total = np.empty((channels, width), np.float32)
    for i in range(height):
        total[:] = 0
        for k in range(factor):
            row = image[i * factor + k]
            for c in range(channels):
                for j in range(width):
                    first = j * factor
                    for m in range(factor):
                        value = row[first + m, c]
                        valid &= low <= value <= high
                        total[c, j] += value
        for c in range(channels):
            for j in range(width):
                out[c, i, j] = total[c, j] * weight
    return valid
