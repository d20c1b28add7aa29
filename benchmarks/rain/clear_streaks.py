"""Streaks of rain that are clear, found in a rainy picture alone, by what `rainopt` knows of rain.

A ridge is a clear streak where it is like a streak (`rainopt.direction.evidence.weigh`), runs in a direction in which
rain is seen, is bright along nearly all of its length and brighter than both sides, near and farther out, stands out of
what is beside it, is not alone among lines of other directions, as the frame of a window is, and has others of its kind
and strength around it, as a lamp post has not. At most `IN_CELL` are taken of each part of a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from benchmarks.rain.streak_profiles import AXIS, SECTION, SIDES, Streaks, across, sampled
from rainopt.direction.estimate import AGREEMENT, Direction, vote
from rainopt.direction.evidence import PIECE, SCALES, gather, weigh
from rainopt.direction.planes import work_planes
from rainopt.direction.ridges import Ridges, find_ridges, turn
from rainopt.image import exposure, luminance

FEWEST = 8  # in a picture with fewer, too many are not rain
WEIGHT = 0.2  # least likeness of a streak
TURNED = 5.0  # degrees from a direction of the rain at most
LENGTH = 12.0  # pixels at least
TAPER = 0.9  # share of the length that is taken; the ends fade
CONTRAST = 0.04  # over the sides at least, in units of the exposure
CLEAR = 2.5  # contrast over the spread of that of parallel lines beside it, at least
BESIDE = np.arange(8.0, 20.0)  # pixels aside, where those are
FARTHER = np.arange(9.0, 15.0)  # pixels aside, what is farther out
OVER_FARTHER = 0.3  # of the contrast, over what is farther out on either side
BRIGHT = 1 / 3  # of the contrast, that a section has at least
EVEN = 0.75  # share of the sections that have it
AROUND = 40.0  # pixels within which others are looked for
STRENGTH = 0.5  # of its contrast, from which others count
OTHERS = 3  # of its kind at least
CLUTTER = 0.6  # length of its kind over that of lines of other directions, at least
CELLS, IN_CELL = 6, 6  # parts of a picture a side, and streaks of each at most
SAME = 4.0  # pixels aside, within which two are one


class Found(NamedTuple):
    """The rain of a picture.

    Attributes
    ----------
    directions
        In which rain is seen; empty where none is.
    clear
        The clear streaks.
    likely
        All that may be rain.
    shape
        Height and width of the working picture.
    """

    directions: tuple[Direction, ...]
    clear: Streaks
    likely: Streaks
    shape: tuple[int, int]


def find_streaks(image: np.ndarray) -> Found:
    """Find the streaks of a picture (H, W) or (H, W, C), uint8, uint16 or float in [0, 1].

    Raises
    ------
    ValueError, TypeError
        As `rainopt.image.split_channels`.
    """
    planes = np.ascontiguousarray(work_planes(image) / np.float32(exposure(image)))
    grey = luminance(planes)
    directions = vote(gather(planes)).directions
    bright, dark = zip(*(find_ridges(planes, grey, sigma) for sigma in SCALES), strict=True)
    weight = np.concatenate([weigh(each) for each in bright])
    ridges, others = _joined(bright), _joined(dark)
    off = np.min([np.full(len(weight), np.inf), *(np.abs(turn(ridges.angle - d.angle)) for d in directions)], axis=0)
    rain = off <= AGREEMENT
    chosen = np.flatnonzero((off <= TURNED) & (weight >= WEIGHT) & (ridges.length >= LENGTH))
    chosen = chosen[in_company(ridges, others, weight, rain, chosen)]
    streaks, clearness = centred(grey, _lines(ridges.select(chosen), TAPER))
    order = np.argsort(-weight[chosen] * clearness)
    kept = spread_out(streaks, order[clearness[order] > 0], grey.shape)
    return Found(directions, streaks.select(kept), _lines(ridges.select(rain & (weight > 0))), grey.shape)


def in_company(ridges: Ridges, dark: Ridges, weight: np.ndarray, rain: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Return which of the chosen ridges have others of their kind around them, and more of these than of other lines.

    Dark ridges that are parallel are the gaps between streaks and say nothing.
    """
    both = _joined([ridges, dark])
    ours = np.concatenate([rain, np.zeros(len(dark.row), bool)])
    votes = np.concatenate([weight > 0, np.zeros(len(dark.row), bool)])
    gap = np.arange(len(ours)) >= len(rain)
    tree = cKDTree(np.stack([both.row, both.column], axis=1))
    found = np.zeros(len(chosen), bool)
    for n, k in enumerate(chosen):
        near = np.setdiff1d(tree.query_ball_point([both.row[k], both.column[k]], AROUND), k).astype(int)
        near = near[both.contrast[near] >= STRENGTH * both.contrast[k]]
        parallel = gap[near] & (np.abs(turn(both.angle[near] - both.angle[k])) <= AGREEMENT)
        other = near[~ours[near] & ~parallel & (both.length[near] >= PIECE)]
        near = near[ours[near]]
        alike = both.length[near].sum() + both.length[k]
        found[n] = votes[near].sum() >= OTHERS and alike >= CLUTTER * both.length[other].sum()
    return found


