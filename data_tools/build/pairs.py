"""Which frames become pairs with their background, which pixels of them can be trusted, and where crops lie."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from data_tools.build.departures import GROUP
from data_tools.build.masks import around, lives, repeats, run_of
from rainopt.image import frame_luminance
from rainopt.video.adaptive_background import Settled
from rainopt.video.frames import FrameStore
from rainopt.video.percentiles import NEAR

# Pairs of which less can be trusted, or in which less than this share of the pixels is rain, are left out.
LEAST_VALID, LEAST_RAIN = 0.5, 2e-4
CROP_VALID = 0.98
STEEP = 8 / 255  # change over a pixel that is an edge
TINY = 1e-6
SHIFTS, NARROW = 12, 2 / 255  # of a window over differences, until it lies where most are; and its least reach


class ChosenFrame(NamedTuple):
    """A frame that becomes a pair, or several by its crops."""

    place: int  # in the store
    valid: np.ndarray  # (H, W) bool: where the background is what lies behind this frame's rain
    rain: float  # share of the pixels that are brighter than the background
    expected_psnr: float  # of the background against the frame without its rain, over the valid pixels


def choose_frames(settled: Settled, store: FrameStore, count: int) -> tuple[list[ChosenFrame], list[str]]:
    """Choose frames evenly over the store; returns them, and why others were left out."""
    chosen: list[ChosenFrame] = []
    left_out: list[str] = []
    background = frame_luminance(settled.estimate.image)

    run = run_of(settled.estimate.seen)
    before: np.ndarray | None = None
    for place in sorted({round(k) for k in np.linspace(0, len(store) - 1, count)}):
        frame, number = store[place], settled.numbers[place]
        if before is not None and repeats(frame, before):
            left_out.append(f"frame {number} repeats the one before")
            continue
        before = frame
        difference = frame_luminance(frame / np.float32(np.iinfo(frame.dtype).max)) - background
        there = settled.valid & covered(settled, place)
        living = lives(*around(store, place, max(run - 1, GROUP // 2)), settled.estimate.image, run)
        valid = there & ~living.mask
        rain = float(np.mean((difference > NEAR) & valid))
        if float(np.mean(valid)) < LEAST_VALID:
            left_out.append(f"frame {number} shows too much that moves")
        elif rain < LEAST_RAIN:
            left_out.append(f"frame {number} shows no rain")
        else:
            chosen.append(ChosenFrame(place, valid, rain, expected_psnr(frame, settled, valid, there & living.specks)))
    return chosen, left_out


def expected_psnr(frame: np.ndarray, settled: Settled, valid: np.ndarray, specks: np.ndarray) -> float:
    """Return the decibels that a background is expected to have against a frame without its rain, over valid pixels.

    Rain darkens nothing. So what is darker than the background is the half of all that differs and is no rain: noise,
    an alignment that misses, leaves in the wind. It is counted from where most of the frame lies, since a low
    percentile is too dark where there is noise. Specks, which are left out of the valid pixels because they are darker,
    stand for those brighter ones that are not.
    """
    apart = (frame / np.float32(np.iinfo(frame.dtype).max) - settled.estimate.image)[valid | specks]
    middle, reach = 0.0, NEAR
    for _ in range(SHIFTS):
        near = apart[np.abs(apart - np.float32(middle)) <= reach]
        middle = float(np.mean(near, dtype=np.float64)) if near.size else 0.0
        darker = 2 * float(np.mean(np.minimum(apart - np.float32(middle), 0) ** 2, dtype=np.float64))
        # No wider than it must be, since faint rain is on one side only.
        reach = min(max(3 * math.sqrt(darker), NARROW), NEAR)
    error = darker + middle**2
    return -10 * math.log10(max(error, 1 / (12 * 255**2)))


def covered(settled: Settled, place: int) -> np.ndarray:
    """Return the pixels that a frame of the store has by itself; beside an aligned one lies the first."""
    if not settled.alignments:
        return np.ones(settled.valid.shape, bool)
    import cv2

    height, width = settled.valid.shape
    matrix = np.eye(3)
    matrix[: len(settled.alignments[place].matrix)] = settled.alignments[place].matrix
    corners = np.array([[[0.0, 0.0], [width - 1.0, 0.0], [width - 1.0, height - 1.0], [0.0, height - 1.0]]])
    there = cv2.perspectiveTransform(corners, np.linalg.inv(matrix))
    inside = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(inside, np.rint(there[0] * 16).astype(np.int32), 1, shift=4)
    return cv2.erode(inside, np.ones((5, 5), np.uint8), borderValue=1).astype(bool)


def choose_crops(settled: Settled, side: int, count: int) -> list[tuple[int, int]]:
    """Return the upper left corners of square crops that do not overlap, those with most rain over most texture first.

    Only crops of which nearly all can be trusted; fewer than ``count`` where there are no more. Rain over a blank wall
    or the sky teaches nothing: that of a crop counts ``t / (t + T)``, for its texture t and that of the picture, T.
    """
    height, width = settled.valid.shape
    if side > min(height, width):
        raise ValueError(
            f"crops of {side} pixels do not fit into frames of {height} x {width}; choose a smaller --crop"
        )
    rain = _sums(settled.estimate.spread * settled.valid)
    valid = _sums(settled.valid.astype(np.float64))
    texture = _texture(frame_luminance(settled.estimate.image))
    textures, usual = _sums(texture), float(np.mean(texture)) * side * side
    corners = [(top, left) for top in _steps(height, side) for left in _steps(width, side)]

    def worth(at: tuple[int, int]) -> float:
        there = _inside(textures, at, side)
        return _inside(rain, at, side) * (there + TINY) / (there + usual + TINY)

    best = sorted(corners, key=lambda at: -worth(at))
    chosen: list[tuple[int, int]] = []
    for at in best:
        apart = all(max(abs(at[0] - c[0]), abs(at[1] - c[1])) >= side for c in chosen)
        if apart and _inside(valid, at, side) >= CROP_VALID * side * side:
            chosen.append(at)
        if len(chosen) == count:
            break
    return chosen


def _texture(grey: np.ndarray) -> np.ndarray:
    """Return how much a picture changes from pixel to pixel; a single hard edge is no texture, and counts little."""
    down, across = np.gradient(grey)
    return np.asarray(np.minimum(np.hypot(down, across), STEEP), np.float64)


def _steps(length: int, side: int) -> Iterator[int]:
    yield from range(0, length - side + 1, max(side // 4, 1))


def _sums(values: np.ndarray) -> np.ndarray:
    return np.pad(np.cumsum(np.cumsum(values, axis=0, dtype=np.float64), axis=1), ((1, 0), (1, 0)))


def _inside(sums: np.ndarray, at: tuple[int, int], side: int) -> float:
    top, left = at
    low, right = top + side, left + side
    return float(sums[low, right] - sums[top, right] - sums[low, left] + sums[top, left])
