"""Thin ridges of a picture, bright and dark, measured one by one: the evidence that rain is judged by."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rainopt.geometry.lines import line_angle
from rainopt.kernels import ridge_cpu as kernel
from rainopt.parallel.threads import run_all

FAINTEST = 1e-4  # curvature of a ridge a tenth of an 8-bit level high: rounding, not rain
STRONGEST = 0.3  # share of the pixels with a ridge through them that takes part
TURN = 20.0  # degrees between neighbours on one ridge at most
FEWEST = 4  # pixels; a ridge of fewer has no shape
REACH = 2.5  # widths σ to either side; there a ridge has ended
TRUNCATE = 3.0  # widths σ at which the Gaussian is cut
BLOCK = 128  # pixels, side of the blocks that have a threshold of their own
LOCAL = 0.5  # least threshold of a block, as a share of the threshold everywhere
BAND_ROWS = 128  # rows that a thread takes at a time
SAMPLE = 3  # the threshold is a quantile of every third pixel of every third row


class Ridges(NamedTuple):
    """Connected ridges, one entry of each field for each.

    Attributes
    ----------
    angle
        Direction of the long axis, degrees in (-90, 90]; 0 is vertical, positive moves right going down.
    length, width
        Those of the uniform bar that has the same second moments, pixels.
    row, column
        The centre, in pixels; the centre of the first pixel is 0.
    bend
        Degrees in [0, 90] between the long axis and the mean direction of the pixels: large for what is no straight
        line.
    contrast
        Height of the luminance over the mean of both sides; positive for dark ridges as well.
    step
        Difference of luminance between the sides, at least 0.
    chroma
        Least over largest contrast in the colour channels: near 1 for a grey line, negative where a channel goes
        the other way; 1 for a grey image.
    """

    angle: np.ndarray
    length: np.ndarray
    width: np.ndarray
    row: np.ndarray
    column: np.ndarray
    bend: np.ndarray
    contrast: np.ndarray
    step: np.ndarray
    chroma: np.ndarray

    def select(self, keep: np.ndarray) -> Ridges:
        """Return the ridges that ``keep``, a mask or indices, selects."""
        return Ridges(*(field[keep] for field in self))


NONE = Ridges(*(np.empty(0) for _ in Ridges._fields))


def find_ridges(colour: np.ndarray, luminance: np.ndarray, sigma: float = 1.0) -> tuple[Ridges, Ridges]:
    """Find the bright and the dark ridges of a host image.

    A pixel takes part where the curvature of the luminance across it is among the strongest of its kind, and largest
    across the ridge (Canny's rule, on a ridge); neighbours whose directions agree make up one ridge.

    Parameters
    ----------
    colour
        (C, H, W) float32 in [0, 1].
    luminance
        (H, W) float32 in [0, 1].
    sigma
        Standard deviation, in pixels, of the Gaussian whose derivatives are taken; ridges some 1 to 4 σ wide respond.

    Returns
    -------
    tuple of Ridges
        Bright and dark.
    """
    luminance = np.ascontiguousarray(luminance)
    colour = np.ascontiguousarray(colour)
    if min(luminance.shape) < 3:
        return NONE, NONE
    strength, cos2, sin2 = (np.empty_like(luminance) for _ in range(3))
    taps = gaussian_derivatives(sigma)
    bands = [(first, min(first + BAND_ROWS, len(luminance))) for first in range(0, len(luminance), BAND_ROWS)]
    run_all(lambda first, last: kernel.curvature(luminance, taps, first, last, strength, cos2, sin2), bands)

    signs = (1.0, -1.0)
    crests = {sign: np.empty(luminance.shape, np.bool_) for sign in signs}
    offsets = {sign: np.empty(luminance.shape, np.float32) for sign in signs}
    thresholds = dict(
        zip(signs, run_all(lambda sign: _thresholds(sign * strength), [(s,) for s in signs]), strict=True)
    )
    run_all(
        lambda sign, first, last: kernel.crests(
            strength, cos2, sin2, np.float32(sign), thresholds[sign], BLOCK, first, last, crests[sign], offsets[sign]
        ),
        [(sign, *band) for sign in signs for band in bands],
    )

    def measured(sign: float) -> Ridges:
        owner = np.empty(luminance.shape, np.int32)
        count = kernel.link(crests[sign], cos2, sin2, np.float32(np.cos(2 * np.radians(TURN))), owner)
        sums = np.zeros((count, kernel.CHANNELS + len(colour)))
        kernel.measure(owner, cos2, sin2, offsets[sign], luminance, colour, REACH * sigma, sums)
        return shapes(sums[sums[:, kernel.COUNT] >= FEWEST], sign)

    bright, dark = run_all(measured, [(sign,) for sign in signs])
    return bright, dark


def _thresholds(strength: np.ndarray) -> np.ndarray:
    """Return `thresholds_from` a map of curvature (H, W)."""

    def block(i: int, j: int) -> np.ndarray:
        return strength[i * BLOCK : (i + 1) * BLOCK : SAMPLE, j * BLOCK : (j + 1) * BLOCK : SAMPLE]

    return thresholds_from(strength.shape, strength[::SAMPLE, ::SAMPLE], block, lambda: strength)


def thresholds_from(
    shape: tuple[int, ...],
    sampled: np.ndarray,
    block: Callable[[int, int], np.ndarray],
    whole: Callable[[], np.ndarray],
) -> np.ndarray:
    """Return for each block the strength that only its strongest ridge pixels exceed; (rows, columns) of blocks.

    It follows the block only within limits: rain before a plain wall is not to be measured by the tree beside it, and
    the noise of a clear sky is not to be measured at all.

    Parameters
    ----------
    shape
        Of the map of curvature.
    sampled
        Every `SAMPLE`-th of its pixels in both directions.
    block
        Returns every `SAMPLE`-th pixel of a block, from the block's first on.
    whole
        Returns the map.
    """
    rows, columns = (-(-n // BLOCK) for n in shape)
    everywhere = _threshold(sampled)
    if np.isinf(everywhere):
        everywhere = _threshold(whole())  # a single line may lie between the samples
    local = np.empty((rows, columns), np.float32)
    for i in range(rows):
        for j in range(columns):
            local[i, j] = min(max(_threshold(block(i, j)), LOCAL * everywhere), everywhere)
    return local


def _threshold(strength: np.ndarray) -> np.float32:
    """Return the strength that only the strongest ridge pixels exceed; infinite where there are none."""
    present = strength[strength > FAINTEST]
    if present.size == 0:
        return np.float32(np.inf)
    rank = round((1 - STRONGEST) * (present.size - 1))
    # An order statistic: a tenth of the time of a quantile between two of them.
    return np.float32(np.partition(present, rank)[rank])


def shapes(sums: np.ndarray, sign: float) -> Ridges:
    """Turn the sums that `ridge_cpu.measure` collects into lengths and angles."""
    mean = sums / sums[:, [kernel.COUNT]]
    row, column = mean[:, kernel.ROW], mean[:, kernel.COLUMN]
    var_row, var_column = mean[:, kernel.ROW2] - row**2, mean[:, kernel.COLUMN2] - column**2
    covariance = mean[:, kernel.CROSS] - row * column
    half_sum, half_difference = (var_row + var_column) / 2, np.hypot((var_row - var_column) / 2, covariance)
    angle = np.degrees(0.5 * np.arctan2(2 * covariance, var_row - var_column))
    local = np.degrees(0.5 * np.arctan2(mean[:, kernel.SIN2], mean[:, kernel.COS2]))
    channels = sign * mean[:, kernel.CHANNELS :]
    largest = channels.max(axis=1, initial=-np.inf)
    return Ridges(
        # Rounding may land on the other end of the range.
        angle=line_angle(angle),
        # A uniform line of n pixels has variance (n² - 1) / 12.
        length=np.sqrt(12 * (half_sum + half_difference) + 1),
        width=np.sqrt(12 * np.maximum(half_sum - half_difference, 0) + 1),
        row=row,
        column=column,
        bend=np.abs(turn(angle - local)),
        contrast=sign * mean[:, kernel.CONTRAST],
        step=mean[:, kernel.STEP],
        chroma=np.where(largest > 0, channels.min(axis=1, initial=np.inf) / np.where(largest > 0, largest, 1), -1.0),
    )


def gaussian_derivatives(sigma: float) -> np.ndarray:
    """Return a Gaussian and its first two derivatives, (3, 2k + 1) float32, exact on polynomials of their degree."""
    half = int(TRUNCATE * sigma + 0.5)
    t = np.arange(-half, half + 1, dtype=float)
    plain = np.exp(-0.5 * (t / sigma) ** 2)
    plain /= plain.sum()
    first = t * plain
    first /= (first * t).sum()
    second = (t**2 / sigma**2 - 1) * plain
    # Cut off and sampled as it is, it would respond to a constant.
    second -= plain * second.sum()
    second /= (second * t**2).sum() / 2
    return np.stack([plain, first, second]).astype(np.float32)


def turn(degrees: np.ndarray) -> np.ndarray:
    """Bring differences of line directions into [-90, 90)."""
    return (degrees + 90) % 180 - 90
