"""What synthetic rain looks like: the fields, their units and ranges."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self, get_args

import numpy as np

from data_tools.rain.parts import RainDirection, RainLayer, checked_fields, checked_number, numbered_layers
from data_tools.rain.presets import draw_fields

Composition = Literal["additive", "screen"]

# Lowest and highest value, and whether the lowest is left out.
_RANGES = {
    "angle": (-90.0, 90.0, True),
    "angle_spread": (0.0, 45.0, False),
    "length": (0.0, math.inf, True),
    "width": (0.0, math.inf, True),
    "density": (0.0, math.inf, False),
    "intensity": (0.0, 1.0, False),
    "variation": (0.0, 1.0, False),
    "taper": (0.0, 1.0, True),
    "texture": (0.0, 1.0, False),
    "veil": (0.0, 1.0, False),
}


@dataclass(frozen=True)
class RainSpec:
    """What the rain looks like; the defaults are rain of middle strength in a photograph of about half a megapixel.

    Lengths are in pixels of the picture; `scaled` gives the same rain in a picture of another size.

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
        Streaks per megapixel, all layers and directions together; >= 0.
    intensity : float
        Brightness of the brightest streaks on their midline, [0, 1], before defocus dims them.
    variation : float
        How much streaks differ, [0, 1]. Their brightness lies between (1 - variation) and 1 times `intensity`, most
        of them nearer the faint end; length and width are uniform within 1 +- variation / 2 times their means.
    taper : float
        Part of a streak's length over which its two ends fade, (0, 1].
    texture : float
        Unevenness along a streak, [0, 1]: falling drops wobble, and their streaks brighten and dim by turns, down to
        (1 - texture) of their brightness, 2.5 times in a streak's length.
    composition : {"screen", "additive"}
        How rain lies over the picture, and over rain: see `compose`.
    layers : int or tuple of RainLayer
        Distances. A number n, 1 to 8, stands for n layers around `length` and `width`, each at twice the distance of
        the one before: half as long and four times as numerous.
    directions : tuple of RainDirection
        Directions that rain falls in at once, in every layer; by default one, `angle` itself.
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
    texture: float = 0.0
    directions: tuple[RainDirection, ...] = (RainDirection(),)

    def __post_init__(self) -> None:
        for name, (low, high, low_open) in _RANGES.items():
            object.__setattr__(self, name, checked_number(name, getattr(self, name), low, high, low_open))
        check_composition(self.composition)
        if isinstance(self.layers, tuple):
            if not self.layers or not all(isinstance(layer, RainLayer) for layer in self.layers):
                raise TypeError(f"`layers` must be 1 to 8 or a tuple of RainLayer, got {self.layers!r}")
        elif isinstance(self.layers, bool) or not isinstance(self.layers, int):
            raise TypeError(f"`layers` must be 1 to 8 or a tuple of RainLayer, got {self.layers!r}")
        elif not 1 <= self.layers <= 8:
            raise ValueError(f"`layers` must be 1 to 8 or a tuple of RainLayer, got {self.layers!r}")
        directions = self.directions
        if not (isinstance(directions, tuple) and directions and all(isinstance(d, RainDirection) for d in directions)):
            raise TypeError(f"`directions` must be a tuple of RainDirection, got {directions!r}")

    @classmethod
    def sample(cls, preset: str, rng: np.random.Generator) -> Self:
        """Draw a spec at random from a preset, for a picture of about 480 x 320 pixels.

        Parameters
        ----------
        preset : {"light", "medium", "heavy", "multi"}
            A name in `data_tools.PRESETS`.
        rng : numpy.random.Generator
            Source of randomness. Numbers are rounded to four digits, so that the spec is the same everywhere.
        """
        return cls(**draw_fields(preset, rng))

    def scaled(self, factor: float) -> Self:
        """Return the same rain for a picture `factor` times as large in each direction.

        Parameters
        ----------
        factor : float
            Above 0.

        Returns
        -------
        RainSpec
            With lengths and widths times the factor, and the density divided by its square.
        """
        factor = checked_number("factor", factor, 0.0, math.inf, low_open=True)
        try:
            density = self.density / factor**2
        except (OverflowError, ZeroDivisionError):
            raise ValueError(f"`factor` must leave rain that numbers can say, got {factor!r}") from None
        return replace(
            self,
            length=self.length * factor,
            width=self.width * factor,
            density=density,
            layers=tuple(replace(layer, blur=layer.blur * factor) for layer in self.depth_layers),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON has them: numbers, strings, lists and dicts; `from_dict` gives the spec back."""
        values = asdict(self)
        values["directions"] = list(values["directions"])
        if isinstance(self.layers, tuple):
            values["layers"] = list(values["layers"])
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Return the spec that `to_dict` wrote; fields that are missing take their defaults.

        Parameters
        ----------
        values : dict
            Fields by name, numbers, strings, lists and dicts as JSON has them.

        Returns
        -------
        RainSpec
            The spec that these were the fields of.

        Raises
        ------
        TypeError, ValueError
            For names that are no fields, and values out of their range.
        """
        values = checked_fields(cls, values)
        for name, kind in (("layers", RainLayer), ("directions", RainDirection)):
            if isinstance(values.get(name), list):
                values[name] = tuple(kind(**checked_fields(kind, part)) for part in values[name])
        return cls(**values)

    @property
    def depth_layers(self) -> tuple[RainLayer, ...]:
        """The layers, nearest first, with a number of layers spelled out."""
        return self.layers if isinstance(self.layers, tuple) else numbered_layers(self.layers)


def check_composition(composition: object) -> None:
    """Raise unless `composition` names one."""
    if not isinstance(composition, str) or composition not in get_args(Composition):
        raise ValueError(f"`composition` must be 'additive' or 'screen', got {composition!r}")
