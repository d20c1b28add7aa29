"""The strokes of the brush as a field of marks, at any scale, and as the file that ``--marks`` takes.

A brush has a soft edge: where rain is dense, marks with a hard one would be seen in the result as a cut through every
streak. What it says falls off as `rainopt.studio.page` draws it, so that what is seen is what counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from rainopt.studio.asked import Stroke

VALUES = {"protect": -1, "rain": 1, "erase": 0}
SOFT = 0.25
"""Half the width of a stroke's edge, in its radii: all is said up to 1 - `SOFT`, and nothing from 1 + `SOFT` on."""
MOST_STEPS = 16
"""Levels of an edge."""
_NEAR = 0.3  # pixels by which a line may be off
_SHIFT = 4  # bits of a coordinate behind the point
_ROWS = 256  # that are worked on at a time, which bounds the memory


def drawn(
    strokes: Sequence[Stroke], height: int, width: int, scale: float = 1.0, left: float = 0, top: float = 0
) -> np.ndarray | None:
    """Return marks (H, W) float32 in [-1, 1]: -1 where nothing is to be removed, 1 where there is rain, 0 where nothing
    is said; None for nothing at all.

    Each stroke takes the marks m before it to (1 - c) m + c v, with its value v and its cover c in [0, 1].

    Parameters
    ----------
    strokes
        In pixels of the picture.
    height, width
        Of the piece that is wanted.
    scale
        Pixels of the piece a pixel of the picture.
    left, top
        Corner of the piece in the picture, in pixels of the picture.
    """
    marks = np.zeros((height, width), np.float32)
    for stroke in strokes:
        inner, outer = edge(stroke)
        points = np.reshape(np.asarray(stroke.points, np.float64), (-1, 2)) - (left, top)
        # OpenCV counts from the centre of the first pixel.
        places = points * scale - 0.5
        reach = outer * scale + 2
        first = int(np.clip(np.floor(places[:, 1].min() - reach), 0, height))
        last = int(np.clip(np.ceil(places[:, 1].max() + reach), 0, height))
        if first < last:
            levels = cover_of(places - (0, first), last - first, width, inner * scale, outer * scale)
            _blend(marks[first:last], levels, shares(inner * scale, outer * scale), VALUES[stroke.kind])
    return marks if marks.any() else None


def edge(stroke: Stroke) -> tuple[float, float]:
    """Return where the edge of a stroke begins and ends, in pixels of the picture from its line.

    What erases begins where what was drawn with the same brush ends: along the same line nothing of that is left.
    """
    inner = 1 + SOFT if stroke.kind == "erase" else 1 - SOFT
    return inner * stroke.radius, (inner + 2 * SOFT) * stroke.radius


def shares(inner: float, outer: float) -> np.ndarray:
    """Return the cover of each level of an edge, from 0 outside to 1 inside; a step is no narrower than a pixel."""
    steps = min(max(1, round(outer - inner)), MOST_STEPS)
    along = np.arange(steps + 1, dtype=np.float32) / steps
    return along * along * (3 - 2 * along)


def cover_of(places: np.ndarray, height: int, width: int, inner: float, outer: float) -> np.ndarray:
    """Return the level of the cover at each pixel, (H, W) uint8: lines of falling width, one over the other."""
    steps = len(shares(inner, outer)) - 1
    # Points of a straight way would cost much and change nothing.
    places = cv2.approxPolyDP(places.astype(np.float32), _NEAR, False).reshape(-1, 2)
    levels = np.zeros((height, width), np.uint8)
    line = np.rint(np.clip(places, -1e6, 1e6) * (1 << _SHIFT)).astype(np.int32)
    line = np.repeat(line, 2, axis=0) if len(line) == 1 else line
    for step in range(steps):
        radius = outer - (outer - inner) * (step + 0.5) / steps
        # A line of an even thickness covers one pixel more.
        thickness = int(min(max(1, 2 * round(radius - 0.5)), 32766))
        cv2.polylines(levels, [line], False, step + 1, thickness, cv2.LINE_8, _SHIFT)
    return levels


def _blend(marks: np.ndarray, levels: np.ndarray, cover: np.ndarray, value: int) -> None:
    """Bring a stroke into marks."""
    for row in range(0, len(marks), _ROWS):
        part, its = marks[row : row + _ROWS].reshape(-1), levels[row : row + _ROWS].reshape(-1)
        where = np.flatnonzero(its)
        share = cover[its[where]]
        part[where] = (1 - share) * part[where] + share * value


def levels_of(marks: np.ndarray) -> np.ndarray:
    """Return the levels that `rainopt.app.marks.marks_in` reads as marks, to the nearest of 127 steps on both sides."""
    levels = np.empty(marks.shape, np.uint8)
    for row in range(0, len(marks), _ROWS):
        steps = np.rint(127 * marks[row : row + _ROWS])
        levels[row : row + _ROWS] = 127.5 + steps + 0.5 * np.where(steps < 0, -1, 1)
    return levels


def write_marks(marks: np.ndarray, path: Path, *, overwrite: bool = True) -> Path:
    """Write marks as a grey picture of 8 bits: black protects, white is rain, middle grey says nothing."""
    from rainopt.io import write_image

    return write_image(path, levels_of(marks), overwrite=overwrite)


def write_marks_beside(marks: np.ndarray, path: Path) -> Path:
    """Write marks as `write_marks` does, under a name with a number where other marks lie; return that name.

    The page may ask twice at once, and again for what it has: no file is replaced, and none is written twice.
    """
    from rainopt.io import ImageFileExistsError

    levels, place, k = levels_of(marks), path, 1
    while True:
        try:
            return write_marks(marks, place, overwrite=False)
        except ImageFileExistsError:
            if _holds(place, levels):
                return place
        k += 1
        place = path.with_name(f"{path.stem}_{k}{path.suffix}")


def _holds(path: Path, levels: np.ndarray) -> bool:
    from rainopt.io import ImageFileError, read_image

    try:
        return np.array_equal(read_image(path), levels)
    except ImageFileError:
        return False
