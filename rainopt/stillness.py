"""Whether a camera stands still, from some frames of rain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rainopt.percentiles import elected, percentile_layers, vote
from rainopt.stabilise import STATIC, Alignment, AlignmentError, Stabiliser

# Frames that are aligned one by one.
PROBED = 6
# Pixels that the corners of a single frame may seem to have moved, in the median over frames: dense rain takes an
# alignment about as far astray; hands shake more.
JITTER = 1.5


def look_at(frames: Sequence[np.ndarray]) -> tuple[Stabiliser | None, bool]:
    """Return a stabiliser to the first frame, and whether the camera stands still.

    The backgrounds of the first and of the second half of the frames, which hold little rain, tell whether it drifts;
    frames aligned one by one tell whether it shakes. A frame that cannot be aligned has no say; where none has, the
    camera counts as still. The stabiliser is None where the first frame shows nothing to align with.

    Parameters
    ----------
    frames
        (H, W, 3) uint8 or uint16, in their order; some twenty tell well.
    """
    try:
        stabiliser = Stabiliser(frames[0])
    except AlignmentError:
        return None, True
    shifts = []
    for frame in frames[1 :: max((len(frames) - 1) // PROBED, 1)]:
        found = _alignment(stabiliser, frame)
        if found is not None:
            shifts.append(found.shift)
    if shifts and float(np.median(shifts)) > JITTER:
        return stabiliser, False
    return stabiliser, _drift(frames) <= STATIC


def _drift(frames: Sequence[np.ndarray]) -> float:
    """Return how far the background of the second half has moved from that of the first, in pixels; 0 if unknown."""
    if len(frames) < 4:
        return 0.0
    middle = len(frames) // 2
    halves = [np.stack(frames[:middle]), np.stack(frames[middle:])]
    _, p = elected(vote(halves[0]).votes)
    before, after = (percentile_layers(half, p).image for half in halves)
    try:
        found = _alignment(Stabiliser(before), after)
    except AlignmentError:
        return 0.0
    return 0.0 if found is None else found.shift


def _alignment(stabiliser: Stabiliser, frame: np.ndarray) -> Alignment | None:
    try:
        return stabiliser.align(frame)
    except AlignmentError:
        return None
