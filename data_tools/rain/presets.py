"""Rain in the strengths that the literature trains on, as ranges that specs are drawn from.

How their statistics compare with published pairs is in docs/rain_presets.md.
"""

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from data_tools.rain.parts import RainDirection

Range = tuple[float, float]


@dataclass(frozen=True)
class Preset:
    """Ranges, lowest and highest value, that the fields of a `RainSpec` are drawn from, evenly and independently.

    Attributes
    ----------
    angle, angle_spread, length, width, intensity, texture, veil : (low, high)
        Fields of the same names of `RainSpec`.
    density : (low, high)
        The same, drawn evenly in its logarithm.
    layers : int
        Number of distances.
    composition : {"screen", "additive"}
        How rain lies over the picture.
    variation, taper : float
        Fields of the same names of `RainSpec`.
    directions : (fewest, most)
        How many directions at once.
    turn : (low, high)
        Degrees from each direction to the next, when there are several.
    """

    angle: Range
    angle_spread: Range
    length: Range
    width: Range
    density: Range
    intensity: Range
    texture: Range
    veil: Range
    layers: int
    composition: str
    variation: float
    taper: float
    directions: tuple[int, int] = (1, 1)
    turn: Range = (0.0, 0.0)


PRESETS: MappingProxyType[str, Preset] = MappingProxyType(
    {
        "light": Preset(
            angle=(-30.0, 30.0),
            angle_spread=(0.5, 1.5),
            length=(30.0, 60.0),
            width=(1.8, 3.0),
            density=(1000.0, 2500.0),
            intensity=(0.3, 0.8),
            texture=(0.0, 0.4),
            veil=(0.0, 0.0),
            layers=2,
            composition="additive",
            variation=0.8,
            taper=0.8,
        ),
        "medium": Preset(
            angle=(-30.0, 30.0),
            angle_spread=(0.5, 2.0),
            length=(30.0, 60.0),
            width=(1.5, 2.5),
            density=(800.0, 30000.0),
            intensity=(0.4, 0.75),
            texture=(0.0, 0.5),
            veil=(0.0, 0.2),
            layers=3,
            composition="screen",
            variation=0.8,
            taper=0.7,
        ),
        "heavy": Preset(
            angle=(-20.0, 20.0),
            angle_spread=(1.0, 3.0),
            length=(45.0, 100.0),
            width=(1.5, 2.5),
            density=(6000.0, 20000.0),
            intensity=(0.4, 0.75),
            texture=(0.0, 0.5),
            veil=(0.0, 0.05),
            layers=3,
            composition="additive",
            variation=0.8,
            taper=0.6,
        ),
        "multi": Preset(
            angle=(-20.0, 20.0),
            angle_spread=(0.5, 2.0),
            length=(30.0, 60.0),
            width=(1.5, 2.5),
            density=(3000.0, 12000.0),
            intensity=(0.5, 0.9),
            texture=(0.0, 0.5),
            veil=(0.0, 0.1),
            layers=2,
            composition="screen",
            variation=0.8,
            taper=0.6,
            directions=(2, 3),
            turn=(8.0, 25.0),
        ),
    }
)


def draw_fields(preset: str, rng: np.random.Generator) -> dict[str, Any]:
    """Draw the fields of a `RainSpec`, in the order of the fields of `Preset`, one uniform number each."""
    if not isinstance(preset, str) or preset not in PRESETS:
        raise ValueError(f"`preset` must be one of {', '.join(PRESETS)}, got {preset!r}")
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"`rng` must be a numpy.random.Generator, got {type(rng).__name__}")
    chosen = PRESETS[preset]
    values: dict[str, Any] = {}
    for name in ("angle", "angle_spread", "length", "width", "density", "intensity", "texture", "veil"):
        low, high = getattr(chosen, name)
        if name == "density":
            values[name] = _rounded(low * math.exp(math.log(high / low) * rng.random()))
        else:
            values[name] = _rounded(low + (high - low) * rng.random())
    for name in ("layers", "composition", "variation", "taper"):
        values[name] = getattr(chosen, name)
    fewest, most = chosen.directions
    count = fewest + int((most - fewest + 1) * rng.random())
    if count > 1:
        values["directions"] = _directions(count, chosen.turn, rng)
    return values


def _directions(count: int, turn: Range, rng: np.random.Generator) -> tuple[RainDirection, ...]:
    """Draw directions around the angle of the spec, each with a share between half of a part and a whole one."""
    steps = turn[0] + (turn[1] - turn[0]) * rng.random(count - 1)
    turns = np.concatenate([[0.0], np.cumsum(steps)])
    shares = 0.5 + 0.5 * rng.random(count)
    return tuple(
        RainDirection(_rounded(float(t)), _rounded(float(s))) for t, s in zip(turns - turns.mean(), shares, strict=True)
    )


def _rounded(value: float) -> float:
    """Round to four digits."""
    return float(f"{value:.4g}")
