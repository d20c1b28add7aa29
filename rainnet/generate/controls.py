"""What is asked of rain, and how a layer is brought to it without being drawn anew."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from rainnet.generate.measure import SEEN

# Share of the rain that is wanted that may be missing when whole streaks are chosen.
SHORT = 0.05


@dataclass(frozen=True)
class RainControls:
    """What rain is asked for; None leaves it to what the network has learned.

    Attributes
    ----------
    angle
        Degrees in (-90, 90]: 0 is vertical, positive moves right going down.
    length
        Pixels, as `rainnet.generate.measure.RainMeasure` has it.
    density
        Share of rainy pixels, in (0, 1).
    intensity
        Mean of the layer over rainy pixels, above `SEEN` and at most 1.

    Raises
    ------
    ValueError
        For numbers outside these ranges, with the range.
    """

    angle: float | None = None
    length: float | None = None
    density: float | None = None
    intensity: float | None = None

    def __post_init__(self) -> None:
        ranges = {
            "angle": (-90.0, 90.0, "(-90, 90] degrees"),
            "length": (1.0, 4096.0, "(1, 4096] pixels"),
            "density": (0.0, 0.95, "(0, 0.95]"),
            "intensity": (SEEN, 1.0, f"({SEEN:.3f}, 1], rain that is seen"),
        }
        for name, (least, most, words) in ranges.items():
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and least < value <= most):
                raise ValueError(f"`{name}` must be in {words}, got {value!r}")


def thinned(layer: np.ndarray, density: float, rng: np.random.Generator) -> np.ndarray:
    """Return a layer of at most the given density.

    Streaks are left out one by one, chosen at random, each with the dim rain around it; so what is left is as long,
    wide and bright as before. Where rain is so dense that streaks hang together, what is dim goes first instead: the
    same is taken off everywhere, and what is left over is stretched to the brightness of before.

    Parameters
    ----------
    layer
        (H, W) in [0, 1].
    density
        Share of rainy pixels, in (0, 1).
    rng
        Which streaks.
    """
    rainy = layer > SEEN
    wanted = density * layer.size
    if rainy.sum() <= wanted:
        return layer
    pieces, count = ndimage.label(rainy, structure=np.ones((3, 3)))
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
    kept, have = np.zeros(count + 1, dtype=bool), 0
    for piece in rng.permutation(count):
        # One that is too large for what is left to have is passed over, and smaller ones fill up.
        if have + sizes[piece] <= wanted:
            kept[1 + piece], have = True, have + sizes[piece]
    if have < (1 - SHORT) * wanted:
        return _dimmed(layer, density)
    nearest = ndimage.distance_transform_edt(pieces == 0, return_distances=False, return_indices=True)
    return np.where(kept[pieces[tuple(nearest)]], layer, np.float32(0))


def _dimmed(layer: np.ndarray, density: float) -> np.ndarray:
    """Return a layer with the same taken off everywhere, so that a share of it is seen, and with its own brightness."""
    rainy = layer > SEEN
    taken = np.quantile(layer, 1 - density) - np.float32(SEEN)
    left = np.maximum(layer - taken, np.float32(0))
    return brightened(left, float(layer[rainy].mean(dtype=np.float64)))


def brightened(layer: np.ndarray, intensity: float) -> np.ndarray:
    """Return a layer whose rainy pixels have a given mean; those that are seen stay so, and no others become so.

    Above `SEEN`, brightness is stretched or shrunk towards it; where it would exceed 1, it stops there, and the others
    are stretched further.
    """
    rainy = layer > SEEN
    if not rainy.any():
        return layer
    above = (layer[rainy] - np.float32(SEEN)).astype(np.float64)
    wanted, most = intensity - SEEN, 1 - SEEN
    low, high = 0.0, 1.0
    while np.minimum(high * above, most).mean() < wanted and high < 1e6:
        high *= 2
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(middle * above, most).mean() < wanted else (low, middle)
    result = layer.copy()
    # Just above, so that no pixel is lost by rounding.
    result[rainy] = np.maximum(SEEN + np.minimum(high * above, most), np.nextafter(np.float32(SEEN), np.float32(1)))
    return result
