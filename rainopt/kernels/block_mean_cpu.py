"""Means of blocks of pixels, straight from the pixels of a file."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
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
