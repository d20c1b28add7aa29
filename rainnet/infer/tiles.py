"""Run a network on a large picture piece by piece, so that the pieces add up to what the whole would give."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from rainnet.infer.device import parameter_of
from rainnet.models.base import Network
from rainnet.models.decomposition import Layers
from rainnet.models.udgnet import padded
from rainopt.checks import require_whole

# Pixels over which neighbours are blended, so that rounding, or a network that looks further than it says, draws no
# line.
FEATHER = 8
# Smaller tiles would be mostly surroundings.
LEAST_TILE = 32
# Sides of the tiles where none is given. The paper's network takes 0.6 kB a pixel of tile and surroundings.
TILE_CPU, TILE_GPU = 1024, 2048

Progress = Callable[[float], None]


class Span(NamedTuple):
    """The rows or columns of one tile, and its weight there: 0 where only its neighbours count."""

    start: int
    stop: int
    window: Tensor  # (stop - start,) float32


def checked_tile(tile: int | None, device: torch.device) -> int:
    """Return the side of the tiles, 0 for none.

    Raises
    ------
    ValueError
        For a side that is neither 0 nor a whole number of at least `LEAST_TILE`.
    """
    if tile is None:
        return TILE_CPU if device.type == "cpu" else TILE_GPU
    if tile == 0 and not isinstance(tile, bool):
        return 0
    if require_whole(tile, "tile") < LEAST_TILE:
        raise ValueError(f"`tile` must be 0, for none, or at least {LEAST_TILE} pixels, got {tile}")
    return int(tile)


def spans(length: int, side: int, reach: int, multiple: int) -> list[Span]:
    """Cover ``length`` pixels by equally long tiles whose windows add up to 1.

    Parameters
    ----------
    length
        Of the picture, a multiple of ``multiple``.
    side
        About as long is the part of a tile that counts; 0: one tile.
    reach
        Pixels between the part that counts and the ends of the tile, where the picture goes on there.
    multiple
        Of which starts and lengths of tiles are multiples.
    """
    whole = length // multiple
    edge = -(-(reach + FEATHER // 2) // multiple)
    core = max(1, side // multiple)
    count = 1 if side == 0 or whole <= core + 2 * edge else 1 + -(-(whole - core - 2 * edge) // core)
    # As short as so many tiles can be.
    size = -(-(whole + (count - 1) * 2 * edge) // count)
    starts = [multiple * ((whole - size) * k // max(count - 1, 1)) for k in range(count)]
    size *= multiple
    # In the middle of what two neighbours share.
    cuts = [(after + before + size) // 2 for before, after in pairwise(starts)]
    result = []
    for k, start in enumerate(starts):
        place = torch.arange(start, start + size, dtype=torch.float32) + 0.5
        window = torch.ones(size)
        if k > 0:
            window = window * _rise(place, cuts[k - 1])
        if k < count - 1:
            window = window * (1 - _rise(place, cuts[k]))
        result.append(Span(start, start + size, window))
    return result


def _rise(place: Tensor, cut: int) -> Tensor:
    """Rise from 0 to 1 over `FEATHER` pixels around a cut."""
    return ((place - cut) / FEATHER + 0.5).clamp(0, 1)


def layers_of(
    net: Network, picture: Tensor, tile: int, batch: int, device: torch.device, progress: Progress | None = None
) -> Layers:
    """Return the layers that a network finds in one picture, in tiles where it is larger than one.

    Parameters
    ----------
    net
        On ``device`` and in evaluation mode.
    picture
        (C, H, W) float32 in the frame of the network, on any device; the layers come there, too.
    tile
        Side of the tiles without their surroundings, 0 for none.
    batch
        Tiles that go through the network together.
    device
        Of the network.
    progress
        Called with the share done, below 1.
    """
    height, width = picture.shape[-2:]
    image = padded(picture[None], net.multiple)[0]
    across = spans(image.shape[2], tile, net.reach, net.multiple)
    pieces = [(down, one) for down in spans(image.shape[1], tile, net.reach, net.multiple) for one in across]
    dtype = parameter_of(net).dtype
    removed, rain = torch.zeros_like(image), torch.zeros_like(image)
    for first in range(0, len(pieces), batch):
        group = pieces[first : first + batch]
        rainy = torch.stack([image[:, down.start : down.stop, one.start : one.stop] for down, one in group])
        with torch.inference_mode():
            # Convolutions are a quarter faster with the channels last.
            found = net.layers(rainy.to(device, dtype, memory_format=torch.channels_last))
        for k, (down, one) in enumerate(group):
            window = (down.window[:, None] * one.window).to(image.device)
            for total, part in ((removed, found.removed), (rain, found.rain)):
                total[:, down.start : down.stop, one.start : one.stop] += window * part[k].to(image)
        if progress and first + batch < len(pieces):
            progress((first + batch) / len(pieces))
    return Layers(removed[:, :height, :width], rain[:, :height, :width])
