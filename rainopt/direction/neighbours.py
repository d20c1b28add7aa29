"""What the ridges around a ridge say about it: whether it is a piece of a longer line, or one of a row."""

from __future__ import annotations

import numpy as np

from rainopt.direction.ridges import Ridges, turn

PARALLEL = 6.0  # degrees between directions at most
GAP = 10.0  # pixels between the ends of two pieces of one line at most
BESIDE = 1.5  # pixels that the centre of a piece may lie beside the line of another
APART = 0.8  # of the mean length of two pieces of one line, between their centres at least
REACH = 60.0  # pixels to the next one of a row at most
LEVEL = 0.5  # of the longer one's length, that the centres of neighbours in a row lie apart along it at most
LEAST_SPACING = 2.0  # pixels; nearer lines are two sides of one thing


def line_lengths(ridges: Ridges) -> np.ndarray:
    """Return for each ridge the length of the line that it is a piece of, pixels.

    A long edge is still one edge where a branch or a streak crosses it and leaves it in pieces. Two ridges are pieces
    of one line where their ends are near each other and each lies on the line of the other, beyond its end.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    count = len(ridges.angle)
    if count == 0:
        return np.empty(0)
    down, across = np.cos(np.radians(ridges.angle)), np.sin(np.radians(ridges.angle))
    half = ridges.length / 2
    ends = np.concatenate(
        [np.stack([ridges.row + s * half * down, ridges.column + s * half * across], axis=1) for s in (1, -1)]
    )
    first, second = cKDTree(ends).query_pairs(GAP, output_type="ndarray").T % count
    rows, columns = ridges.row[second] - ridges.row[first], ridges.column[second] - ridges.column[first]
    one = _parallel(ridges, first, second) & (np.hypot(rows, columns) >= APART * (half[first] + half[second]))
    for k in (first, second):
        one &= np.abs(columns * down[k] - rows * across[k]) <= BESIDE
    pairs = coo_array((np.ones(one.sum()), (first[one], second[one])), shape=(count, count))
    lines, line = connected_components(pairs, directed=False)
    return np.bincount(line, ridges.length, minlength=lines)[line]


def spacing_evenness(ridges: Ridges) -> np.ndarray:
    """Return for each ridge the distance of the nearer over that of the farther of the two parallel neighbours beside
    it, in [0, 1]; 0 without two.

    The pales of a fence are near 1. Streaks, which fall anywhere, have a mean of 2 ln 2 - 1 = 0.39, the mean ratio of
    two distances to the next event of a Poisson process.
    """
    from scipy.spatial import cKDTree

    count = len(ridges.angle)
    nearest = np.full((2, count), np.inf)
    if count < 3:
        return np.zeros(count)
    pairs = cKDTree(np.stack([ridges.row, ridges.column], axis=1)).query_pairs(REACH, output_type="ndarray")
    first, second = np.concatenate([pairs, pairs[:, ::-1]]).T
    parallel = _parallel(ridges, first, second)
    first, second = first[parallel], second[parallel]
    rows, columns = ridges.row[second] - ridges.row[first], ridges.column[second] - ridges.column[first]
    down, across = np.cos(np.radians(ridges.angle[first])), np.sin(np.radians(ridges.angle[first]))
    along, aside = rows * down + columns * across, columns * down - rows * across
    level = np.abs(along) <= LEVEL * np.maximum(ridges.length[first], ridges.length[second])
    for side, sign in enumerate((1, -1)):
        beside = level & (sign * aside > LEAST_SPACING)
        np.minimum.at(nearest[side], first[beside], sign * aside[beside])
    farther = nearest.max(axis=0)
    return np.where(np.isfinite(farther), nearest.min(axis=0) / np.where(np.isfinite(farther), farther, 1), 0.0)


def _parallel(ridges: Ridges, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.abs(turn(ridges.angle[first] - ridges.angle[second])) <= PARALLEL
