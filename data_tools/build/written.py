"""The pictures that are written of a video, and what their records say of where they are from."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from data_tools.build.plan import VideoJob
from data_tools.manifest.paths import checksum, resolve_path
from rainopt.io import write_image

Part = tuple[slice, slice]


def parts_of(shape: tuple[int, int], side: int | None, corners: list[tuple[int, int]]) -> dict[str, Part]:
    """Return the rows and columns of the parts of a picture that are written, by what their names end in: square crops
    with these upper left corners, or with a side of None the whole.
    """
    if side is None:
        return {"": (slice(0, shape[0]), slice(0, shape[1]))}
    return {f"_{top}_{left}": (slice(top, top + side), slice(left, left + side)) for top, left in corners}


def written(job: VideoJob, name: str, image: np.ndarray) -> str:
    """Write a picture of a dataset, and its folder; return its checksum."""
    place = resolve_path(job.folder, name)
    place.parent.mkdir(parents=True, exist_ok=True)
    return checksum(write_image(place, image))


def source_of(job: VideoJob) -> str:
    """Return the name of the file that a video was read from, as a manifest can hold it."""
    return Path(os.path.realpath(job.source)).name.encode(errors="replace").decode()