def centred(grey: np.ndarray, streaks: Streaks) -> tuple[Streaks, np.ndarray]:
    """Return streaks moved up to a pixel aside, to where they are brightest, and how far each stands out of what is
    beside it, in units of its spread and at most 10; 0 for what is not clear.
    """
    shifts = np.arange(-1.0, 1.25, 0.5)
    best = shifts[np.argmax([_level(grey, streaks, shift) for shift in shifts], axis=0)]
    row, column = streaks.at(0.0, best)
    streaks = streaks._replace(row=row, column=column)

    def sides(shift: float) -> np.ndarray:
        return np.stack([np.mean([_level(grey, streaks, shift + s * side) for side in SIDES], axis=0) for s in (1, -1)])

    def farther(sign: int) -> np.ndarray:
        return np.asarray(np.mean([_level(grey, streaks, sign * far) for far in FARTHER], axis=0))

    level, near = _level(grey, streaks, 0.0), sides(0.0)
    contrast = level - near.mean(axis=0)
    beside = [
        _level(grey, streaks, shift) - sides(shift).mean(axis=0) for shift in np.concatenate([-BESIDE[::-1], BESIDE])
    ]
    # 1.4826: the standard deviation of normal noise over its median distance from 0.
    spread = 1.4826 * np.median(np.abs(beside), axis=0)
    clearness = contrast / np.maximum(spread, 1e-3)
    owner, each, _ = across(grey, streaks)
    bright = np.bincount(owner, each[AXIS] >= BRIGHT * contrast[owner], len(level)) / np.bincount(
        owner, minlength=len(level)
    )
    clear = (contrast >= CONTRAST) & (clearness >= CLEAR) & (level >= near.max(axis=0)) & (bright >= EVEN)
    clear &= level - np.maximum(farther(1), farther(-1)) >= OVER_FARTHER * contrast
    for end in (-0.5, 0.5):
        for side in (-SIDES[-1], SIDES[-1]):
            row, column = streaks.at(end * streaks.length, side)
            clear &= (row >= 0) & (row <= grey.shape[0] - 1) & (column >= 0) & (column <= grey.shape[1] - 1)
    return streaks, np.where(clear, np.minimum(clearness, 10), 0)


def spread_out(streaks: Streaks, order: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return numbers of streaks, none twice and at most `IN_CELL` of each part of the picture, the first ones first."""
    kept: list[int] = []
    cells = np.zeros((CELLS, CELLS), int)
    for k in order:
        cell = tuple(int(CELLS * (at[k] + 0.5) / size) for at, size in zip(streaks[:2], shape, strict=True))
        if cells[cell] == IN_CELL:
            continue
        rows, columns = streaks.row[kept] - streaks.row[k], streaks.column[kept] - streaks.column[k]
        down, right = np.cos(np.radians(streaks.angle[k])), np.sin(np.radians(streaks.angle[k]))
        aside, along = np.abs(columns * down - rows * right), np.abs(rows * down + columns * right)
        if ((aside < SAME) & (along < (streaks.length[kept] + streaks.length[k]) / 2)).any():
            continue
        kept.append(int(k))
        cells[cell] += 1
    return np.array(kept, int)


def _level(grey: np.ndarray, streaks: Streaks, shift: float) -> np.ndarray:
    """Return the mean luminance along each streak, so many pixels aside."""
    steps = np.linspace(-0.5, 0.5, 4 * SECTION + 1)
    return np.asarray(np.mean([sampled(grey, *streaks.at(t * streaks.length, shift)) for t in steps], axis=0))


def _lines(ridges: Ridges, share: float = 1.0) -> Streaks:
    return Streaks(ridges.row, ridges.column, ridges.angle, share * ridges.length)


def _joined(ridges: Sequence[Ridges]) -> Ridges:
    return Ridges(*(np.concatenate(fields) for fields in zip(*ridges, strict=True)))
