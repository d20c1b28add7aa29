"""Find the direction in which rain falls: thin bright ridges vote.

Edges of a scene are long, or broad, or dark; a rain streak is a bright ridge, thin and short. Each such ridge casts
one vote for its own direction, so a fence does not outvote a hundred streaks, as it does in a histogram of
gradients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rainopt.arrays import Array, to_numpy
from rainopt.image import luminance, split_channels

# Streaks of large photographs are many pixels wide, and evidence is plentiful: work on about this many pixels.
WORK_PIXELS = 1_500_000
SIGMA = 1.0  # pixels, scale of the ridge filter
FAINTEST = 1e-4  # curvature of a ridge a tenth of an 8-bit level high: rounding, not rain
STRONGEST = 0.3  # share of the bright-ridge pixels that take part
LENGTH = (8.0, 70.0)  # pixels; shorter ridges have no direction, longer ones are structure
WIDTH = 3.0  # pixels at most
ELONGATION = 4.0  # length over width at least
LENGTH_CAP = 25.0  # a ridge's vote does not grow beyond this length
# Rain falls; a direction far from the vertical needs more evidence. Degrees, standard deviation.
PRIOR = 30.0
BIN_SMOOTHING = 2.0  # degrees
FEW = 20  # ridges, where the confidence is halved
AGREEMENT = 6.0  # degrees within which a vote counts as agreeing


@dataclass(frozen=True)
class AngleEstimate:
    """Direction of the rain in an image.

    Attributes
    ----------
    angle
        Degrees in (-90, 90]; 0 is vertical, positive moves right going down.
    confidence
        In [0, 1]: share of the evidence that agrees with the angle, beyond what scattered directions would give,
        and less where there is little evidence at all. Near 0 where there is no rain to be seen.
    """

    angle: float
    confidence: float


class Ridges(NamedTuple):
    """Connected bright ridges, one entry each."""

    angle: np.ndarray  # degrees in (-90, 90]
    weight: np.ndarray  # min(length, cap) × mean strength


def estimate_angle(image: Array, *, channel_axis: int = -1) -> AngleEstimate:
    """Estimate the angle of rain streaks.

    Parameters
    ----------
    image
        (H, W) or (H, W, C), uint8, uint16 or float in [0, 1], of any array library. Evidence is gathered on the host.
    channel_axis
        Axis of the channels.

    Returns
    -------
    AngleEstimate
        Angle 0 with confidence 0 where no ridge was found.

    Raises
    ------
    ValueError, TypeError
        As `rainopt.image.split_channels`.
    """
    return vote(find_ridges(to_numpy(luminance(split_channels(image, channel_axis).colour))))


def vote(ridges: Ridges) -> AngleEstimate:
    """Return the direction that most evidence supports, refined by a weighted mean around it."""
    from scipy import ndimage

    total = float(ridges.weight.sum())
    if total <= 0:
        return AngleEstimate(0.0, 0.0)
    histogram = np.histogram(ridges.angle, bins=180, range=(-90.0, 90.0), weights=ridges.weight)[0]
    centres = np.arange(-89.5, 90.0)
    score = ndimage.gaussian_filter1d(histogram, BIN_SMOOTHING, mode="wrap") * np.exp(-0.5 * (centres / PRIOR) ** 2)
    angle = float(centres[np.argmax(score)])
    for _ in range(3):
        offset = _turn(ridges.angle - angle)
        near = ridges.weight * np.exp(-0.5 * (offset / (AGREEMENT / 2)) ** 2)
        if near.sum() > 0:
            angle += float((near * offset).sum() / near.sum())
    share = float(ridges.weight[np.abs(_turn(ridges.angle - angle)) <= AGREEMENT].sum()) / total
    chance = 2 * AGREEMENT / 180
    # Some ridges agree by accident; it takes more than a handful to be believed.
    enough = len(ridges.angle) / (len(ridges.angle) + FEW)
    angle = float(_turn(np.asarray(angle)))
    return AngleEstimate(90.0 if angle == -90.0 else angle, enough * max(0.0, (share - chance) / (1 - chance)))


def find_ridges(grey: np.ndarray) -> Ridges:
    """Find thin, bright, short, connected ridges of a host image (H, W) in [0, 1]."""
    from scipy import ndimage

    grey = _reduce(np.ascontiguousarray(grey, dtype=np.float32))
    nothing = Ridges(np.empty(0), np.empty(0))
    if min(grey.shape) < 3:
        return nothing

    strength, direction = _ridge_strength(grey)
    bright = strength[strength > FAINTEST]
    if bright.size == 0:
        return nothing
    crest = (strength > np.quantile(bright, 1 - STRONGEST)) & _is_crest(strength, direction)
    labels, count = ndimage.label(crest, structure=np.ones((3, 3)))
    if count == 0:
        return nothing

    rows, columns = np.nonzero(labels)
    owner = labels[rows, columns] - 1
    size = np.bincount(owner, minlength=count).astype(float)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(owner, values, minlength=count) / size

    row, column = mean(rows), mean(columns)
    var_row = mean(rows.astype(float) ** 2) - row**2
    var_column = mean(columns.astype(float) ** 2) - column**2
    covariance = mean(rows.astype(float) * columns) - row * column
    half_sum, half_difference = (var_row + var_column) / 2, np.hypot((var_row - var_column) / 2, covariance)
    # A uniform line of n pixels has variance (n² - 1) / 12.
    length = np.sqrt(12 * (half_sum + half_difference) + 1)
    width = np.sqrt(12 * np.maximum(half_sum - half_difference, 0) + 1)
    angle = np.degrees(0.5 * np.arctan2(2 * covariance, var_row - var_column))
    keep = (length >= LENGTH[0]) & (length <= LENGTH[1]) & (width <= WIDTH) & (length >= ELONGATION * width)
    weight = np.minimum(length, LENGTH_CAP) * mean(strength[rows, columns])
    return Ridges(angle[keep], weight[keep])


def _ridge_strength(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the curvature across the brightest ridge direction, 0 where dark, and the direction of the ridge,
    radians.
    """
    from scipy import ndimage

    def derivative(order: tuple[int, int]) -> np.ndarray:
        return ndimage.gaussian_filter(grey, SIGMA, order=order, mode="nearest", truncate=3.0)

    rr, cc, rc = derivative((2, 0)), derivative((0, 2)), derivative((1, 1))
    mean, spread = (rr + cc) / 2, np.hypot((rr - cc) / 2, rc)
    # Eigenvalues mean ± spread: on a bright ridge the larger magnitude is the negative one, across the ridge.
    return np.where(mean < 0, spread - mean, 0), 0.5 * np.arctan2(2 * rc, rr - cc)


def _is_crest(strength: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Tell where the strength is largest across its ridge, neighbours interpolated at one pixel's distance."""
    from scipy import ndimage

    rows, columns = np.indices(strength.shape, dtype=np.float32)
    across_row, across_column = -np.sin(direction), np.cos(direction)
    crest = np.ones(strength.shape, bool)
    for side in (-1, 1):
        at = [rows + side * across_row, columns + side * across_column]
        crest &= strength >= ndimage.map_coordinates(strength, at, order=1, mode="nearest")
    return crest


def _reduce(grey: np.ndarray) -> np.ndarray:
    """Average whole blocks of pixels until at most WORK_PIXELS are left; keeps angles."""
    factor = int(np.ceil(np.sqrt(grey.size / WORK_PIXELS)))
    if factor <= 1 or min(grey.shape) < 2 * factor:
        return grey
    height, width = (n // factor * factor for n in grey.shape)
    return grey[:height, :width].reshape(height // factor, factor, width // factor, factor).mean(axis=(1, 3))


def _turn(degrees: np.ndarray) -> np.ndarray:
    """Bring differences of line directions into [-90, 90)."""
    return (degrees + 90) % 180 - 90
