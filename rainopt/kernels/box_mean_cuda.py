"""Means over boxes on a CUDA device."""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np

from rainopt.kernels.launch import Kernel, Place, blocks, cuda, flat, numpy_dtype, portions, threads

COLUMNS, ROWS = threads(32, 4), threads(16, 2)  # of a block of threads, whose boxes overlap in the nearest cache


def box_mean(field: Any, length: int, axis: int) -> Any:
    """Return the mean of the ``length`` pixels around each, along one axis; beyond the border its pixel repeats."""
    *batch, rows, columns = (int(n) for n in field.shape)
    with Place(field) as place:
        xp, kind = place.xp, numpy_dtype(field)
        dtype = kind if kind in (np.float32, np.float64) else np.dtype(np.float32)
        out = place.empty(tuple(field.shape), dtype)
        if 0 not in out.shape:
            row = xp.reshape(xp.astype(field, getattr(xp, dtype.name), copy=False), (-1,))
            size = rows * columns
            down = axis % field.ndim == field.ndim - 2
            for image0, depth in portions(int(np.prod(batch, dtype=np.int64))):
                for block0, count in portions(blocks(rows, ROWS)):
                    place.start(
                        mean(dtype == np.float32),
                        (blocks(columns, COLUMNS), count, depth),
                        (COLUMNS, ROWS),
                        flat(row),
                        rows,
                        columns,
                        length,
                        int(down),
                        image0,
                        block0,
                        flat(out),
                        moved=2 * depth * size * dtype.itemsize if block0 == 0 else 0,
                    )
        return xp.astype(out, getattr(xp, kind.name), copy=False)


@cache
def mean(single: bool) -> Kernel:
    """Return the kernel of `box_mean`.

    It takes (field, height, width, length, whether the box is vertical, first image, first row of blocks, out), the
    arrays flat.
    """
    real = numba.float32 if single else numba.float64

    # Sums in double precision, as on the CPU.
    def box_mean(field, rows, columns, length, down, first_image, first_block, out):
        i = (cuda.blockIdx.y + first_block) * cuda.blockDim.y + cuda.threadIdx.y
        j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if i < rows and j < columns:
            base = (cuda.blockIdx.z + first_image) * rows * columns
            reach = length // 2
            total = 0.0
            place, limit, step = (i, rows, columns) if down != 0 else (j, columns, 1)
            if place >= reach and place + length - reach <= limit:
                # Nearly all; to find where each pixel lies takes longer than to add it.
                at, on = numba.uint64(base + i * columns + j - reach * step), numba.uint64(step)
                for _ in range(length):
                    total += field[at]
                    at += on
            else:
                line = base + i * columns + j - place * step
                for k in range(-reach, length - reach):
                    total += field[line + min(max(place + k, 0), limit - 1) * step]
            out[base + i * columns + j] = real(total / length)

    return Kernel(box_mean)
