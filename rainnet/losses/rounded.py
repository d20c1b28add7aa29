"""Absolute distances whose corner at zero is rounded off."""

from __future__ import annotations

from torch import Tensor

SHARP = 1e-6
"""Below it a corner cannot be told from none, and its square would soon be lost to rounding."""


def distance(x: Tensor, corner: float = 0.0) -> Tensor:
    """Return ``√(x² + c²) - c`` of each number, which is ``|x|`` for a corner c of 0, or below `SHARP`.

    Within its corner the distance is a parabola. Of absolute distances the least is at the median, so that a network
    which only guesses where rain is does best to find none, whatever rain weighs, and stays there; near a parabola's
    ground a guess is rewarded.
    """
    return x.abs() if corner < SHARP else (x.square() + corner**2).sqrt() - corner
