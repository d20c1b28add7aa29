"""Synthetic pairs made over: rain of pictures, translated into real rain over their clean pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from data_tools.layouts.read import LayoutError, read_dataset
from rainnet.commands.networks import NetworkSettings
from rainnet.generate.measure import measure
from rainnet.generate.translate import made_real
from rainopt.app.derain import Derained, photo_to_photo
from rainopt.app.inputs import Job, Plan, PlanError
from rainopt.app.results import OutputSettings, results_of
from rainopt.app.task import FileRecord, Progress, error_message
from rainopt.image import frame_luminance, join_channels, split_channels
from rainopt.io import read_image, write_image

if TYPE_CHECKING:
    from rainnet.models.jrgr import JRGR

RAINY, CLEAN = "rain", "norain"
"""Folders of the pairs that are written; `data_tools.layouts` reads them as such."""


def plan_pairs(inputs: Sequence[str | Path], output: Path) -> tuple[Plan, dict[Path, Path]]:
    """Return where the pairs of datasets go, and the clean picture of each target.

    Raises
    ------
    PlanError
        If an input is no dataset, none of its pictures has a clean one, two pairs would have one name, or a result
        would replace a picture of an input.
    """
    jobs: list[Job] = []
    partners: dict[Path, Path] = {}
    notes: list[str] = []
    for each in inputs:
        try:
            pairs = read_dataset(each)
        except LayoutError as error:
            raise PlanError(str(error)) from None
        alone = sum(pair.clean is None for pair in pairs)
        if alone == len(pairs):
            raise PlanError(f"'{each}' holds no pair: none of its rainy pictures has a clean one")
        if alone:
            notes.append(f"'{each}': {alone} rainy pictures without a clean one are left out")
        whole = [pair for pair in pairs if pair.clean is not None]
        common = Path(os.path.commonpath([pair.rainy.parent for pair in whole]))
        for pair in whole:
            name = "-".join(pair.rainy.relative_to(common).with_suffix("").parts)
            target = output / RAINY / f"{name}.png"
            if target in partners:
                raise PlanError(f"two pairs would become '{target}'; make them over in separate folders")
            partners[target] = cast("Path", pair.clean)
            read = {os.path.realpath(pair.rainy), os.path.realpath(partners[target])}
            if not read.isdisjoint(map(os.path.realpath, (target, clean_of(target)))):
                raise PlanError(f"'{output}' holds the pairs that are to be made over; choose another folder")
            jobs.append(Job(pair.rainy, target))
    return Plan(tuple(jobs), tuple(notes)), partners


@dataclass(frozen=True)
class PairRecord(FileRecord):
    """What became of one pair; ``density`` and ``intensity`` are measured on the new rain."""

    density: float | None = None
    intensity: float | None = None
    height: int | None = None
    width: int | None = None
    rain: float | None = None
    seconds: float | None = None

    def line(self) -> str:
        """Return the result, and what its rain is like."""
        return (
            f"{self.input} → {self.output}  rain on {100 * (self.density or 0):.2g} % of the picture, "
            f"{self.intensity:.2f} bright, {self.seconds:.2f} s"
        )


@dataclass(frozen=True)
class GeneratePairs:
    """Making synthetic pairs over, as a `rainopt.app.task.Task`.

    Parameters
    ----------
    output
        What is written.
    settings
        By which network.
    partners
        The clean picture of each target.
    """

    output: OutputSettings
    settings: NetworkSettings
    partners: Mapping[Path, Path]
    done: ClassVar[str] = "made over"
    header: ClassVar[str | None] = None

    def __call__(self, source: Path, target: Path | None, progress: Progress | None = None) -> FileRecord:
        """Make one pair over."""
        if target is None:
            raise ValueError(f"'{source}' has no place for its result")
        place, network = clean_of(target), cast("JRGR", self.settings.network)
        try:
            clean = read_image(self.partners[target])
            if not self.output.overwrite and place.exists() and not np.array_equal(read_image(place), clean):
                raise ValueError(f"'{place}' is there and is another picture; choose another folder, or --overwrite")
        except (ValueError, OSError) as error:
            return self.failed(source, target, error_message(error, self.partners[target], place))

        def work(image: np.ndarray) -> Derained:
            rainy, channels = made_real(network, image, clean), split_channels(image, -1)
            planes = np.moveaxis(rainy, -1, 0) if len(channels.colour) > 1 else rainy.mean(-1)[None]
            unit = np.float32(np.iinfo(clean.dtype).max if clean.dtype.kind == "u" else 1)
            layer = np.clip(frame_luminance(rainy) - frame_luminance(clean.astype(np.float32) / unit), 0, 1)
            found = measure(layer)
            facts = {"density": round(found.density, 4), "intensity": round(found.intensity, 4)}
            return Derained(np.ascontiguousarray(join_channels(planes, channels)), layer, False, facts)

        record = photo_to_photo(source, target, self.output, work, PairRecord)
        # After the rainy one, so that no clean picture is left alone where that cannot be made.
        if record.status != "failed" and (self.output.overwrite or not place.exists()):
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                write_image(place, clean, overwrite=True)
            except (ValueError, OSError) as error:
                return self.failed(source, target, error_message(error, self.partners[target], place))
        return record

    def failed(self, source: Path, target: Path | None, error: str) -> FileRecord:
        """Return the record of a pair that could not be worked on."""
        return PairRecord(str(source), None if target is None else str(target), "failed", error=error)

    def results(self, target: Path) -> Iterable[Path]:
        """Return the files that are written for one target."""
        return [*results_of(target, self.output).values(), clean_of(target)]


def clean_of(target: Path) -> Path:
    """Return where the clean picture of a rainy one goes."""
    return target.parent.parent / CLEAN / target.name
