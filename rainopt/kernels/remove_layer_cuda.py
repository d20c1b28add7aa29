"""A rain layer taken off all colours on a CUDA device, in one pass."""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np

from rainopt.kernels.launch import Kernel, Place, blocks, cuda, flat, threads, view

THREADS = threads(256, 8)


def remove_layer(
    colour: Any,
    rain: Any,
    shares: Any,
    cell: int,
    first_row: int,
    behind: tuple[float, float, float] = (0.0, 0.0, 0.0),
    weights: tuple[float, ...] = (),
) -> tuple[Any, Any]:
    """Return planes without the rain, and the layer that was taken, as `rainopt.still.colour.remove_layer`.

    ``colour`` is (C, H, W), ``rain`` (H, W), ``shares`` (C, h, w), all float32. ``behind`` are how much a drop hides,
    the softness and the least share, ``weights`` those of luminance (C,), which are not needed where it hides nothing.
    The planes lie in memory pixel by pixel, as those of most images do.
    """
    channels, height, width = (int(n) for n in colour.shape)
    red, green, blue = (*weights, 0.0, 0.0, 0.0)[:3]
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
                *map(np.float32, (*behind, red, green, blue)),
                flat(clean),
                flat(taken),
                moved=4 * pixels * (2 * channels + 2),
            )
        return place.xp.moveaxis(clean, -1, 0), taken


@cache
def take_off() -> Kernel:
    """Return the kernel of `remove_layer`; it takes (colour, rain, shares, cell, first row, width, pixels, how much a
    drop hides, softness, least share, weights of red, green and blue, clean, taken).
    """

    def remove_layer(
        colour,
        rain,
        shares,
        cell,
        first_row,
        width,
        pixels,
        hides,
        softness,
        least,
        red,
        green,
        blue,
        clean,
        taken,
    ):
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
            full = numba.float32(1) + softness
            rest, total = numba.float32(1), numba.float32(1)
            if hides > zero:
                rest, total = full, zero
                for c in range(channels):
                    weight = red if c == 0 else (green if c == 1 else blue)
                    rest -= hides * weight * colour[c, i, j]
            most = rain[k]
            # Shares are computed again for each use: a thread has no room to keep any number of channels. First their
            # sum with the weights of luminance, then the limit, then what is left.
            for use in range(3):
                if use == 2:
                    taken[k] = most
                for c in range(channels):
                    one = shares[c, top, left] + part * (shares[c, below, left] - shares[c, top, left])
                    other = shares[c, top, right] + part * (shares[c, below, right] - shares[c, top, right])
                    share = one + across * (other - one)
                    if hides > zero:
                        share = max((full * share - hides * colour[c, i, j]) / rest, least)
                    if use == 0:
                        if hides > zero:
                            weight = red if c == 0 else (green if c == 1 else blue)
                            total += weight * share
                    elif use == 1:
                        limit = colour[c, i, j] / (share / total)
                        most = limit if limit < most else most
                    else:
                        # Rounding may leave -1e-9 where the limit is reached.
                        left_over = colour[c, i, j] - most * (share / total)
                        clean[k * channels + c] = left_over if left_over > zero else zero

    return Kernel(remove_layer)
