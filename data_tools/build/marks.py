"""Whether a window of a video gives pairs, gives pairs that somebody should look at, or gives none; and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from data_tools.build.masks import DENSE, run_of
from rainopt.image import frame_luminance
from rainopt.video.adaptive_background import Settled
from rainopt.video.frames import FrameStore

Status = Literal["accepted", "review", "refused"]

# Below the first sharpness a background is looked at, and below the second refused: it is smeared by a camera that
# moves, or by leaves. Above the first drift, in pixels, it is looked at, and above the second refused.
SHARP, SMEARED = 0.9, 0.75
DRIFTS, ASTRAY = 0.25, 0.75
# Decibels below what is asked for, from which on a single pair is looked at: noise is part of what it is expected to
# have, and of what a background is asked for it is not.
SHORT = 8.0
SAMPLES, MANY_SAMPLES, EDGES, FLAT = 5, 9, 0.02, 0.25


@dataclass(frozen=True)
class Mark:
    """What becomes of the pairs of a window, and sentences on why they are to be looked at or refused."""

    status: Status
    doubts: tuple[str, ...] = ()
    sharpness: float = 1.0


def mark_of(settled: Settled, store: FrameStore) -> Mark:
    """Mark a window by how sharp its background is beside the frames, by how far these seem to lie astray, and by how
    dense the rain is.
    """
    mark = mark_of_scene(settled, store)
    if (run := run_of(settled.estimate.seen)) <= DENSE:
        return mark
    dense = f"the rain is so dense that what is lit for less than {run} frames cannot be told from it"
    return replace(mark, status="review" if mark.status == "accepted" else mark.status, doubts=(*mark.doubts, dense))


def mark_of_scene(settled: Settled, store: FrameStore, samples: int = SAMPLES) -> Mark:
    """Mark frames by how sharp their background is beside so many of them, and by how far they seem to lie astray:
    whether they are of one scene that stays as it is.
    """
    sharp, drift = sharpness(settled.estimate.image, settled.valid, store, samples), settled.acceptance.drift
    doubts = []
    if sharp < SHARP:
        doubts.append(f"the background has {100 * sharp:.0f} % of the frames' sharpness")
    if drift > DRIFTS:
        doubts.append(f"the frames seem to lie {drift:.2f} pixels astray")
    refused = sharp < SMEARED or drift > ASTRAY
    return Mark("refused" if refused else "review" if doubts else "accepted", tuple(doubts), sharp)


def mark_of_pair(mark: Mark, expected_psnr: float, accept: float) -> Mark:
    """Return the mark of one pair of a window, by what it is expected to have."""
    if mark.status == "refused" or expected_psnr >= accept - SHORT:
        return mark
    return Mark("review", (*mark.doubts, f"only {expected_psnr:.1f} dB are expected of it"), mark.sharpness)


def sharpness(
    background: np.ndarray, valid: np.ndarray, frames: Sequence[np.ndarray] | FrameStore, samples: int = SAMPLES
) -> float:
    """Return how steep the edges of a background are beside those of the frames, usually 1 or a little less.

    The frames' own gradients, pixel by pixel the median over some of them, in which rain has little part; the mean over
    the steepest of the trusted pixels, less what noise makes of the flattest.

    Parameters
    ----------
    background
        (H, W, C) or (H, W) float32 in [0, 1].
    valid
        (H, W) bool: where it can be trusted; everywhere, if nowhere.
    frames
        uint8 or uint16, in the shape of the background.
    samples
        How many of them are looked at; those of dense rain tell more if they are many.
    """
    numbers = sorted({round(k) for k in np.linspace(0, len(frames) - 1, samples)})
    unit = np.float32(np.iinfo(frames[0].dtype).max)
    usual = np.median(np.stack([_steepness(frame_luminance(frames[k] / unit)) for k in numbers]), axis=0)
    where = valid if valid.any() else np.ones_like(valid)
    least = np.quantile(usual[where], 1 - EDGES)
    edges = where & (usual >= least)
    own = _steepness(frame_luminance(background))
    parts = [float(np.mean(one[edges] ** 2) - np.quantile(one[where], FLAT) ** 2) for one in (own, usual)]
    return float(np.sqrt(max(parts[0], 0) / parts[1])) if parts[1] > 0 else 1.0


def _steepness(grey: np.ndarray) -> np.ndarray:
    down, across = np.gradient(grey)
    return np.asarray(np.hypot(down, across), np.float32)
