"""Training examples without end: crops of rainy pictures that there are, with their truth or without."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from data_tools.layouts.read import Pair
from data_tools.rain.parts import checked_number
from rainnet.data.clean import CleanRegions, brightened
from rainnet.data.crops import (
    LEAST,
    Cut,
    Place,
    Range,
    as_planes,
    as_tensor,
    at_least,
    between,
    checked_range,
    find_place,
)
from rainnet.data.examples import Examples, entries
from rainnet.data.pictures import BUDGET, DataError, Pictures, check_sizes
from rainnet.data.sources import (
    Source,
    find_pairs,
    lone,
    require_masks_of_size,
    require_one_size,
    require_truth,
    scenes_of,
)
from rainnet.programs.base import ExampleSpec
from rainopt.direction.estimate import estimate_angle
from rainopt.geometry.lines import line_angle

TRIES, ENOUGH = 4, 0.5
"""Places that a crop is looked for in, until so much of one is valid."""


class FileCrops(Examples):
    """What crops of rainy pictures have in common; `PairCrops`, `RainyCrops` and `SinglePicture` are to be used.

    The angle of the rain is the one that is given, or that a manifest says, or else estimated from the whole rainy
    picture, once in each process. Estimates go unquestioned, also of pictures whose rain is hardly to be seen.

    Parameters
    ----------
    source
        Where the pictures are.
    size
        Side of the crops in pixels.
    spec
        What an example must hold. The frames of a scene are different rainy pictures of one clean one, or, where there
        is no clean one, of what the dataset calls one scene; all are cut along the rain of the first.
    seed
        Of everything that is drawn; example k depends on it and on k alone.
    split
        "train", "val" or "test": only the pictures of this split; None: all.
    angle
        Degrees in (-90, 90] of the rain in all pictures; None: as above.
    angle_error
        Standard deviation, in degrees, by which the angle that is made vertical misses that of the rain.
    scale
        Lowest and highest factor in (0, 1] by which the pictures are reduced, rain and all.
    flips
        Whether pictures are mirrored left to right, which mirrors the angle.
    gain
        Lowest and highest factor on the brightness of the pictures, which are clipped at white.
    unpaired
        Clean pictures for "unpaired"; may be those of the pairs, an example then shows two of them.
    budget
        Bytes of decoded pictures that each process keeps.

    Raises
    ------
    DataError
        If there is no picture, or one cannot be read or is smaller than a crop.
    LayoutError, ManifestError
        If a dataset is not recognised, or its manifest is broken.
    ValueError
        If another argument is outside its range.
    """

    def __init__(
        self,
        source: Source | Sequence[Source],
        size: int,
        spec: ExampleSpec,
        *,
        seed: int = 0,
        split: str | None = None,
        angle: float | None = None,
        angle_error: float = 0.0,
        scale: Range = (1.0, 1.0),
        flips: bool = True,
        gain: Range = (1.0, 1.0),
        unpaired: Sequence[Path] | None = None,
        budget: int = BUDGET,
    ) -> None:
        self.size, self.seed = at_least("size", size, LEAST), at_least("seed", seed, 0)
        self.angle = None if angle is None else checked_number("angle", angle, -90, 90, low_open=True)
        self.angle_error = checked_number("angle_error", angle_error, 0, 45)
        self.scale, self.gain = checked_range("scale", scale, 1), checked_range("gain", gain, 2)
        self.flips, self.spec = flips, spec
        self.pairs, self._angles = self._find(source, split)
        sizes = check_sizes([path for pair in self.pairs for path in self._files(pair)], size)
        if spec.truth:
            require_truth(self.pairs)
            require_one_size(self.pairs, sizes)
            require_masks_of_size(self.pairs, sizes)
        # One picture is a scene of its own, whatever else shows the same.
        self._scenes = scenes_of(self.pairs, spec.frames, sizes) if spec.frames > 1 else [[pair] for pair in self.pairs]
        # All examples have the same entries.
        self._masked = spec.truth and any(pair.valid for pair in self.pairs)
        self._store = Pictures(budget)
        self._unpaired = None if unpaired is None else CleanRegions(unpaired, size, self.scale, flips, self._store)
        if self._unpaired is not None:
            self._unpaired.require_another([path for pair in self.pairs for path in _both(pair)])

    def _find(self, source: Source | Sequence[Source], split: str | None) -> tuple[list[Pair], dict[Path, float]]:
        """Return the pictures, and what is known of the angles of their rain."""
        raise NotImplementedError

    def _files(self, pair: Pair) -> list[Path]:
        """Return the files that an example is made from, the rainy one first."""
        return _both(pair) if self.spec.truth else [pair.rainy]

    def angle_of(self, pair: Pair) -> float:
        """Return the angle in degrees of the rain in the rainy picture of a pair."""
        if self.angle is not None:
            return self.angle
        if pair.rainy not in self._angles:
            self._angles[pair.rainy] = estimate_angle(self._store.read(pair.rainy)).angle
        return self._angles[pair.rainy]

    def files(self) -> list[Path]:
        """Return the pictures and masks of all pairs, as far as examples hold them, and those of "unpaired"."""
        own = [path for pair in self.pairs for path in self._files(pair)]
        own += [pair.valid for pair in self.pairs if pair.valid and self._masked]
        return [*own, *(self._unpaired.paths if self._unpaired else ())]

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng, spec = np.random.default_rng([self.seed, index]), self.spec
        scene = self._scenes[int(rng.integers(len(self._scenes)))]
        frames = [scene[int(k)] for k in rng.permutation(len(scene))[: spec.frames]] if spec.frames > 1 else scene
        mirrored = bool(rng.integers(2)) and self.flips
        gain, error = between(self.gain, rng), self.angle_error * float(rng.standard_normal())
        angles: list[float] = []
        if spec.upright or spec.angle:
            angles = [line_angle(-self.angle_of(pair) if mirrored else self.angle_of(pair)) for pair in frames]
        cut = Cut(self.size, line_angle(angles[0] + error) if spec.upright else None)
        paths = [pair.rainy for pair in frames] + self._files(frames[0])[1:]
        pictures = [self._store.read(path) for path in paths]
        place, valid = self._place(pictures[0].shape[:2], cut, frames, rng)
        regions = [brightened(place.take(picture), gain) for picture in pictures]
        regions = [region[:, ::-1] if mirrored else region for region in regions]
        rainy, clean = regions[: spec.frames], regions[-1] if spec.truth else None
        if valid is not None and mirrored:
            valid = [region[:, ::-1] for region in valid]
        example = entries(spec, cut, rainy, clean, angles, valid)
        if self._unpaired is not None:
            _, other = self._unpaired.draw(cut, gain, rng, frozenset(_both(frames[0])))
            example["unpaired"] = as_tensor(cut.upright(as_planes(other)))
        return example

    def _place(
        self, shape: tuple[int, int], cut: Cut, frames: Sequence[Pair], rng: np.random.Generator
    ) -> tuple[Place, list[np.ndarray] | None]:
        """Return where a crop lies, and its valid pixels, (*cut.shape,) bool, of each frame; None without masks."""
        place = find_place(shape, cut.shape, self.size, self.scale, rng)
        if not self._masked:
            return place, None
        found = place, self._valid(place, shape, frames)
        for _ in range(TRIES - 1):
            if np.mean(found[1]) >= ENOUGH or not any(pair.valid for pair in frames):
                break
            place = find_place(shape, cut.shape, self.size, self.scale, rng)
            found = max(found, (place, self._valid(place, shape, frames)), key=lambda each: float(np.mean(each[1])))
        return found

    def _valid(self, place: Place, shape: tuple[int, int], frames: Sequence[Pair]) -> list[np.ndarray]:
        """Return which pixels of a place in each frame can be trusted; all of those without a mask."""
        whole = np.ones(place.shape, bool)
        masks = (None if pair.valid is None else self._store.read(pair.valid) for pair in frames)
        # Reduced with the pictures, a pixel is valid where all that it is made of is.
        return [whole if mask is None else place.take(255 * (mask > 0).view(np.uint8))[..., 0] == 255 for mask in masks]


class PairCrops(FileCrops):
    """Crops of pairs in any layout that `data_tools` reads; see `rainnet.data` for what an example is.

    ``source`` is a dataset's folder, manifest or list, or what `data_tools.layouts.read.read_dataset` made of one; or
    several of them. It is refused where rainy pictures lack a clean one, or one of the same size. The other parameters
    are those of `FileCrops`.
    """

    def _find(self, source: Source | Sequence[Source], split: str | None) -> tuple[list[Pair], dict[Path, float]]:
        found = find_pairs(source, split)
        require_truth(found[0])
        return found


class RainyCrops(FileCrops):
    """Crops of rainy pictures without truth: of folders of such pictures, of files, or the rainy side of pairs.

    ``source`` is such a folder or file, or what `PairCrops` takes; or several of them. The other parameters are those
    of `FileCrops`.
    """

    def _find(self, source: Source | Sequence[Source], split: str | None) -> tuple[list[Pair], dict[Path, float]]:
        return find_pairs(source, split, files=True)


class SinglePicture(FileCrops):
    """Crops of one rainy photograph, to train on it alone.

    ``source`` is its file; there are no splits of it. The other parameters are those of `FileCrops`.
    """

    def _find(self, source: Source | Sequence[Source], split: str | None) -> tuple[list[Pair], dict[Path, float]]:
        if not isinstance(source, str | os.PathLike):
            raise DataError(f"one photograph is expected, got {type(source).__name__}; name its file")
        if split is not None:
            raise DataError(f"'{os.fspath(source)}' is one photograph and has no split '{split}'; name no split")
        return [lone(Path(source))], {}


def _both(pair: Pair) -> list[Path]:
    return [pair.rainy] if pair.clean is None else [pair.rainy, pair.clean]
