"""The parts of a `RainSpec`: rain at one distance, rain in one direction, and the checks that both and it share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np


def checked_number(name: str, value: object, low: float, high: float, low_open: bool = False) -> float:
    """Return `value` as a float; raise unless it is a finite real number in [low, high], (low, high] if
    `low_open`.
    """
    left, right = "(" if low_open else "[", ")" if math.isinf(high) else "]"
    expected = f"`{name}` must be a number in {left}{low:g}, {high:g}{right}"
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{expected}, got {value!r}")
    try:
        number = float(value)
    except OverflowError:  # a whole number of hundreds of digits
        number = math.inf
    if not math.isfinite(number) or not low <= value <= high or (low_open and value == low):
        raise ValueError(f"{expected}, got {value!r:.40}")
    return number


def checked_shape(shape: object) -> tuple[int, int]:
    """Return the rows and columns of a picture; raise unless they are two whole numbers of at least 1."""
    expected = "`shape` must be the rows and columns of a picture, two whole numbers of at least 1"
    if not isinstance(shape, Sequence) or isinstance(shape, str) or len(shape) != 2:
        raise TypeError(f"{expected}, got {shape!r:.40}")
    if any(isinstance(side, bool) or not isinstance(side, int | np.integer) for side in shape):
        raise TypeError(f"{expected}, got {shape!r:.40}")
    if min(shape) < 1:
        raise ValueError(f"{expected}, got {shape!r:.40}")
    return int(shape[0]), int(shape[1])


def as_array(name: str, values: object) -> np.ndarray:
    """Return an array of any library as one of numpy, without a copy where it can be.

    Raises
    ------
    TypeError
        If there is no such array: it lies on another device or requires gradients, has a mask, or is ragged.
    """
    if isinstance(values, np.ma.MaskedArray):
        raise TypeError(f"`{name}` must be an array without a mask; fill what is masked first, by `.filled(value)`")
    try:
        return np.asarray(values)
    # Each library has its own errors for what numpy cannot take.
    except (TypeError, ValueError, RuntimeError, NotImplementedError, BufferError) as error:
        kind = f"{type(values).__module__}.{type(values).__qualname__}".removeprefix("builtins.")
        raise TypeError(f"`{name}` must be an array that numpy can read, got {kind} ({error})") from None


def checked_fields(kind: type, values: object) -> dict[str, Any]:
    """Return `values` as keyword arguments of a dataclass; raise unless it is a mapping of some of its fields."""
    if not isinstance(values, dict):
        raise TypeError(f"a {kind.__name__} must be given as a dict, got {type(values).__name__}")
    known = [field.name for field in fields(kind)]
    for name in values:
        if name not in known:
            raise ValueError(f"a {kind.__name__} must have no other fields than {', '.join(known)}, got {name!r}")
    return dict(values)


@dataclass(frozen=True)
class RainLayer:
    """Rain at one distance from the camera, relative to the `RainSpec` that it belongs to.

    Attributes
    ----------
    share : float
        Part of all streaks, in proportion to the other layers' shares; > 0.
    length, width, intensity : float
        Factors on the fields of the same names of `RainSpec`; > 0, > 0 and [0, 1]. Nearer rain is longer and wider.
    blur : float
        Standard deviation of the defocus in pixels; >= 0. It widens streaks and dims them by as much.
    distance : float
        How far away streaks of mean length are, > 0, in the unit of the `depth` of `add_rain`: 1 where the factors
        of a numbered layer are 1. Longer streaks of the layer are nearer and shorter ones further away, in
        proportion. Only scenes with a `depth` take notice.
    """

    share: float = 1.0
    length: float = 1.0
    width: float = 1.0
    intensity: float = 1.0
    blur: float = 0.0
    distance: float = 1.0

    def __post_init__(self) -> None:
        for name in ("share", "length", "width", "distance"):
            object.__setattr__(self, name, checked_number(name, getattr(self, name), 0.0, math.inf, low_open=True))
        object.__setattr__(self, "intensity", checked_number("intensity", self.intensity, 0.0, 1.0))
        object.__setattr__(self, "blur", checked_number("blur", self.blur, 0.0, math.inf))


@dataclass(frozen=True)
class RainDirection:
    """One of several directions that rain falls in at once, relative to the `RainSpec` that it belongs to.

    Attributes
    ----------
    turn : float
        Degrees added to the `angle` of the spec, [-90, 90].
    share : float
        Part of all streaks, in proportion to the other directions' shares; > 0.
    """

    turn: float = 0.0
    share: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "turn", checked_number("turn", self.turn, -90.0, 90.0))
        object.__setattr__(self, "share", checked_number("share", self.share, 0.0, math.inf, low_open=True))


def numbered_layers(count: int) -> tuple[RainLayer, ...]:
    """Return layers, nearest first, around distance 1, each at twice the distance of the one before."""
    layers = []
    for i in range(count):
        nearness = 2.0 ** ((count - 1) / 2 - i)
        # The area seen, and so the number of drops in it, grows with the square of the distance. In photographs the
        # width of streaks changes less with distance than their length, since optics and pixels widen the far ones;
        # what is nearer than the middle distance is out of focus, and fainter for it.
        layers.append(
            RainLayer(
                share=nearness**-2,
                length=nearness,
                width=math.sqrt(nearness),
                blur=0.7 * max(0.0, nearness - 1.0),
                distance=1.0 / nearness,
            )
        )
    return tuple(layers)
