"""The strokes of the brush as a field of marks, at any scale, and as the file that ``--marks`` takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from rainopt.studio.asked import Stroke

VALUES = {"protect": -1, "rain": 1, "erase": 0}
_SHIFT = 4  # bits of a coordinate behind the point


def drawn(
    strokes: Sequence[Stroke], height: int, width: int, scale: float = 1.0, left: float = 0, top: float = 0
) -> np.ndarray | None:
    """Return marks (H, W) int8: -1 where nothing is to be removed, 1 where there is rain, 0 elsewhere; None for none.

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
    if not strokes:
        return None
    field = np.zeros((height, width), np.uint8)
    for stroke in strokes:
        points = np.reshape(np.asarray(stroke.points, np.float64), (-1, 2)) - (left, top)
        # OpenCV counts from the centre of the first pixel.
        places = np.rint((points * scale - 0.5) * (1 << _SHIFT)).astype(np.int32)
        thickness = int(min(max(1, round(2 * stroke.radius * scale)), 32767))
        value = VALUES[stroke.kind] + 1
        # 0 is what is not drawn on, so that kinds are 1 to 3 here.
        if len(places) == 1:
            places = np.repeat(places, 2, axis=0)
        cv2.polylines(field, [places], False, value + 1, thickness, cv2.LINE_8, _SHIFT)
    marks = np.where(field == 0, 0, field.astype(np.int8) - 2).astype(np.int8)
    return marks if marks.any() else None


def write_marks(marks: np.ndarray, path: Path, *, overwrite: bool = True) -> Path:
    """Write marks as a grey picture of 8 bits: black protects, white is rain, middle grey says nothing."""
    from rainopt.io import write_image

    levels = np.asarray([0, 128, 255], np.uint8)[marks.astype(np.intp) + 1]
    return write_image(path, levels, overwrite=overwrite)
