"""Weigh ridges as evidence of rain: how much each resembles a streak."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rainopt.arrays import Array, host_view
from rainopt.direction import neighbours, ridges_there
from rainopt.direction.neighbours import line_lengths, spacing_evenness
from rainopt.direction.ridges import Ridges, find_ridges
from rainopt.host_steps import fetch
from rainopt.image import luminance
from rainopt.parallel.threads import run_all

# Streaks are a pixel or two wide in one photograph and many in another; coarse ridges are fewer, and weigh more.
SCALES = (1.0, 2.0)  # pixels, σ
# An image of fewer pixels is enlarged: its streaks are too short to have a direction, like those of a photograph
# reduced to a thumbnail.
SMALL_PIXELS = 100_000
LENGTH = (8.0, 70.0)  # pixels; shorter ridges have no direction, longer ones are structure
PIECE = 6.0  # pixels; shorter ridges are no pieces of a line
LENGTH_CAP = 25.0  # a ridge's vote does not grow beyond this length
WIDTH = 3.0  # pixels at most
ELONGATION = 4.0  # length over width at least
BEND = 6.0  # degrees at which the vote of a crooked ridge has fallen to 61 %
STEP = 0.3  # step over contrast at which the vote of an edge has fallen to half
CHROMA = (-0.2, 0.4)  # least over largest contrast of the colours: no vote below, a full one above
EVEN = 0.8  # nearer over farther of the two neighbours beside a ridge, from which it is one of a row
OF_A_ROW = 0.3  # share of its vote that one of a row keeps; a ninth of the streaks of rain are one by chance

# The same for a device, in the order of `rainopt.kernels.ridge_votes_cuda.Likeness`.
LIKENESS = (
    *LENGTH,
    PIECE,
    LENGTH_CAP,
    WIDTH,
    ELONGATION,
    BEND,
    STEP,
    *CHROMA,
    EVEN,
    OF_A_ROW,
    neighbours.PARALLEL,
    neighbours.GAP,
    neighbours.APART,
    neighbours.BESIDE,
    neighbours.REACH,
    neighbours.LEVEL,
    neighbours.LEAST_SPACING,
)


class Evidence(NamedTuple):
    """Votes for directions, one entry of each field for each ridge.

    Attributes
    ----------
    angle
        Degrees in (-90, 90].
    weight
        Above 0 and at most 1.
    row, column
        Where in the picture, as shares of its height and width in (0, 1).
    dark
        Whether the ridge is a dark one.
    contrast
        Brightness in [0, 1] over (or, for a dark ridge, under) both sides.
    """

    angle: np.ndarray
    weight: np.ndarray
    row: np.ndarray
    column: np.ndarray
    dark: np.ndarray
    contrast: np.ndarray

    def select(self, keep: np.ndarray) -> Evidence:
        """Return the votes that ``keep``, a mask, selects."""
        return Evidence(*(field[keep] for field in self))


def gather(colour: Array) -> Evidence:
    """Return the votes of all ridges of an image (C, H, W) float32 in [0, 1].

    One that lies on a device stays there where the device has the kernels; small ones, which are enlarged, do not.
    """
    if not isinstance(colour, np.ndarray):
        large = colour.shape[1] * colour.shape[2] >= SMALL_PIXELS and host_view(colour) is None
        there = ridges_there.kernels_for(colour) if large else None
        if there is not None:
            return _of_votes(ridges_there.find_votes(colour, luminance(colour), SCALES, LIKENESS, there), colour)
        colour = np.ascontiguousarray(fetch(colour, "block means"))
    if min(colour.shape[1:]) >= 3 and colour.shape[1] * colour.shape[2] < SMALL_PIXELS:
        colour = enlarged(colour)
    grey = luminance(colour)
    height, width = grey.shape
    found = [
        (sigma, dark, ridges)
        for sigma in SCALES
        for dark, ridges in zip((False, True), find_ridges(colour, grey, sigma), strict=True)
    ]

    def votes(sigma: float, dark: bool, ridges: Ridges) -> Evidence:
        weight = sigma / max(SCALES) * weigh(ridges)
        keep = weight > 0
        kept = ridges.select(keep)
        row, column = (kept.row + 0.5) / height, (kept.column + 0.5) / width
        return Evidence(kept.angle, weight[keep], row, column, np.full(len(row), dark), kept.contrast)

    return Evidence(*(np.concatenate(fields) for fields in zip(*run_all(votes, found), strict=True)))


def _of_votes(votes: ridges_there.Votes, colour: Array) -> Evidence:
    """Return votes that were cast on a device as evidence."""
    height, width = colour.shape[1:]
    row, column = (votes.row + 0.5) / height, (votes.column + 0.5) / width
    return Evidence(votes.angle, votes.weight, row, column, votes.kind % 2 == 1, votes.contrast)


def enlarged(colour: np.ndarray) -> np.ndarray:
    """Return an image (C, H, W) at twice its size, interpolated by cubic splines."""
    from scipy import ndimage

    twice = ndimage.zoom(colour, (1, 2, 2), order=3, mode="nearest", grid_mode=True)
    return np.clip(twice, 0, 1, out=twice)


def weigh(ridges: Ridges) -> np.ndarray:
    """Return the weight of each ridge's vote, in [0, 1]: how far it is like a streak, and whether it stands alone."""
    weight = likeness(ridges)
    # Pieces too short to vote still tell that a line goes on.
    pieces = ridges.length >= PIECE
    whole = np.zeros(len(weight))
    whole[pieces] = line_lengths(ridges.select(pieces))
    weight[whole > LENGTH[1]] = 0
    voting = weight > 0
    row = np.zeros(len(weight), bool)
    row[voting] = spacing_evenness(ridges.select(voting)) > EVEN
    return np.where(row, OF_A_ROW * weight, weight)


def likeness(ridges: Ridges) -> np.ndarray:
    """Return how far each ridge is like a streak, in [0, 1]: long, up to a cap, thin, straight, grey, and no edge."""
    shape = (
        (ridges.length >= LENGTH[0])
        & (ridges.length <= LENGTH[1])
        & (ridges.width <= WIDTH)
        & (ridges.length >= ELONGATION * ridges.width)
        & (ridges.contrast > 0)
    )
    length = np.minimum(ridges.length / LENGTH_CAP, 1)
    straight = np.exp(-0.5 * (ridges.bend / BEND) ** 2)
    even = 1 / (1 + (ridges.step / np.where(ridges.contrast > 0, ridges.contrast, 1) / STEP) ** 2)
    grey = np.clip((ridges.chroma - CHROMA[0]) / (CHROMA[1] - CHROMA[0]), 0, 1)
    return np.where(shape, length * straight * even * grey, 0.0)
