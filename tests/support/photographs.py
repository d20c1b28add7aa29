"""Parts of sample photographs under rendered rain of a known angle."""

import functools

import numpy as np
from skimage import data

from data_tools import RainSpec, add_rain


@functools.cache
def photograph(name="astronaut"):
    """A sample photograph, uint8."""
    return getattr(data, name)()


@functools.cache
def rainy(angle=12.0, rows=(0, 128), columns=(120, 280), name="astronaut"):
    """Part of a photograph without and with rendered rain, (clean, rainy), float32, read-only."""
    spec = RainSpec(angle=angle, angle_spread=1.0, density=8000.0, intensity=0.6)
    out = add_rain(photograph(name)[slice(*rows), slice(*columns)], spec, np.random.default_rng(0))
    for picture in (out.clean, out.rainy):
        picture.setflags(write=False)
    return out.clean, out.rainy
