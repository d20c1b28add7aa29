"""What synthetic rain looks like: the fields, their units and ranges."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Composition = Literal["additive", "screen"]


def _check_number(name: str, value: object, low: float, high: float, low_open: bool = False) -> None:
    """Raise unless `value` is a finite real number in [low, high], or in (low, high] if `low_open`."""
    left, right = "(" if low_open else "[", ")" if math.isinf(high) else "]"
    expected = f"`{name}` must be a number in {left}{low:g}, {high:g}{right}"
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{expected}, got {value!r}")
    if not math.isfinite(value) or not low <= value <= high or (low_open and value == low):
        raise ValueError(f"{expected}, got {value!r}")


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
    """

    share: float = 1.0
    length: float = 1.0
    width: float = 1.0
    intensity: float = 1.0
    blur: float = 0.0

    def __post_init__(self) -> None:
        _check_number("share", self.share, 0.0, math.inf, low_open=True)
        _check_number("length", self.length, 0.0, math.inf, low_open=True)
        _check_number("width", self.width, 0.0, math.inf, low_open=True)
        _check_number("intensity", self.intensity, 0.0, 1.0)
        _check_number("blur", self.blur, 0.0, math.inf)


@dataclass(frozen=True)
class RainSpec:
    """What the rain looks like; the defaults are medium rain in a photograph of about half a megapixel.

    Lengths are in pixels of the picture, so that a picture twice as large in each direction shows the same rain with
    twice the `length` and `width` and a quarter of the `density`.

    Attributes
    ----------
    angle : float
        Mean direction in degrees, (-90, 90]. 0 is vertical, positive moves right going down.
    angle_spread : float
        Standard deviation of the streaks' directions in degrees, [0, 45].
    length : float
        Mean length of a streak, tip to tip, in pixels, where the layer's factor is 1; > 0.
    width : float
        Mean full width at half maximum across, in pixels, where the layer's factor is 1; > 0. A streak finer than
        pixels can show (1.41) is drawn that wide and dimmer, with the same total light.
    density : float
        Streaks per megapixel, all layers together; >= 0. 1500 is light rain, 5000 medium, 15000 heavy.
    intensity : float
        Brightness of the brightest streaks on their midline, [0, 1], before defocus dims them.
    variation : float
        How much streaks differ, [0, 1]. Their brightness lies between (1 - variation) and 1 times `intensity`, most of
        them nearer the faint end; length and width are uniform within 1 +- variation / 2 times their means.
    taper : float
        Part of a streak's length over which its two ends fade, (0, 1].
    composition : {"screen", "additive"}
        How rain lies over the picture, and over rain: see `compose`.
    layers : int or tuple of RainLayer
        Distances. A number n, 1 to 8, stands for n layers around `length` and `width`, each at twice the distance of
        the one before: half as long and four times as numerous.
    veil : float
        Brightness of the haze of rain too distant to show streaks, where it is thickest; [0, 1]. It varies smoothly
        between a third of this and all of it.

    Raises
    ------
    TypeError, ValueError
        If a field is out of its range; the message names it.
    """

    angle: float = 0.0
    angle_spread: float = 2.0
    length: float = 40.0
    width: float = 1.5
    density: float = 5000.0
    intensity: float = 0.5
    variation: float = 0.9
    taper: float = 0.7
    composition: Composition = "screen"
    layers: int | tuple[RainLayer, ...] = 3
    veil: float = 0.0

    def __post_init__(self) -> None:
        _check_number("angle", self.angle, -90.0, 90.0, low_open=True)
        _check_number("angle_spread", self.angle_spread, 0.0, 45.0)
        _check_number("length", self.length, 0.0, math.inf, low_open=True)
        _check_number("width", self.width, 0.0, math.inf, low_open=True)
        _check_number("density", self.density, 0.0, math.inf)
        _check_number("intensity", self.intensity, 0.0, 1.0)
        _check_number("variation", self.variation, 0.0, 1.0)
        _check_number("taper", self.taper, 0.0, 1.0, low_open=True)
        _check_number("veil", self.veil, 0.0, 1.0)
        check_composition(self.composition)
        if isinstance(self.layers, tuple):
            if not self.layers or not all(isinstance(layer, RainLayer) for layer in self.layers):
                raise TypeError(f"`layers` must be 1 to 8 or a tuple of RainLayer, got {self.layers!r}")
        elif isinstance(self.layers, bool) or not isinstance(self.layers, int):
            raise TypeError(f"`layers` must be 1 to 8 or a tuple of RainLayer, got {self.layers!r}")
        elif not 1 <= self.layers <= 8:
            raise ValueError(f"`layers` must be 1 to 8 or a tuple of RainLayer, got {self.layers!r}")

    @property
    def depth_layers(self) -> tuple[RainLayer, ...]:
        """The layers, nearest first, with a number of layers spelled out."""
        if isinstance(self.layers, tuple):
            return self.layers
        layers = []
        for i in range(self.layers):
            nearness = 2.0 ** ((self.layers - 1) / 2 - i)
            # The area seen, and so the number of drops in it, grows with the square of the distance. In photographs the
            # width of streaks changes less with distance than their length, since optics and pixels widen the far ones;
            # what is nearer than the middle distance is out of focus, and fainter for it.
            layers.append(
                RainLayer(
                    share=nearness**-2,
                    length=nearness,
                    width=math.sqrt(nearness),
                    blur=0.7 * max(0.0, nearness - 1.0),
                )
            )
        return tuple(layers)


def check_composition(composition: object) -> None:
    """Raise unless `composition` names one."""
    if composition not in get_args(Composition):
        raise ValueError(f"`composition` must be 'additive' or 'screen', got {composition!r}")
