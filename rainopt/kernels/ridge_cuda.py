"""Curvature and crests of thin ridges on a CUDA device, with the signatures of `rainopt.kernels.ridge_cpu`.

`rainopt.kernels.ridge_table_cuda` connects the crests, and measures and weighs what is connected.
"""

from __future__ import annotations

from functools import cache
from math import sqrt
from typing import Any

import numba
import numpy as np

from rainopt.kernels.launch import Kernel, Place, blocks, cuda, flat, numpy_dtype, portions, threads

COLUMNS = threads(128, 5)  # threads of a block of `curvature`, which all work on one row
CREST_COLUMNS, CREST_ROWS = threads(32, 4), threads(8, 2)  # of a block of threads of `crests`


def curvature(image: Any, taps: Any, first: int, last: int, strength: Any, cos2: Any, sin2: Any) -> None:
    """Write, for rows ``first`` to ``last``, the curvature of the strongest ridge through each pixel and its direction.

    See `rainopt.kernels.ridge_cpu.curvature`. The last three are contiguous; ``taps`` may be the host's.
    """
    rows, columns = (int(n) for n in image.shape)
    if first >= last or columns == 0:
        return
    with Place(image) as place:
        table = place.upload(taps) if isinstance(taps, np.ndarray) else taps
        width, dtype = int(taps.shape[1]), numpy_dtype(image)
        row = place.xp.reshape(image, (-1,))
        for row0, count in portions(last - first):
            place.start(
                filters(COLUMNS, dtype == np.float32),
                (blocks(columns, COLUMNS), count),
                COLUMNS,
                flat(row),
                flat(table),
                width,
                first + row0,
                rows,
                columns,
                flat(strength),
                flat(cos2),
                flat(sin2),
                shared=3 * (COLUMNS + width - 1) * dtype.itemsize,
                moved=4 * count * columns * dtype.itemsize,
            )


def crests(
    strength: Any,
    cos2: Any,
    sin2: Any,
    sign: float,
    thresholds: Any,
    block: int,
    first: int,
    last: int,
    crest: Any,
    offset: Any,
) -> None:
    """Mark, in rows ``first`` to ``last``, where ``sign × strength`` reaches its threshold and is largest across its
    ridge.

    See `rainopt.kernels.ridge_cpu.crests`. All arrays are contiguous; ``thresholds`` may be the host's.
    """
    rows, columns = (int(n) for n in strength.shape)
    if first >= last or columns == 0:
        return
    with Place(strength) as place:
        table = place.upload(thresholds) if isinstance(thresholds, np.ndarray) else thresholds
        dtype = numpy_dtype(strength)
        for block0, count in portions(blocks(last - first, CREST_ROWS)):
            place.start(
                marks(),
                (blocks(columns, CREST_COLUMNS), count),
                (CREST_COLUMNS, CREST_ROWS),
                flat(strength),
                flat(cos2),
                flat(sin2),
                dtype.type(sign),
                flat(table),
                int(table.shape[1]),
                block,
                first + block0 * CREST_ROWS,
                last,
                rows,
                columns,
                flat(crest),
                flat(offset),
                moved=count * CREST_ROWS * columns * (4 * dtype.itemsize + 1),
            )


@cache
def filters(across: int, single: bool) -> Kernel:
    """Return the kernel of `curvature`.

    It takes (image, taps, width of the taps, first row, rows, columns, strength, cos2, sin2), the arrays flat, and
    shared memory for three rows of ``across`` pixels, the threads of a block, and the reach of the taps.
    """
    real = numba.float32 if single else numba.float64

    def ridge_curvature(image, taps, width, first, rows, columns, strength, cos2, sin2):
        down = cuda.shared.array(0, real)
        zero, one, two, tiny = real(0), real(1), real(2), real(1e-12)
        x = cuda.threadIdx.x
        i = first + cuda.blockIdx.y
        start = cuda.blockIdx.x * across
        half = width // 2
        span = across + 2 * half
        # Derivatives down the image, beyond its border those of its first and last column; then across.
        for c in range(x, span, across):
            column = min(max(start + c - half, 0), columns - 1)
            d0, d1, d2 = zero, zero, zero
            for k in range(width):
                value = image[min(max(i + k - half, 0), rows - 1) * columns + column]
                d0 += taps[k] * value
                d1 += taps[width + k] * value
                d2 += taps[2 * width + k] * value
            down[c] = d0
            down[span + c] = d1
            down[2 * span + c] = d2
        cuda.syncthreads()
        j = start + x
        if j < columns:
            rr, cc, rc = zero, zero, zero
            for k in range(width):
                rr += taps[k] * down[2 * span + x + k]
                cc += taps[2 * width + k] * down[x + k]
                rc += taps[width + k] * down[span + x + k]
            difference, mixed, trace = rr - cc, two * rc, rr + cc
            twice_spread = real(sqrt(difference * difference + mixed * mixed))
            sign = one if trace < zero else -one
            at = i * columns + j
            strength[at] = sign * (twice_spread + abs(trace)) / two
            scale = sign / (twice_spread + tiny)
            cos2[at] = difference * scale
            sin2[at] = mixed * scale

    return Kernel(ridge_curvature)


@cache
def marks() -> Kernel:
    """Return the kernel of `crests`.

    It takes (strength, cos2, sin2, sign, thresholds, columns of thresholds, block, first row, last row, rows, columns,
    crest, offset), the arrays flat.
    """

    # In double precision, as on the CPU: which pixel is on a crest must not hang on the device.
    @cuda.jit(device=True)
    def strength_at(strength, sign, rows, columns, row, column):
        row, column = min(max(row, 0.0), rows - 1.0), min(max(column, 0.0), columns - 1.0)
        i, j = int(row), int(column)
        low, right = min(i + 1, rows - 1), min(j + 1, columns - 1)
        down, across = row - i, column - j
        above = max(sign * strength[i * columns + j], 0) * (1 - across)
        above += max(sign * strength[i * columns + right], 0) * across
        below = max(sign * strength[low * columns + j], 0) * (1 - across)
        below += max(sign * strength[low * columns + right], 0) * across
        return above * (1 - down) + below * down

    def ridge_crests(strength, cos2, sin2, sign, thresholds, across, block, first, last, rows, columns, crest, offset):
        i = first + cuda.blockIdx.y * cuda.blockDim.y + cuda.threadIdx.y
        j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if i < last and j < columns:
            at = i * columns + j
            value = sign * strength[at]
            found = False
            if value >= thresholds[(i // block) * across + j // block]:
                # Half the angle, in (-90°, 90°].
                cos, sin = sqrt(max(1.0 + cos2[at], 0.0) / 2), sqrt(max(1.0 - cos2[at], 0.0) / 2)
                sin = sin if sin2[at] >= 0 else -sin
                before = strength_at(strength, sign, rows, columns, i + sin, j - cos)
                after = strength_at(strength, sign, rows, columns, i - sin, j + cos)
                if value >= before and value >= after:
                    found = True
                    bend = before - value + after - value
                    offset[at] = (before - after) / (bend + bend) if bend < 0 else 0.0
            crest[at] = found

    return Kernel(ridge_crests)
