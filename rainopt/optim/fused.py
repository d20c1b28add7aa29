"""The primal-dual iteration by a kernel, on every device that has one."""

from __future__ import annotations

from typing import Any

import numpy as np

from rainopt.arrays import Array, kernel, like
from rainopt.optim.objectives import NO_PRIOR, RainPrior, UDGWeights, ceiling_of
from rainopt.optim.primal_dual import StepLengths


def constants(weights: UDGWeights, steps: StepLengths) -> dict[str, float]:
    """Fold the formulas of `rainopt.optim.primal_dual.prox_data` into the numbers that kernels work with."""
    curvature = 1 / (1 + steps.step_b) + 1 / steps.step_r
    return {
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


class FusedPrimalDual:
    """The iteration of `rainopt.optim.primal_dual.PrimalDual` by the kernel "udg" of the device of ``O``.

    Raises
    ------
    TypeError
        If there is none for these arrays: they lie on another device, on two, or need gradients.
    """

    def __init__(
        self,
        O: Array,
        weights: UDGWeights,
        threads: int | None = None,
        prior: RainPrior = NO_PRIOR,
        start: Array | None = None,
    ) -> None:
        make = kernel("udg", O, *prior, start)
        if make is None:
            raise TypeError("`O`, `prior` and `start` must lie on a device with a kernel and need no gradient")
        self._like = O
        self.state: Any = make(
            O,
            constants(weights, StepLengths.for_weights(weights)),
            bounded=weights.bounded,
            sparsity=weights.sparsity,
            factors=prior.sparsity,
            ceiling=None if prior.ceiling is None else ceiling_of(O, weights, prior),
            start=start,
            threads=threads,
        )

    def advance(self, iterations: int) -> None:
        """Run ``iterations`` steps."""
        self.state.advance(iterations)

    def certify(self) -> tuple[Array, Array]:
        """Return energy and duality gap of each image, shape ``O.shape[:-2]``, float64."""
        energy, gap = self.state.certify()
        return self._returned(energy), self._returned(gap)

    def result(self) -> tuple[Array, Array]:
        """Return (B, R), R inside its box."""
        B, R = self.state.result()
        return self._returned(B), self._returned(R)

    def _returned(self, array: Any) -> Array:
        return like(array, self._like) if isinstance(array, np.ndarray) else array
