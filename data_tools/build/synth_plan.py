"""Which pairs with rendered rain a dataset is to hold, and which of them it lacks."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from data_tools.build.settings import SynthSettings
from data_tools.manifest.folder import FolderError, holds_dataset, open_folder
from data_tools.manifest.record import Split
from rainopt.io import READABLE_SUFFIXES

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
        Image files, and folders that are searched with their sub-folders. Each must hold an image; one that is named
        twice is taken once. Datasets of this project that lie in them are left out, which is logged as a warning.
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
    for argument in clean:
        if not os.fspath(argument):
            raise SynthError("'' names no clean picture; is a variable unset?")
        path = Path(argument)
        if not os.path.exists(path):
            raise SynthError(f"'{path}' does not exist; name clean images or folders of them")
        if holds_dataset(path):
            raise SynthError(f"'{path}' is a dataset, whose pictures are not all clean; name its clean ones")
        base = path if path.is_dir() else path.parent
        files = [file for file in (_below(path) if path.is_dir() else [path]) if _is_clean(file, base, folder)]
        if not files:
            what, where = ("holds" if path.is_dir() else "is", "" if folder is None else f" outside '{folder}'")
            raise SynthError(f"'{path}' {what} no image ({', '.join(sorted(READABLE_SUFFIXES))}){where}")
        for file in files:
            yield file, file.relative_to(base)


def _below(folder: Path) -> list[Path]:
    """Return the files below a folder, but for those of datasets, which hold results and no photographs."""
    files: list[Path] = []
    datasets: list[str] = []

    def refuse(error: OSError) -> None:
        raise SynthError(f"'{error.filename}' cannot be listed ({error.strerror}); ask for the right to read it")

    for place, inner, names in os.walk(folder, onerror=refuse):
        here = [name for name in inner if not name.startswith(".")]
        made = [name for name in here if holds_dataset(Path(place, name))]
        datasets += [os.path.join(place, name) for name in made]
        inner[:] = [name for name in here if name not in made]
        files += [Path(place, name) for name in names]
    if datasets:
        _log.warning(
            "left out, as datasets: %s; name their clean pictures if you mean them", ", ".join(map(repr, datasets))
        )
    return sorted(files)


def _is_clean(file: Path, base: Path, folder: Path | None) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(base).parts)
    if hidden or not file.is_file() or file.suffix.lower() not in READABLE_SUFFIXES:
        return False
    return folder is None or not os.path.realpath(file).startswith(os.path.join(os.path.realpath(folder), ""))


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
        there = {record.id for record in open_folder(folder, SETTINGS, settings.recorded())}
    except FolderError as error:
        raise SynthError(str(error)) from error
    return [job for job in jobs if job.id not in there]
