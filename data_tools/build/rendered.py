"""Pairs with rendered rain, as files: what is made, how one is made, and how a run that stopped goes on."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_tools.manifest.file import append_record, read_manifest, write_manifest
from data_tools.manifest.folder import FolderError, open_folder, sweep
from data_tools.manifest.paths import checksum, resolve_path
from data_tools.manifest.record import PairRecord, Split
from data_tools.rain.presets import PRESETS
from data_tools.rain.spec import RainSpec
from data_tools.rain.synth import add_rain, compose
from rainopt.image import quantise
from rainopt.io import READABLE_SUFFIXES, read_image, write_image

# Presets are stated for pictures of about this many pixels.
PRESET_PIXELS = 480 * 320
SETTINGS = "synth"


class SynthError(ValueError):
    """The dataset cannot be made as asked; nothing has been done."""


@dataclass(frozen=True)
class PairJob:
    """One pair that is to be made: rain number ``version`` over one clean picture."""

    source: Path
    scene: str  # name of the clean picture in the dataset, without suffix
    version: int
    preset: str
    seed: int
    split: Split
    folder: Path
    licence: str = ""

    @property
    def id(self) -> str:
        """Name of the record."""
        return f"{self.split}/{self.scene}/{self.version:03}"

    def file(self, kind: str) -> str:
        """Return the path of one of its files, relative to the dataset."""
        name = self.scene if kind == "clean" else f"{self.scene}/{self.version:03}"
        return f"{self.split}/{kind}/{name}.png"


def plan_pairs(
    clean: Iterable[str | os.PathLike[str]],
    folder: Path | None,
    *,
    preset: str,
    count: int | None = None,
    seed: int = 0,
    val_share: float = 0.0,
    licence: str = "",
) -> list[PairJob]:
    """Say which pairs a dataset is to hold: ``count`` in all, dealt evenly over the clean pictures, or one each.

    Every choice depends on the seed, the picture's name and the version alone. So the pairs are the same whatever the
    order, the number of processes or an interruption, and a larger count adds to a smaller one.

    Parameters
    ----------
    clean
        Image files, and folders that are searched with their sub-folders. Each must hold an image; one that is named
        twice is taken once.
    folder
        The dataset's folder, whose images are left out; None if the pairs are to be looked at only.
    preset
        A name in `PRESETS`.
    count
        Number of pairs, at least 1; None for one each.
    seed
        At least 0.
    val_share
        Share of the scenes, in [0, 1), that go to the split "val"; all versions of a scene stay together.
    licence
        Of the clean pictures, noted in every record.

    Raises
    ------
    SynthError
        If a setting is out of range, an argument is or holds no image, or two pictures would have one name.
    """
    if preset not in PRESETS:
        raise SynthError(f"`preset` must be one of {', '.join(PRESETS)}, got '{preset}'")
    if (count is not None and count < 1) or seed < 0 or not 0 <= val_share < 1:
        raise SynthError("`count` must be at least 1, `seed` at least 0 and `val_share` in [0, 1)")
    # In the order of their names, so that the order of the arguments is none of the choices.
    scenes = sorted(_scenes(clean, folder).items())
    jobs = []
    for number in range(len(scenes) if count is None else count):
        version, position = divmod(number, len(scenes))
        scene, source = scenes[position]
        split: Split = "val" if _uniform(seed, scene) < val_share else "train"
        jobs.append(PairJob(source, scene, version, preset, seed, split, folder or Path(), licence))
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
        path = Path(argument)
        if not path.exists():
            raise SynthError(f"'{path}' does not exist; name clean images or folders of them")
        base = path if path.is_dir() else path.parent
        files = [
            file for file in (sorted(path.rglob("*")) if path.is_dir() else [path]) if _is_clean(file, base, folder)
        ]
        if not files:
            what, where = ("holds" if path.is_dir() else "is", "" if folder is None else f" outside '{folder}'")
            raise SynthError(f"'{path}' {what} no image ({', '.join(sorted(READABLE_SUFFIXES))}){where}")
        for file in files:
            yield file, file.relative_to(base)


def _is_clean(file: Path, base: Path, folder: Path | None) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(base).parts)
    if hidden or not file.is_file() or file.suffix.lower() not in READABLE_SUFFIXES:
        return False
    return folder is None or not os.path.realpath(file).startswith(os.path.join(os.path.realpath(folder), ""))


def _digest(*parts: object) -> int:
    # Not `hash`, which differs from process to process.
    text = "\0".join(map(str, parts)).encode(errors="surrogateescape")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


def _uniform(seed: int, scene: str) -> float:
    return _digest("split", seed, scene) / 2.0**64


def remaining(jobs: list[PairJob], folder: Path, settings: dict) -> list[PairJob]:
    """Return the jobs whose records a dataset lacks; an unfinished or empty folder is begun or continued.

    Raises
    ------
    SynthError
        If the folder holds something else or a dataset that was made with other settings, or cannot be written.
    """
    try:
        there = {record.id for record in open_folder(folder, SETTINGS, settings)}
    except FolderError as error:
        raise SynthError(str(error)) from error
    return [job for job in jobs if job.id not in there]


class RenderedPair(NamedTuple):
    """What goes into the files of a pair, as integers of the files' depth."""

    clean: np.ndarray
    rainy: np.ndarray
    rain: np.ndarray  # (H, W) uint16
    mask: np.ndarray  # (H, W) uint8, 0 or 255
    spec: RainSpec


