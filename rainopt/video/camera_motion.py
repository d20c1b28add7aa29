"""Whether a camera stands still, from some frames of rain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rainopt.parallel.threads import run_all
from rainopt.video.motion import guide_of, step_between
from rainopt.video.percentiles import elected, percentile_layers, vote
from rainopt.video.registration.register import STATIC, Alignment, AlignmentError, Stabiliser
from rainopt.video.tracks import explains_better, tracks_of

# About this many frames are aligned one by one.
PROBED = 6
# Pixels that the corners of a frame may seem to have moved, in the median over frames, while the camera stands still:
# dense rain leads an alignment about as far astray, and hands shake more.
JITTER = 1.5
# The camera moves where in more than this share of the parts of a picture a flow explains more than `MUCH` of the
# detail much better than no movement does, and by more than this many pixels. Of still clips, some in dense rain, some
# with somebody who walks by, the share was at most 0.33; of ones that sway, turn or go forward at least 0.58.
FLOWING, MUCH, LEAST_FLOW = 0.45, 0.05, 0.5
FLOW_LAGS = (1, 4)  # copies
PARTS = 6  # of a side


def stabiliser_of(frame: np.ndarray) -> Stabiliser | None:
    """Return a stabiliser to a frame; None where it shows nothing to align with."""
    try:
        return Stabiliser(frame)
    except AlignmentError:
        return None


def stands_still(copies: Sequence[np.ndarray], shape: tuple[int, ...]) -> bool:
    """Tell whether the camera of some frames stands still.

    The flow between them tells of a camera that turns, sways or goes forward, also where no rigid movement aligns them.
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
    if _flows(copies):
        return False
    scale = max(shape[:2]) / max(copies[0].shape[:2])
    probed = [(stabiliser, copy) for copy in copies[1 :: max((len(copies) - 1) // PROBED, 1)]]
    shifts = [found.shift * scale for found in run_all(_alignment, probed) if found is not None]
    if shifts and float(np.median(shifts)) > JITTER:
        return False
    return _drift(copies) * scale <= STATIC


def _flows(copies: Sequence[np.ndarray]) -> bool:
    """Tell whether most of the detail flows from copy to copy, or to one a few further on."""
    apart = max((len(copies) - 1) // PROBED, 1)
    for lag in FLOW_LAGS:
        found = run_all(_flow, zip(copies[::apart], copies[lag::apart], strict=False))
        if found:
            share, far = np.median(np.array(found), axis=0)
            if share > FLOWING and far > LEAST_FLOW:
                return True
    return False


def _flow(copy: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Return in which share of the parts of a copy a flow explains much of the detail much better than standing still
    does, and how far the picture flows in the median over parts. Somebody who walks by is in a few parts only.
    """
    import cv2

    guide, following = guide_of(copy), guide_of(other)
    track = tracks_of({0: step_between(guide, following, still=True, fine=False)}, 1)[1]
    texture = cv2.blur(np.abs(cv2.Laplacian(cv2.blur(guide, (3, 3)), cv2.CV_32F)), (17, 17))
    better = explains_better(track, guide, following)
    far = np.hypot(track.flow[..., 0], track.flow[..., 1])
    parts = zip(_parts(better), _parts(far), _parts(texture), strict=True)
    found = [(np.mean(b[t >= np.quantile(t, 0.6)]) > MUCH, np.median(f)) for b, f, t in parts if t.size]
    return float(np.mean([moves for moves, _ in found])), float(np.median([shift for _, shift in found]))


def _parts(field: np.ndarray) -> list[np.ndarray]:
    bands = np.array_split(field, PARTS)
    return [part for band in bands for part in np.array_split(band, PARTS, axis=1)]


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
