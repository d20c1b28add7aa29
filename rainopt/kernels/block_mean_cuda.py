"""Means of blocks of pixels on a CUDA device."""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np

from rainopt.kernels.launch import Kernel, Place, blocks, cuda, flat, numpy_dtype, portions, threads, view

COLUMNS, ROWS = threads(32, 4), threads(8, 2)  # of a block of threads


def block_mean(pixels: Any, channels: int, factor: int, scale: float, low: float, high: float) -> Any | None:
    """Return ``scale`` times the means of blocks of pixels, (H, W, C) to (channels, H // factor, W // factor) float32.

    Rows and columns that fill no block, and channels beyond the first ``channels``, are left out. None where a pixel,
    also one that is left out, is outside [low, high], or NaN; of floating-point pixels the host has to ask for it, one
    byte.
    """
    height, width = int(pixels.shape[0]) // factor, int(pixels.shape[1]) // factor
    with Place(pixels) as place:
        xp, kind = place.xp, numpy_dtype(pixels)
        whole = kind.kind in "iu"
        if not whole:
            # A double beyond all bounds is out of range as an infinity, too.
            pixels = xp.astype(pixels, xp.float32, copy=False)
        limits = np.iinfo(kind) if whole else None
        if limits is None or low > limits.min or high < limits.max:
            inside = (pixels >= float(np.float32(low))) & (pixels <= float(np.float32(high)))
            if not bool(xp.all(inside)):
                return None
        out = place.empty((channels, height, width), np.float32)
        if 0 in out.shape:
            return out
        for block0, down in portions(blocks(height, ROWS)):
            place.start(
                means(),
                (blocks(width, COLUMNS), down, channels),
                (COLUMNS, ROWS),
                view(pixels),
                factor,
                float(np.float32(scale)) / (factor * factor),
                block0,
                height,
                width,
                flat(out),
                moved=channels * height * width * (factor * factor * numpy_dtype(pixels).itemsize + 4)
                if block0 == 0
                else 0,
            )
        return out


@cache
def means() -> Kernel:
    """Return the kernel of `block_mean`; it takes (pixels, factor, weight, first row of blocks, height, width, out)."""

    def block_mean(pixels, factor, weight, first_block, height, width, out):
        i = (cuda.blockIdx.y + first_block) * cuda.blockDim.y + cuda.threadIdx.y
        j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        c = cuda.blockIdx.z
        if i < height and j < width:
            total = numba.float32(0)
            for k in range(factor):
                for m in range(factor):
                    total += numba.float32(pixels[i * factor + k, j * factor + m, c])
            out[(c * height + i) * width + j] = numba.float32(total * weight)

    return Kernel(block_mean)
