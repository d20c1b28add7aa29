"""Cover a large image with overlapping tiles whose windows add up to one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np


class Tile(NamedTuple):
    """One rectangle of the image and its weight there."""

    rows: slice
    columns: slice
    window: np.ndarray  # (rows, columns) float32, from 0 near a cut to 1


def tiles(height: int, width: int, size: int, overlap: int) -> Iterator[Tile]:
    """Yield tiles of at most about ``size`` + ``overlap`` pixels a side whose windows sum to 1 at every pixel.

    Neighbours share ``overlap`` pixels. The cross-fade takes the middle third of it: nearer than a third of it to its
    cut a tile is not used at all, because there it has not seen its surroundings.
    """
    for rows, down in _spans(height, size, overlap):
        for columns, across in _spans(width, size, overlap):
            yield Tile(rows, columns, down[:, None] * across[None, :])


def _spans(length: int, size: int, overlap: int) -> list[tuple[slice, np.ndarray]]:
    count = max(1, -(-length // size))
    cuts = [length * k // count for k in range(count + 1)]
    position = np.arange(length, dtype=np.float32) + 0.5
    result = []
    for k in range(count):
        start = max(0, cuts[k] - overlap // 2)
        stop = min(length, cuts[k + 1] + overlap // 2)
        window = np.ones(stop - start, np.float32)
        if k > 0:
            window *= _ramp(position[start:stop], cuts[k], overlap)
        if k < count - 1:
            window *= 1 - _ramp(position[start:stop], cuts[k + 1], overlap)
        result.append((slice(start, stop), window))
    return result


def _ramp(position: np.ndarray, cut: int, overlap: int) -> np.ndarray:
    """Rise from 0 to 1 over a third of the overlap, centred on the cut."""
    return np.clip((position - cut) / (overlap / 3) + 0.5, 0, 1)
