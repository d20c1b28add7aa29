"""What every network returns: a batch of rainy pictures taken apart."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Layers(NamedTuple):
    """What a network finds in pictures that are in its orientation, (N, C, H, W).

    Attributes
    ----------
    removed
        What is to be subtracted from the rainy picture: rainy minus background. It, and not the background, travels
        back from the upright orientation, so that what is not rain is never interpolated.
    rain
        The rain layer.
    attention
        (N, 1, H, W) in [0, 1]: where the network looked for rain, of networks that say so.
    """

    removed: Tensor
    rain: Tensor
    attention: Tensor | None = None


class Decomposition(NamedTuple):
    """A batch of rainy pictures taken apart.

    Attributes
    ----------
    background
        (N, C, H, W), in [0, 1].
    rain
        (N, C, H, W), in [0, 1].
    angle
        (N,) degrees in (-90, 90], where the network uses one; 0 is a vertical streak, positive moves right going down.
    attention
        (N, 1, H, W) in [0, 1]: where the network looked for rain, of networks that say so.
    """

    background: Tensor
    rain: Tensor
    angle: Tensor | None = None
    attention: Tensor | None = None
