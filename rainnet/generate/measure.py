"""What rain is like: direction, length, width, density and intensity of a rain layer, as they can be measured on it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from rainopt.direction.estimate import estimate_angle
from rainopt.geometry.warp import Upright

SEEN = 10 / 255
"""Rain from which a pixel counts as rainy."""


class RainMeasure(NamedTuple):
    """What a rain layer is like.

    Attributes
    ----------
    angle
        Degrees in (-90, 90] of its main direction, as `rainopt.estimate_angle` votes; 0 where nothing is seen.
    length, width
        Pixels along and across the main direction over which rain is seen without a gap: means over the rainy pixels
        of the runs that they lie in.
    density
        Share of rainy pixels, in which the layer exceeds `SEEN`.
    intensity
        Mean of the layer over these, in [0, 1]; 0 where there are none.
    """

    angle: float
    length: float
    width: float
    density: float
    intensity: float


def measure(layer: np.ndarray, angle: float | None = None) -> RainMeasure:
    """Measure a rain layer.

    Parameters
    ----------
    layer
        (H, W) float in [0, 1].
    angle
        Degrees of its main direction, where it is known; None: it is estimated.
    """
    layer = np.ascontiguousarray(layer, dtype=np.float32)
    rainy = layer > SEEN
    degrees = float(estimate_angle(layer).angle) if angle is None else angle
    length, width = runs(layer, degrees)
    return RainMeasure(
        degrees, length, width, float(rainy.mean()), float(layer[rainy].mean(dtype=np.float64)) if rainy.any() else 0.0
    )


def runs(layer: np.ndarray, angle: float) -> tuple[float, float]:
    """Return length and width of the rain of a layer (H, W) that falls at an angle in degrees."""
    way = Upright(angle, *layer.shape)
    # Nothing lies outside: repeated pixels of the border would be runs across all of the margin.
    upright = np.asarray(way.forward(layer, fill="zero")) > SEEN
    # Rows stay rows, or become columns, under a shear: along them a streak of length l covers l cos of its angle.
    lean = math.cos(math.atan(way.slope))
    return _mean_run(upright.T) / lean, _mean_run(upright) * lean


def _mean_run(rainy: np.ndarray) -> float:
    """Return the mean over pixels that are true of the length of their run along the last axis."""
    # A column that is false on each side, so that all runs end, and none goes on in the next line.
    framed = np.pad(rainy, ((0, 0), (1, 1))).ravel()
    edges = np.flatnonzero(framed[1:] != framed[:-1])
    lengths = (edges[1::2] - edges[::2]).astype(np.float64)
    return float((lengths**2).sum() / lengths.sum()) if len(lengths) else 0.0
