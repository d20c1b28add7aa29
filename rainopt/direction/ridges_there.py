"""Votes of the thin ridges of a picture on a device: they are found, joined, measured and weighed there, and the votes
come to the host.

It is the work of `rainopt.direction.ridges` and `rainopt.direction.evidence` by the kernels of the device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rainopt.arrays import Array, kernel, namespace
from rainopt.direction.ridges import (
    BLOCK,
    FAINTEST,
    FEWEST,
    LOCAL,
    REACH,
    SAMPLE,
    STRONGEST,
    TURN,
    gaussian_derivatives,
)
from rainopt.host_steps import fetch

# Rows of the table of ridges, a pixel; a photograph has a fifth of it, and where there are more all is done again.
ROWS_A_PIXEL = 1 / 8
# The first number of a vote is its key: the kind above so many bits, and the first pixel of the ridge.
KEY, KIND_BITS = 0, 32


class Kernels(NamedTuple):
    """The kernels of a device for ridges, by the names of `rainopt.arrays.KERNELS` behind ``ridge_``."""

    curvature: Callable[..., None]
    thresholds: Callable[..., Any]
    crests: Callable[..., None]
    table: Callable[..., Any]


class Votes(NamedTuple):
    """Votes on the host, (n,) each: 0 to 3 for bright and dark ridges of the first scale and of the second; degrees;
    weight above 0; the centre in pixels; contrast. Ordered by kind and by the first pixel of the ridge.
    """

    kind: np.ndarray
    angle: np.ndarray
    weight: np.ndarray
    row: np.ndarray
    column: np.ndarray
    contrast: np.ndarray


def kernels_for(colour: Array) -> Kernels | None:
    """Return the kernels of the device that an image lies on; None where one of them is missing."""
    found = [kernel(f"ridge_{name}", colour) for name in Kernels._fields]
    return None if None in found else Kernels(*found)  # type: ignore[arg-type]


def find_votes(
    colour: Array, luminance: Array, scales: Sequence[float], likeness: tuple[float, ...], kernels: Kernels
) -> Votes:
    """Return the votes of the ridges of an image on a device.

    Parameters
    ----------
    colour, luminance
        (C, H, W) and (H, W) float32 in [0, 1].
    scales
        The two standard deviations of the Gaussians, pixels; a ridge of the first weighs as much less as it is finer.
    likeness
        The numbers of `rainopt.kernels.ridge_votes_cuda.Likeness`.
    kernels
        Those of the device.
    """
    if min(luminance.shape) < 3:
        return Votes(*np.empty((len(Votes._fields), 0)))
    xp = namespace(luminance)
    # In one piece, row by row, as kernels have it; a copy only of what is not.
    luminance, colour = (xp.reshape(xp.reshape(planes, (-1,)), planes.shape) for planes in (luminance, colour))
    rows, whole = int(ROWS_A_PIXEL * luminance.shape[0] * luminance.shape[1]) + 1, False
    while True:
        table = kernels.table(luminance, colour, rows)
        samples = [_join(table, luminance, sigma, scale, kernels, whole) for scale, sigma in enumerate(scales)]
        found = table.votes(likeness, tuple(sigma / max(scales) for sigma in scales))
        wanted, votes, *present = (int(n) for n in fetch(xp.concat([table.counts, *samples]), "ridges"))
        # There may be more ridges than rows, and a single line may lie between the samples.
        if wanted <= rows and (whole or min(present) > 0):
            return _ordered(fetch(found[:votes, :], "ridges"))
        rows, whole = max(wanted, rows), whole or min(present) == 0


def _join(table: Any, luminance: Array, sigma: float, scale: int, kernels: Kernels, whole: bool) -> Array:
    """Add the ridges of a scale to a table, and return how many samples are on bright ones and on dark ones, (2,).

    Thresholds come from the samples, or from the ``whole`` map where none of these is on a ridge.
    """
    xp = namespace(luminance)
    strength, cos2, sin2, offset = (xp.empty_like(luminance) for _ in range(4))
    bright, dark = (xp.empty_like(luminance, dtype=xp.bool) for _ in range(2))
    rows = int(luminance.shape[0])
    kernels.curvature(luminance, gaussian_derivatives(sigma), 0, rows, strength, cos2, sin2)
    sampled = xp.sort(xp.reshape(strength[::SAMPLE, ::SAMPLE], (-1,)))
    otherwise = xp.sort(xp.reshape(strength, (-1,))) if whole else sampled
    thresholds, present = kernels.thresholds(
        strength, sampled, otherwise, BLOCK, SAMPLE, FAINTEST, 1 - STRONGEST, LOCAL
    )
    for sign, crest, limits in ((1.0, bright, thresholds[0, ...]), (-1.0, dark, thresholds[1, ...])):
        kernels.crests(strength, cos2, sin2, np.float32(sign), limits, BLOCK, 0, rows, crest, offset)
    least_cosine = np.float32(np.cos(2 * np.radians(TURN)))
    table.join(bright, dark, cos2, sin2, offset, least_cosine, REACH * sigma, FEWEST, 2 * scale)
    return present


def _ordered(votes: np.ndarray) -> Votes:
    """Return votes in the order in which the host finds them."""
    keys = votes[:, KEY].astype(np.int64)
    order = np.argsort(keys)
    _, *fields = votes[order].T
    return Votes(keys[order] >> KIND_BITS, *fields)
