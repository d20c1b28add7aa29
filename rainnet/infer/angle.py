"""The angle that a network works with: given, found by the network itself, or found by the solver's vote of ridges."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import torch
from torch import Tensor

from rainnet.infer.device import parameter_of
from rainnet.models.base import Network
from rainopt.geometry.lines import line_angle
from rainopt.still.settings import checked_angles

NETWORK, SOLVER = "network", "solver"
ANGLE_BY = SOLVER
"""What finds the angle where nobody says; the help of ``rainnet derain`` says so, too."""

# A larger picture is looked at in crops, at its own scale, because the width of streaks is something to go by.
WHOLE_PIXELS = 1 << 21
CROPS, CROP_SIDE = 3, 480  # along each side, and pixels


def checked_angle(angle: float | str | Sequence[float] | None, net: Network) -> float | str | tuple[float, ...] | None:
    """Return an angle, several, or what is to find it, if it is one; None where nobody says and the network needs none.

    Raises
    ------
    ValueError, TypeError
        If it is neither degrees in (-90, 90] nor "network" nor "solver", nor several degrees that
        `rainopt.still.settings.checked_angles` takes.
    """
    if angle is None:
        return ANGLE_BY if net.directional else None
    if isinstance(angle, str):
        if angle in (NETWORK, SOLVER):
            return angle
        raise ValueError(f"`angle` must be degrees in (-90, 90], '{NETWORK}' or '{SOLVER}', got '{angle}'")
    if isinstance(angle, Sequence):
        angles = checked_angles(angle)
        return angles if len(angles) > 1 else angles[0]
    if isinstance(angle, bool) or not isinstance(angle, Real):
        raise TypeError(f"`angle` must be degrees in (-90, 90], '{NETWORK}' or '{SOLVER}', got {angle!r}")
    if not -90 < angle <= 90:
        raise ValueError(f"`angle` must be in (-90, 90] degrees, got {float(angle):g}")
    return float(angle)


def found_by_network(net: Network, rainy: Tensor, device: torch.device) -> float | None:
    """Return the degrees that a network in evaluation mode finds in one picture (C, H, W); None where it needs none.

    Of a picture of more than `WHOLE_PIXELS` it sees nine crops, and the angle nearest to those of all counts.
    """
    dtype = parameter_of(net).dtype
    angles = []
    for crop in _crops(rainy):
        with torch.inference_mode():
            angle = net.find_angle(crop[None].to(device, dtype))
        if angle is None:
            return None
        angles.append(float(angle[0]))
    return middle_angle(angles)


def middle_angle(angles: Sequence[float]) -> float:
    """Return the one of some angles, as lines, that is nearest to all of them: the median."""
    return min(angles, key=lambda angle: sum(abs(line_angle(angle - other)) for other in angles))


def _crops(rainy: Tensor) -> list[Tensor]:
    height, width = rainy.shape[-2:]
    if height * width <= WHOLE_PIXELS:
        return [rainy]
    tops, lefts = _starts(height), _starts(width)
    return [rainy[:, top : top + CROP_SIDE, left : left + CROP_SIDE] for top in tops for left in lefts]


def _starts(length: int) -> list[int]:
    spare = max(length - CROP_SIDE, 0)
    return sorted({spare * k // (CROPS - 1) for k in range(CROPS)})
