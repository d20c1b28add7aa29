"""Training examples without end: synthetic rain over clean pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from torch import Tensor

from data_tools.rain.parts import checked_number
from data_tools.rain.presets import PRESETS
from data_tools.rain.spec import RainSpec
from data_tools.rain.synth import add_rain
from rainnet.data.camera import Camera
from rainnet.data.clean import CleanRegions
from rainnet.data.crops import (
    LEAST,
    Cut,
    Range,
    as_planes,
    as_tensor,
    at_least,
    between,
    checked_range,
)
from rainnet.data.examples import Examples, entries
from rainnet.data.pictures import BUDGET, Pictures
from rainnet.data.start import drawn_streaks, layer_of
from rainnet.models.names import known
from rainnet.programs.base import ExampleSpec
from rainopt.geometry.lines import line_angle

SHARES = {"light": 1.0, "medium": 1.0, "heavy": 1.0}
"""Shares of the presets of `data_tools.PRESETS`, by default."""


class RenderedCrops(Examples):
    """Crops of clean pictures with synthetic rain; see `rainnet.data` for what an example is.

    The rain is rendered where the crop is, in the picture's own frame, and then brought upright with it. Both
    pictures have 256 levels before that, as files have, so that they are equal where no rain is.

    Parameters
    ----------
    pictures
        Clean pictures.
    size
        Side of the crops in pixels.
    spec
        What an example must hold. The frames of a scene are the same crop under rain of the same description, drawn
        anew for each.
    seed
        Of everything that is drawn; example k depends on it and on k alone.
    presets
        How often each preset of `data_tools.PRESETS` is drawn, relative to the others. Of rain in several directions
        the one with the largest share is made vertical.
    dry
        Share of the examples that have no rain, so that a network learns to leave dry pictures alone.
    angle_range
        Degrees on both sides of the vertical from which the angle of the rain is drawn evenly, up to 90; None: from
        the preset's own range.
    angle_error
        Standard deviation, in degrees, by which the angle that is made vertical misses that of the rain, as an
        estimate does.
    scale
        Lowest and highest factor in (0, 1] by which the pictures are reduced; photographs hold more detail a pixel
        when they are.
    flips
        Whether the clean pictures are mirrored and turned by quarters; the rain, drawn after that, is not.
    gain
        Lowest and highest factor on the brightness of the clean pictures, which are clipped at white.
    rain_scale
        Lowest and highest factor on the size of the streaks; presets are made for pictures of 480 x 320.
    haze, veil
        Share of the rainy examples whose veil is not the preset's, but drawn evenly between these two: distant rain may
        be thicker than the presets have it.
    camera
        What a camera makes of the rain; None: grey streaks in focus, in pictures without noise.
    unpaired
        Clean pictures for "unpaired"; may be ``pictures`` themselves, an example then shows two of them.
    budget
        Bytes of decoded pictures that each process keeps.

    Raises
    ------
    DataError
        If there are no pictures, or one cannot be read or is smaller than a crop.
    ValueError
        If another argument is outside its range.
    """

    def __init__(
        self,
        pictures: Sequence[Path],
        size: int,
        spec: ExampleSpec,
        *,
        seed: int = 0,
        presets: Mapping[str, float] = SHARES,
        dry: float = 0.1,
        angle_range: float | None = 45.0,
        angle_error: float = 0.0,
        scale: Range = (0.5, 1.0),
        flips: bool = True,
        gain: Range = (0.7, 1.1),
        rain_scale: Range = (0.8, 1.25),
        haze: float = 0.0,
        veil: Range = (0.0, 0.5),
        camera: Camera | None = None,
        unpaired: Sequence[Path] | None = None,
        budget: int = BUDGET,
    ) -> None:
        self.size, self.seed = at_least("size", size, LEAST), at_least("seed", seed, 0)
        self.dry = checked_number("dry", dry, 0, 1)
        self.angle_range = None if angle_range is None else checked_number("angle_range", angle_range, 0, 90)
        self.angle_error = checked_number("angle_error", angle_error, 0, 45)
        self.gain, self.rain_scale = checked_range("gain", gain, 2), checked_range("rain_scale", rain_scale, 8)
        self.scale, self.spec = checked_range("scale", scale, 1), spec
        self.haze = checked_number("haze", haze, 0, 1)
        self.veil = tuple(checked_number("veil", each, 0, 1) for each in veil)
        self.camera = camera
        self._names, self._bounds = checked_shares(presets)
        store = Pictures(budget)
        self._clean = CleanRegions(pictures, size, self.scale, flips, store)
        self._unpaired = None if unpaired is None else CleanRegions(unpaired, size, self.scale, flips, store)
        if self._unpaired is not None:
            self._unpaired.require_another(self._clean.paths)

    def files(self) -> list[Path]:
        """Return the clean pictures, and those of "unpaired"."""
        return [*self._clean.paths, *(self._unpaired.paths if self._unpaired else ())]

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([self.seed, index])
        spec, angle = self._draw_rain(rng)
        error = self.angle_error * float(rng.standard_normal())
        cut = Cut(self.size, line_angle(angle + error) if self.spec.upright else None)
        gain = between(self.gain, rng)
        path, clean = self._clean.draw(cut, gain, rng)
        dry = rng.random() < self.dry
        if self.camera is None:
            rainy = [clean if dry else in_levels(add_rain(clean, spec, rng).rainy) for _ in range(self.spec.frames)]
        else:
            spec = self.camera.rain(spec, rng)
            *rainy, clean = self._photographed(self.camera, clean, spec, angle, dry, rng)
        starts = None
        if self.spec.start:
            streaks = drawn_streaks(spec, error, rng)
            starts = [layer_of(picture, streaks) for picture in rainy]
        example = entries(self.spec, cut, rainy, clean, [angle] * len(rainy), starts=starts)
        if self._unpaired is not None:
            _, other = self._unpaired.draw(cut, gain, rng, frozenset({path}))
            example["unpaired"] = as_tensor(cut.upright(as_planes(other)))
        return example

    def _photographed(
        self, camera: Camera, clean: np.ndarray, spec: RainSpec, angle: float, dry: bool, rng: np.random.Generator
    ) -> list[np.ndarray]:
        """Return the rainy pictures of a scene, and last the clean one, as a camera sees them."""
        scene, tint = camera.scene(clean, angle, rng), camera.tint(rng)
        rainy = [scene if dry else camera.over(scene, spec, tint, rng) for _ in range(self.spec.frames)]
        return camera.files([*rainy, scene], rng)

    def _draw_rain(self, rng: np.random.Generator) -> tuple[RainSpec, float]:
        """Return the rain, and the angle in degrees of its main direction."""
        which = int(np.searchsorted(self._bounds, rng.random() * self._bounds[-1], side="right"))
        spec = RainSpec.sample(self._names[which], rng).scaled(between(self.rain_scale, rng))
        hazy, veil = rng.random() < self.haze, between((self.veil[0], self.veil[1]), rng)
        if hazy:
            spec = replace(spec, veil=veil)
        turn = max(spec.directions, key=lambda direction: direction.share).turn
        if self.angle_range is None:
            return spec, line_angle(spec.angle + turn)
        angle = line_angle(between((-self.angle_range, self.angle_range), rng))
        return replace(spec, angle=line_angle(angle - turn)), angle


def in_levels(picture: np.ndarray) -> np.ndarray:
    """Round a picture in [0, 1] to the 256 levels that files have."""
    return np.rint(picture * np.float32(255)) / np.float32(255)


def checked_shares(presets: Mapping[str, float]) -> tuple[list[str], np.ndarray]:
    """Return the presets of a positive share, and the running sums of the shares."""
    shares = {known(name, PRESETS, "preset of rain"): checked_number(name, presets[name], 0, 1e6) for name in presets}
    names = [name for name, share in shares.items() if share > 0]
    if not names:
        raise ValueError(f"`presets` must give one of {', '.join(PRESETS)} a share above 0, got {dict(presets)!r}")
    return names, np.cumsum([shares[name] for name in names])
