"""What is left of streaks in a result, measured across them at the places where the rainy picture has them.

A streak is cut along its length into sections of `SECTION` pixels, so that a dotted trace is not averaged away. The
contrast of a place on a section is its value less the mean of both sides of the streak, `SIDES` pixels away. Places are
on the streak where they have half of the section's greatest contrast or more in the rainy picture, at most `REACH`
pixels aside: the flanks of a streak may stay where its middle has gone. With the luminance contrast h of the rainy
picture and r of the result, d by how much the result is darker there than the darker of both sides, and c the root mean
square over the channels of the contrast of channel less luminance, the sums over all places on the streaks are

``left = Σ min(r⁺, h) / Σ h``,  ``dark = Σ min(d⁺, h) / Σ h``,  ``chroma = Σ min(c, h) / Σ h``.

They are ratios of sums, not means of ratios, because the ratio of a faint section is noise: each counts for as much as
it showed. None counts for more than it had, so that what lies under a streak, a branch or a letter, is bounded.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rainopt.direction.planes import work_planes
from rainopt.image import exposure, luminance

SECTION = 4  # pixels along a streak that are averaged
REACH = (-2.0, -1.0, 0.0, 1.0, 2.0)  # pixels from the axis of a streak, where its flanks may be
AXIS = REACH.index(0.0)
HALF = 0.5  # of a section's greatest contrast, from which a place is on the streak
FAINTEST = 1e-3  # contrast of a quarter of an 8-bit level: rounding, not rain
SIDES = (4.0, 5.0, 6.0)  # pixels from a streak, averaged on either side: one pixel alone is as much noise as scene


class Streaks(NamedTuple):
    """Straight pieces of rain, one entry of each field for each, in pixels of the working picture.

    The working picture is that of `rainopt.direction.planes.work_planes`: the picture itself unless it is large.

    Attributes
    ----------
    row, column
        The middle; the centre of the first pixel is 0.
    angle
        Degrees in (-90, 90]; 0 is vertical, positive moves right going down.
    length
        Pixels.
    """

    row: np.ndarray
    column: np.ndarray
    angle: np.ndarray
    length: np.ndarray

    def select(self, keep: np.ndarray) -> Streaks:
        """Return the streaks that ``keep``, a mask or indices, selects."""
        return Streaks(*(field[keep] for field in self))

    def at(self, along: np.ndarray | float, across: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return row and column of the places so many pixels down each streak from its middle, and left of that."""
        angle = np.radians(self.angle)
        down, right = np.cos(angle), np.sin(angle)
        return self.row + along * down + across * right, self.column + along * right - across * down


class Amounts(NamedTuple):
    """Contrast by streak, sums over its sections, (n,) each: what it had, and what of it is left, dark and coloured."""

    had: np.ndarray
    left: np.ndarray
    dark: np.ndarray
    chroma: np.ndarray


class Traces(NamedTuple):
    """What is left of the streaks of one picture: shares in [0, 1] of the luminance contrast that they had."""

    left: float
    dark: float
    chroma: float


def traces_of(rainy: np.ndarray, result: np.ndarray, streaks: Streaks) -> Traces:
    """Return what is left of streaks in a result, as the module says.

    Parameters
    ----------
    rainy, result
        (H, W) or (H, W, C), uint8, uint16 or float in [0, 1], of the same height and width.
    streaks
        At least one, of the rainy picture.

    Raises
    ------
    ValueError
        If the pictures differ in size, or no streak is brighter than its sides in the rainy picture.
    """
    return shares(amounts_of(rainy, result, streaks))


def shares(amounts: Amounts) -> Traces:
    """Return the shares of what streaks had.

    Raises
    ------
    ValueError
        If they had no contrast.
    """
    total = float(amounts.had.sum())
    if not total > 0:
        raise ValueError("`streaks` must be brighter than their sides in `rainy`; none is")
    return Traces(*(float(part.sum()) / total for part in amounts[1:]))


def amounts_of(rainy: np.ndarray, result: np.ndarray, streaks: Streaks) -> Amounts:
    """Return the same streak by streak, in units of the rainy picture's `rainopt.image.exposure`; see `traces_of`.

    Raises
    ------
    ValueError
        If the pictures differ in size.
    """
    before, after = planes_of(rainy, result)
    owner, had, _ = across(luminance(before), streaks)
    had = np.where(had >= np.maximum(HALF * had.max(axis=0), FAINTEST), had, 0)
    grey = luminance(after)
    _, contrast, darker = across(grey, streaks)
    squares = sum(across(channel - grey, streaks)[1] ** 2 for channel in after)
    parts = (had, np.clip(contrast, 0, had), np.clip(darker, 0, had), np.minimum(np.sqrt(squares / len(after)), had))
    return Amounts(*(np.bincount(owner, part.sum(axis=0), minlength=len(streaks.row)) for part in parts))


def planes_of(rainy: np.ndarray, result: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both as working pictures (C, h, w), C being 1 or 3 in each, in units of the rainy one's exposure.

    Raises
    ------
    ValueError
        If they differ in size.
    """
    if rainy.shape[:2] != result.shape[:2]:
        raise ValueError(f"`result` must be as high and wide as `rainy`, {rainy.shape[:2]}, got {result.shape[:2]}")
    unit = np.float32(exposure(rainy))
    return work_planes(rainy) / unit, work_planes(result) / unit


def across(plane: np.ndarray, streaks: Streaks) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each section of each streak whose it is, (n,), its contrast on a plane (h, w) at each of `REACH`, and
    by how much it is darker there than the darker of its sides, (places, n).
    """
    counts = SECTION * np.maximum(np.floor(streaks.length / SECTION).astype(int), 1)
    owner = np.repeat(np.arange(len(counts)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    along = np.arange(len(owner)) - first - (counts[owner] - 1) / 2
    each = streaks.select(owner)

    def mean(distance: float) -> np.ndarray:
        return np.asarray(sampled(plane, *each.at(along, distance)).reshape(-1, SECTION).mean(axis=1))

    at = np.stack([mean(place) for place in REACH])
    left, right = (np.mean([mean(sign * side) for side in SIDES], axis=0) for sign in (1, -1))
    return owner[::SECTION], at - (left + right) / 2, np.minimum(left, right) - at


def sampled(plane: np.ndarray, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return a plane (h, w) between its pixels, interpolated linearly; outside, the nearest pixel of its border."""
    height, width = plane.shape
    row, column = np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)
    i, j = row.astype(int), column.astype(int)
    below, beside = np.minimum(i + 1, height - 1), np.minimum(j + 1, width - 1)
    y, x = row - i, column - j
    upper = plane[i, j] * (1 - x) + plane[i, beside] * x
    lower = plane[below, j] * (1 - x) + plane[below, beside] * x
    return np.asarray(upper * (1 - y) + lower * y)
