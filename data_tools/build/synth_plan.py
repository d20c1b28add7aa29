"""Which pairs with rendered rain a dataset is to hold, and which of them it lacks."""

from __future__ import annotations

import glob
import hashlib
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from data_tools.build.settings import SynthSettings
from data_tools.decisions.honour import held_back
from data_tools.layouts.clean import why_not_clean
from data_tools.manifest.folder import FolderError, holds_dataset, open_folder
from data_tools.manifest.paths import ManifestError
from data_tools.manifest.record import Split
from rainopt.app.kinds import IMAGES
from rainopt.app.search import find

SETTINGS = "synth"
_log = logging.getLogger(__name__)


class SynthError(ValueError):
    """The dataset cannot be made as asked; nothing has been done."""


@dataclass(frozen=True)
class PairJob:
    """One pair that is to be made: rain number `version` over one clean picture."""

    source: Path
    scene: str  # name of the clean picture in the dataset, without suffix
    version: int
    split: Split
    folder: Path
    settings: SynthSettings

    @property
    def id(self) -> str:
        """Name of the record."""
        return f"{self.split}/{self.scene}/{self.version:03}"

    def file(self, kind: str) -> str:
        """Return the path of one of its files, relative to the dataset."""
        name = self.scene if kind == "clean" else f"{self.scene}/{self.version:03}"
        return f"{self.split}/{kind}/{name}.png"


def plan_pairs(
    clean: Iterable[str | os.PathLike[str]], folder: Path | None, settings: SynthSettings, count: int | None = None
) -> list[PairJob]:
    """Say which pairs a dataset is to hold: `count` in all, dealt evenly over the clean pictures, or one each.

    Every choice depends on the seed, the picture's name and the version alone. So the pairs are the same whatever the
    order, the number of processes or an interruption, and a larger count adds to a smaller one.

    Parameters
    ----------
    clean
        Image files, globs, and folders that are searched with their sub-folders. Each must hold an image; one that is
        named twice is taken once. Results of this project that lie among others are left out, as
        `rainopt.io.own_results` says, and so are its datasets, which is logged as a warning.
    folder
        The dataset's folder, whose images are left out; None if the pairs are to be looked at only.
    settings
        How the dataset is made.
    count
        Number of pairs, at least 1; None for one each.

    Raises
    ------
    SynthError
        If `count` is below 1, an argument is or holds no image, is a dataset or cannot be listed, or two pictures
        would have one name.
    """
    if count is not None and count < 1:
        raise SynthError(f"`count` must be at least 1, got {count}")
    # In the order of their names, so that the order of the arguments decides nothing.
    scenes = sorted(_scenes(clean, folder).items())
    jobs = []
    for number in range(len(scenes) if count is None else count):
        version, position = divmod(number, len(scenes))
        scene, source = scenes[position]
        split: Split = "val" if _uniform(settings.seed, scene) < settings.val_share else "train"
        jobs.append(PairJob(source, scene, version, split, folder or Path(), settings))
    return jobs


def _scenes(clean: Iterable[str | os.PathLike[str]], folder: Path | None) -> dict[str, Path]:
    names: dict[str, tuple[str, Path]] = {}
    for source, relative in _find(clean, folder):
        found = relative.with_suffix("").as_posix().replace("/", "__"), source
        place = os.path.realpath(source)
        # The longest name is that of the uppermost folder.
        names[place] = max(names.get(place, found), found, key=lambda one: (len(one[0]), one[0]))
    scenes: dict[str, Path] = {}
    for scene, source in names.values():
        if scene in scenes:
            raise SynthError(f"'{scenes[scene]}' and '{source}' would be one scene, '{scene}'; rename one of them")
        scenes[scene] = source
    if not scenes:
        raise SynthError("no clean picture is named")
    return scenes


def _find(clean: Iterable[str | os.PathLike[str]], folder: Path | None) -> Iterator[tuple[Path, Path]]:
    """Yield each clean picture and its path below what was named; what is left out is logged."""
    arguments = [os.fspath(argument) for argument in clean]
    outside = "" if folder is None else f" outside '{folder}'"
    inside = None if folder is None else os.path.join(os.path.realpath(folder), "")
    kinds = ", ".join(sorted(IMAGES.suffixes))
    for argument in arguments:
        if not argument:
            raise SynthError("'' names no clean picture; is a variable unset?")
        if not os.path.lexists(argument) and not glob.has_magic(argument):
            raise SynthError(f"'{argument}' does not exist; name clean images or folders of them")
        if inside and os.path.join(os.path.realpath(argument), "").startswith(inside):
            what = "holds" if os.path.isdir(argument) else "is"
            raise SynthError(f"'{argument}' {what} no image ({kinds}){outside}")
        reason = why_not_clean(Path(argument)) if os.path.isdir(argument) else None
        if reason is not None:
            raise SynthError(reason)
    # One by one, for a picture that is named twice has the name that it has below the uppermost folder.
    searched = [find([argument], folder, IMAGES) for argument in arguments]
    datasets: dict[Path, bool] = {}
    for item in (item for found in searched for item in found.inputs):
        if item.problem is not None:
            raise SynthError(f"{item.problem}{outside if 'holds no' in item.problem else ''}")
        if item.source.suffix.lower() not in IMAGES.suffixes:
            raise SynthError(f"'{item.source}' is no image ({kinds})")
        # Those that were made before folders of results were marked.
        above = list(item.source.parents)[: len(item.relative.parts) - 1]
        for place in above:
            if place not in datasets:
                datasets[place] = holds_dataset(place)
        if not any(datasets[place] for place in above):
            yield item.source, item.relative
    for note in dict.fromkeys(note for found in searched for note in found.notes()):
        _log.warning("%s", note)
    if left := [f"'{place}'" for place, made in datasets.items() if made]:
        _log.warning("left out, as datasets: %s; name their clean pictures if you mean them", ", ".join(left))


def digest(*parts: object) -> int:
    """Return a number of 64 bits that depends on nothing but these parts."""
    # Not `hash`, which differs from process to process.
    text = "\0".join(map(str, parts)).encode(errors="surrogateescape")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


def _uniform(seed: int, scene: str) -> float:
    return digest("split", seed, scene) / 2.0**64


def remaining(jobs: list[PairJob], folder: Path, settings: SynthSettings) -> list[PairJob]:
    """Return the jobs whose records a dataset lacks; an unfinished or empty folder is begun or continued.

    Raises
    ------
    SynthError
        If the folder holds something else or a dataset that was made with other settings, or cannot be written.
    """
    try:
        there = {record.id for record in open_folder(folder, SETTINGS, settings.recorded())} | held_back(folder)
    except (FolderError, ManifestError) as error:
        raise SynthError(str(error)) from error
    return [job for job in jobs if job.id not in there]
