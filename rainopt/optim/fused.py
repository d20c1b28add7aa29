"""The primal-dual iteration by a kernel, on every device that has one."""

from __future__ import annotations

from collections.abc import Callable
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


def fused_primal_dual(
    O: Array,
    weights: UDGWeights,
    threads: int | None = None,
    prior: RainPrior = NO_PRIOR,
    start: Array | None = None,
    empty: Callable[..., np.ndarray] = np.empty,
) -> Any:
    """Return the iteration of `rainopt.optim.primal_dual.PrimalDual` by the kernel "udg" of the device of ``O``.

    None where there is no kernel for these arrays: they lie on another device, on two, or need gradients. On the CPU
    ``empty`` is where its memory comes from, see `rainopt.optim.workspace`.
    """
    make = kernel("udg", O, *prior, start)
    if make is None:
        return None
    solver = make(
        O,
        constants(weights, StepLengths.for_weights(weights)),
        bounded=weights.bounded,
        sparsity=weights.sparsity,
        factors=prior.sparsity,
        ceiling=None if prior.ceiling is None else ceiling_of(O, weights, prior),
        start=start,
        excess=prior.excess,
        trust=prior.trust,
        threads=threads,
        empty=empty,
    )
    return solver if isinstance(O, np.ndarray) else _Returning(solver, O)


class _Returning:
    """A solver whose kernel works on numpy arrays, for a caller whose arrays are of another library."""

    def __init__(self, solver: Any, reference: Array) -> None:
        self.solver, self._reference = solver, reference

    def advance(self, iterations: int) -> None:
        self.solver.advance(iterations)

    def certify(self) -> tuple[Array, Array]:
        return self._returned(self.solver.certify())

    def result(self) -> tuple[Array, Array]:
        return self._returned(self.solver.result())

    def _returned(self, pair: tuple[Any, Any]) -> tuple[Array, Array]:
        first, second = (like(array, self._reference) if isinstance(array, np.ndarray) else array for array in pair)
        return first, second
