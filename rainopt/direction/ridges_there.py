"""Thin ridges of a picture on a device: curvature and crests are found there, and what crests say comes to the host.

What remains on the host goes from pixel to pixel: to join crests to ridges, and to add up each ridge. It is the work of
`rainopt.direction.ridges` on the few pixels that are crests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from rainopt.arrays import Array, kernel, namespace
from rainopt.direction.ridges import (
    BLOCK,
    FEWEST,
    NONE,
    REACH,
    SAMPLE,
    TURN,
    Ridges,
    gaussian_derivatives,
    shapes,
    thresholds_from,
)
from rainopt.host_steps import fetch
from rainopt.kernels import ridge_cpu
from rainopt.parallel.threads import run_all

# Columns of what is fetched of each crest pixel, before the contrasts in the colours.
COS2, SIN2, OFFSET, CONTRAST, STEP, CHANNELS = range(6)


class Crests(NamedTuple):
    """Crest pixels on the host: where they are, counted in rows from the first pixel, ascending (n,) int64; and what
    is known of them, (5 and the colours, n) float32.
    """

    at: np.ndarray
    facts: np.ndarray


def finder(colour: Array) -> Callable[[Array, Array, float], tuple[Ridges, Ridges]] | None:
    """Return `find_ridges` by the kernels of the device that an image lies on; None where it has none."""
    curvature, crests = kernel("ridge_curvature", colour), kernel("ridge_crests", colour)
    if curvature is None or crests is None:
        return None
    return lambda colour, luminance, sigma: find_ridges(colour, luminance, sigma, curvature, crests)


def find_ridges(
    colour: Array, luminance: Array, sigma: float, curvature: Callable[..., None], crests: Callable[..., None]
) -> tuple[Ridges, Ridges]:
    """Find the bright and the dark ridges of an image of a device, as `rainopt.direction.ridges.find_ridges`.

    ``curvature`` and ``crests`` are the kernels of the device, with the signatures of `rainopt.kernels.ridge_cpu`.
    """
    rows, columns = luminance.shape
    if min(rows, columns) < 3:
        return NONE, NONE
    xp = namespace(luminance)
    # In one piece, row by row, as kernels have it; a copy only of what is not.
    luminance = xp.reshape(xp.reshape(luminance, (-1,)), (rows, columns))
    strength, cos2, sin2 = (xp.empty_like(luminance) for _ in range(3))
    curvature(luminance, gaussian_derivatives(sigma), 0, rows, strength, cos2, sin2)
    signs = (1.0, -1.0)
    sampled = _Samples(strength)
    found = []
    for sign, thresholds in zip(signs, run_all(sampled.thresholds, [(sign,) for sign in signs]), strict=True):
        crest, offset = xp.zeros_like(luminance, dtype=xp.bool), xp.zeros_like(luminance)
        crests(strength, cos2, sin2, np.float32(sign), thresholds, BLOCK, 0, rows, crest, offset)
        found.append(_fetched(crest, (cos2, sin2, offset), luminance, colour, REACH * sigma))
    bright, dark = run_all(
        lambda sign, seen: _joined(seen, (rows, columns), sign), list(zip(signs, found, strict=True))
    )
    return bright, dark


class _Samples:
    """The pixels of a map of curvature on a device that thresholds are quantiles of, on the host."""

    def __init__(self, strength: Array) -> None:
        xp, device = namespace(strength), array_api_compat.device(strength)
        self.shape = tuple(strength.shape)
        self.everywhere = fetch(strength[::SAMPLE, ::SAMPLE], "ridge strengths")
        # In each block from its own first pixel on.
        rows, columns = (
            np.concatenate([np.arange(k, min(k + BLOCK, n), SAMPLE) for k in range(0, n, BLOCK)]) for n in self.shape
        )
        taken = strength
        for axis, index in enumerate((rows, columns)):
            taken = xp.take(taken, xp.asarray(index, device=device), axis=axis)
        self.blocks = fetch(taken, "ridge strengths")
        self.a_block = -(-BLOCK // SAMPLE)
        self._strength = strength

    def block(self, i: int, j: int) -> np.ndarray:
        n = self.a_block
        return self.blocks[i * n : (i + 1) * n, j * n : (j + 1) * n]

    def thresholds(self, sign: float) -> np.ndarray:
        """Return the thresholds of one sign, as `rainopt.direction.ridges.thresholds_from`."""
        return thresholds_from(
            self.shape,
            sign * self.everywhere,
            lambda i, j: sign * self.block(i, j),
            lambda: sign * fetch(self._strength, "ridge strengths"),
        )


def _fetched(
    crest: Array, of_pixels: tuple[Array, Array, Array], luminance: Array, colour: Array, reach: float
) -> Crests:
    """Bring what `rainopt.kernels.ridge_cpu.measure` adds up to the host, for crest pixels alone."""
    xp, (rows, columns) = namespace(crest), crest.shape
    (at,) = xp.nonzero(xp.reshape(crest, (-1,)))
    cos2, sin2, offset = (xp.take(xp.reshape(plane, (-1,)), at, axis=0) for plane in of_pixels)
    # In double precision, as there: a hair decides which pixel lies beside another.
    double = [xp.astype(part, xp.float64) for part in (cos2, sin2)]
    cos, sin = (xp.sqrt(xp.clip(1 + sign * double[0], 0.0) / 2) for sign in (1, -1))
    sin = xp.where(double[1] >= 0, sin, -sin)
    up, right = (xp.astype(xp.round(reach * part), xp.int64) for part in (sin, cos))
    i, j = at // columns, at % columns
    one = xp.clip(i + up, 0, rows - 1) * columns + xp.clip(j - right, 0, columns - 1)
    other = xp.clip(i - up, 0, rows - 1) * columns + xp.clip(j + right, 0, columns - 1)

    def beside(plane: Array) -> tuple[Array, Array]:
        """Return by how much pixels exceed the mean of both sides, and how far the sides differ."""
        flat = xp.reshape(plane, (-1,))
        here, a, b = (xp.take(flat, index, axis=0) for index in (at, one, other))
        return here - 0.5 * (a + b), xp.abs(a - b)

    contrasts = [beside(colour[k, ...])[0] for k in range(colour.shape[0])]
    facts = xp.stack([cos2, sin2, offset, *beside(luminance), *contrasts])
    # The order of crests is that of their pixels in all libraries; four bytes say where.
    return Crests(fetch(xp.astype(at, xp.int32), "crests").astype(np.int64), fetch(facts, "crests"))


def _joined(seen: Crests, shape: tuple[int, int], sign: float) -> Ridges:
    """Join crest pixels to ridges and measure them, as `rainopt.kernels.ridge_cpu` does."""
    crest, owner = np.zeros(shape, np.bool_), np.empty(shape, np.int32)
    directions: list[Any] = [np.zeros(shape, np.float32) for _ in range(2)]
    crest.reshape(-1)[seen.at] = True
    for image, values in zip(directions, (seen.facts[COS2], seen.facts[SIN2]), strict=True):
        image.reshape(-1)[seen.at] = values
    count = ridge_cpu.link(crest, *directions, np.float32(np.cos(2 * np.radians(TURN))), owner)
    of = owner.reshape(-1)[seen.at]
    facts = seen.facts.astype(np.float64)
    cos, sin = (np.sqrt(np.maximum(1 + way * facts[COS2], 0) / 2) for way in (1, -1))
    sin = np.where(facts[SIN2] >= 0, sin, -sin)
    row, column = seen.at // shape[1] - sin * facts[OFFSET], seen.at % shape[1] + cos * facts[OFFSET]
    terms: dict[int, Any] = {
        ridge_cpu.COUNT: np.ones(len(of)),
        ridge_cpu.ROW: row,
        ridge_cpu.COLUMN: column,
        ridge_cpu.ROW2: row * row,
        ridge_cpu.COLUMN2: column * column,
        ridge_cpu.CROSS: row * column,
        ridge_cpu.COS2: facts[COS2],
        ridge_cpu.SIN2: facts[SIN2],
        ridge_cpu.CONTRAST: facts[CONTRAST],
        ridge_cpu.STEP: facts[STEP],
    }
    terms |= {ridge_cpu.CHANNELS + k: channel for k, channel in enumerate(facts[CHANNELS:])}
    sums = np.stack([np.bincount(of, terms[k], minlength=count) for k in range(len(terms))], axis=1)
    return shapes(sums[sums[:, ridge_cpu.COUNT] >= FEWEST], sign)
