"""The UDG problem in pyproximal's terms, and pyproximal's methods that can solve it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pylops
import pyproximal
from pyproximal.optimization.primal import LinearizedADMM
from pyproximal.optimization.primaldual import AdaptivePrimalDual, PrimalDual

from rainopt import UDGWeights
from rainopt.optim.objectives import energy_terms
from rainopt.optim.operators import NORM_SQUARED_BOUND, diff_across

# ‖A‖² of the stacked differences; a little below 1 over it keeps every method strictly inside its condition.
NORM_SQUARED = 2 * NORM_SQUARED_BOUND
SAFETY = 0.99
STEPS = (0.1, 0.2, 0.25, 0.3, 0.35, 0.42, 0.5, 0.7, 1.0, 1.4, 2.0, 4.0)
MOST_ITERATIONS = 2000


class DataTerm(pyproximal.ProxOperator):
    """``½‖B + R - O‖² + λs‖R‖₁ + box(R)`` of x = (B, R), with its proximal point in closed form.

    pyproximal asks its users to write such classes. This one serves both layers in one pass, which saves it the inner
    solves that assembling the term from the toolbox's own parts would cost.
    """

    def __init__(self, O: np.ndarray, weights: UDGWeights) -> None:
        super().__init__(None, False)
        self.O, self.weights = O.ravel(), weights

    def __call__(self, x: np.ndarray) -> float:
        """Return the value for x inside the box."""
        B, R = x.reshape(2, -1)
        return 0.5 * float(np.sum((B + R - self.O) ** 2)) + self.weights.sparsity * float(np.sum(np.abs(R)))

    def prox(self, x: np.ndarray, tau: float, **_: Any) -> np.ndarray:
        """Return the proximal point with step ``tau``: minimise over B, which leaves a shrinkage for R."""
        out = np.empty_like(x)
        (b_hat, r_hat), (B, R) = x.reshape(2, -1), out.reshape(2, -1)
        curvature = 1 / (1 + tau) + 1 / tau
        np.subtract(self.O, b_hat, out=R)
        R *= 1 / ((1 + tau) * curvature)
        np.multiply(r_hat, 1 / (tau * curvature), out=B)
        R += B
        threshold = self.weights.sparsity / curvature
        if self.weights.bounded:
            R -= threshold
            np.clip(R, 0, self.O, out=R)
        else:
            R -= np.clip(R, -threshold, threshold)
        np.subtract(self.O, R, out=B)
        B *= tau
        B += b_hat
        B *= 1 / (1 + tau)
        return out


class Variations(pyproximal.ProxOperator):
    """``τ‖p₁‖₁ + λx‖p₂‖₁ + τ‖p₃‖₁ + λy‖p₄ - ∇y O‖₁`` of the stacked differences (∇x B, ∇x R, ∇y B, ∇y R)."""

    def __init__(self, O: np.ndarray, weights: UDGWeights) -> None:
        super().__init__(None, False)
        self.radii = (weights.tau, weights.lambda_x, weights.tau, weights.lambda_y)
        self.shift = np.ascontiguousarray(diff_across(O)).ravel()

    def __call__(self, p: np.ndarray) -> float:
        """Return the weighted sum of absolute values."""
        fields = p.reshape(4, -1)
        shifts = (0, 0, 0, self.shift)
        return sum(r * float(np.sum(np.abs(field - s))) for r, field, s in zip(self.radii, fields, shifts, strict=True))

    def proxdual(self, p: np.ndarray, tau: float, **_: Any) -> np.ndarray:
        """Project every field on its ball, the last one shifted."""
        out = np.empty_like(p)
        fields = p.reshape(4, -1)
        for k, (radius, target) in enumerate(zip(self.radii, out.reshape(4, -1), strict=True)):
            if k == 3:
                np.multiply(self.shift, -tau, out=target)
                target += fields[3]
                np.clip(target, -radius, radius, out=target)
            else:
                np.clip(fields[k], -radius, radius, out=target)
        return out

    def prox(self, p: np.ndarray, tau: float, **_: Any) -> np.ndarray:
        """Shrink every field, the last one towards its shift: ``p - clip(p - s, ±tau r)``."""
        out = np.empty_like(p)
        for k, (radius, field, target) in enumerate(zip(self.radii, p.reshape(4, -1), out.reshape(4, -1), strict=True)):
            np.clip(field - self.shift if k == 3 else field, -tau * radius, tau * radius, out=target)
            np.subtract(field, target, out=target)
        return out


class Peer:
    """The UDG problem of one image in pyproximal's terms; x is B and R one after the other."""

    def __init__(self, O: np.ndarray, weights: UDGWeights) -> None:
        self.O, self.weights = O, weights
        self.f, self.g = DataTerm(O, weights), Variations(O, weights)
        self.A = differences(O.shape, O.dtype)
        self.x0 = np.concatenate([O.ravel(), np.zeros(O.size, O.dtype)])

    def layers(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (B, R) of x."""
        B, R = x.reshape(2, *self.O.shape)
        return B, R

    def energy(self, x: np.ndarray) -> float:
        """Return rainopt's own energy of x: one definition for both sides."""
        return float(energy_terms(self.O, *self.layers(x), self.weights))

    def count(self, method: Method, target: float, most: int = MOST_ITERATIONS) -> int | None:
        """Return the iterations until the energy is first at most ``target``, or None if ``most`` do not suffice."""
        done = 0

        def look(x: np.ndarray) -> None:
            nonlocal done
            done += 1
            if self.energy(x) <= target:
                raise _ReachedError

        try:
            method.run(self, most, look)
        except _ReachedError:
            return done
        return None


class _ReachedError(Exception):
    """The energy is low enough."""


@dataclass(frozen=True)
class Method:
    """One of pyproximal's algorithms with its step length."""

    name: str
    step: float

    def run(self, peer: Peer, iterations: int, callback: Callable[[np.ndarray], None] | None = None) -> np.ndarray:
        """Run ``iterations`` iterations and return x."""
        problem = (peer.f, peer.g, peer.A, peer.x0)
        dual = SAFETY / (NORM_SQUARED * self.step)
        if self.name == "PrimalDual":
            return PrimalDual(*problem, tau=self.step, mu=dual, niter=iterations, callback=callback)
        if self.name == "AdaptivePrimalDual":
            return AdaptivePrimalDual(*problem, tau=self.step, mu=dual, niter=iterations, callback=callback)[0]
        if self.name == "LinearizedADMM":
            mu = self.step * SAFETY / NORM_SQUARED
            return LinearizedADMM(*problem, tau=self.step, mu=mu, niter=iterations, callback=callback)[0]
        raise ValueError(f"`name` must be one of {', '.join(METHODS)}, got {self.name!r}")


METHODS = ("PrimalDual", "AdaptivePrimalDual", "LinearizedADMM")


def methods() -> Iterator[Method]:
    """Yield everything that is tried; the steps of LinearizedADMM live on the scale of the others' over ‖A‖²."""
    for name in METHODS:
        for step in STEPS:
            yield Method(name, step * (NORM_SQUARED if name == "LinearizedADMM" else 1))


def differences(shape: tuple[int, ...], dtype: Any) -> pylops.LinearOperator:
    """Return (B, R) to (∇x B, ∇x R, ∇y B, ∇y R), as `rainopt.optim.operators`: zero last row and column."""
    dims = (2, *shape)
    # Without `edge`, which serves centred stencils only, the last difference is 0.
    return pylops.VStack(
        [pylops.FirstDerivative(dims, axis=axis, kind="forward", dtype=dtype) for axis in (1, 2)], dtype=dtype
    )
