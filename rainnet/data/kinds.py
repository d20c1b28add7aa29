"""The kinds of data that a recipe can name, and what each can put into an example."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from data_tools.layouts.read import read_dataset
from data_tools.layouts.two_folders import read_two_folders
from rainnet.data.augmented import Augmented
from rainnet.data.camera import Camera
from rainnet.data.examples import Examples, WithRainy
from rainnet.data.files import PairCrops, RainyCrops, SinglePicture
from rainnet.data.pictures import DataError, clean_pictures_in
from rainnet.data.rendered import RenderedCrops
from rainnet.data.sources import is_picture
from rainnet.models.names import known
from rainnet.programs.base import ExampleSpec
from rainnet.recipes.sections import DataSection

ALL = frozenset(field.name for field in fields(ExampleSpec))
SAID = {
    "upright": "upright crops",
    "frames": "several rainy pictures of one scene",
    "truth": "the truth",
    "unpaired": "clean pictures of other scenes",
    "unpaired_rainy": "rainy pictures of other scenes",
    "angle": "the angle of the rain",
    "plain": "crops as they lie beside upright ones",
    "start": "the solver's layer",
}
# Of another seed than the examples that they lie beside.
RAINY_SEED = 1 << 31


@dataclass(frozen=True)
class Kind:
    """One kind of data.

    Attributes
    ----------
    build
        Returns the examples of a recipe's data section, which depend on a seed, and hold what a spec says.
        "unpaired_rainy" is added to them by `dataset_for`.
    gives
        Fields of `ExampleSpec` that it can answer.
    """

    build: Callable[[DataSection, int, ExampleSpec], Examples]
    gives: frozenset[str] = ALL


def dataset_for(section: DataSection, seed: int, spec: ExampleSpec) -> Examples:
    """Return the examples that a recipe asks for.

    Parameters
    ----------
    section
        Of the recipe.
    seed
        Example k depends on it and k alone.
    spec
        What the losses are computed from.

    Raises
    ------
    DataError, LayoutError
        If there is nothing to train on, or what there is lacks what the losses need.
    """
    try:
        kind = KINDS[known(section.kind, KINDS, "kind of data")]
    except ValueError as error:
        raise DataError(f"'data.kind': {error}") from None
    if section.rainy is not None and (section.kind != "pairs" or section.train):
        other = f"kind '{section.kind}'" if section.kind != "pairs" else "data.train beside it"
        raise DataError(f"'data.rainy' is one side of the data of kind 'pairs', and there is {other}; leave one out")
    if not section.train and section.rainy is None:
        raise DataError("there is nothing to train on: name a folder with --data, or data.train in the recipe")
    for want in sorted(spec.demands - kind.gives):
        able = [f"'{name}'" for name, each in KINDS.items() if want in each.gives]
        raise DataError(
            f"the losses need {SAID[want]}, which data.kind '{section.kind}' cannot give; {' and '.join(able)} can, or "
            "leave those losses out"
        )
    for want, folders, option in (
        ("unpaired", section.unpaired, "--clean"),
        ("unpaired_rainy", section.unpaired_rainy, "--rainy"),
    ):
        if want in spec.demands and not folders:
            raise DataError(
                f"the losses need {SAID[want]}: name a folder with {option}, or data.{want} in the recipe; or leave "
                "those losses out"
            )
    dataset = kind.build(section, seed, spec)
    if section.augment is not None:
        dataset = Augmented(dataset, spec, section.size, section.augment.generator, section.augment.ratio, seed)
    if not spec.unpaired_rainy:
        return dataset
    others, upright = section.unpaired_rainy, ExampleSpec(upright=spec.upright)
    rainy = RainyCrops(others, section.size, upright, seed=seed + RAINY_SEED, split=_part(others))
    return WithRainy(dataset, rainy)


def _rendered(section: DataSection, seed: int, spec: ExampleSpec) -> Examples:
    return RenderedCrops(
        clean_pictures_in(section.train),
        section.size,
        spec,
        presets=section.presets,
        dry=section.dry,
        angle_range=section.angle_range,
        scale=section.scale,
        gain=section.gain,
        rain_scale=section.rain_scale,
        haze=section.haze,
        veil=section.veil,
        camera=None if section.camera is None else Camera(**section.camera.model_dump()),
        **_common(section, seed, spec),
    )


def _pairs(section: DataSection, seed: int, spec: ExampleSpec) -> Examples:
    if section.rainy is None or section.clean is None:
        return PairCrops(section.train, section.size, spec, split=_split(section), **_common(section, seed, spec))
    sides = read_two_folders(section.rainy, section.clean, section.match)
    split = section.split or ("train" if any(pair.split == "train" for pair in sides) else None)
    return PairCrops(sides, section.size, spec, split=split, **_common(section, seed, spec))


def _rainy(section: DataSection, seed: int, spec: ExampleSpec) -> Examples:
    return RainyCrops(section.train, section.size, spec, split=_split(section), **_common(section, seed, spec))


def _single(section: DataSection, seed: int, spec: ExampleSpec) -> Examples:
    return SinglePicture(_only(section.train), section.size, spec, **_common(section, seed, spec))


KINDS: dict[str, Kind] = {
    "rendered": Kind(_rendered),
    "pairs": Kind(_pairs),
    "rainy": Kind(_rainy, ALL - {"truth"}),
    "single": Kind(_single, ALL - {"truth", "frames"}),
}
"""All kinds by the names that recipes have for them."""


def _common(section: DataSection, seed: int, spec: ExampleSpec) -> dict[str, Any]:
    unpaired = clean_pictures_in(section.unpaired) if spec.unpaired else None
    return {"seed": seed, "angle_error": section.angle_error, "unpaired": unpaired}


def _split(section: DataSection) -> str | None:
    """Return the part of the datasets to train on: "train" where there are parts and none is named."""
    return _part(section.train) if section.split is None else section.split


def _part(paths: Sequence[Path]) -> str | None:
    parts = {pair.split for path in paths if not is_picture(path) for pair in read_dataset(path)}
    return "train" if "train" in parts else None


def _only(files: Sequence[Path]) -> Path:
    if len(files) != 1:
        raise DataError(f"one photograph is expected for data.kind 'single', got {len(files)}")
    return files[0]
