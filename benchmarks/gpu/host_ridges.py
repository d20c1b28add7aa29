"""The host's way to what kernels of devices compute of ridges, with their signatures."""

from __future__ import annotations

from typing import Any

import numpy as np

from rainopt.direction.evidence import weigh
from rainopt.direction.ridges import Ridges, _thresholds, shapes
from rainopt.kernels import ridge_cpu


def thresholds(strength: np.ndarray, sampled: np.ndarray, *settings: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return thresholds, and how many samples are on ridges, as `rainopt.kernels.ridge_thresholds_cuda.thresholds`."""
    faintest = np.float32(settings[3])
    present = [(sampled > faintest).sum(), (sampled < -faintest).sum()]
    return np.stack([_thresholds(sign * strength) for sign in (1, -1)]), np.array(present, np.int32)


class Table:
    """`rainopt.kernels.ridge_table_cuda.Table` by the kernels of the host."""

    def __init__(self, luminance: np.ndarray, colour: np.ndarray, rows: int) -> None:
        self._luminance, self._colour = luminance, colour
        self._found: list[tuple[int, Ridges, np.ndarray]] = []
        self.counts = np.zeros(2, np.int32)

    def join(
        self,
        bright: np.ndarray,
        dark: np.ndarray,
        cos2: np.ndarray,
        sin2: np.ndarray,
        offset: np.ndarray,
        least_cosine: float,
        reach: float,
        fewest: int,
        kind: int,
    ) -> None:
        """Add the ridges of crests."""
        for dim, crest in enumerate((bright, dark)):
            owner = np.empty(crest.shape, np.int32)
            count = ridge_cpu.link(crest, cos2, sin2, np.float32(least_cosine), owner)
            sums = np.zeros((count, ridge_cpu.CHANNELS + len(self._colour)))
            ridge_cpu.measure(owner, cos2, sin2, offset, self._luminance, self._colour, reach, sums)
            enough = sums[:, ridge_cpu.COUNT] >= fewest
            # A ridge is numbered by its first pixel.
            first = np.unique(owner, return_index=True)[1][-count:] if count else np.empty(0, np.int64)
            self._found.append((kind + dim, shapes(sums[enough], 1.0 - 2 * dim), first[enough]))
            self.counts[0] += enough.sum()

    def votes(self, likeness: tuple[float, ...], factors: tuple[float, float]) -> np.ndarray:
        """Return the votes of ridges that are like streaks."""
        rows = []
        for kind, ridges, first in self._found:
            weight = factors[kind // 2] * weigh(ridges)
            fields = ((kind << 32) + first, ridges.angle, weight, ridges.row, ridges.column, ridges.contrast)
            rows.append(np.stack(fields, axis=1)[weight > 0])
        found = np.concatenate(rows)
        self.counts[1] = len(found)
        return found
