"""Luminance of whole numbers on a CUDA device, without their planes as floats."""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np

from rainopt.kernels.launch import Kernel, Place, blocks, cuda, flat, numpy_dtype, portions, threads, view

COLUMNS, ROWS = threads(32, 4), threads(8, 2)  # of a block of threads


def luminance(planes: Any, weights: tuple[float, float, float]) -> Any:
    """Return the weighted sum of the first three planes (C, H, W) uint8 or uint16 as shares of full scale, (H, W)
    float32; of fewer than three the first plane.
    """
    channels, height, width = (int(n) for n in planes.shape)
    kind = numpy_dtype(planes)
    with Place(planes) as place:
        out = place.empty((height, width), np.float32)
        for block0, down in portions(blocks(height, ROWS)):
            place.start(
                weigh(channels >= 3),
                (blocks(width, COLUMNS), down),
                (COLUMNS, ROWS),
                view(planes),
                tuple(map(np.float32, weights)),
                np.float32(np.iinfo(kind).max),
                block0,
                height,
                width,
                flat(out),
                moved=height * width * (channels * kind.itemsize + 4) if block0 == 0 else 0,
            )
        return out


@cache
def weigh(colour: bool) -> Kernel:
    """Return the kernel of `luminance`; it takes (planes, weights, full, first row of blocks, height, width, out)."""

    def luminance(planes, weights, full, first_block, height, width, out):
        i = (cuda.blockIdx.y + first_block) * cuda.blockDim.y + cuda.threadIdx.y
        j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if i < height and j < width:
            value = numba.float32(planes[0, i, j]) / full
            if colour:
                value = weights[0] * value
                value += weights[1] * (numba.float32(planes[1, i, j]) / full)
                value += weights[2] * (numba.float32(planes[2, i, j]) / full)
            out[i * width + j] = value

    return Kernel(luminance)
