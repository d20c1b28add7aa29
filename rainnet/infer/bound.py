"""What rain can have added at most: a network that takes a white post for a streak would leave a black one."""

from __future__ import annotations

from rainopt.arrays import Array
from rainopt.direction.estimate import Direction
from rainopt.direction.evidence import gather
from rainopt.direction.planes import work_planes
from rainopt.still.adaptive import FEW
from rainopt.still.rain import removals_from


def most_rain(image: Array, angle: float, channel_axis: int = -1) -> float:
    """Return the most light in (0, 1] that rain of an angle has added to a pixel of an image, as the solver bounds it.

    That is `rainopt.still.adaptive.FEW.ceiling` times the height of the bright streaks that voted for the angle; 1
    where none did.
    """
    height, width = (s for axis, s in enumerate(image.shape) if image.ndim == 2 or axis != channel_axis % image.ndim)
    removals = removals_from(gather(work_planes(image, channel_axis)), (Direction(angle, 1.0),), 1.0, height, width)
    return min(FEW.ceiling * removals[0].height, 1.0)
