"""Where a network begins that starts from the solver: the rain layers that the solver finds on luminance."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rainopt.direction.estimate import Direction, look
from rainopt.direction.evidence import Evidence
from rainopt.geometry.within import Within
from rainopt.image import luminance
from rainopt.still.derain import LEAST_SIDE
from rainopt.still.rain import Streaks, removals_from
from rainopt.still.rain_layer import rain_layers
from rainopt.still.settings import LayerSettings


def solver_layers(pictures: Tensor, angle: Tensor) -> Tensor:
    """Return the rain layers that the solver finds in pictures, each by itself, as they lie.

    What a layer is found with is told by the picture's own ridges, as in `rainopt.derain` of an angle that is given. No
    gradients are followed.

    Parameters
    ----------
    pictures
        (N, C, H, W) in [0, 1], C being 1 or 3.
    angle
        (N,) degrees in (-90, 90].

    Returns
    -------
    Tensor
        (N, 1, H, W) in [0, 1], on the device and in the dtype of the pictures; none where a picture is too small to
        show a streak.
    """
    planes = pictures.detach().float().clamp(0, 1)
    found = [
        solver_layer(luminance(picture), look(picture, 0), (Direction(degrees, 1.0),))
        for picture, degrees in zip(planes, angle.tolist(), strict=True)
    ]
    return torch.stack(found)[:, None].to(pictures)


def solver_layer(
    grey: Tensor, evidence: Evidence, directions: Sequence[Direction], within: Within | None = None
) -> Tensor:
    """Return the sum of the solver's layers of some directions, the strongest first, in a luminance image (H, W); where
    it is a part of the picture that the evidence is of, ``within`` says where.
    """
    height, width = grey.shape
    if min(height, width) < LEAST_SIDE:
        return torch.zeros_like(grey)
    whole = (height, width) if within is None else (within.height, within.width)
    removals = removals_from(evidence, directions, 1.0, *whole)
    streaks = tuple(map(Streaks, directions, removals))
    layer: Tensor = rain_layers(grey.contiguous(), streaks, LayerSettings(), within=within)[0]
    return layer.clamp(0, 1)
