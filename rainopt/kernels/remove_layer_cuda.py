"""A rain layer taken off all colours on a CUDA device, in one pass."""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np

from rainopt.kernels.launch import Kernel, Place, blocks, cuda, flat, threads, view

THREADS = threads(256, 8)


def remove_layer(colour: Any, grey: Any, rain: Any, softness: float) -> tuple[Any, Any]:
    """Return planes without the rain, and the layer that was taken, as `rainopt.still.colour.remove_layer`.

    ``colour`` is (C, H, W), ``grey`` and ``rain`` (H, W), all float32. The planes lie in memory pixel by pixel, as
    those of most images do.
    """
    channels, height, width = (int(n) for n in colour.shape)
    with Place(colour) as place:
        clean = place.empty((height, width, channels), np.float32)
        taken = place.empty((height, width), np.float32)
        pixels = height * width
        if pixels:
            place.start(
                take_off(),
                blocks(pixels, THREADS),
                THREADS,
                view(colour),
                flat(grey),
                flat(rain),
                np.float32(1 + softness),
                width,
                pixels,
                flat(clean),
                flat(taken),
                moved=4 * pixels * (2 * channels + 3),
            )
        return place.xp.moveaxis(clean, -1, 0), taken


@cache
def take_off() -> Kernel:
    """Return the kernel of `remove_layer`; it takes (colour, grey, rain, 1 + softness, width, pixels, clean, taken)."""

    def remove_layer(colour, grey, rain, white, width, pixels, clean, taken):
        k = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if k < pixels:
            i, j = k // width, k % width
            channels = colour.shape[0]
            most, left = rain[k], white - grey[k]
            for c in range(channels):
                value = colour[c, i, j]
                limit = value / ((white - value) / left)
                most = limit if limit < most else most
            taken[k] = most
            for c in range(channels):
                value = colour[c, i, j]
                # Rounding may leave -1e-9 where the limit is reached.
                rest = value - most * ((white - value) / left)
                clean[k * channels + c] = rest if rest > numba.float32(0) else numba.float32(0)

    return Kernel(remove_layer)
