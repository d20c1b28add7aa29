"""What rain can have added at most: a network that takes a white post for a streak would leave a black one."""

from __future__ import annotations

from rainopt.still.adaptive import FEW, Removal


def most_rain(removal: Removal) -> float:
    """Return the most light in (0, 1] that rain has added to a pixel of an image, as the solver bounds it.

    That is `rainopt.still.adaptive.FEW.ceiling` times the height of the bright streaks that voted for the rain's angle;
    1 where none did.
    """
    return min(FEW.ceiling * removal.height, 1.0)
