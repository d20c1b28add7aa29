"""Votes for the colour of rain on a CUDA device, straight from the pixels of a file."""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np

from rainopt.kernels.launch import Kernel, Place, blocks, cuda, flat, threads, view

THREADS = threads(128, 8)


def colour_votes(planes: Any, rain: Any, offsets: np.ndarray, scale: float, faint: float, cell: int) -> Any:
    """Return the votes of all cells (C, h, w) float32, as `rainopt.still.colour.colour_votes`.

    ``planes`` are (C, H, W) of any dtype, times ``scale`` in [0, 1]; ``rain`` is (H, W) float32; ``offsets`` (K, 2) are
    the rows and columns to one side of a streak, for each direction. A thread has a cell, so that nothing depends on
    the order of additions.
    """
    channels, height, width = (int(n) for n in planes.shape)
    down, wide = blocks(height, cell), blocks(width, cell)
    with Place(planes) as place:
        votes = place.zeros((channels, down, wide), np.float32)
        place.start(
            add(),
            blocks(down * wide, THREADS),
            THREADS,
            view(planes),
            view(rain),
            view(place.upload(offsets)),
            np.float32(scale),
            np.float32(faint),
            cell,
            down,
            wide,
            flat(votes),
            moved=height * width * (4 + channels * int(planes.dtype.itemsize)),
        )
        return votes


@cache
def add() -> Kernel:
    """Return the kernel of `colour_votes`; it takes (planes, rain, offsets, scale, faint, cell, rows of cells, columns
    of cells, votes).
    """

    def colour_votes(planes, rain, offsets, scale, faint, cell, down, wide, votes):
        k = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if k < down * wide:
            channels, height, width = planes.shape
            half = numba.float32(0.5)
            first, start = (k // wide) * cell, (k % wide) * cell
            for i in range(first, min(first + cell, height)):
                for j in range(start, min(start + cell, width)):
                    layer = rain[i, j]
                    if layer > faint:
                        for n in range(offsets.shape[0]):
                            y, x = offsets[n, 0], offsets[n, 1]
                            above, below = min(max(i - y, 0), height - 1), min(max(i + y, 0), height - 1)
                            left, right = min(max(j - x, 0), width - 1), min(max(j + x, 0), width - 1)
                            rise = scale * (layer - half * (rain[above, left] + rain[below, right]))
                            for c in range(channels):
                                sides = numba.float32(planes[c, above, left]) + numba.float32(planes[c, below, right])
                                value = numba.float32(planes[c, i, j]) - half * sides
                                votes[c * down * wide + k] += rise * value

    return Kernel(colour_votes)
