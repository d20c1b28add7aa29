"""Small things that move in front of a still camera, too small and too fast for the flow of pictures without rain.

Rain is bright for a frame at a place, and so is a pole of three pixels that is carried by. But the pole is there in the
next frame and the one before, alike, as far away to the one side as to the other, and streaks seldom are; drops that
are have come along the rain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rainopt.geometry.lines import line_angle
from rainopt.video.percentiles import NEAR
from rainopt.video.scene_part import LEAST_SIZE, bright, opened

# In pixels of pictures of 480 rows: how far a thing may come in a frame; how far one that looks like a streak, since
# there are many of those and looking takes long; and how large it may be.
FASTEST, LIKE_STREAKS, LARGEST = 28, 10, 150
# Frames to either side in which a thing is looked for, those that it must be found in, and how far beside its course.
REACH, FOUND, BESIDE = 2, 3, 1
# Mean square difference from the neighbours, in units of the square of its excess, from which on nothing is alike.
UNLIKE = 0.6
# A pixel is alike up to this share of the excess; so must be this share of the pixels.
ALIKE, ENOUGH = 0.35, 0.6
# How many courses are tried.
COURSES = 3
# A piece that is longer than wide by this ratio of variances, and within so many degrees of the rain, looks like a
# streak; a course of at least so many pixels a frame, and within so many degrees of it, is that of a drop.
LONG, ALONG = 6.0, 9.0
FALLING, COURSE_ALONG = 3.0, 15.0
# Two frames have found one thing where its courses differ by this, its place by this, and its size by this factor.
SAME_COURSE, SAME_PLACE, SAME_SIZE = 1, 3.0, 2.0

Shift = tuple[int, int]  # rows and columns


class SmallThing(NamedTuple):
    """Something that is alike in the frames around one.

    Attributes
    ----------
    top, left
        The place of ``light`` in the frame.
    light
        (h, w) float32 in [0, 1]: its luminance, the median over the frames.
    mask
        (h, w) bool: which pixels are its own.
    course
        How far it moves in a frame.
    shifts
        How far away it is in the frames around, by number counted from the frame.
    """

    top: int
    left: int
    light: np.ndarray
    mask: np.ndarray
    course: Shift
    shifts: Mapping[int, Shift]

    @property
    def middle(self) -> np.ndarray:
        """Row and column of its middle, (2,)."""
        return np.mean(np.nonzero(self.mask), axis=1) + np.array([self.top, self.left])


def small_things(light: Mapping[int, np.ndarray], excess: np.ndarray, angles: Sequence[float]) -> list[SmallThing]:
    """Find what is bright in front of what lies behind a frame and moves evenly through the frames around it.

    Parameters
    ----------
    light
        (h, w) float32 luminance in [0, 1] of frames at the scale of the guides, by number counted from the frame in
        question; nothing is found where one of `REACH` frames to either side is missing.
    excess
        (h, w) float32: that of the frame, less what lies behind.
    angles
        The directions of the rain, degrees.
    """
    import cv2

    from rainopt.kernels.alike_cpu import alike

    if any(number not in light for number in range(-REACH, REACH + 1)):
        return []
    scale = excess.shape[0] / 480
    pieces = _pieces(bright(excess), excess, LARGEST * scale)
    fastest, slower = (max(round(speed * scale), 4) for speed in (FASTEST, LIKE_STREAKS))
    farthest = np.where(pieces.streak(angles), slower, fastest)
    ahead, back = (
        cv2.copyMakeBorder(light[number], fastest, fastest, fastest, fastest, cv2.BORDER_REPLICATE)
        for number in (1, -1)
    )
    most = UNLIKE * pieces.sizes * pieces.strengths**2
    values = light[0][pieces.rows, pieces.columns]
    places = (pieces.rows + fastest, pieces.columns + fastest)
    courses, found = alike(ahead, back, places, values, pieces.starts, farthest, most, COURSES)
    followed = (
        _followed(light, *pieces.box(number), float(pieces.strengths[number]), courses[number, : found[number]], angles)
        for number in np.flatnonzero(found)
    )
    return [thing for thing in followed if thing is not None]


class _Pieces(NamedTuple):
    """The pieces of a mask that are neither too small nor too large.

    Attributes
    ----------
    rows, columns
        (N,) int64: their pixels, one piece after the other.
    starts
        (P + 1,) int64: where each begins among these, and their end.
    strengths
        (P,) float64: the mean excess of each.
    """

    rows: np.ndarray
    columns: np.ndarray
    starts: np.ndarray
    strengths: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """How many pixels each has, (P,)."""
        return np.diff(self.starts)

    def box(self, number: np.intp) -> tuple[int, int, np.ndarray]:
        """Return the row, the column and the mask of one."""
        own = slice(self.starts[number], self.starts[number + 1])
        rows, columns = self.rows[own], self.columns[own]
        top, left = int(rows.min()), int(columns.min())
        mask = np.zeros((int(rows.max()) - top + 1, int(columns.max()) - left + 1), bool)
        mask[rows - top, columns - left] = True
        return top, left, mask

    def streak(self, angles: Sequence[float]) -> np.ndarray:
        """Return which of them look like a streak, (P,) bool."""
        of, count = np.repeat(np.arange(len(self.sizes)), self.sizes), len(self.sizes)

        def mean(values: np.ndarray) -> np.ndarray:
            return np.bincount(of, values, count) / self.sizes

        down, across = (one - mean(one)[of] for one in (self.rows, self.columns))
        # Of a pixel, which is a square, the variance is a twelfth.
        a, b, c = mean(down * down) + 1 / 12, mean(across * across) + 1 / 12, mean(down * across)
        apart = np.hypot(a - b, 2 * c)
        along = 0.5 * np.degrees(np.arctan2(2 * c, a - b))
        return (a + b + apart > LONG * (a + b - apart)) & np.array(
            [_along(angle, angles, ALONG) for angle in along], bool
        )


def _pieces(mask: np.ndarray, excess: np.ndarray, largest: float) -> _Pieces:
    import cv2

    _, labels, facts, _ = cv2.connectedComponentsWithStats(opened(mask, 2).view(np.uint8))
    sides = facts[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    fits = (facts[:, cv2.CC_STAT_AREA] >= LEAST_SIZE) & (sides <= largest)
    fits[0] = False  # what is no piece
    number = np.where(fits, np.cumsum(fits), 0)[labels]
    rows, columns = np.nonzero(number)
    of = number[rows, columns]
    order = np.argsort(of, kind="stable")
    sizes = facts[fits, cv2.CC_STAT_AREA].astype(np.int64)
    strengths = np.bincount(of - 1, excess[rows, columns], sizes.size) / sizes
    return _Pieces(rows[order], columns[order], np.concatenate([[0], np.cumsum(sizes)]), strengths)


def _along(angle: float, angles: Sequence[float], within: float) -> bool:
    return any(abs(line_angle(angle - other)) < within for other in angles)


def _followed(
    light: Mapping[int, np.ndarray],
    top: int,
    left: int,
    piece: np.ndarray,
    strength: float,
    courses: np.ndarray,
    angles: Sequence[float],
) -> SmallThing | None:
    """Return a piece as a thing where it is alike in the frames around on one of some courses; None where it is not."""

    height, width = piece.shape

    def seen(number: int, shift: Shift) -> np.ndarray:
        one, row, column = light[number], top + shift[0], left + shift[1]
        if min(row, column) >= 0 and row + height <= one.shape[0] and column + width <= one.shape[1]:
            return one[row : row + height, column : column + width]
        rows, columns = np.arange(row, row + height), np.arange(column, column + width)
        return one[np.clip(rows, 0, one.shape[0] - 1)[:, None], np.clip(columns, 0, one.shape[1] - 1)]

    here = seen(0, (0, 0))
    for down, across in courses.tolist():
        course = (down, across)
        if _falls(course, angles):
            continue
        shifts: dict[int, Shift] = {0: (0, 0)}
        alike = np.zeros(piece.shape, np.uint8)
        for number in (-2, -1, 1, 2):
            beside = range(-BESIDE, BESIDE + 1) if abs(number) > 1 else range(1)
            nearby = [(number * course[0] + i, number * course[1] + j) for i in beside for j in beside]
            same = [(np.abs(seen(number, one) - here) < ALIKE * strength + NEAR / 2) & piece for one in nearby]
            best = max(range(len(nearby)), key=lambda k: np.count_nonzero(same[k]))
            shifts[number], alike = nearby[best], alike + same[best]
        own = alike >= FOUND
        if np.count_nonzero(own) >= max(ENOUGH * np.count_nonzero(piece), LEAST_SIZE):
            middle = np.median([seen(number, shift) for number, shift in shifts.items()], axis=0)
            return SmallThing(top, left, middle, own, course, shifts)
    return None


def _falls(course: Shift, angles: Sequence[float]) -> bool:
    """Tell whether something moves as drops do."""
    return bool(np.hypot(*course) >= FALLING) and _along(
        np.degrees(np.arctan2(course[1], course[0])), angles, COURSE_ALONG
    )


def share_of_things(
    found: Mapping[int, Sequence[SmallThing]], light: np.ndarray, excess: np.ndarray
) -> np.ndarray | None:
    """Return which share of an excess is that of small things, (h, w) float32 in [0, 1]; None where there are none.

    A thing counts where two frames have found it.

    Parameters
    ----------
    found
        What was found in the frames around, by number counted from the frame in question.
    light, excess
        (h, w) float32 of that frame, as `small_things` has them.
    """
    share: np.ndarray | None = None
    for number, things in found.items():
        if abs(number) > REACH:
            continue
        for thing in things:
            if _found_again(thing, number, found):
                share = np.zeros_like(excess) if share is None else share
                _lay(thing, thing.shifts[-number], light, excess, share)
    return share


def _found_again(thing: SmallThing, number: int, found: Mapping[int, Sequence[SmallThing]]) -> bool:
    middle, size = thing.middle, np.count_nonzero(thing.mask)
    return any(
        np.abs(np.subtract(other.course, thing.course)).max() <= SAME_COURSE
        and np.hypot(*(other.middle - middle - shift)) < SAME_PLACE
        and 1 / SAME_SIZE < np.count_nonzero(other.mask) / size < SAME_SIZE
        for away, shift in thing.shifts.items()
        if away != 0
        for other in found.get(number + away, ())
    )


def _lay(thing: SmallThing, shift: Shift, light: np.ndarray, excess: np.ndarray, share: np.ndarray) -> None:
    """Enter a thing into the shares of a frame that lies so far from its own."""
    rows, columns = np.nonzero(thing.mask)
    down, across = rows + thing.top + shift[0], columns + thing.left + shift[1]
    inside = (down >= 0) & (down < share.shape[0]) & (across >= 0) & (across < share.shape[1])
    there, own = (down[inside], across[inside]), (rows[inside], columns[inside])
    above = np.maximum(excess[there], 1 / 255)
    lasts = thing.light[own] - light[there] + excess[there]
    share[there] = np.maximum(share[there], np.clip(lasts / above, 0, 1))
