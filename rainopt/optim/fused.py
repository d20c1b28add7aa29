"""The primal-dual iteration on the CPU: images cut into bands of rows, a thread a band.

Each band carries ghost rows of its neighbours. A band may run as many iterations on its own as it has ghost rows,
because each iteration spoils one ghost row more at each cut; then the ghosts are refreshed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rainopt.arrays import Array, host_view, like
from rainopt.kernels import udg_cpu as kernel
from rainopt.optim.objectives import NO_PRIOR, RainPrior, UDGWeights, ceiling_of
from rainopt.optim.primal_dual import StepLengths
from rainopt.parallel.threads import num_threads, run_all

# Rows that run together stay within this share of a core's second-level cache (1 MiB on common desktop and server
# cores).
CACHE_BYTES = 640 * 1024
MOST_TOGETHER = 16
# An odd number of cache lines keeps the fields of a power-of-two row from competing for the same cache sets.
LINE_BYTES = 64


class Constants(NamedTuple):
    """Scalars of the kernels, all of the state's dtype."""

    step_b: np.floating
    step_r: np.floating
    keep_o: np.floating
    keep_r: np.floating
    mix_b: np.floating
    mix_o: np.floating
    shrink: np.floating
    low: np.floating
    relax: np.floating
    dual_b: np.floating
    dual_along: np.floating
    dual_across: np.floating
    tau: np.floating
    lambda_x: np.floating
    lambda_y: np.floating
    half: np.floating
    zero: np.floating
    bounded: bool

    @classmethod
    def of(cls, weights: UDGWeights, steps: StepLengths, dtype: np.dtype) -> Constants:
        """Fold the formulas of `rainopt.optim.primal_dual.prox_data` into constants."""
        curvature = 1 / (1 + steps.step_b) + 1 / steps.step_r
        values = {
            "step_b": steps.step_b,
            "step_r": steps.step_r,
            "keep_o": 1 / ((1 + steps.step_b) * curvature),
            "keep_r": 1 / (steps.step_r * curvature),
            "mix_b": 1 / (1 + steps.step_b),
            "mix_o": steps.step_b / (1 + steps.step_b),
            "shrink": 1 / curvature,
            "low": 0.0 if weights.bounded else -np.inf,
            "relax": steps.relax,
            "dual_b": steps.dual_b,
            "dual_along": steps.dual_along,
            "dual_across": steps.dual_across,
            "tau": weights.tau,
            "lambda_x": weights.lambda_x,
            "lambda_y": weights.lambda_y,
            "half": 0.5,
            "zero": 0.0,
        }
        return cls(**{name: dtype.type(value) for name, value in values.items()}, bounded=weights.bounded)


@dataclass
class Band:
    """Rows ``first`` to ``last`` of image ``image``; ``state`` also holds ``above`` and ``below`` ghost rows."""

    image: int
    first: int
    last: int
    above: int
    below: int
    state: np.ndarray  # (above + rows + below, 7, columns and padding)
    prior: np.ndarray  # (above + rows + below, or 1; 2; columns)
    bars: np.ndarray  # (iterations together, 2, 2, columns)


