"""Copies of frames, small enough to tell a movement on."""

from __future__ import annotations

import numpy as np

SMALL = 960  # longer side, in pixels, of the copies; they tell movements of less than their pixels


def small_copy(frame: np.ndarray, side: int = SMALL) -> np.ndarray:
    """Return a frame, reduced if its longer side has more than so many pixels."""
    import cv2

    scale = side / max(frame.shape[:2])
    if scale >= 1:
        return frame
    size = (max(round(frame.shape[1] * scale), 1), max(round(frame.shape[0] * scale), 1))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))
