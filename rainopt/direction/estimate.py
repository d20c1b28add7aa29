"""Find the direction in which rain falls: thin bright ridges vote, and what speaks against them is counted too.

Edges of a scene are long, or broad, or dark, or steps from one surface to another; a rain streak is a bright ridge,
thin and short, grey, before a background that is the same on both sides, and others like it are all over the picture.
Each ridge casts a vote for its own direction, as strong as it resembles a streak, so that a fence does not outvote a
hundred streaks as it does in a histogram of gradients. The dark ridges of the same picture vote against: textures
and fences have as many of them, rain makes few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rainopt.arrays import Array
from rainopt.direction.evidence import Evidence, gather
from rainopt.direction.planes import reduced_planes
from rainopt.direction.ridges import turn
from rainopt.geometry.lines import line_angle
from rainopt.image import exposure, scaled

# Rain falls; a direction far from the vertical needs more evidence. Degrees, standard deviation.
PRIOR = 50.0
SMOOTHING = 3.0  # degrees, standard deviation with which the histogram of votes is smoothed
NEAR = 4.0  # degrees, standard deviation of the weights that refine a direction
AGREEMENT = 6.0  # degrees within which a vote counts as agreeing
# Share of the votes of dark ridges that is taken off those of the bright ones; between dense streaks there are some.
AGAINST = 0.4
BRIGHT = 0.9  # the height is the brightness that the streaks of this share of the votes do not exceed
CELLS = 6  # the picture is divided into this many cells a side to see whether rain is all over it
MOST = 3  # directions at most
APART = 8.0  # degrees between two directions at least
LEAST_SHARE = 0.15  # share of the rain that a further direction must have
# Confidence from which a direction is reported, and its rain removed. Of 116 photographs in which rain can be seen this
# leaves 14 as they are, and it finds rain in 7 of 107 dry ones; 0.2 would be 10 and 10, 0.15 7 and 12. What is taken
# off a dry one shows (30 to 47 dB; at a quarter of the strength 35 to 57), so doubt is no reason to remove a little.
PRESENT = 0.3
BINS = np.arange(-89.5, 90.0)
CHANCE = 2 * AGREEMENT / 180  # share of scattered votes that agree with any angle
FEW = 5  # with this many ridges the confidence is halved
FLOOR = 0.02  # added before a logarithm is taken
SHARE_TO_COMPARE = 0.1  # below it there is too little to compare bright and dark
# Constant and coefficients of the five numbers of `describe`; `python -m benchmarks.angle.accuracy --fit` finds them.
CALIBRATION = (2.66, 1.14, 2.24, 3.20, 7.57, -9.01)


class Direction(NamedTuple):
    """One direction of the rain.

    Attributes
    ----------
    angle
        Degrees in (-90, 90]; 0 is vertical, positive moves right going down.
    share
        Of the streaks, in [0, 1].
    """

    angle: float
    share: float


@dataclass(frozen=True)
class AngleEstimate:
    """Direction of the rain in an image.

    Attributes
    ----------
    angle
        Degrees in (-90, 90]; 0 is vertical, positive moves right going down. The best guess even where there is no
        sign of rain.
    confidence
        Probability in [0, 1] that rain is to be seen and falls within 4° of the angle.
    directions
        All directions in which rain falls, the strongest (``angle``) first, shares summing to 1. Empty where there
        is no rain to be seen.
    """

    angle: float
    confidence: float
    directions: tuple[Direction, ...] = ()


def estimate_angle(image: Array, *, channel_axis: int = -1) -> AngleEstimate:
    """Estimate the angle of rain streaks.

    Parameters
    ----------
    image
        (H, W) or (H, W, C), uint8, uint16 or float in [0, 1], of any array library. What is counted of ridges is
        counted on the host.
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

    Examples
    --------
    >>> import numpy as np
    >>> import rainopt
    >>> from data_tools import RainSpec, add_rain
    >>> rain = RainSpec(angle=-20, density=1500)
    >>> a = rainopt.estimate_angle(add_rain(np.full((256, 256), 0.3), rain, np.random.default_rng(0)).rainy)
    >>> abs(a.angle + 20) < 1, a.confidence > 0.9, len(a.directions)
    (True, True, 1)
    """
    return vote(look(image, channel_axis, exposure(image, channel_axis=channel_axis)))


def look(image: Array, channel_axis: int = -1, unit: float = 1.0) -> Evidence:
    """Return the evidence of an image divided by its `rainopt.image.exposure`; contrasts are in its units, too."""
    return gather(scaled(reduced_planes(image, channel_axis), 1 / unit))


def vote(evidence: Evidence) -> AngleEstimate:
    """Return the directions that the evidence supports, found one after the other and refined together."""
    angles: list[float] = []
    left = evidence
    while len(angles) < MOST:
        angle = peak(left)
        if angle is None:
            break
        if angles and probability(left, angle) < PRESENT:
            break
        angles.append(angle)
        left = left.select(np.abs(turn(left.angle - angle)) > APART)
    if not angles:
        return AngleEstimate(0.0, 0.0)
    confidence = probability(evidence, angles[0])
    if confidence < PRESENT:
        return AngleEstimate(angles[0], confidence)
    directions = [d for d in refine(evidence, angles) if d.share >= LEAST_SHARE]
    if len(directions) < len(angles):
        directions = refine(evidence, [d.angle for d in directions])
    strongest = probability(evidence, directions[0].angle)
    if strongest < PRESENT:
        # Refinement has put another first, or moved it, to where it is not to be believed: the first find stands.
        return AngleEstimate(angles[0], confidence, (Direction(angles[0], 1.0),))
    return AngleEstimate(directions[0].angle, strongest, tuple(directions))


def refine(evidence: Evidence, angles: list[float]) -> list[Direction]:
    """Move directions to the means of their votes, each vote shared among those near it; the strongest first.

    The steps of expectation and maximisation for normal distributions of one width: neighbours do not pull one
    another, as they do when each is refined alone.
    """
    bright = evidence.select(~evidence.dark)
    centres = np.asarray(angles, dtype=float)
    shares = np.full(len(centres), 1 / len(centres))
    for _ in range(8):
        offset = turn(bright.angle - centres[:, None])
        near = np.exp(-0.5 * (offset / NEAR) ** 2)
        mixture = (shares[:, None] * near).sum(axis=0)
        # A vote is worth as much as it is near; far from all it belongs to none.
        owned = shares[:, None] * near / np.maximum(mixture, 1e-12) * near * bright.weight
        mass = owned.sum(axis=1)
        if not (mass > 0).all():
            break
        centres = turn(centres + (owned * offset).sum(axis=1) / mass)
        shares = mass / mass.sum()
    order = np.argsort(-shares)
    return [Direction(line_angle(float(centres[k])), float(shares[k])) for k in order]


def peak(evidence: Evidence) -> float | None:
    """Return the angle with the best score, bright votes less dark ones, refined by a weighted mean around it."""
    from scipy import ndimage

    bright = ~evidence.dark
    if not evidence.weight[bright].sum() > 0:
        return None
    sign = np.where(bright, 1.0, -AGAINST)

    def score_of(weight: np.ndarray) -> np.ndarray:
        votes = np.histogram(evidence.angle, bins=180, range=(-90.0, 90.0), weights=weight)[0]
        return np.maximum(ndimage.gaussian_filter1d(votes, SMOOTHING, mode="wrap"), 0)

    score = score_of(sign * evidence.weight)
    if not score.any():  # dark ones outweigh the bright everywhere
        score = score_of(bright * evidence.weight)
    angle = float(BINS[np.argmax(score * np.exp(-0.5 * (BINS / PRIOR) ** 2))])
    for _ in range(4):
        offset = turn(evidence.angle[bright] - angle)
        near = evidence.weight[bright] * np.exp(-0.5 * (offset / NEAR) ** 2)
        if near.sum() > 0:
            angle += float((near * offset).sum() / near.sum())
    return line_angle(float(turn(np.asarray(angle))))


def share(evidence: Evidence, angle: float) -> float:
    """Return the share of the bright votes that agree with an angle, beyond what scattered ones would, in [0, 1]."""
    bright = evidence.weight[~evidence.dark]
    ours = bright[np.abs(turn(evidence.angle[~evidence.dark] - angle)) <= AGREEMENT].sum()
    return max((float(ours / bright.sum()) - CHANCE) / (1 - CHANCE), 0.0) if ours > 0 else 0.0


def streak_height(evidence: Evidence, angle: float) -> float:
    """Return by how much the bright streaks of one direction exceed their surroundings, in [0, 1]: nine tenths of the
    votes have no more. 1 where there are none.
    """
    ours = (np.abs(turn(evidence.angle - angle)) <= AGREEMENT) & ~evidence.dark
    if not ours.any():
        return 1.0
    order = np.argsort(evidence.contrast[ours])
    mass = np.cumsum(evidence.weight[ours][order])
    return float(evidence.contrast[ours][order][np.searchsorted(mass, BRIGHT * mass[-1])])


def describe(evidence: Evidence, angle: float) -> np.ndarray:
    """Return the five numbers, (5,), that the confidence in an angle is computed from.

    1. The logarithm of the share of the bright votes that agree with it, beyond what scattered ones would: rain is
       parallel.
    2. How much bright votes outweigh dark ones in this direction, -1 to 1: rain makes few dark lines. It counts in
       full from a share of `SHARE_TO_COMPARE`.
    3. The logarithm of how large a part of the picture the agreeing votes are spread over: rain is everywhere.
    4. By how much the share of the bright votes exceeds that of the dark ones: a texture has one direction for both.
    5. How near the angle is to the horizontal, (θ/90°)⁴: next to nothing up to 45°, and 1 where rain never falls.
    """
    agrees = np.abs(turn(evidence.angle - angle)) <= AGREEMENT
    ours = agrees & ~evidence.dark
    all_bright, all_dark = evidence.weight[~evidence.dark].sum(), evidence.weight[evidence.dark].sum()
    bright, dark = evidence.weight[ours].sum(), evidence.weight[agrees & evidence.dark].sum()
    parallel = share(evidence, angle)
    if parallel == 0:
        return np.array([np.log(FLOOR), 0, np.log(FLOOR), 0, (angle / 90) ** 4])
    cell = [np.minimum((CELLS * at[ours]).astype(int), CELLS - 1) for at in (evidence.row, evidence.column)]
    mass = np.bincount(cell[0] * CELLS + cell[1], evidence.weight[ours])
    # The number of cells that would hold as much if each held the same: inverse Simpson index.
    spread = bright**2 / (mass**2).sum() / CELLS**2
    return np.array(
        [
            np.log(parallel + FLOOR),
            (bright - dark) / (bright + dark) * min(parallel / SHARE_TO_COMPARE, 1),
            np.log(spread + FLOOR),
            bright / all_bright - dark / max(all_dark, bright),
            (angle / 90) ** 4,
        ]
    )


def probability(evidence: Evidence, angle: float) -> float:
    """Return the probability that there is rain at an angle: a logistic curve of what `describe` says, see
    `CALIBRATION`, and less where only a few ridges say so.
    """
    likely = 1 / (1 + np.exp(-(CALIBRATION[0] + describe(evidence, angle) @ np.asarray(CALIBRATION[1:]))))
    ours = evidence.weight[(np.abs(turn(evidence.angle - angle)) <= AGREEMENT) & ~evidence.dark]
    if len(ours) == 0:
        return 0.0
    # The number of equal votes that would tell as much: Kish's effective sample size.
    count = ours.sum() ** 2 / (ours**2).sum()
    return float(likely * count / (count + FEW))
