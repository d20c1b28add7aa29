"""From the data section of a recipe to batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from data_tools.layouts.read import read_dataset
from rainnet.data import DataError, PairCrops, RainyCrops, RenderedCrops, SinglePicture, make_loader, pictures_in
from rainnet.data.sources import is_picture
from rainnet.recipes.recipe import DataSection, Recipe


def dataset_for(section: DataSection, seed: int, needs: frozenset[str]) -> Dataset[dict[str, Tensor]]:
    """Return the examples that a recipe asks for.

    Parameters
    ----------
    section
        Of the recipe.
    seed
        Example k depends on it and k alone.
    needs
        Entries that the losses are computed from.

    Raises
    ------
    DataError, LayoutError
        If there is nothing to train on, or what there is lacks what the losses need.
    """
    if not section.train:
        raise DataError("there is nothing to train on: name a folder with --data, or data.train in the recipe")
    if "unpaired" in needs and not section.unpaired:
        raise DataError(
            "the adversarial loss needs clean pictures of any scenes: name a folder with --clean, or set "
            "loss.adversarial=0"
        )
    if "clean" in needs and section.kind in ("rainy", "single"):
        raise DataError(f"loss.truth needs pairs, and data.kind is '{section.kind}'; set loss.truth=0")
    unpaired = pictures_in(section.unpaired) if "unpaired" in needs else None
    common: dict[str, Any] = {"seed": seed, "angle_error": section.angle_error, "unpaired": unpaired}
    if section.kind == "rendered":
        return RenderedCrops(
            pictures_in(section.train),
            section.size,
            presets=section.presets,
            dry=section.dry,
            angle_range=section.angle_range,
            scale=section.scale,
            gain=section.gain,
            rain_scale=section.rain_scale,
            haze=section.haze,
            veil=section.veil,
            **common,
        )
    if section.kind == "pairs":
        return PairCrops(section.train, section.size, split=_split(section), **common)
    if section.kind == "rainy":
        return RainyCrops(section.train, section.size, split=_split(section), **common)
    return SinglePicture(_only(section.train), section.size, **common)


def _split(section: DataSection) -> str | None:
    """Return the part of the datasets to train on: "train" where there are parts and none is named."""
    if section.split is not None:
        return section.split
    datasets = [path for path in section.train if not is_picture(path)]
    parts = {pair.split for path in datasets for pair in read_dataset(path)}
    return "train" if "train" in parts else None


def _only(files: Sequence[Path]) -> Path:
    if len(files) != 1:
        raise DataError(f"one photograph is expected for data.kind 'single', got {len(files)}")
    return files[0]


@dataclass(frozen=True)
class RecipeBatches:
    """The batches of a recipe, as `rainnet.train.loop.BatchSource`."""

    recipe: Recipe
    dataset: Dataset[dict[str, Tensor]]

    def __call__(self, start: int, steps: int, rank: int, world: int) -> Iterable[Mapping[str, Tensor]]:
        """Return the batches of the steps from ``start`` to below ``steps``."""
        run = self.recipe.run
        return make_loader(
            self.dataset, run.batch, start=start, steps=steps - start, workers=run.workers, rank=rank, world=world
        )
