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

from data_tools.manifest import (
    MANIFEST_NAME,
    Header,
    ManifestError,
    Record,
    append_record,
    checksum,
    read_manifest,
    write_manifest,
)
from data_tools.presets import PRESETS
from data_tools.rain_spec import RainSpec
from data_tools.synth import add_rain, compose
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
    split: str
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
    folder: Path,
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
        Image files, and folders that are searched with their sub-folders.
    folder
        The dataset's folder.
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
        If a setting is out of range, there is no image, or two pictures would have one name.
    """
    if preset not in PRESETS:
        raise SynthError(f"`preset` must be one of {', '.join(PRESETS)}, got '{preset}'")
    if (count is not None and count < 1) or seed < 0 or not 0 <= val_share < 1:
        raise SynthError("`count` must be at least 1, `seed` at least 0 and `val_share` in [0, 1)")
    scenes: dict[str, Path] = {}
    for source, relative in _find(clean, folder):
        scene = relative.with_suffix("").as_posix().replace("/", "__")
        if scene in scenes:
            raise SynthError(f"'{scenes[scene]}' and '{source}' would be one scene, '{scene}'; rename one of them")
        scenes[scene] = source
    if not scenes:
        raise SynthError(f"there is no image ({', '.join(sorted(READABLE_SUFFIXES))}) among the clean pictures")
    jobs = []
    for number in range(len(scenes) if count is None else count):
        version, position = divmod(number, len(scenes))
        scene, source = list(scenes.items())[position]
        split = "val" if _uniform(seed, scene) < val_share else "train"
        jobs.append(PairJob(source, scene, version, preset, seed, split, folder, licence))
    return jobs


def _find(clean: Iterable[str | os.PathLike[str]], folder: Path) -> Iterator[tuple[Path, Path]]:
    inside = os.path.realpath(folder) + os.sep
    for argument in clean:
        path = Path(argument)
        if not path.exists():
            raise SynthError(f"'{path}' does not exist; name clean images or folders of them")
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            hidden = file.name.startswith(".") or os.path.realpath(file).startswith(inside)
            if file.is_file() and file.suffix.lower() in READABLE_SUFFIXES and not hidden:
                yield file, file.relative_to(path) if path.is_dir() else Path(file.name)


def _digest(*parts: object) -> int:
    # Not `hash`, which differs from process to process.
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:8], "big")


def _uniform(seed: int, scene: str) -> float:
    return _digest("split", seed, scene) / 2.0**64


def remaining(jobs: list[PairJob], folder: Path, settings: dict) -> list[PairJob]:
    """Return the jobs whose records a dataset lacks; an unfinished or empty folder is begun or continued.

    Raises
    ------
    SynthError
        If the folder holds something else, or a dataset that was made with other settings.
    """
    manifest_file = folder / MANIFEST_NAME
    if not manifest_file.exists():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise SynthError(f"'{folder}' is not empty and holds no {MANIFEST_NAME}; name a new folder")
        folder.mkdir(parents=True, exist_ok=True)
        write_manifest(folder, [], Header(extra={SETTINGS: settings}), overwrite=False)
        return jobs
    try:
        manifest = read_manifest(folder, repair=True)
    except ManifestError as error:
        raise SynthError(str(error)) from error
    made = manifest.header.extra.get(SETTINGS)
    if made != settings:
        raise SynthError(
            f"'{folder}' was made with {made}, and {settings} is asked for; use the same settings or another folder"
        )
    whole = [record for record in manifest if all(manifest.path(path).is_file() for path in record.paths)]
    if len(whole) < len(manifest):
        # Their files were removed; they are made again, and an id may be there only once.
        write_manifest(folder, whole, manifest.header)
    there = {record.id for record in whole}
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


def make_pair(job: PairJob) -> Record | str:
    """Render one pair and write its files; return its record, or a sentence that says what went wrong.

    Written are the clean picture (unless it is there), the rainy one, the rain layer (16 bit) and the mask, all PNG.
    """
    try:
        pair = render_pair(job)
        kinds = ("clean", "rainy", "rain", "mask")
        for kind in kinds:
            place = job.folder / job.file(kind)
            place.parent.mkdir(parents=True, exist_ok=True)
            if kind != "clean" or not place.exists():
                write_image(place, getattr(pair, kind))
        return Record(
            id=job.id,
            rainy=job.file("rainy"),
            clean=job.file("clean"),
            rain=job.file("rain"),
            mask=job.file("mask"),
            scene=job.scene,
            split=job.split,
            licence=job.licence,
            source=job.source.name,
            checksums={job.file(kind): checksum(job.folder / job.file(kind)) for kind in kinds},
            spec=pair.spec.to_dict(),
            angle=pair.spec.angle,
        )
    # One bad picture must leave the others to be done.
    except Exception as error:
        reason = str(error) or type(error).__name__
        return reason if str(job.source) in reason or str(job.folder) in reason else f"'{job.source}': {reason}"


def note(job: PairJob, record: Record) -> None:
    """Add a finished pair to the manifest; from then on it is part of the dataset."""
    append_record(job.folder, record)


def finish(folder: Path) -> int:
    """Bring the manifest into the order of the ids, whatever the order in which pairs were finished; return their
    number."""
    manifest = read_manifest(folder, repair=True)
    records = sorted(manifest.records, key=lambda record: record.id)
    if manifest.torn or records != list(manifest.records):
        write_manifest(folder, records, manifest.header)
    return len(records)
