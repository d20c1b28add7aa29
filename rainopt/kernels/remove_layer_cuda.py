"""A rain layer taken off all colours on a CUDA device, in one pass."""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np

from rainopt.kernels.launch import Kernel, Place, blocks, cuda, flat, threads, view

THREADS = threads(256, 8)


def remove_layer(
    colour: Any, rain: Any, shares: Any, cell: int, first_row: int, slack: float, weights: tuple[float, ...]
) -> tuple[Any, Any]:
    """Return planes without the rain, and the layer that was taken, as `rainopt.still.colour.remove_layer`.

    ``colour`` is (C, H, W), ``rain`` (H, W), ``shares`` (C, h, w), all float32; ``weights`` are those of luminance. The
    planes lie in memory pixel by pixel, as those of most images do.
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
                flat(rain),
                view(shares),
                cell,
                first_row,
                width,
                pixels,
                np.float32(slack),
                view(place.upload(np.array(weights, np.float32))),
                flat(clean),
                flat(taken),
                moved=4 * pixels * (2 * channels + 2),
            )
        return place.xp.moveaxis(clean, -1, 0), taken


@cache
def take_off() -> Kernel:
    """Return the kernel of `remove_layer`; it takes (colour, rain, shares, cell, first row, width, pixels, slack,
    weights, clean, taken).
    """

    def remove_layer(colour, rain, shares, cell, first_row, width, pixels, slack, weights, clean, taken):
        k = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if k < pixels:
            i, j = k // width, k % width
            channels, down, wide = shares.shape
            zero, half, size = numba.float32(0), numba.float32(0.5), numba.float32(cell)
            y = min(max((numba.float32(first_row + i) + half) / size - half, zero), numba.float32(down - 1))
            x = min(max((numba.float32(j) + half) / size - half, zero), numba.float32(wide - 1))
            top, left = int(y), int(x)
            below, right = min(top + 1, down - 1), min(left + 1, wide - 1)
            part, across = y - numba.float32(top), x - numba.float32(left)
            most = rain[k]
            # Shares are interpolated twice: where they would be kept, a thread has no room for any number of channels.
            for c in range(channels):
                one = shares[c, top, left] + part * (shares[c, below, left] - shares[c, top, left])
                other = shares[c, top, right] + part * (shares[c, below, right] - shares[c, top, right])
                limit = (colour[c, i, j] + slack) / (one + across * (other - one))
                most = limit if limit < most else most
            layer = most
            for c in range(channels):
                one = shares[c, top, left] + part * (shares[c, below, left] - shares[c, top, left])
                other = shares[c, top, right] + part * (shares[c, below, right] - shares[c, top, right])
                rest = colour[c, i, j] - most * (one + across * (other - one))
                clean[k * channels + c] = rest if rest > zero else zero
                if rest < zero:
                    layer += weights[c] * rest
            taken[k] = layer if layer > zero else zero

    return Kernel(remove_layer)
