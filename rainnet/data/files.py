"""Training examples without end: crops of rainy pictures that there are, with their truth or without."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from torch import Tensor
from torch.utils.data import Dataset

from data_tools.layouts.read import Pair
from data_tools.rain.parts import checked_number
from rainnet.data.clean import CleanRegions, brightened
from rainnet.data.crops import (
    LEAST,
    Cut,
    Range,
    as_planes,
    as_tensor,
    at_least,
    between,
    checked_range,
    find_place,
    wrapped,
)
from rainnet.data.pictures import BUDGET, DataError, Pictures, check_sizes
from rainnet.data.sources import Source, find_pairs, lone, require_one_size, require_truth
from rainopt.direction.estimate import estimate_angle


class FileCrops(Dataset[dict[str, Tensor]]):
    """What crops of rainy pictures have in common; `PairCrops`, `RainyCrops` and `SinglePicture` are to be used.

    The angle of the rain is the one that is given, or that a manifest says, or else estimated from the whole rainy
    picture, once in each process. Estimates go unquestioned, also of pictures whose rain is hardly to be seen.

    Parameters
    ----------
    source
        Where the pictures are.
    size
        Side of the crops in pixels.
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
    upright
        Whether crops have streaks vertical; otherwise they lie as in the picture, and there is neither "plain" nor
        "angle".
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

    truth: ClassVar[bool] = False

    def __init__(
        self,
        source: Source | Sequence[Source],
        size: int = 128,
        *,
        seed: int = 0,
        split: str | None = None,
        angle: float | None = None,
        angle_error: float = 0.0,
        scale: Range = (1.0, 1.0),
        flips: bool = True,
        gain: Range = (1.0, 1.0),
        upright: bool = True,
        unpaired: Sequence[Path] | None = None,
        budget: int = BUDGET,
    ) -> None:
        self.size, self.seed = at_least("size", size, LEAST), at_least("seed", seed, 0)
        self.angle = None if angle is None else checked_number("angle", angle, -90, 90, low_open=True)
        self.angle_error = checked_number("angle_error", angle_error, 0, 45)
        self.scale, self.gain = checked_range("scale", scale, 1), checked_range("gain", gain, 2)
        self.flips, self.upright = flips, upright
        self.pairs, self._angles = self._find(source, split)
        sizes = check_sizes([path for pair in self.pairs for path in self._files(pair)], size)
        if self.truth:
            require_one_size(self.pairs, sizes)
        self._store = Pictures(budget)
        self._unpaired = None if unpaired is None else CleanRegions(unpaired, size, self.scale, flips, self._store)
        if self._unpaired is not None:
            self._unpaired.require_another([path for pair in self.pairs for path in _both(pair)])

    def _find(self, source: Source | Sequence[Source], split: str | None) -> tuple[list[Pair], dict[Path, float]]:
        """Return the pictures, and what is known of the angles of their rain."""
        raise NotImplementedError

    def _files(self, pair: Pair) -> list[Path]:
        """Return the files that an example is made from, the rainy one first."""
        return _both(pair) if self.truth else [pair.rainy]

    def angle_of(self, pair: Pair) -> float:
        """Return the angle in degrees of the rain in the rainy picture of a pair."""
        if self.angle is not None:
            return self.angle
        if pair.rainy not in self._angles:
            self._angles[pair.rainy] = estimate_angle(self._store.read(pair.rainy)).angle
        return self._angles[pair.rainy]

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        rng = np.random.default_rng([self.seed, index])
        pair = self.pairs[int(rng.integers(len(self.pairs)))]
        mirrored = bool(rng.integers(2)) and self.flips
        gain, error = between(self.gain, rng), self.angle_error * float(rng.standard_normal())
        example, cut = {}, Cut(self.size, None)
        if self.upright:
            angle = wrapped(-self.angle_of(pair) if mirrored else self.angle_of(pair))
            example["angle"] = as_tensor(np.asarray(angle))
            cut = Cut(self.size, wrapped(angle + error))
        pictures = [self._store.read(path) for path in self._files(pair)]
        place = find_place(pictures[0].shape[:2], cut.shape, self.size, self.scale, rng)
        regions = [brightened(place.take(picture), gain) for picture in pictures]
        planes = as_planes(*(region[:, ::-1] if mirrored else region for region in regions))
        crops = cut.upright(planes)
        example["rainy"] = as_tensor(crops[:3])
        if self.truth:
            example["clean"] = as_tensor(crops[3:])
        if self.upright:
            example["plain"] = as_tensor(cut.plain(planes[:3]))
        if self._unpaired is not None:
            _, other = self._unpaired.draw(cut, gain, rng, frozenset(_both(pair)))
            example["unpaired"] = as_tensor(cut.upright(as_planes(other)))
        return example


class PairCrops(FileCrops):
    """Crops of pairs in any layout that `data_tools` reads; see `rainnet.data` for what an example is.

    ``source`` is a dataset's folder, manifest or list, or what `data_tools.layouts.read.read_dataset` made of one; or
    several of them. It is refused where rainy pictures lack a clean one, or one of the same size. The other parameters
    are those of `FileCrops`.
    """

    truth = True

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
