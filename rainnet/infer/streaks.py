"""The streaks of one picture, looked for once: they tell the angle, how bright the rain is, and how dense."""

from __future__ import annotations

from functools import cached_property

from rainopt.arrays import Array
from rainopt.direction.estimate import AngleEstimate, Direction, look, vote
from rainopt.direction.evidence import Evidence
from rainopt.geometry.within import Within
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
    whole
        Where the image is a part of another: what that one's ridges say, and where in it the image lies. Nothing is
        looked for then.
    """

    def __init__(
        self,
        image: Array,
        channel_axis: int = -1,
        unit: float = 1.0,
        whole: tuple[Evidence, Within] | None = None,
    ) -> None:
        self._image, self._channel_axis, self._unit, self._whole = image, channel_axis, unit, whole

    @cached_property
    def evidence(self) -> Evidence:
        """The votes of all ridges."""
        return look(self._image, self._channel_axis, self._unit) if self._whole is None else self._whole[0]

    @cached_property
    def estimate(self) -> AngleEstimate:
        """What `rainopt.estimate_angle` finds."""
        return vote(self.evidence)

    @property
    def within(self) -> Within | None:
        """Where the image lies in another, if it is a part of one."""
        return None if self._whole is None else self._whole[1]

    def removal(self, angle: float, height: int, width: int) -> Removal:
        """Return what is known of the rain of an angle in the picture, which is of ``height`` × ``width`` pixels."""
        whole = (height, width) if self.within is None else (self.within.height, self.within.width)
        return removals_from(self.evidence, (Direction(angle, 1.0),), 1.0, *whole)[0]
