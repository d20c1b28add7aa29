"""What rain can have added at most: a network that takes a white post for a streak would leave a black one."""

from __future__ import annotations

from rainopt.adaptive import FEW
from rainopt.angle import streak_height
from rainopt.arrays import Array
from rainopt.evidence import gather
from rainopt.work_planes import reduction, work_planes


def most_rain(image: Array, angle: float, channel_axis: int = -1) -> float:
    """Return the most light in (0, 1] that rain of an angle has added to a pixel of an image, as the solver bounds it.

    That is `rainopt.adaptive.FEW.ceiling` times the height of the bright streaks that voted for the angle; 1 where none
    did.
    """
    sides = [side for axis, side in enumerate(image.shape) if image.ndim == 2 or axis != channel_axis % image.ndim]
    # In the mean over a block, a streak of one pixel is as much lower as the block is wide.
    height = reduction(*sides) * streak_height(gather(work_planes(image, channel_axis)), angle)
    return min(FEW.ceiling * min(height, 1.0), 1.0)
