"""A network as it would be if it had been trained on pictures with blue first."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from rainnet.models.base import Network
from rainnet.models.decomposition import Layers


def blue_first(net: Network) -> Network:
    """Return a network of three channels that is shown blue, green, red, and whose layers are turned back.

    What is done around the network, such as finding the direction of the rain, sees the picture as it is: the result is
    that of weights that were converted with the other order. Both share their weights.
    """
    twin = copy.copy(net)

    def layers(rainy: Tensor) -> Layers:
        colour = rainy[:, : net.channels].flip(1)
        found = net.layers(torch.cat([colour, rainy[:, net.channels :]], dim=1))
        return Layers(found.removed.flip(1), found.rain.flip(1), found.attention)

    def find_angle(rainy: Tensor) -> Tensor | None:
        return net.find_angle(rainy.flip(1))

    # In place of the methods of its class.
    vars(twin).update(layers=layers, find_angle=find_angle)
    return twin
