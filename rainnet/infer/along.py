"""The rain of one direction after the other, by a network that takes pictures as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from rainnet.infer.planes import for_net
from rainnet.infer.tiles import Progress
from rainnet.models.base import Network, Orientation
from rainnet.models.decomposition import Layers
from rainopt.image import luminance


def without_rain(
    net: Network,
    rainy: Callable[[], Tensor],
    ways: Sequence[tuple[Orientation, float | None]],
    layers_of: Callable[[Tensor, Progress], Layers],
    unit: float,
    progress: Progress | None,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return background (C, H, W), rain layer (H, W), and where the network saw rain (H, W), if it says.

    Each direction is sought in what the ones before have left, as `rainopt.derain` does.

    Parameters
    ----------
    net
        In evaluation mode.
    rainy
        Returns the planes of the picture (C, H, W) in units of its exposure. They are made anew when they are needed
        again: while the network works, there are three planes of floats for each channel that it cannot do without.
    ways
        For each direction, the strongest first: the way into the network's orientation, and the largest brightness that
        a pixel may lose; None: any.
    layers_of
        Returns what the network finds in an upright picture.
    unit
        The exposure.
    progress
        Called with the share done, below 1.
    """
    rain, where = None, None
    for number, (way, most) in enumerate(ways):

        def advance(share: float, number: int = number) -> None:
            if progress:
                progress((number + share) / len(ways))

        colour = rainy()
        count = len(colour)
        # A grey picture travels as one plane.
        upright = for_net(way.forward(colour), net)
        del colour
        removed, layer, seen = layers_of(upright, advance)
        del upright
        own = luminance(way.back(layer).clamp_(0, 1))
        rain = own if rain is None else rain + own
        del layer, own
        taken = way.back(removed if count == net.channels else removed.mean(dim=0, keepdim=True))
        del removed
        if most is not None:
            taken = taken.clamp(max=most)
        colour = rainy()
        background = (colour - taken).clamp_(min=0)
        # Light is added up to the unit alone; what a picture has above it, by rounding, stays.
        background = background.clamp_(max=1) if unit == 1 else background.minimum(colour.clamp(min=1))
        del taken, colour
        if seen is not None:
            sought = way.back(seen)[0].clamp_(0, 1)
            where = sought if where is None else torch.maximum(where, sought)

        def rainy(left: Tensor = background) -> Tensor:
            return left

    if rain is None:
        raise ValueError("`ways` must be at least one")
    return background, rain, where
