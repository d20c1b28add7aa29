"""Pairs with rendered rain, as files: how one is made, and how a dataset of them is finished."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_tools.build.synth_plan import PairJob, digest
from data_tools.decisions.honour import apply_decisions
from data_tools.manifest.file import append_record
from data_tools.manifest.folder import sweep
from data_tools.manifest.paths import checksum, resolve_path
from data_tools.manifest.record import PairRecord
from data_tools.rain.spec import RainSpec
from data_tools.rain.synth import add_rain, compose
from rainopt.image import quantise
from rainopt.io import ImageMetadata, read_image, read_image_file, write_image
from rainopt.parallel.processes import DIED, run_in_processes

# Presets are stated for pictures of about this many pixels.
PRESET_PIXELS = 480 * 320
# What an image's metadata say of its numbers.
MEANING = ("icc", "colour")


class RenderedPair(NamedTuple):
    """What goes into the files of a pair, as integers of the files' depth, and what the numbers of pictures mean."""

    clean: np.ndarray
    rainy: np.ndarray
    rain: np.ndarray  # (H, W) uint16
    mask: np.ndarray  # (H, W) uint8, 0 or 255
    spec: RainSpec
    meaning: ImageMetadata


def render_pair(job: PairJob) -> RenderedPair:
    """Read the clean picture and render its rain; the result depends on nothing but the job.

    Raises
    ------
    ValueError, OSError
        If the picture cannot be read, or has an alpha channel.
    """
    source = read_image_file(job.source)
    image = source.pixels
    if image.ndim == 3 and image.shape[2] in (2, 4):
        raise ValueError(f"'{job.source}' has an alpha channel, which rain cannot fall through; flatten it first")
    depth = np.dtype(np.uint16 if image.dtype == np.uint16 else np.uint8)
    clean = quantise(image, depth) if image.dtype.kind == "f" else image
    rng = np.random.default_rng([job.settings.seed, digest("rain", job.scene), job.version])
    size = math.sqrt(clean.shape[0] * clean.shape[1] / PRESET_PIXELS)
    spec = RainSpec.sample(job.settings.preset, rng).scaled(size)
    result = add_rain(clean, spec, rng)
    # The layer is rounded before it is put over the picture, so that the files repeat the truth exactly.
    rain = quantise(result.rain, np.dtype(np.uint16))
    rainy = quantise(compose(clean, rain, spec.composition), depth)
    # Rain is added to the numbers of the picture, which keep their meaning; where it was taken is no part of that.
    meaning = ImageMetadata(**{name: value for name, value in vars(source.metadata).items() if name in MEANING})
    return RenderedPair(clean, rainy, rain, result.mask.astype(np.uint8) * 255, spec, meaning)


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
                write_image(place, getattr(pair, kind), metadata=pair.meaning if kind in ("clean", "rainy") else None)
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
            licence=job.settings.licence,
            source=job.source.name,
            checksums={job.file(kind): checksum(place) for kind, place in places.items()},
            spec=pair.spec.to_dict(),
            angle=pair.spec.angle,
        )
    # One bad picture must leave the others to be done.
    except Exception as error:
        reason = str(error) or type(error).__name__
        return reason if str(job.source) in reason or str(job.folder) in reason else f"'{job.source}': {reason}"


def run(jobs: Sequence[PairJob], processes: int) -> Iterator[tuple[PairJob, PairRecord | str]]:
    """Make pairs in this process or in several; yield them as they are ready, with what `make_pair` returns."""
    if processes <= 1 or len(jobs) < 2:
        for job in jobs:
            yield job, make_pair(job)
        return
    for (job,), result in run_in_processes(make_pair, [(job,) for job in jobs], min(processes, len(jobs))):
        yield job, result or f"'{job.source}': {DIED}"


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
    """Sort the manifest by id, honour what people have decided, remove what a killed run left half written, and return
    the number of pairs.
    """
    sweep(folder)
    return apply_decisions(folder).records
