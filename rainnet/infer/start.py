"""A network that begins where the solver ends, on one picture with rain in one direction or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from rainnet.infer.planes import for_net
from rainnet.infer.streaks import Streaks
from rainnet.models.base import Network
from rainnet.models.decomposition import Layers
from rainnet.models.start import solver_layer
from rainopt.direction.estimate import Direction
from rainopt.image import luminance


def removed_from_start(
    net: Network,
    colour: Tensor,
    streaks: Streaks,
    directions: Sequence[Direction],
    most: float | None,
    layers_of: Callable[[Tensor, int], Layers],
) -> Tensor:
    """Return what a network that `starts` from the solver takes off a picture.

    The start is the sum of the solver's layers of all directions. The picture is brought upright once for each
    direction, and what the network then corrects is averaged, by the directions' shares of the rain. To let each
    direction begin with what the one before has left was worse by decibels: networks are trained on the solver's
    layers, and what they correct of them as a rule would be corrected again and again.

    Parameters
    ----------
    net
        The network.
    colour
        (C, H, W) in [0, 1], C being 1 or that of the network.
    streaks
        Of the picture.
    directions
        At least one, the strongest first.
    most
        Largest brightness that a pixel may lose, unless the solver's layer is higher; None: any.
    layers_of
        Returns the layers of an upright picture (`Network.planes`, H', W'), told which direction it is for.

    Returns
    -------
    Tensor
        (C, H, W).
    """
    count, height, width = colour.shape
    start = solver_layer(luminance(colour), streaks.evidence, directions)[None]
    taken, whole = start.expand(count, -1, -1), sum(direction.share for direction in directions)
    for number, direction in enumerate(directions):
        way = net.orientation(height, width, direction.angle)
        straight = way.forward(start).clamp(0, 1)
        found = layers_of(torch.cat([for_net(way.forward(colour), net), straight]), number)
        # The correction alone travels back: what the network leaves of the start is not interpolated twice.
        correction = found.removed - straight
        correction = correction if count == net.channels else correction.mean(dim=0, keepdim=True)
        taken = taken + direction.share / whole * way.back(correction)
    return taken if most is None else taken.minimum(start.clamp(min=most))
