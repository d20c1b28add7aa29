"""Regions of clean pictures, drawn at random: what rain is rendered over, and what a discriminator is shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rainnet.data.crops import Cut, Range, find_place
from rainnet.data.pictures import DataError, Pictures, check_sizes


class CleanRegions:
    """Draws the rectangle that a crop is made from, out of one of many clean pictures.

    Parameters
    ----------
    paths
        The pictures.
    size
        Side of the crops in pixels.
    scale
        Lowest and highest factor in (0, 1] by which a picture is reduced.
    flips
        Whether pictures are mirrored and turned by quarters.
    store
        What reads the pictures.

    Raises
    ------
    DataError
        If there are no pictures, or one cannot be read or is smaller than a crop.
    """

    def __init__(self, paths: Sequence[Path], size: int, scale: Range, flips: bool, store: Pictures) -> None:
        self.paths = [Path(path) for path in paths]
        if not self.paths:
            raise DataError("there is no clean picture; name a folder that holds some")
        check_sizes(self.paths, size)
        self._size, self._scale, self._flips, self._store = size, scale, flips, store

    def draw(
        self, cut: Cut, gain: float, rng: np.random.Generator, but: frozenset[Path] = frozenset()
    ) -> tuple[Path, np.ndarray]:
        """Return a picture that is none of ``but``, and of it the rectangle of a crop, (*cut.shape, 3) uint8.

        Brightness is multiplied by ``gain``, and clipped at white.
        """
        first = int(rng.integers(len(self.paths)))
        after = (self.paths[(first + step) % len(self.paths)] for step in range(len(self.paths)))
        path = next(path for path in after if path not in but)
        picture = self._store.read(path)
        quarters, mirrored = (int(rng.integers(4)), bool(rng.integers(2))) if self._flips else (0, False)
        shape = cut.shape[::-1] if quarters % 2 else cut.shape
        region = find_place(picture.shape[:2], shape, self._size, self._scale, rng).take(picture)
        region = np.rot90(region, quarters)
        return path, brightened(region[:, ::-1] if mirrored else region, gain)

    def require_another(self, pictures: Sequence[Path]) -> None:
        """Refuse to go with rainy examples of ``pictures`` if there is one that leaves no other to show.

        Raises
        ------
        DataError
            If so.
        """
        alone = set(self.paths)
        if len(alone) == 1 and alone <= set(pictures):
            raise DataError(
                f"'{self.paths[0]}' is the only picture for \"unpaired\", and is itself among the others; name more"
            )


def brightened(region: np.ndarray, gain: float) -> np.ndarray:
    """Return an 8-bit picture with its brightness multiplied, rounded and clipped at white."""
    if gain == 1:
        return region
    levels = np.rint(np.minimum(np.arange(256) * gain, 255)).astype(np.uint8)
    return levels[region]
