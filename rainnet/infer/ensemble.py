"""The mean of what a network finds in a picture and in its mirror images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rainnet.infer.tiles import Progress, layers_of, tiling_for
from rainnet.models.base import Network
from rainnet.models.decomposition import Layers

# Axes of the mirror images that an ensemble of so many takes the mean of.
MIRRORS: dict[int, tuple[tuple[int, ...], ...]] = {1: ((),), 2: ((), (-1,)), 4: ((), (-1,), (-2,), (-2, -1))}


def mean_layers(
    net: Network,
    picture: Tensor,
    mirrors: Sequence[tuple[int, ...]],
    tile: int | None,
    batch: int,
    place: torch.device,
    progress: Progress | None,
    precision: str,
) -> Layers:
    """Return the means of the layers of a picture and of its mirror images, brought back.

    Parameters
    ----------
    net, picture, batch, place, progress, precision
        As `rainnet.infer.tiles.layers_of`.
    mirrors
        Axes that the picture is flipped by each time.
    tile
        Side of the tiles, see `rainnet.infer.tiles.tiling_for`.
    """
    tiling = tiling_for(net, picture.shape[-2], picture.shape[-1], tile, place, batch)
    total: Layers | None = None
    for number, axes in enumerate(mirrors):

        def advance(share: float, number: int = number) -> None:
            if progress:
                progress((number + share) / len(mirrors))

        # Flipped by no axis, a picture would be copied.
        layers = layers_of(net, picture.flip(axes) if axes else picture, tiling, batch, place, advance, precision)
        if total is None:
            total = layers
        else:
            for own, other in zip(total, layers, strict=True):
                if own is not None and other is not None:
                    own.add_(other.flip(axes))
    if total is None:
        raise ValueError("`mirrors` must name at least the picture itself")
    if len(mirrors) == 1:
        return total
    return Layers(*(None if layer is None else layer / len(mirrors) for layer in total))  # type: ignore[arg-type]
