"""Votes for the colour of rain on the CPU, straight from the pixels of a file."""

from __future__ import annotations

import numpy as np

from rainopt.kernels.compiler import compiled
from rainopt.parallel.threads import run_all

BAND_CELLS = 16  # rows of cells that a thread takes at a time


def colour_votes(
    planes: np.ndarray, rain: np.ndarray, offsets: np.ndarray, scale: float, faint: float, cell: int
) -> np.ndarray:
    """Return the votes of all cells (C, h, w) float32, as `rainopt.still.colour.colour_votes`.

    ``planes`` are (C, H, W) of any dtype, times ``scale`` in [0, 1]; ``rain`` is (H, W) float32; ``offsets`` (K, 2) are
    the rows and columns to one side of a streak, for each direction.
    """
    channels, height, width = planes.shape
    votes = np.zeros((channels, -(-height // cell), -(-width // cell)), np.float32)
    numbers = np.float32(scale), np.float32(faint)
    run_all(
        lambda first: add_votes(planes, rain, offsets, *numbers, cell, first, votes[:, first : first + BAND_CELLS]),
        [(first,) for first in range(0, votes.shape[1], BAND_CELLS)],
    )
    return votes


@compiled
def add_votes(planes, rain, offsets, scale, faint, cell, first, votes):
    """Add the votes of rows of cells, from the row ``first`` on, to ``votes`` (C, rows, w)."""
    channels, height, width = planes.shape
    half = np.float32(0.5)
    for i in range(first * cell, min((first + votes.shape[1]) * cell, height)):
        k = i // cell - first
        for j in range(width):
            layer = rain[i, j]
            if not layer > faint:
                continue
            for n in range(len(offsets)):
                down, across = offsets[n, 0], offsets[n, 1]
                above, below = min(max(i - down, 0), height - 1), min(max(i + down, 0), height - 1)
                left, right = min(max(j - across, 0), width - 1), min(max(j + across, 0), width - 1)
                rise = scale * (layer - half * (rain[above, left] + rain[below, right]))
                for c in range(channels):
                    sides = np.float32(planes[c, above, left]) + np.float32(planes[c, below, right])
                    votes[c, k, j // cell] += rise * (np.float32(planes[c, i, j]) - half * sides)
