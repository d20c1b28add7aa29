"""Votes of the picture's cells: which shift most of them find themselves again at, and which of them do."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rainopt.video.registration.pyramid import Level

# The first search: degrees to either side, and reach in shares of the longer side.
ANGLES = np.arange(-4.0, 4.5, 1.0)
REACH = 1 / 14
# Starts that are tried.
CANDIDATES = 6
# Cells agree if they find themselves within this many pixels, of the copy, of the common shift.
TOLERANCE = 2
# Detail is what a Gaussian of this width, in pixels of the copy, takes away. With 6, the true shift won less often in
# rain and against something that walks through.
DETAIL = 3.0
# Peaks of a cell's correlation below this count less than others; the power takes the rest of it out of the sum.
LOW_PEAK = 0.1
POWER = 4


class Votes(NamedTuple):
    """What the cells of a copy say.

    ``shift`` is the common one (x, y) in pixels of the copy, ``score`` the sum of votes for it, ``agree`` which cells
    find themselves there, ``asked`` which could be asked, and ``second`` how many agree on the next best shift.
    """

    shift: tuple[int, int]
    score: float
    agree: np.ndarray
    asked: np.ndarray
    second: int


def votes_of(level: Level, copy: np.ndarray, matrix: np.ndarray, reach: int, tolerance: int) -> Votes:
    """Let each cell of the reference look for itself, up to ``reach`` off, in a frame brought back by ``matrix``.

    A cell's vote for a shift is its normalised correlation there as a share of its best, to the power of `POWER`, so
    that flat cells count as much as those of high contrast. Cells without detail have no vote, nor have those of which
    more than a quarter lies outside the frame.
    """
    import cv2

    inner = np.linalg.inv(level.scaling) @ matrix @ level.scaling
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = level.grey.shape[::-1]
    warped = cv2.warpPerspective(copy, inner, size, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=np.nan)
    missing = np.isnan(warped)
    if missing.any():
        warped[missing] = 0 if missing.all() else float(warped[~missing].mean())
    frame = cv2.copyMakeBorder(_detail(warped), reach, reach, reach, reach, cv2.BORDER_CONSTANT)
    reference = _detail(level.grey)
    side = 2 * reach + 1
    total = np.zeros((side, side), np.float32)
    counts = np.zeros((side, side), np.float32)
    places = np.full((len(level.cells), 2), -(10**6))
    for number, (top, bottom, left, right) in enumerate(level.cells):
        cell = reference[top:bottom, left:right]
        if float(cell.std()) < 1e-4 or np.mean(missing[top:bottom, left:right]) > 0.25:
            continue
        around = frame[top : bottom + 2 * reach, left : right + 2 * reach]
        found = cv2.matchTemplate(around, cell, cv2.TM_CCOEFF_NORMED)
        _, most, _, place = cv2.minMaxLoc(found)
        places[number] = place
        counts[place[1], place[0]] += 1
        total += (np.clip(found, 0, None) / np.float32(max(most, LOW_PEAK))) ** POWER
    _, score, _, (x, y) = cv2.minMaxLoc(cv2.blur(total, (3, 3), borderType=cv2.BORDER_CONSTANT))
    agree = np.max(np.abs(places - [x, y]), axis=1) <= tolerance
    kernel = 2 * tolerance + 1
    counts[max(0, y - kernel + 1) : y + kernel, max(0, x - kernel + 1) : x + kernel] = 0
    second = cv2.boxFilter(counts, -1, (kernel, kernel), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return Votes((x - reach, y - reach), float(score), agree, places[:, 0] >= 0, int(second.max()))


def shifted(level: Level, matrix: np.ndarray, shift: tuple[float, float]) -> np.ndarray:
    """Return ``matrix`` after a shift in pixels of the level."""
    move = np.asarray([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1.0]])
    return matrix @ level.scaling @ move @ np.linalg.inv(level.scaling)


def reach_of(level: Level) -> int:
    """Return how far cells look, in pixels of the level."""
    return max(4, round(max(level.grey.shape) * REACH))


def starts(level: Level, copy: np.ndarray) -> list[np.ndarray]:
    """Return maps to begin with where nothing is known, the best first: rotations, with shifts that cells agree on.

    Phase correlation of the whole proposes a further shift to look around.
    """
    import cv2

    height, width = level.grey.shape
    reach = reach_of(level)
    finite = np.nan_to_num(copy, nan=float(np.nanmean(copy)))
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(_detail(level.grey), _detail(finite), window)
    middles = [(0.0, 0.0)]
    if max(abs(dx), abs(dy)) > reach / 2 and abs(dx) < width / 2 and abs(dy) < height / 2:
        middles.append((round(dx), round(dy)))
    found: list[tuple[float, np.ndarray]] = []
    for angle in np.deg2rad(ANGLES if level.motion != "translation" else [0.0]):
        cos, sin = np.cos(angle), np.sin(angle)
        cx, cy = level.scaling[0, 0] * width / 2 - 0.5, level.scaling[1, 1] * height / 2 - 0.5
        turn = np.asarray([[cos, -sin, cx - cos * cx + sin * cy], [sin, cos, cy - sin * cx - cos * cy], [0, 0, 1.0]])
        for middle in middles:
            start = level.scaling @ np.asarray([[1, 0, middle[0]], [0, 1, middle[1]], [0, 0, 1.0]])
            start = start @ np.linalg.inv(level.scaling) @ turn
            votes = votes_of(level, copy, start, reach, TOLERANCE)
            found.append((votes.score, shifted(level, start, votes.shift)))
    found.sort(key=lambda candidate: -candidate[0])
    return [start for _, start in found[:CANDIDATES]]


def _detail(grey: np.ndarray) -> np.ndarray:
    import cv2

    return grey - cv2.GaussianBlur(grey, (0, 0), DETAIL)
