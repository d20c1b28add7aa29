"""What rain an image shows: its directions, and what the layer of each is to be found with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rainopt.arrays import Array
from rainopt.direction.estimate import Direction, look, share, streak_height, vote
from rainopt.direction.evidence import Evidence
from rainopt.direction.planes import reduction
from rainopt.still.adaptive import Removal
from rainopt.still.settings import DerainSettings


class Streaks(NamedTuple):
    """The streaks of one direction, and what their layer is found with; None where the weights are given."""

    direction: Direction
    removal: Removal | None = None


class Rain(NamedTuple):
    """The rain of an image.

    Attributes
    ----------
    angle
        Degrees in (-90, 90], given or estimated; the best guess where no rain is seen.
    confidence
        Of the estimated angle, in [0, 1]; None where the angle was given.
    streaks
        Of all directions in which rain is to be removed, the strongest first; empty where there is none.
    """

    angle: float
    confidence: float | None
    streaks: tuple[Streaks, ...]


def find_rain(
    image: Array, settings: DerainSettings, channel_axis: int, shape: tuple[int, int], unit: float = 1.0
) -> Rain:
    """Find the rain of an image of ``shape`` (height, width) divided by its exposure, as far as the settings do not
    tell it.
    """
    angle, confidence, directions = settings.strongest, None, settings.directions
    if angle is None or settings.weights is None:
        evidence = look(image, channel_axis, unit)
        if angle is None:
            estimate = vote(evidence)
            angle, confidence, directions = estimate.angle, estimate.confidence, estimate.directions
    if settings.strength == 0:
        directions = ()
    if settings.weights is not None:
        return Rain(float(angle), confidence, tuple(map(Streaks, directions)))
    removals = removals_from(evidence, directions, settings.strength, *shape)
    return Rain(float(angle), confidence, tuple(map(Streaks, directions, removals)))


def removals_from(
    evidence: Evidence, directions: Sequence[Direction], strength: float, height: int, width: int
) -> tuple[Removal, ...]:
    """Return what the layer of each direction is to be found with in an image of ``height`` × ``width``."""
    parallel = sum(share(evidence, d.angle) for d in directions)
    # In the mean over a block, a streak of one pixel is as much lower as the block is wide.
    blocks = reduction(height, width)
    heights = [min(blocks * streak_height(evidence, d.angle), 1.0) for d in directions]
    return tuple(Removal(high, float(strength), parallel=parallel) for high in heights)
