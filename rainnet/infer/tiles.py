"""Run a network on a large picture piece by piece, so that the pieces add up to what the whole would give.

They do where a network says how far it looks. One that sees the whole picture is run whole; in pieces only if that is
asked for, or if there is too little memory: large ones with a wide blend, which give something else, and it is said.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from rainnet.infer.device import parameter_of
from rainnet.infer.heap import kept
from rainnet.infer.memory import bytes_per_pixel, free_bytes
from rainnet.infer.precision import PRECISIONS, computing_in
from rainnet.models.base import Network
from rainnet.models.decomposition import Layers
from rainopt.checks import require_whole
from rainopt.geometry.tiles import equal_spans

# Pixels over which neighbours are blended, so that rounding, or a network that looks further than it says, draws no
# line.
FEATHER = 8
# Smaller tiles would be mostly surroundings.
LEAST_TILE = 32
# Sides of the tiles where none is given. The paper's network takes 0.6 kB a pixel of tile and surroundings.
TILE_CPU, TILE_GPU = 1024, 2048
# Shares of the side of a tile of a network that sees the whole: surroundings on each side, and the blend.
AROUND, BLEND = 1 / 8, 1 / 4
# Of the free memory that a picture may take.
SHARE = 0.8

Progress = Callable[[float], None]
_log = logging.getLogger(__name__)


class Tiling(NamedTuple):
    """How a picture is cut, in pixels: side of the part of a tile that counts (0: all), reach, blend."""

    side: int
    reach: int
    feather: int


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


def tiling_for(net: Network, height: int, width: int, tile: int | None, device: torch.device, batch: int = 1) -> Tiling:
    """Return how a picture is to be cut for a network; of one that sees the whole, tiles are logged as a warning.

    Parameters
    ----------
    net
        On ``device`` and in evaluation mode.
    height, width
        Of the picture in the network's orientation.
    tile
        Side of the tiles, 0 for none; None: as `checked_tile`, or, for a network that sees the whole picture, none
        unless it would take more than a share of the free memory.
    device, batch
        Where the network is, and how many tiles go through it together.

    Raises
    ------
    ValueError
        As `checked_tile`.
    """
    side = checked_tile(tile, device)
    if net.reach is not None:
        return Tiling(side, net.reach, FEATHER)
    reason = "as it was asked"
    if tile is None:
        side, reason = _side_in_memory(net, height * width, device, batch), "for want of memory"
    if side and max(height, width) > side:
        _say(net.name, height, width, side, reason)
    return Tiling(side, int(AROUND * side), int(BLEND * side))


def _side_in_memory(net: Network, pixels: int, device: torch.device, batch: int) -> int:
    """Return the side of tiles for which memory suffices; 0 where it does for all pixels at once."""
    free = free_bytes(device)
    if free is None:
        return 0
    most = SHARE * free / bytes_per_pixel(net)
    if pixels <= most:
        return 0
    # A tile is longer than the part that counts, by its surroundings and half a blend on both sides.
    return max(int(math.sqrt(most / batch) / (1 + 2 * AROUND + BLEND)), LEAST_TILE)


@lru_cache(maxsize=64)
def _say(name: str, height: int, width: int, side: int, reason: str) -> None:
    """Log that tiles change the result; once for each size, as a video has many frames."""
    _log.warning(
        "%s sees pictures whole, and one of %d x %d pixels goes through it in tiles of %d, %s: the result is not quite "
        "that of the whole",
        name,
        height,
        width,
        side,
        reason,
    )


def layers_of(
    net: Network,
    picture: Tensor,
    tiling: Tiling,
    batch: int,
    device: torch.device,
    progress: Progress | None = None,
    precision: str = PRECISIONS[0],
) -> Layers:
    """Return the layers that a network finds in one picture, in tiles where it is larger than one.

    Parameters
    ----------
    net
        On ``device`` and in evaluation mode.
    picture
        (C, H, W) float32 in the orientation of the network, on any device; the layers come there, too. What a network
        begins with, if it does, is one plane more, see `Network.layers`.
    tiling
        How it is cut.
    batch
        Tiles that go through the network together.
    device
        Of the network.
    progress
        Called with the share done, below 1.
    precision
        One of `rainnet.infer.precision.PRECISIONS`; tiles are put together in float32.
    """
    height, width = picture.shape[-2:]
    sides = [length + -length % net.multiple for length in (height, width)]
    down, across = (equal_spans(length, *tiling, net.multiple) for length in sides)
    pieces = [(one, other) for one in down for other in across]
    dtype = parameter_of(net).dtype
    removed, rain = picture.new_zeros(net.channels, *sides), picture.new_zeros(net.channels, *sides)
    where = picture.new_zeros(1, *sides) if net.has_attention else None
    for first in range(0, len(pieces), batch):
        group = pieces[first : first + batch]
        rainy = torch.stack([_piece(picture, rows.pixels, columns.pixels) for rows, columns in group])
        # The layers of a network ask for the same memory again and again.
        with torch.inference_mode(), kept(), computing_in(precision, device):
            # Convolutions are a quarter faster with the channels last.
            found = net.layers(rainy.to(device, dtype, memory_format=torch.channels_last))
        for k, (rows, columns) in enumerate(group):
            window = torch.from_numpy(rows.window[:, None] * columns.window).to(picture.device)
            for total, part in zip((removed, rain, where), found, strict=True):
                if total is not None and part is not None:
                    total[:, rows.pixels, columns.pixels] += window * part[k].to(picture)
        if progress and first + batch < len(pieces):
            progress((first + batch) / len(pieces))
    return Layers(*(None if total is None else total[:, :height, :width] for total in (removed, rain, where)))  # type: ignore[arg-type]


def _piece(picture: Tensor, rows: slice, columns: slice) -> Tensor:
    """Return a part of a picture (C, H, W), whose last row and column are repeated where the part goes beyond them."""
    part = picture[:, rows, columns]
    height, width = rows.stop - rows.start, columns.stop - columns.start
    beyond = (0, width - part.shape[-1], 0, height - part.shape[-2])
    return F.pad(part[None], beyond, mode="replicate")[0] if any(beyond) else part
