"""Kernels of `rainopt` that work on fields, beside the same operations as they are written on arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.common import Timing, rainy_photograph, timed
from rainopt.arrays import CPU, KERNELS
from rainopt.image import luminance, raw_planes, split_channels
from rainopt.still.adaptive import doubt
from rainopt.still.colour import CELL, colour_votes, remove_layer
from rainopt.still.gain import raised

GAIN = 1.3
SHARE = 0.2  # of the pixels that the layer is above 0 at, about as many as in rain


def field_kernels(height: int, width: int) -> dict[str, Callable[[], Any]]:
    """Return what is timed, by the operation of `rainopt.arrays.KERNELS`: a photograph in medium rain, uint8."""
    image = rainy_photograph(height, width)
    planes, scale = raw_planes(image)
    colour = split_channels(image).colour
    grey = np.ascontiguousarray(luminance(colour))
    across = grey - 0.5 * (np.roll(grey, 4, 1) + np.roll(grey, -4, 1))
    layer = np.maximum(across - np.quantile(across, 1 - SHARE), 0).astype(np.float32)
    shares = np.ones((3, -(-height // CELL), -(-width // CELL)), np.float32)
    return {
        "doubt": lambda: doubt(grey, layer),
        "raise_layer": lambda: raised(grey, layer, GAIN),
        "colour_votes": lambda: colour_votes(planes, layer, (0.0,), scale),
        "remove_layer": lambda: remove_layer(colour, layer, shares),
    }


def time_kernels(height: int, width: int, repeat: int) -> dict[str, tuple[Timing, Timing]]:
    """Return the times of each operation by its kernel, and as it is written."""
    times = {}
    for operation, run in field_kernels(height, width).items():
        fast, _ = timed(run, repeat)
        with mock.patch.dict(KERNELS):
            del KERNELS[operation, CPU]
            written, _ = timed(run, repeat)
        times[operation] = fast, written
    return times
