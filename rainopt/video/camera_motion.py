"""Whether a camera stands still, from some frames of rain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rainopt.video.percentiles import elected, percentile_layers, vote
from rainopt.video.registration.register import STATIC, Alignment, AlignmentError, Stabiliser

SMALL = 960  # longer side, in pixels, of the copies that are aligned; they tell movements of less than their pixels
# About this many frames are aligned one by one.
PROBED = 6
# Pixels that the corners of a frame may seem to have moved, in the median over frames, while the camera stands still:
# dense rain leads an alignment about as far astray, and hands shake more.
JITTER = 1.5


def small_copy(frame: np.ndarray) -> np.ndarray:
    """Return a frame, reduced if it is larger than telling a movement needs."""
    import cv2

    scale = SMALL / max(frame.shape[:2])
    if scale >= 1:
        return frame
    size = (max(round(frame.shape[1] * scale), 1), max(round(frame.shape[0] * scale), 1))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA))


def stabiliser_of(frame: np.ndarray) -> Stabiliser | None:
    """Return a stabiliser to a frame; None where it shows nothing to align with."""
    try:
        return Stabiliser(frame)
    except AlignmentError:
        return None


def stands_still(copies: Sequence[np.ndarray], shape: tuple[int, ...]) -> bool:
    """Tell whether the camera of some frames stands still.

    The backgrounds of the first and of the second half of the frames, which hold little rain, tell whether it drifts;
    frames aligned one by one tell whether it shakes. A frame that cannot be aligned has no say; where none has one, the
    camera counts as still, and the quality of the background has the last word.

    Parameters
    ----------
    copies
        `small_copy` of the frames, in their order; some twenty tell well.
    shape
        The shape of the frames themselves: movements are measured in their pixels.
    """
    stabiliser = stabiliser_of(copies[0])
    if stabiliser is None:
        return True
    scale = max(shape[:2]) / max(copies[0].shape[:2])
    shifts = []
    for copy in copies[1 :: max((len(copies) - 1) // PROBED, 1)]:
        found = _alignment(stabiliser, copy)
        if found is not None:
            shifts.append(found.shift * scale)
    if shifts and float(np.median(shifts)) > JITTER:
        return False
    return _drift(copies) * scale <= STATIC


def _drift(frames: Sequence[np.ndarray]) -> float:
    """Return how far the background of the second half has moved from that of the first, in pixels; 0 if unknown."""
    if len(frames) < 4:
        return 0.0
    middle = len(frames) // 2
    halves = [np.stack(frames[:middle]), np.stack(frames[middle:])]
    _, p = elected(vote(halves[0]).votes)
    before, after = (percentile_layers(half, p).image for half in halves)
    stabiliser = stabiliser_of(before)
    found = None if stabiliser is None else _alignment(stabiliser, after)
    return 0.0 if found is None else found.shift


def _alignment(stabiliser: Stabiliser, frame: np.ndarray) -> Alignment | None:
    try:
        return stabiliser.align(frame)
    except AlignmentError:
        return None
