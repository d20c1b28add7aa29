"""Pictures in which a person has marked where rain is and where there is none, one for each photograph."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rainopt.io.video.formats import is_video

if TYPE_CHECKING:
    import numpy as np

    from rainopt.app.inputs import Job


class MarksError(ValueError):
    """Marks that are of no use; one sentence names them, what is wrong, and what to do."""


@dataclass(frozen=True)
class MarkPictures:
    """Where the marks of photographs are, by the names of these; photographs without marks are left out."""

    files: Mapping[str, Path]

    @classmethod
    def found(cls, place: Path, jobs: Sequence[Job], output: Path) -> MarkPictures:
        """Return the marks of photographs: one picture of a single photograph, or those of a folder, where they are
        named and lie as the results below ``output``, with the suffix .png.

        Raises
        ------
        MarksError
            If there is nothing at the place, one picture for several photographs or a video, or a folder with marks of
            none of them.
        """
        photographs = [job for job in jobs if job.target is not None and not _moves(job.source)]
        if os.path.isdir(place):
            named = {str(job.source): (place / _name(job, output)).with_suffix(".png") for job in photographs}
            files = {source: marks for source, marks in named.items() if marks.is_file()}
            if named and not files:
                source, marks = next(iter(named.items()))
                raise MarksError(f"'{place}' holds marks of none of the photographs; those of '{source}' are '{marks}'")
            return cls(files)
        if not os.path.isfile(place):
            raise MarksError(f"'{place}' does not exist; name a picture of marks, or a folder of some")
        if len(jobs) != 1:
            raise MarksError(
                f"'{place}' marks one photograph, and there are {len(jobs)} inputs; name a folder of marks"
            )
        if _moves(jobs[0].source):
            raise MarksError(
                f"'{place}' marks a photograph, and '{jobs[0].source}' is a video; leave it out for videos"
            )
        return cls({str(job.source): place for job in photographs})

    def of(self, source: Path, height: int, width: int) -> np.ndarray | None:
        """Return the marks of a photograph of this size, upright, as `rainopt.derain` takes them; None if it has none.

        Raises
        ------
        MarksError
            If they have another size.
        OSError, ValueError
            If they cannot be read.
        """
        file = self.files.get(str(source))
        if file is None:
            return None
        from rainopt.io import read_image

        marks = marks_in(read_image(file))
        rows, columns = marks.shape
        if (rows, columns) != (height, width):
            raise MarksError(
                f"'{source}' has {width} x {height} pixels, and its marks '{file}' {columns} x {rows}; "
                "paint them over the upright picture"
            )
        return marks


def marks_in(picture: np.ndarray) -> np.ndarray:
    """Return what a picture of marks says, (H, W) float32 in [-1, 1]: -1 where it is black, 1 where it is white, 0 in
    the middle between them, and nearer to 0 as it is more transparent.

    Parameters
    ----------
    picture
        (H, W) or (H, W, C) with C of 1 to 4, uint8, uint16, or float in [0, 1]; colours count by their mean.
    """
    import numpy as np

    top = np.iinfo(picture.dtype).max if picture.dtype.kind == "u" else 1
    values = np.atleast_3d(picture).astype(np.float32) / top
    colours = 3 if values.shape[2] >= 3 else 1
    # There is no middle of 256 levels: both 127 and 128 say nothing, whatever rounding adds.
    least = 0.501 / 255
    off = values[..., :colours].mean(axis=2) - 0.5
    marks = np.sign(off) * np.maximum(np.abs(off) - least, 0) / (0.5 - least)
    if values.shape[2] > colours:
        marks *= values[..., colours]
    return marks.clip(-1, 1)


def _moves(source: Path) -> bool:
    return os.path.isdir(source) or is_video(source)


def _name(job: Job, output: Path) -> Path:
    """Return the name of a result below the folder of all, and of the photograph where there is but one result."""
    return Path(job.source.name) if job.target is None or job.target == output else job.target.relative_to(output)
