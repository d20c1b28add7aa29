"""Primal-dual iterations of the UDG energy on the CPU: images cut into bands of rows, a thread a band.

Each band carries ghost rows of its neighbours. A band may run as many iterations on its own as it has ghost rows,
because each iteration spoils one ghost row more at each cut; then the ghosts are refreshed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from rainopt.kernels import udg_rows_cpu as rows_kernel
from rainopt.kernels.udg_rows_cpu import LEAD, Constants
from rainopt.parallel.threads import num_threads, run_all

# Rows that run together take about as much as a core's second-level cache holds (1 MiB on common desktop and server
# cores). Twice as much costs nothing more, since rows come in order; half as much costs a twentieth.
CACHE_BYTES = 1024 * 1024
MOST_TOGETHER = 16
# An odd number of cache lines keeps the fields of a power-of-two row from competing for the same cache sets.
LINE_BYTES = 64


@dataclass
class Band:
    """Rows ``first`` to ``last`` of image ``image``; ``state`` also holds ``above`` and ``below`` ghost rows."""

    image: int
    first: int
    last: int
    above: int
    below: int
    state: np.ndarray  # (above + rows + below, 7, LEAD and columns and padding)
    prior: np.ndarray  # (above + rows + below, or 1; 2; columns and padding)
    time: np.ndarray | None  # (above + rows + below, 2, columns and padding)
    bars: np.ndarray  # (iterations together, 2, 2, columns and padding)


class Bands:
    """The iteration of `rainopt.optim.primal_dual.PrimalDual` on host arrays.

    Parameters
    ----------
    O
        (..., H, W) float32 or float64; the axes before the last two are a batch.
    constants
        Numbers by the names of `Constants`.
    bounded
        Whether 0 ≤ R ≤ the ceiling.
    sparsity
        λs.
    factors, ceiling, start
        Shaped as O, or None: factors on the sparsity, the upper bound of R where it is not O itself, and the rain to
        begin with.
    excess, trust
        Shaped as O, or both None: the rain that other moments tell, and the price of leaving it.
    threads
        Default those of `rainopt.parallel.threads.num_threads`.
    empty
        Called with a shape and a dtype, returns memory for the iteration, which may hold anything.
    """

    def __init__(
        self,
        O: np.ndarray,
        constants: Mapping[str, float],
        *,
        bounded: bool,
        sparsity: float,
        factors: np.ndarray | None = None,
        ceiling: np.ndarray | None = None,
        start: np.ndarray | None = None,
        excess: np.ndarray | None = None,
        trust: np.ndarray | None = None,
        threads: int | None = None,
        empty: Callable[[tuple[int, ...], np.dtype], np.ndarray] = np.empty,
    ) -> None:
        self.shape = O.shape
        self.images = O.reshape(-1, *O.shape[-2:])
        self.start, self.factors, self.ceiling, self.excess, self.trust = (
            None if field is None else field.reshape(self.images.shape)
            for field in (start, factors, ceiling, excess, trust)
        )
        self.empty = empty
        # One row where nothing is known that differs from pixel to pixel.
        self.known = factors is not None or ceiling is not None
        self.sparsity = sparsity
        dtype = np.dtype(np.float64 if O.dtype == np.float64 else np.float32)
        self.constants = Constants(**{name: dtype.type(value) for name, value in constants.items()}, bounded=bounded)  # type: ignore[arg-type]
        rows, columns = O.shape[-2:]
        self.columns = columns
        self.span = slice(LEAD, LEAD + columns)
        line = LINE_BYTES // dtype.itemsize
        lines = -(-columns // line)
        padded = (lines + (lines % 2 == 0)) * line
        fields = 7 + 2 * self.known + 2 * (trust is not None)
        self.together = max(1, min(MOST_TOGETHER, CACHE_BYTES // (fields * columns * dtype.itemsize) - 2))
        self.zero_row = np.zeros(columns, dtype)
        self.bands: list[Band] = []
        threads = num_threads() if threads is None else threads
        # Cut an image only when images alone cannot feed the threads, and never into bands thinner than their ghosts.
        pieces = max(1, min(-(-threads // len(self.images)), rows // (4 * self.together)))
        edges = [rows * k // pieces for k in range(pieces + 1)]
        for image in range(len(self.images)):
            for k in range(pieces):
                self.bands.append(self._band(image, edges[k], edges[k + 1], rows, padded, dtype))
        run_all(self._fill, [(band,) for band in self.bands])

    def _band(self, image: int, first: int, last: int, rows: int, padded: int, dtype: np.dtype) -> Band:
        above, below = min(self.together, first), min(self.together, rows - last)
        rows = above + last - first + below
        # `LEAD` is a whole number of cache lines, and two of them keep their number odd.
        state = self._aligned((rows, 7, LEAD + padded + -LEAD % (2 * LINE_BYTES // dtype.itemsize)), dtype)
        # A single row of a prior holds for all, so a single row of an image has two.
        prior = self._aligned((max(rows, 2) if self.known else 1, 2, padded), dtype)
        time = None if self.trust is None else self._aligned((rows, 2, padded), dtype)
        bars = self._aligned((self.together, 2, 2, padded), dtype)
        return Band(image, first, last, above, below, state, prior, time, bars)

    def _aligned(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Return memory for an array that begins a cache line."""
        size = int(np.prod(shape))
        raw = self.empty((size + LINE_BYTES // dtype.itemsize,), dtype)
        start = -raw.ctypes.data % LINE_BYTES // dtype.itemsize
        return raw[start : start + size].reshape(shape)

    def _fill(self, band: Band) -> None:
        rows = slice(band.first - band.above, band.last + band.below)
        image = self.images[band.image, rows]
        band.state[:, rows_kernel.R :] = 0
        O, B, R = (band.state[:, field, self.span] for field in (rows_kernel.O, rows_kernel.B, rows_kernel.R))
        O[...] = image
        if self.start is not None:
            R[...] = self.start[band.image, rows]
        np.subtract(image, R, out=B)
        band.prior[:, rows_kernel.SPARSITY] = self.sparsity
        band.prior[:, rows_kernel.CEILING] = np.inf
        if self.factors is not None:
            band.prior[:, rows_kernel.SPARSITY, : self.columns] *= self.factors[band.image, rows]
        if self.known and self.constants.bounded:
            ceiling = self.images if self.ceiling is None else self.ceiling
            band.prior[:, rows_kernel.CEILING, : self.columns] = ceiling[band.image, rows]
        if band.time is not None and self.excess is not None and self.trust is not None:
            band.time[:, rows_kernel.EXCESS, : self.columns] = self.excess[band.image, rows]
            band.time[:, rows_kernel.TRUST, : self.columns] = self.trust[band.image, rows]

    def advance(self, iterations: int) -> None:
        """Run ``iterations`` steps."""
        while iterations > 0:
            count = min(iterations, self.together)
            tasks = [
                (band.state, self.columns, band.prior, band.time, band.bars[:count], self.zero_row, self.constants)
                for band in self.bands
            ]
            run_all(rows_kernel.advance, tasks)
            self._exchange()
            iterations -= count

    def _exchange(self) -> None:
        """Refresh the ghost rows of every cut from the band that owns them."""
        for upper, lower in zip(self.bands[:-1], self.bands[1:], strict=True):
            if upper.image != lower.image:
                continue
            end = upper.state.shape[0] - upper.below
            upper.state[end:] = lower.state[lower.above : lower.above + upper.below]
            lower.state[: lower.above] = upper.state[end - lower.above : end]

    def certify(self) -> tuple[np.ndarray, np.ndarray]:
        """Return energy and duality gap of each image, shape ``O.shape[:-2]``, float64."""
        peak = [0.0] * len(self.images)
        if not self.constants.bounded:
            for band in self.bands:
                largest = float(np.max(np.abs(band.state[:, (rows_kernel.O, rows_kernel.R), self.span])))
                peak[band.image] = max(peak[band.image], largest)
        tasks = [
            (
                band.state,
                self.columns,
                band.prior,
                band.time,
                band.above,
                band.above + band.last - band.first,
                self.zero_row,
                self.zero_row.dtype.type(peak[band.image]),
                self.constants,
            )
            for band in self.bands
        ]
        energy, bound = np.zeros(len(self.images)), np.zeros(len(self.images))
        for band, (e, d) in zip(self.bands, run_all(rows_kernel.certify, tasks), strict=True):
            energy[band.image] += e
            bound[band.image] += d
        batch = self.shape[:-2]
        return energy.reshape(batch), (energy - bound).reshape(batch)

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (B, R), R inside its box."""
        B, R = np.empty(self.images.shape, self.zero_row.dtype), np.empty(self.images.shape, self.zero_row.dtype)

        def unpack(band: Band) -> None:
            rows = band.state[band.above : band.above + band.last - band.first]
            B[band.image, band.first : band.last] = rows[:, rows_kernel.B, self.span]
            target = R[band.image, band.first : band.last]
            if self.constants.bounded:
                ceiling = rows[:, rows_kernel.O, self.span]
                if self.ceiling is not None:
                    ceiling = self.ceiling[band.image, band.first : band.last]
                np.clip(rows[:, rows_kernel.R, self.span], 0, ceiling, out=target)
            else:
                target[...] = rows[:, rows_kernel.R, self.span]

        run_all(unpack, [(band,) for band in self.bands])
        return B.reshape(self.shape), R.reshape(self.shape)
