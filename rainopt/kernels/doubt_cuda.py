"""Doubt of streaks on a CUDA device: what `rainopt.still.adaptive.doubt` makes of means over boxes, in one pass."""

from __future__ import annotations

from functools import cache
from math import sqrt
from typing import Any

import numba
import numpy as np

from rainopt.kernels.launch import Kernel, Place, blocks, cuda, flat, threads

THREADS = threads(256, 8)


def doubt(along: Any, texture: Any, layer: Any, reaches: tuple[int, ...], numbers: tuple[float, ...]) -> Any:
    """Return factors on the sparsity, shaped as ``along``.

    Parameters
    ----------
    along, texture, layer
        (..., H, W) float32, means over boxes: of the picture along the streaks, of the square of what it differs by
        from there, and of a first layer.
    reaches
        Numbers of pixels to either side, that a streak is brighter than.
    numbers
        The share of the texture's deviation and the brightness that a streak is held against, by how much texture
        raises the factor, the brightness at which it has fallen to half, and the power it is raised to.
    """
    size, width = int(np.prod(along.shape, dtype=np.int64)), int(along.shape[-1])
    with Place(along) as place:
        out = place.empty(tuple(along.shape), np.float32)
        if size:
            place.start(
                factors(),
                blocks(size, THREADS),
                THREADS,
                flat(along),
                flat(texture),
                flat(layer),
                tuple(map(int, reaches)),
                tuple(map(np.float32, numbers)),
                width,
                size,
                flat(out),
                moved=4 * 4 * size,
            )
        return out


@cache
def factors() -> Kernel:
    """Return the kernel of `doubt`; it takes (along, texture, layer, reaches, numbers, width, size, out), the arrays
    flat.
    """

    def streak_doubt(along, texture, layer, reaches, numbers, width, size, out):
        k = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if k < size:
            share, noise, most, faint, power = numbers
            zero, one = numba.float32(0), numba.float32(1)
            line, j = k - k % width, k % width
            here, height = along[k], zero
            for n in range(len(reaches)):
                reach = reaches[n]
                # The pixels to the left and to the right; the border repeats.
                left = here - along[line + max(j - reach, 0)]
                right = here - along[line + min(j + reach, width - 1)]
                lower = left if left < right else right
                height = lower if lower > height else height
            deviation = numba.float32(sqrt(texture[k])) if texture[k] > zero else zero
            ratio = height / (share * deviation + noise)
            square = ratio * ratio
            mean = layer[k] if layer[k] > zero else zero
            factor = (one + most * (one - square / (one + square))) * faint / (mean + faint)
            out[k] = factor**power if power != one else factor

    return Kernel(streak_doubt)
