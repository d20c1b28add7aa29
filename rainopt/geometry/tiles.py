"""Cover a large image with overlapping tiles whose windows add up to one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np


class Tile(NamedTuple):
    """One rectangle of the image and its weight there."""

    rows: slice
    columns: slice
    down: np.ndarray  # (rows,) float32, from 0 near a cut to 1
    across: np.ndarray  # (columns,)

    @property
    def window(self) -> np.ndarray:
        """The weight, (rows, columns)."""
        return np.asarray(self.down[:, None] * self.across[None, :])


def tiles(height: int, width: int, size: int, overlap: int) -> Iterator[Tile]:
    """Yield tiles of at most about ``size`` + ``overlap`` pixels a side whose windows sum to 1 at every pixel.

    Neighbours share ``overlap`` pixels. The cross-fade takes the middle third of it: nearer than a third of it to its
    cut a tile is not used at all, because there it has not seen its surroundings.
    """
    for rows, down in _spans(height, size, overlap):
        for columns, across in _spans(width, size, overlap):
            yield Tile(rows, columns, down, across)


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


class Span(NamedTuple):
    """The rows or columns of one tile, and its weight there: 0 where only its neighbours count."""

    pixels: slice
    window: np.ndarray  # (pixels,) float32


def equal_spans(length: int, size: int, reach: int, feather: int, multiple: int = 1) -> list[Span]:
    """Cover ``length`` pixels by equally long spans whose windows add up to 1.

    Where a pixel counts, its span holds ``reach`` pixels on both sides of it, or the ends of the image.

    Parameters
    ----------
    length
        Of the image, a multiple of ``multiple``.
    size
        About as long is the part of a span that counts; 0: one span.
    reach
        Pixels between the part that counts and the ends of the span, where the image goes on there.
    feather
        Pixels of the cross-fade between neighbours.
    multiple
        Of which starts and lengths of spans are multiples.
    """
    whole = length // multiple
    edge = -(-(reach + feather // 2) // multiple)
    core = max(1, size // multiple)
    count = 1 if size == 0 or whole <= core + 2 * edge else 1 + -(-(whole - core - 2 * edge) // core)
    # As short as so many spans can be.
    long = -(-(whole + (count - 1) * 2 * edge) // count)
    starts = [multiple * ((whole - long) * k // max(count - 1, 1)) for k in range(count)]
    long *= multiple
    # In the middle of what two neighbours share.
    cuts = [(after + before + long) // 2 for before, after in pairwise(starts)]
    result = []
    for k, start in enumerate(starts):
        position = np.arange(start, start + long, dtype=np.float32) + np.float32(0.5)
        window = np.ones(long, np.float32)
        if k > 0:
            window *= _ramp(position, cuts[k - 1], 3 * feather)
        if k < count - 1:
            window *= 1 - _ramp(position, cuts[k], 3 * feather)
        result.append(Span(slice(start, start + long), window))
    return result