def render_pair(job: PairJob) -> RenderedPair:
    """Read the clean picture and render its rain; the result depends on nothing but the job.

    Raises
    ------
    ValueError, OSError
        If the picture cannot be read, or has an alpha channel.
    """
    image = read_image(job.source)
    if image.ndim == 3 and image.shape[2] in (2, 4):
        raise ValueError(f"'{job.source}' has an alpha channel, which rain cannot fall through; flatten it first")
    depth = np.dtype(np.uint16 if image.dtype == np.uint16 else np.uint8)
    clean = quantise(image, depth) if image.dtype.kind == "f" else image
    rng = np.random.default_rng([job.seed, _digest("rain", job.scene), job.version])
    size = math.sqrt(clean.shape[0] * clean.shape[1] / PRESET_PIXELS)
    spec = RainSpec.sample(job.preset, rng).scaled(size)
    result = add_rain(clean, spec, rng)
    # Rounded first and put over the picture then, so that the files repeat the truth exactly.
    rain = quantise(result.rain, np.dtype(np.uint16))
    rainy = quantise(compose(clean, rain, spec.composition), depth)
    return RenderedPair(clean, rainy, rain, result.mask.astype(np.uint8) * 255, spec)


def make_pair(job: PairJob) -> PairRecord | str:
    """Render one pair and write its files; return its record, or a sentence that says what went wrong.

    Written are the clean picture (unless it is there), the rainy one, the rain layer (16 bit) and the mask, all PNG.
    """
    try:
        kinds = ("clean", "rainy", "rain", "mask")
        places = {kind: _place(job, kind) for kind in kinds}
        pair = render_pair(job)
        for kind, place in places.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            if kind != "clean" or not place.exists():
                write_image(place, getattr(pair, kind))
            elif not np.array_equal(read_image(place), pair.clean):
                raise ValueError(f"'{place}' shows another picture than '{job.source}'; remove it, or rename the other")
        return PairRecord(
            id=job.id,
            rainy=job.file("rainy"),
            clean=job.file("clean"),
            rain=job.file("rain"),
            mask=job.file("mask"),
            scene=job.scene,
            split=job.split,
            licence=job.licence,
            source=job.source.name,
            checksums={job.file(kind): checksum(place) for kind, place in places.items()},
            spec=pair.spec.to_dict(),
            angle=pair.spec.angle,
        )
    # One bad picture must leave the others to be done.
    except Exception as error:
        reason = str(error) or type(error).__name__
        return reason if str(job.source) in reason or str(job.folder) in reason else f"'{job.source}': {reason}"


def _place(job: PairJob, kind: str) -> Path:
    """Return where a file of a pair goes, if a manifest can name it."""
    path = job.file(kind)
    try:
        path.encode()
    except UnicodeEncodeError:
        raise ValueError(f"the name of '{job.source}' is not UTF-8; rename it") from None
    return resolve_path(job.folder, path)


def note(job: PairJob, record: PairRecord) -> None:
    """Add a finished pair to the manifest; from then on it is part of the dataset."""
    append_record(job.folder, record)


def finish(folder: Path) -> int:
    """Sort the manifest by id, remove what a killed run left half written, and return the number of pairs."""
    sweep(folder)
    manifest = read_manifest(folder, repair=True)
    records = sorted(manifest.records, key=lambda record: record.id)
    if manifest.torn or records != list(manifest.records):
        write_manifest(folder, records, manifest.header)
    return len(records)
