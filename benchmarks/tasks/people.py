"""Scenes with people, who were marked by eye, and scenes without, for what is found where nobody is.

`people.csv` holds the marks: of each person the box from head, or from under the umbrella, to the feet, in pixels of
the file, ``kind`` person; and regions where people stand too close, too far or too hidden to be told apart, ``kind``
region. They were set on enlargements with a grid, without any detector. A frame of a video is FILE#NUMBER.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.pictures import opaque, pictures
from benchmarks.tasks.boxes import Box, Judged, average_precision, judge, person_box, rates, together
from rainopt import read_frames, read_image

MARKS = Path(__file__).with_name("people.csv")
RAINY_FOLDER = "photos"  # of DIR: photographs of real rain
LONGEST = 512  # pixels of a picture's longer side, at most
EMPTY_EVERY = 12  # photographs of DIR/clean, for those without people
PEOPLED = ("astronaut", "extreme-desert-hike")  # beginnings of the names of those with people


@dataclass(frozen=True)
class Scene:
    """A picture (H, W, 3) uint8 and the people in it; ``truths`` None where nobody has looked."""

    name: str
    picture: np.ndarray
    truths: list[Box] | None
    ignored: list[Box] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What a detector made of one scene under all its rains: held against the truth, and against the dry scene.

    ``agreed`` is None where there is no dry scene, or where it is the truth.
    """

    pictures: int
    judged: Judged
    agreed: Judged | None = None


def marked(data: Path, rainy: bool, limit: int | None = None) -> list[Scene]:
    """Return the scenes of ``data`` that were marked, of real rain or without any, of those files that are there."""
    by_file: dict[str, list[dict[str, str]]] = {}
    with MARKS.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            by_file.setdefault(row["file"], []).append(row)
    chosen = [file for file in by_file if file.startswith(f"{RAINY_FOLDER}/") == rainy]
    there = [file for file in chosen if (data / file.partition("#")[0]).is_file()]
    return [_scene(data, file, by_file[file]) for file in there[:limit]]


def empty(data: Path, limit: int | None = None) -> list[Scene]:
    """Return every twelfth photograph of DIR/clean but those that show people."""
    folder = data / "clean"
    files = pictures(folder)[EMPTY_EVERY // 2 :: EMPTY_EVERY] if folder.is_dir() else []
    nobody = [path for path in files if not path.name.startswith(PEOPLED)]
    return [Scene(path.name, fitted(_colour(read_image(path)))[0], []) for path in nobody[:limit]]


def samples(limit: int | None = None) -> list[Scene]:
    """Return photographs that come with scikit-image, in which nobody was marked."""
    from skimage import data

    makers = {"astronaut": data.astronaut, "camera": data.camera, "rocket": data.rocket, "coffee": data.coffee}
    return [Scene(name, fitted(_colour(make()))[0], None) for name, make in list(makers.items())[:limit]]


def fitted(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """Return a picture (H, W, 3) uint8 no longer than `LONGEST` and the factor that it was made smaller by."""
    from PIL import Image

    factor = min(LONGEST / max(picture.shape[:2]), 1.0)
    if factor == 1:
        return np.ascontiguousarray(picture), factor
    size = (round(picture.shape[1] * factor), round(picture.shape[0] * factor))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)), factor


def figures(outcomes: Sequence[Outcome], threshold: float) -> dict[str, float]:
    """Return what is told of some scenes at a threshold."""
    judged = together([one.judged for one in outcomes])
    precision, recall, f1 = rates(judged, threshold)
    kept, right = judged.above(threshold)
    found = {
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "average_precision": average_precision(judged),
        "false_a_picture": (kept - right) / sum(one.pictures for one in outcomes),
    }
    agreed = [one.agreed for one in outcomes if one.agreed is not None]
    return found | ({"agreement_f1": rates(together(agreed), threshold)[2]} if agreed else {})


def outcome(
    scene: Scene,
    found: Sequence[Sequence[tuple[Box, float]]],
    dry: Sequence[tuple[Box, float]] | None,
    threshold: float,
) -> Outcome:
    """Return what became of a scene.

    Parameters
    ----------
    scene
        With its truths; None: those are what was found in the dry scene at the threshold or above.
    found
        Boxes and scores under each of its rains.
    dry
        The same without rain, None where the scene was never dry.
    threshold
        Score from which a box counts.
    """
    sure = None if dry is None else [box for box, score in dry if score >= threshold]
    truths = (sure or []) if scene.truths is None else scene.truths
    held = partial(judge, truths=truths, ignored=scene.ignored)
    agreed = None if sure is None or scene.truths is None else together([judge(boxes, sure) for boxes in found])
    return Outcome(len(found), together([held(boxes) for boxes in found]), agreed)


def _scene(data: Path, file: str, rows: Sequence[dict[str, str]]) -> Scene:
    path, _, number = file.partition("#")
    if number:
        image = np.asarray(next(iter(read_frames(data / path, start=int(number), count=1))))
    else:
        image = read_image(data / path)
    picture, factor = fitted(_colour(image))
    boxes: dict[str, list[Box]] = {"person": [], "region": []}
    for row in rows:
        left, top, right, bottom = (factor * float(row[side]) for side in ("left", "top", "right", "bottom"))
        box = (left, top, right, bottom)
        boxes[row["kind"]].append(person_box(*box) if row["kind"] == "person" else box)
    return Scene(Path(file).name, picture, boxes["person"], boxes["region"])


def _colour(image: np.ndarray) -> np.ndarray:
    flat = opaque(image)
    flat = flat[..., None] if flat.ndim == 2 else flat
    return np.ascontiguousarray(np.broadcast_to(flat, (*flat.shape[:2], 3)))
