"""The solver's layer of a crop, for networks that begin with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_tools.rain.spec import RainSpec
from rainopt.direction.estimate import Direction
from rainopt.geometry.lines import line_angle
from rainopt.image import image_luminance
from rainopt.still.adaptive import Removal
from rainopt.still.rain import Streaks
from rainopt.still.rain_layer import rain_layers
from rainopt.still.settings import LayerSettings

# What estimates say of rendered rain: nine tenths of the bright streaks are no higher than so much of its intensity,
# and so much of the thin bright lines is parallel to it.
HEIGHT, PARALLEL = (0.3, 0.85), (0.6, 1.0)
UNKNOWN = 0.05  # share of the pictures of whose rain no height is known


def drawn_streaks(spec: RainSpec, error: float, rng: np.random.Generator) -> tuple[Streaks, ...]:
    """Return what an estimate might have said of rain, the strongest direction first.

    Parameters
    ----------
    spec
        The rain.
    error
        Degrees by which the angles are missed.
    rng
        What is drawn is as far off as `rainopt.still.rain.removals_from` is for rendered rain.
    """
    height, parallel = (low + (high - low) * float(rng.random()) for low, high in (HEIGHT, PARALLEL))
    known = rng.random() >= UNKNOWN
    removal = Removal(min(height * max(spec.intensity, 0.05), 1.0) if known else 1.0, parallel=parallel)
    ordered = sorted(spec.directions, key=lambda each: -each.share)
    whole = sum(each.share for each in ordered)
    return tuple(
        Streaks(Direction(line_angle(spec.angle + each.turn + error), each.share / whole), removal) for each in ordered
    )


def layer_of(region: np.ndarray, streaks: Sequence[Streaks]) -> np.ndarray:
    """Return the layer that the solver takes off the luminance of a region (H, W, 3) in [0, 1], (H, W) float32."""
    layer: np.ndarray = rain_layers(image_luminance(region), streaks, LayerSettings())[0]
    return layer
