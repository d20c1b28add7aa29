"""The ridges of a picture on a CUDA device: joined, measured, weighed, without anything of them on the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from rainopt.kernels import ridge_join_cuda as sums
from rainopt.kernels import ridge_votes_cuda as weights
from rainopt.kernels.launch import Kernel, Place, blocks, flat, threads

THREADS = threads(256, 16)  # of a block, each with a pixel
LISTED, BLOCKS = threads(128, 2), threads(128, 2)  # of a block, and blocks, that go through a list
CHUNKS = threads(32, 2)  # into which the list of those that are asked is divided


class Table:
    """The ridges of a picture, a row of sums for each; `join` adds those of a scale, and `votes` weighs all of them.

    Parameters
    ----------
    luminance, colour
        (H, W) and (C, H, W) float32 of cupy or torch, in one piece.
    rows
        Ridges that there is room for.

    Attributes
    ----------
    counts
        (2,) int32: the rows that were wanted, which may be more than there are, and the votes.
    """

    def __init__(self, luminance: Any, colour: Any, rows: int) -> None:
        self._luminance, self._colour, self.rows = luminance, colour, rows
        self.height, self.width = (int(n) for n in luminance.shape)
        self.channels = int(colour.shape[0])
        # The last column is the key: kind and first pixel.
        self.columns = sums.CHANNELS + self.channels + 1
        with Place(luminance) as place:
            self._counts = place.zeros((3,), np.int32)
            self._sums = place.empty((rows * self.columns,), np.int64)
        self.counts = self._counts[: sums.PIECES]
        self._table, self._known = flat(self._sums), flat(self._counts)

    def join(
        self,
        bright: Any,
        dark: Any,
        cos2: Any,
        sin2: Any,
        offset: Any,
        least_cosine: float,
        reach: float,
        fewest: int,
        kind: int,
    ) -> None:
        """Add the ridges that crest pixels make up, as `rainopt.kernels.ridge_cpu.link` and `measure`.

        Parameters
        ----------
        bright, dark
            (H, W) bool, crests; none is both.
        cos2, sin2, offset
            (H, W) float32.
        least_cosine, reach
            As `rainopt.kernels.ridge_cpu`.
        fewest
            Pixels of a ridge at least.
        kind
            Number of bright ridges in their keys, even; that of dark ones is the next.
        """
        pixels = self.height * self.width
        if pixels == 0:
            return
        with Place(self._luminance) as place:
            forest, tally = place.empty((pixels,), np.int32), place.empty((pixels,), np.int32)
            parents, sizes = flat(forest), flat(tally)
            crests, directions = (flat(bright), flat(dark)), (flat(cos2), flat(sin2))
            least, room = np.float32(least_cosine), (self._table, self.columns)

            def start(kernel: Kernel, *arguments: Any, moved: int) -> None:
                place.start(kernel, blocks(pixels, THREADS), THREADS, *arguments, moved=moved * pixels)

            start(sums.begin(), *crests, pixels, parents, sizes, moved=10)
            start(sums.meet(), crests[0], *directions, least, pixels, self.width, parents, moved=5)
            start(sums.settle(), pixels, parents, sizes, moved=8)
            start(
                sums.number(), crests[0], pixels, parents, sizes, fewest, kind, *room, self.rows, self._known, moved=8
            )
            fields = (*directions, flat(offset), flat(self._luminance), flat(self._colour))
            across = (float(reach), self.height, self.width)
            start(sums.add_up(), parents, sizes, *fields, self.channels, *across, *room, moved=4)

    def votes(self, likeness: tuple[float, ...], factors: tuple[float, float]) -> Any:
        """Return the votes of all ridges, (rows, 6) float64: key, angle in degrees, weight, row and column of the
        centre in pixels, and contrast. So many as are counted then are filled, in any order.

        Parameters
        ----------
        likeness
            The numbers of `rainopt.kernels.ridge_votes_cuda.Likeness`.
        factors
            Of the weights of the first two kinds and of the others.
        """
        rows = self.rows
        with Place(self._luminance) as place:
            found = place.empty((rows, weights.VOTE), np.float64)
            fields, totals = place.empty((weights.PLANES * rows,), np.float64), place.empty((rows,), np.int64)
            forest = place.empty((rows,), np.int32)
            pieces, parents, lengths = flat(fields), flat(forest), flat(totals)
            limits, scale, known = tuple(map(float, likeness)), tuple(map(float, factors)), self._known

            def start(kernel: Kernel, *arguments: Any, chunks: int = 1) -> None:
                place.start(kernel, (BLOCKS, chunks), LISTED, rows, *arguments)

            shape = self._table, self.columns, self.width
            start(weights.describe(), *shape, limits, known, pieces, parents, lengths)
            start(weights.unite_pieces(), limits, known, pieces, parents, chunks=CHUNKS)
            start(weights.add_lengths(), known, pieces, parents, lengths)
            start(weights.drop_long(), limits, known, pieces, parents, lengths)
            start(weights.look_beside(), limits, known, pieces, chunks=CHUNKS)
            start(weights.cast(), limits, scale, known, pieces, flat(found))
        return found
