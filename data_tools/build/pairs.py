"""Which frames become pairs with their background, which pixels of them can be trusted, and where crops lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from rainopt.image import frame_luminance
from rainopt.video.adaptive_background import Settled
from rainopt.video.foreground import moving, reach_for
from rainopt.video.frames import FrameStore
from rainopt.video.percentiles import NEAR

# Pairs of which less can be trusted, or in which less than this share of the pixels is rain, are left out.
LEAST_VALID, LEAST_RAIN = 0.5, 2e-4
FROZEN = 0.3 / 255  # mean difference of two frames that are one
CROP_VALID = 0.98


class ChosenFrame(NamedTuple):
    """A frame that becomes a pair, or several by its crops."""

    place: int  # in the store
    valid: np.ndarray  # (H, W) bool: where the background is what lies behind this frame's rain
    rain: float  # share of the pixels that are brighter than the background


def choose_frames(settled: Settled, store: FrameStore, count: int) -> tuple[list[ChosenFrame], list[str]]:
    """Choose frames evenly over the store; returns them, and why others were left out."""
    chosen: list[ChosenFrame] = []
    left_out: list[str] = []
    background = frame_luminance(settled.estimate.image)

    def difference_of(place: int) -> np.ndarray:
        return frame_luminance(store[place].astype(np.float32) / np.iinfo(store.dtype).max) - background

    reach = reach_for(settled.estimate.seen)
    before: np.ndarray | None = None
    for place in sorted({round(k) for k in np.linspace(0, len(store) - 1, count)}):
        difference, number = difference_of(place), settled.numbers[place]
        if before is not None and float(np.mean(np.abs(difference - before))) < FROZEN:
            left_out.append(f"frame {number} repeats the one before")
            continue
        before = difference
        others = range(max(place - reach, 0), min(place + reach + 1, len(store)))
        around = [difference_of(other) for other in others if other != place]
        valid = settled.valid & ~moving(difference, *around)
        rain = float(np.mean((difference > NEAR) & valid))
        if float(np.mean(valid)) < LEAST_VALID:
            left_out.append(f"frame {number} shows too much that moves")
        elif rain < LEAST_RAIN:
            left_out.append(f"frame {number} shows no rain")
        else:
            chosen.append(ChosenFrame(place, valid, rain))
    return chosen, left_out


def choose_crops(settled: Settled, side: int, count: int) -> list[tuple[int, int]]:
    """Return the upper left corners of square crops that do not overlap, those with most rain first.

    Only crops of which nearly all can be trusted; fewer than ``count`` where there are no more.
    """
    height, width = settled.valid.shape
    if side > min(height, width):
        raise ValueError(
            f"crops of {side} pixels do not fit into frames of {height} x {width}; choose a smaller --crop"
        )
    rain = _sums(settled.estimate.spread * settled.valid)
    valid = _sums(settled.valid.astype(np.float64))
    corners = [(top, left) for top in _steps(height, side) for left in _steps(width, side)]
    best = sorted(corners, key=lambda at: -_inside(rain, at, side))
    chosen: list[tuple[int, int]] = []
    for at in best:
        apart = all(max(abs(at[0] - c[0]), abs(at[1] - c[1])) >= side for c in chosen)
        if apart and _inside(valid, at, side) >= CROP_VALID * side * side:
            chosen.append(at)
        if len(chosen) == count:
            break
    return chosen


def _steps(length: int, side: int) -> Iterator[int]:
    yield from range(0, length - side + 1, max(side // 4, 1))


def _sums(values: np.ndarray) -> np.ndarray:
    return np.pad(np.cumsum(np.cumsum(values, axis=0, dtype=np.float64), axis=1), ((1, 0), (1, 0)))


def _inside(sums: np.ndarray, at: tuple[int, int], side: int) -> float:
    top, left = at
    low, right = top + side, left + side
    return float(sums[low, right] - sums[top, right] - sums[low, left] + sums[top, left])