class FusedPrimalDual:
    """The iteration of `rainopt.optim.primal_dual.PrimalDual` on host arrays, float32 or float64."""

    def __init__(
        self,
        O: Array,
        weights: UDGWeights,
        threads: int | None = None,
        prior: RainPrior = NO_PRIOR,
        start: Array | None = None,
    ) -> None:
        view = host_view(O)
        if view is None:
            raise TypeError("`O` must be a host array that needs no gradient")
        self.like, self.weights = O, weights
        self.shape = view.shape
        self.images = view.reshape(-1, *view.shape[-2:])
        self.start = self._pixels(start)
        # One row where nothing is known that differs from pixel to pixel.
        self.known = prior.sparsity is not None or prior.ceiling is not None
        self.sparsity = self._pixels(prior.sparsity)
        self.ceiling = self._pixels(ceiling_of(O, weights, prior))
        dtype = np.dtype(np.float64 if view.dtype == np.float64 else np.float32)
        self.constants = Constants.of(weights, StepLengths.for_weights(weights), dtype)
        rows, columns = view.shape[-2:]
        self.columns = columns
        padded = columns
        line = LINE_BYTES // dtype.itemsize
        if columns >= 8 * line and (columns // line) % 2 == 0:
            padded = (columns // line + 1) * line
        self.together = max(
            1, min(MOST_TOGETHER, CACHE_BYTES // ((9 if self.known else 7) * columns * dtype.itemsize) - 2)
        )
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
        state = np.empty((above + last - first + below, 7, padded), dtype)
        # A single row of a prior holds for all, so a single row of an image has two.
        prior = np.empty((max(len(state), 2) if self.known else 1, 2, self.columns), dtype)
        bars = np.empty((self.together, 2, 2, self.columns), dtype)
        return Band(image, first, last, above, below, state, prior, bars)

    def _fill(self, band: Band) -> None:
        rows = slice(band.first - band.above, band.last + band.below)
        image = self.images[band.image, rows]
        band.state[:, kernel.R :] = 0
        band.state[:, kernel.O, : self.columns] = image
        if self.start is not None:
            band.state[:, kernel.R, : self.columns] = self.start[band.image, rows]
        band.state[:, kernel.B, : self.columns] = image - band.state[:, kernel.R, : self.columns]
        band.prior[:, kernel.SPARSITY] = self.weights.sparsity
        band.prior[:, kernel.CEILING] = np.inf
        if self.sparsity is not None:
            band.prior[:, kernel.SPARSITY] *= self.sparsity[band.image, rows]
        if self.known and self.ceiling is not None:
            band.prior[:, kernel.CEILING] = self.ceiling[band.image, rows]

    def _pixels(self, field: Array | None) -> np.ndarray | None:
        """Return a field as (images, rows, columns), None as it is."""
        if field is None:
            return None
        view = host_view(field)
        if view is None:
            raise TypeError("`prior` and `start` must be host arrays that need no gradient")
        return view.reshape(self.images.shape)

    def advance(self, iterations: int) -> None:
        """Run ``iterations`` steps."""
        while iterations > 0:
            count = min(iterations, self.together)
            tasks = [
                (band.state, self.columns, band.prior, band.bars[:count], self.zero_row, self.constants)
                for band in self.bands
            ]
            run_all(kernel.advance, tasks)
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

    def certify(self) -> tuple[Array, Array]:
        """Return energy and duality gap of each image, shape ``O.shape[:-2]``, float64."""
        peak = [0.0] * len(self.images)
        if not self.weights.bounded:
            for band in self.bands:
                largest = float(np.max(np.abs(band.state[:, (kernel.O, kernel.R), : self.columns])))
                peak[band.image] = max(peak[band.image], largest)
        tasks = [
            (
                band.state,
                self.columns,
                band.prior,
                band.above,
                band.above + band.last - band.first,
                self.zero_row,
                self.zero_row.dtype.type(peak[band.image]),
                self.constants,
            )
            for band in self.bands
        ]
        energy, bound = np.zeros(len(self.images)), np.zeros(len(self.images))
        for band, (e, d) in zip(self.bands, run_all(kernel.certify, tasks), strict=True):
            energy[band.image] += e
            bound[band.image] += d
        batch = self.shape[:-2]
        return like(energy.reshape(batch), self.like), like((energy - bound).reshape(batch), self.like)

    def result(self) -> tuple[Array, Array]:
        """Return (B, R), R inside its box."""
        B, R = np.empty(self.images.shape, self.zero_row.dtype), np.empty(self.images.shape, self.zero_row.dtype)

        def unpack(band: Band) -> None:
            rows = band.state[band.above : band.above + band.last - band.first]
            B[band.image, band.first : band.last] = rows[:, kernel.B, : self.columns]
            target = R[band.image, band.first : band.last]
            if self.weights.bounded:
                ceiling = rows[:, kernel.O, : self.columns]
                if self.ceiling is not None:
                    ceiling = self.ceiling[band.image, band.first : band.last]
                np.clip(rows[:, kernel.R, : self.columns], 0, ceiling, out=target)
            else:
                target[...] = rows[:, kernel.R, : self.columns]

        run_all(unpack, [(band,) for band in self.bands])
        return like(B.reshape(self.shape), self.like), like(R.reshape(self.shape), self.like)
