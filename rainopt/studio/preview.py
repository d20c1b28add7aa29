"""Deraining while somebody looks: one part of a picture at one scale, solved for whatever strength is asked for.

The layers of a few strengths are solved when there is nothing else to do; between them they are interpolated, which
takes a few hundredths of a second and differs less than can be seen. What is kept and saved is solved as the command
solves it.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from rainopt.app.excerpt import streaks_of
from rainopt.image import join_channels, quantise, scaled, split_channels
from rainopt.still.colour import RainColour, remove_layer
from rainopt.still.derain import LEAST_SIDE, remove_rain
from rainopt.still.haze import remove_veil
from rainopt.still.marks import marks_of
from rainopt.still.rain import Streaks
from rainopt.still.settings import StillSettings
from rainopt.studio.asked import Asked
from rainopt.studio.marks import drawn
from rainopt.studio.photo import Photo, Region

KNOTS = (0.5, 1.0, 2.0, 4.0)
"""Strengths that are solved ahead; what is stronger than the last is solved each time."""


class Layer(NamedTuple):
    """A rain layer (H, W) float32 in units of the exposure, and the colour of its rain."""

    rain: np.ndarray
    colour: RainColour | None


@dataclass
class Piece:
    """A region of a photograph with its settings, but for the strength."""

    photo: Photo
    region: Region
    asked: Asked
    layers: dict[float, Layer] = field(default_factory=dict)
    _pixels: np.ndarray | None = None
    _last: float = 1.0

    @property
    def pixels(self) -> np.ndarray:
        """Of the region, in the dtype of the file."""
        if self._pixels is None:
            self._pixels = self.photo.cut(self.region)
        return self._pixels

    def derained(self, strength: float, quick: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Return the picture without rain, in the dtype of the file, and the rain (H, W) in [0, 1].

        ``quick`` takes a layer between two that are known.
        """
        self._last = strength
        layer = self._between(strength) if quick else None
        layer = layer or self.solved(strength)
        image, unit = self.pixels, self.photo.unit
        channels = split_channels(image, -1)
        colour = np.ascontiguousarray(scaled(channels.colour, 1 / unit))
        shares = None if layer.colour is None else layer.colour.shares
        clean, taken = remove_layer(colour, layer.rain, shares)
        if self.asked.veil:
            clean = remove_veil(clean, self.photo.veil(self.region))
        background = quantise(join_channels(scaled(clean, unit), channels), image.dtype)
        return np.ascontiguousarray(background), scaled(taken, unit)

    def solved(self, strength: float) -> Layer:
        """Return the layer of a strength, which is solved where it is not known."""
        if strength not in self.layers:
            layer = self._solve(strength)
            if len(self.layers) > 2 * len(KNOTS):
                # Those in between are of use once.
                self.layers = {known: self.layers[known] for known in KNOTS if known in self.layers}
            self.layers[strength] = layer
        return self.layers[strength]

    def solve_ahead(self) -> bool:
        """Solve the layer of one knot that is not known, near what was asked last; tell whether there are more."""
        missing = [knot for knot in KNOTS if knot not in self.layers]
        if not missing or not self.streaks(1.0):
            return False
        self.solved(min(missing, key=lambda knot: abs(knot - self._last)))
        return len(missing) > 1

    def streaks(self, strength: float) -> tuple[Streaks, ...]:
        """Return what is to be removed, as the command finds it in the whole picture."""
        # The heights of streaks are those of the whole picture at the scale of the piece.
        return streaks_of(self.photo.evidence, self.asked.angles, strength, *self.photo.size_at(self.region.scale))

    def _solve(self, strength: float) -> Layer:
        streaks, image = self.streaks(strength), self.pixels
        if not streaks or min(image.shape[:2]) < LEAST_SIDE:
            return Layer(np.zeros(image.shape[:2], np.float32), None)
        more = marks_for(self.asked, self.region, image)
        unit = self.photo.unit
        parts = remove_rain(image, streaks, StillSettings(), image.dtype, unit=unit, **more)
        return Layer(np.ascontiguousarray(scaled(parts.rain, 1 / unit), np.float32), parts.colour)

    def _between(self, strength: float) -> Layer | None:
        """Return the layer between those of the knots on both sides, None where nothing is known of the piece yet, or
        the strength is beyond them.
        """
        above = bisect.bisect_left(KNOTS, strength)
        if strength in self.layers or not self.layers or above == len(KNOTS) or strength == 0:
            return self.layers.get(strength)
        upper = self.solved(KNOTS[above])
        if above == 0:
            return Layer(upper.rain * np.float32(strength / KNOTS[0]), upper.colour)
        lower = self.solved(KNOTS[above - 1])
        # Strength works by its ratio.
        share = np.float32(np.log2(strength / KNOTS[above - 1]) / np.log2(KNOTS[above] / KNOTS[above - 1]))
        return Layer(lower.rain + share * (upper.rain - lower.rain), upper.colour)


def marks_for(asked: Asked, region: Region, image: np.ndarray) -> dict[str, Any]:
    """Return the marks of a region as `rainopt.still.derain.remove_rain` takes them, or nothing."""
    height, width = image.shape[:2]
    marks = drawn(asked.strokes, height, width, region.scale, region.left, region.top)
    if marks is None:
        return {}
    return {"marks": marks_of(marks, image, height, width)}
