"""The streaks of one picture, looked for once: they tell the angle, how bright the rain is, and how dense."""

from __future__ import annotations

from functools import cached_property

from rainopt.arrays import Array
from rainopt.direction.estimate import AngleEstimate, Direction, look, vote
from rainopt.direction.evidence import Evidence
from rainopt.still.adaptive import Removal
from rainopt.still.rain import removals_from


class Streaks:
    """What the ridges of a picture say; nothing is looked for before somebody asks.

    Parameters
    ----------
    image, channel_axis
        As `rainopt.estimate_angle`.
    unit
        The image's `rainopt.image.exposure`: heights are in units of it.
    """

    def __init__(self, image: Array, channel_axis: int = -1, unit: float = 1.0) -> None:
        self._image, self._channel_axis, self._unit = image, channel_axis, unit

    @cached_property
    def evidence(self) -> Evidence:
        """The votes of all ridges."""
        return look(self._image, self._channel_axis, self._unit)

    @cached_property
    def estimate(self) -> AngleEstimate:
        """What `rainopt.estimate_angle` finds."""
        return vote(self.evidence)

    def removal(self, angle: float, height: int, width: int) -> Removal:
        """Return what is known of the rain of an angle in the picture, which is of ``height`` × ``width`` pixels."""
        return removals_from(self.evidence, (Direction(angle, 1.0),), 1.0, height, width)[0]
