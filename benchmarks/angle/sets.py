"""The pictures that the angle is measured on, what is known of their rain, and what is found in them."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.layer_angle import angle_error, layer_angle
from benchmarks.pictures import grey, opaque, pairs, pictures, sets_of_pairs, to_bytes
from data_tools import RainSpec, add_rain
from data_tools.rain.presets import draw_fields
from rainopt import AngleEstimate, read_image
from rainopt.direction.estimate import describe, peak, vote
from rainopt.direction.evidence import gather
from rainopt.direction.planes import work_planes

FIT, CHECK = "fit", "check"  # halves: the calibration is fitted on one and never sees the other
FITTED_PAIRS = ("streaks", "heavy")  # sets of pairs in the first half; all others are in the second
RENDERED = ("light", "medium", "faint")
REPEATS = 2  # rains over each clean photograph, for each entry of `RENDERED`
STEEPEST = 60.0  # degrees from the vertical, of rendered rain
PHOTO_LABELS = Path(__file__).with_name("photo_angles.csv")
SEED = 1


@dataclass(frozen=True)
class Picture:
    """One picture: its set and name, its half, all directions of its rain with the main one first, and how to get it.

    ``truths`` is empty for pictures without rain, or with rain of a direction that is not known.
    """

    group: str
    name: str
    half: str
    truths: tuple[float, ...]
    load: Callable[[], np.ndarray]


@dataclass(frozen=True)
class Finding:
    """What is found in one picture: the estimate, and the first peak of the votes with its description."""

    picture: Picture
    estimate: AngleEstimate
    peak: float | None
    description: np.ndarray | None

    @property
    def error(self) -> float:
        """Degrees between the estimated and the main true direction; NaN where none is known."""
        return self.miss(self.estimate.angle)

    def miss(self, angle: float) -> float:
        """Return the degrees between an angle and the main true direction; NaN where none is known."""
        return angle_error(angle, self.picture.truths[0]) if self.picture.truths else math.nan


def examine(picture: Picture) -> Finding:
    """Estimate the angle of a picture, and keep what its confidence is computed from."""
    evidence = gather(work_planes(picture.load()))
    angle = peak(evidence)
    return Finding(picture, vote(evidence), angle, None if angle is None else describe(evidence, angle))


def collect(data: Path, limit: int | None) -> list[Picture]:
    """Return the pictures of all folders that ``data`` holds, at most ``limit`` of each.

    Raises
    ------
    FileNotFoundError, ValueError
        If a table of labels names a picture that is not there, or lacks a column; if a rainy picture has no clean one.
    """
    found: list[Picture] = []
    if (data / "clean").is_dir():
        found += clean_and_rendered(data / "clean", limit)
    if (data / "photos_labelled").is_dir():
        found += labelled(data / "photos_labelled", limit)
    if (data / "photos").is_dir():
        found += seen_by_eye(data / "photos", limit)
    for folder in sets_of_pairs(data):
        found += paired(folder, limit)
    return found


def clean_and_rendered(folder: Path, limit: int | None) -> Iterator[Picture]:
    """Yield each clean photograph without rain, with rain of one direction, and with rain of several."""
    for index, path in enumerate(pictures(folder, limit)):
        half = (FIT, CHECK)[index % 2]
        yield Picture("clean", path.name, half, (), partial(read_image, path))
        for kind, preset in enumerate((*RENDERED, "multi")):
            for repeat in range(1 if preset == "multi" else REPEATS):
                seed = [SEED, index, kind, repeat]
                spec = draw_spec(preset, np.random.default_rng(seed), repeat)
                turns = sorted(spec.directions, key=lambda d: -d.share)
                truths = tuple(spec.angle + d.turn for d in turns)
                yield Picture(preset, path.name, half, truths, partial(render, path, spec, [*seed, 1]))


def draw_spec(preset: str, rng: np.random.Generator, repeat: int) -> RainSpec:
    """Draw rain of an entry of `RENDERED`, at an angle up to `STEEPEST`, or of ``"multi"`` as the preset has it."""
    if preset == "multi":
        return RainSpec.sample(preset, rng)
    angle = rng.uniform(-STEEPEST, STEEPEST)
    if preset != "faint":
        return RainSpec(**{**draw_fields(preset, rng), "angle": angle})
    return RainSpec(
        angle=angle,
        angle_spread=rng.uniform(0.5, 4),
        density=math.exp(rng.uniform(math.log(100), math.log(1500))),
        length=rng.uniform(15, 80),
        width=rng.uniform(1.2, 4),
        intensity=rng.uniform(0.1, 0.45),
        composition="additive" if repeat % 2 else "screen",
        layers=2,
    )


def render(path: Path, spec: RainSpec, seed: list[int]) -> np.ndarray:
    """Return a clean photograph with rain, uint8; always the same."""
    return to_bytes(add_rain(opaque(read_image(path)), spec, np.random.default_rng(seed)).rainy)


def labelled(folder: Path, limit: int | None) -> Iterator[Picture]:
    """Yield the photographs whose angles are in the folder's own table."""
    for row in read_table(folder / "angles.csv", folder, ("file", "angle_deg"))[:limit]:
        path = folder / row["file"]
        yield Picture("labelled", path.name, CHECK, (float(row["angle_deg"]),), partial(read_image, path))


def seen_by_eye(folder: Path, limit: int | None) -> Iterator[Picture]:
    """Yield the photographs of `PHOTO_LABELS`, one set for each visibility of the rain."""
    for row in read_table(PHOTO_LABELS, folder, ("file", "angle", "second", "visibility"))[:limit]:
        path = folder / row["file"]
        truths = tuple(float(row[key]) for key in ("angle", "second") if row[key])
        yield Picture(f"photos/{int(row['visibility'])}", path.name, FIT, truths, partial(read_image, path))


def paired(folder: Path, limit: int | None) -> Iterator[Picture]:
    """Yield the rainy pictures of a set of pairs; the truth is the direction of the luminance that rain adds."""
    half = FIT if folder.name in FITTED_PAIRS else CHECK
    for name, rainy, clean in pairs(folder, limit):
        truth = layer_angle(grey(rainy) - grey(clean))
        truths = (truth,) if math.isfinite(truth) else ()
        yield Picture(f"pairs/{folder.name}", name, half, truths, partial(read_image, folder / "rain" / name))


def read_table(table: Path, folder: Path, columns: tuple[str, ...]) -> list[dict[str, Any]]:
    """Read a table of labels for the pictures in ``folder``.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no table, a picture is not there, or a column.
    """
    if not table.is_file():
        raise FileNotFoundError(f"the folder {folder.name}/ has no {table.name}")
    with table.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{table.name} has no column '{missing[0]}'; it must have {', '.join(columns)}")
        rows = list(reader)
    for row in rows:
        if not (folder / row["file"]).is_file():
            raise FileNotFoundError(f"{table.name} names '{row['file']}', which is not in the folder {folder.name}/")
    return rows
