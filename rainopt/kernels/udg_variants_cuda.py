"""Ways to cut the work of `rainopt.kernels.udg_cuda` into tiles and passes, to be timed on a card."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rainopt.kernels.launch import SIMULATED
from rainopt.kernels.udg_tiles_cuda import Tile

# Shared memory is 48 KiB a block at most: four fields of the tile and three of a row a strip.
TILES = (
    Tile(64, 8, 4, 64),  # two blocks of 16 warps a multiprocessor
    Tile(64, 4, 8, 128),  # two blocks of 8 warps, each thread with twice the rows
    Tile(32, 8, 4, None),  # three blocks of 8 warps
    Tile(32, 16, 4, 64),
    Tile(128, 4, 4, 64),
    Tile(32, 8, 8, 128),
)
DEPTHS = (1, 2, 3, 4, 5)
FEW = ((Tile(6, 2, 4), 1), (Tile(6, 2, 4), 2))  # for the simulator
ITERATIONS = 50


def named(solver: Callable[..., Any]) -> dict[str, Callable[[Any], Any]]:
    """Return, by name, functions that run `ITERATIONS` iterations of a ``solver`` on an image.

    ``solver`` is called with an image, a tile and a depth.
    """
    ways = FEW if SIMULATED else [(tile, depth) for tile in TILES for depth in DEPTHS]

    def run(tile: Tile, depth: int, image: Any) -> Any:
        solved = solver(image, tile, depth)
        solved.advance(2 if SIMULATED else ITERATIONS)
        return solved

    return {
        f"{tile.wide} x {tile.high} in strips of {tile.strip}, {tile.registers or 'any'} registers, "
        f"{depth} iterations a pass": partial(run, tile, depth)
        for tile, depth in ways
    }
