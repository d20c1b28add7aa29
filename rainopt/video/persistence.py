"""What stays for longer than rain can: openings and ranks over time.

Rain is what shows for a frame or two and is gone. Where it covers a share c of the frames at a place, it covers n of
them in a row with a chance of about ``n cⁿ⁻¹``, given that it covers the frame in question; what is there for longer
is scene, whatever its size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

# Chance that rain is taken for something that stays.
CHANCE = 0.01
# Runs of fewer frames tell nothing, however little rain there is: by chance a streak lies where another was.
LEAST_RUN = 3
# Runs of more frames are not asked for at a place, nor along a track, which is lost sooner.
MOST_AT_PLACE, MOST_ON_TRACK = 25, 6
# Chance that more of the frames around one are rainy at a place than its rank allows for.
MISSED = 0.05
# Frames to either side that a rank is taken over at most: alignments of more go astray where a camera moves forward.
MOST_REACH = 4
# The same in rain that covers more than half of the frames, where the energy finds the rest.
DENSE, MOST_DENSE = 0.5, 3
# Runs of frames that heights are told apart by: rain is seldom bright for two frames in a row, and dim for many.
LEAST_OF_HEIGHT, MOST_OF_HEIGHT = 2, 9
CHANCE_OF_HEIGHT = 0.003  # that rain is taken for more; smaller, since there are many heights
# A height that no excess reaches.
NEVER = 2.0
# A rank of this share of the middle of the dry values is near enough; a lower one is darkened by noise.
NEAR_MIDDLE = 0.6


class Rank(NamedTuple):
    """Which of the sorted values of ``2 reach + 1`` aligned frames stands for what lies behind rain, counted from 0."""

    reach: int
    rank: int


def run_length(coverage: float, most: int, chance: float = CHANCE) -> int | None:
    """Return how many frames in a row tell what stays from rain that covers a share ``coverage`` of the frames; None
    where it would take more than ``most``.
    """
    for length in range(LEAST_RUN, most + 1):
        if length * coverage ** (length - 1) <= chance:
            return length
    return None


def rank_for(coverage: float, missed: float = MISSED) -> Rank:
    """Return how many frames to either side, and which of their sorted values, see behind rain.

    Rain only brightens, so the values of dry frames come first; the middle one of those that are to be expected is
    taken, of as few frames as let rain cover it with a chance of at most ``missed``. In rain so dense that no number
    of frames does, the lowest.
    """
    dry = 1 - min(max(coverage, 0.0), 1.0)
    most = MOST_REACH if coverage <= DENSE else MOST_DENSE

    def chance(count: int, rank: int) -> float:
        # That at most `rank` of the frames are dry.
        return sum(math.comb(count, k) * dry**k * (1 - dry) ** (count - k) for k in range(rank + 1))

    best, fullest = Rank(most, 0), 0.0
    for reach in range(2, most + 1):
        count = 2 * reach + 1
        middle = count * dry / 2
        ranks = (rank for rank in range(min(int(middle), reach), 0, -1) if chance(count, rank) <= missed)
        rank = next(ranks, 0)
        if rank > fullest * middle:
            best, fullest = Rank(reach, rank), rank / middle
        if fullest >= NEAR_MIDDLE:
            return best
    if fullest > 0:
        return best
    lowest = (Rank(reach, 0) for reach in range(2, most + 1) if chance(2 * reach + 1, 0) <= missed)
    return next(lowest, best)


def least_heights(shares: np.ndarray, heights: np.ndarray, chance: float = CHANCE_OF_HEIGHT) -> tuple[float, ...]:
    """Return from which height on what is there for 2, 3, ... frames in a row is more than rain.

    Parameters
    ----------
    shares
        (K,): in what share of the frames rain exceeds each of ``heights`` at a place.
    heights
        (K,) in [0, 1], rising.
    chance
        That rain is taken for something that stays.

    Returns
    -------
    tuple of float
        Of `MOST_OF_HEIGHT` - 1 runs; `NEVER` where rain exceeds all heights too often.
    """
    counts = range(LEAST_OF_HEIGHT, MOST_OF_HEIGHT + 1)
    enough = [np.flatnonzero(count * np.asarray(shares) ** (count - 1) <= chance) for count in counts]
    return tuple(float(heights[places[0]]) if len(places) else NEVER for places in enough)


def lasting_height(excess: Mapping[int, np.ndarray], least: Sequence[float]) -> np.ndarray:
    """Return what of an excess stays for longer than rain so bright can, (H, W) uint8, at most the excess of frame 0.

    The opening of the excess over time by runs of 2, 3, ... frames, each where it reaches its height: the lowest value
    of a run, of the run around frame 0 in which that is highest.

    Parameters
    ----------
    excess
        (H, W) uint8 by number, counted from the frame in question; 0 must be one of them. Runs end at missing frames.
    least
        Heights in units of full scale, see `least_heights`.
    """
    import cv2

    before, after = _lowest_towards(excess, -1), _lowest_towards(excess, 1)
    found = np.zeros_like(excess[0])
    for length, height in enumerate(least, LEAST_OF_HEIGHT):
        if height >= 1:
            continue
        runs = ((k, length - 1 - k) for k in range(length))
        lows = [cv2.min(before[k], after[m]) for k, m in runs if k < len(before) and m < len(after)]
        if lows:
            highest = reduce(cv2.max, lows)
            found = cv2.max(found, cv2.threshold(highest, height * 255, 0, cv2.THRESH_TOZERO)[1])
    return np.asarray(found)


def _lowest_towards(excess: Mapping[int, np.ndarray], sign: int) -> list[np.ndarray]:
    """Return the lowest values of frame 0 and none, one, two, ... of those that follow it in a direction."""
    import cv2

    lowest = [excess[0]]
    while (following := excess.get(sign * len(lowest))) is not None:
        lowest.append(cv2.min(lowest[-1], following))
    return lowest


def lasting(there: Mapping[int, np.ndarray], length: int) -> np.ndarray:
    """Return where something is there for ``length`` frames in a row, frame 0 among them, bool.

    The opening of ``there`` over time, by a run of that length. Frames that are missing are not there.

    Parameters
    ----------
    there
        Masks (H, W) bool by their number, counted from the frame in question; 0 must be one of them.
    length
        At least 1.
    """
    found = np.zeros_like(there[0])
    for first in range(1 - length, 1):
        run = [there.get(number) for number in range(first, first + length)]
        if any(mask is None for mask in run):
            continue
        whole = there[0].copy()
        for mask in run:
            whole &= mask
        found |= whole
    return found


def ranked(frames: Sequence[np.ndarray], rank: int) -> np.ndarray:
    """Return of each value of arrays of one shape the one of a rank, counted from 0 at the lowest.

    As ``np.sort(frames, axis=0)[rank]``, by passes of a bubble sort: whole arrays at a time, and no more passes than
    the rank needs.
    """
    import cv2

    values = list(frames)
    upper = rank > (len(values) - 1) // 2
    if upper:  # from the other end
        rank = len(values) - 1 - rank
    first, second = (cv2.max, cv2.min) if upper else (cv2.min, cv2.max)
    for done in range(rank + 1):
        for k in range(len(values) - 1, done, -1):
            values[k - 1], values[k] = first(values[k - 1], values[k]), second(values[k - 1], values[k])
    return np.asarray(values[rank])
