"""The paper's alternating direction method for the UDG energy, with exact transform solves.

Yu et al. 2021, Eqs. (4)-(11). One step is the paper's list of updates: R, its splits and multipliers, then B and
its own. It shares nothing with `rainopt.optim.primal_dual` but the energy, so that the two check each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import array_api_compat

from rainopt.arrays import Array, namespace
from rainopt.host_steps import truth
from rainopt.optim.certificate import Duals, certify
from rainopt.optim.fourier import dct2, idct2
from rainopt.optim.objectives import NO_PRIOR, RainPrior, UDGWeights, ceiling_of, sparsity_of
from rainopt.optim.operators import diff_across, diff_across_adjoint, diff_along, diff_along_adjoint, laplacian_symbol
from rainopt.optim.prox import prox_rain, shrink


@dataclass(frozen=True)
class Penalties:
    """Penalties of the splits, all positive, and their growth a step.

    Parameters
    ----------
    alpha, beta
        Penalties on ``Px = ∇x R`` and ``Py = ∇y R - ∇y O``; the paper's α and β.
    gamma
        Penalty on ``Q = R``, which carries sparsity, time term and box; the printed model does not use it.
    kappa
        Penalty on the two splits of ``∇B``.
    rho
        The paper's ρ ≥ 1. The default 1 converges to the optimum; growing penalties freeze the iterate before it.
    """

    alpha: float = 1.0
    beta: float = 1.0
    gamma: float = 1.0
    kappa: float = 1.0
    rho: float = 1.0

    def __post_init__(self) -> None:
        for name in ("alpha", "beta", "gamma", "kappa"):
            if not getattr(self, name) > 0:
                raise ValueError(f"`{name}` must be positive, got {getattr(self, name)!r}")
        if not self.rho >= 1:
            raise ValueError(f"`rho` must be at least 1, got {self.rho!r}")


class Admm:
    """State of the alternating updates on images (..., H, W), on any array library.

    Notes
    -----
    Departures from the paper:

    1. The shrinkage is ``sign(v) max(|v| - t, 0)``; Eq. (9) prints another.
    2. The R-update solves the normal equations ``(1 + γ + α∇xᵀ∇x + β∇yᵀ∇y) R = …``; Eq. (7) drops the modulus and
       signs. The multipliers follow one sign throughout: ``J ← J + α(∇x R - Px)``.
    3. Differences are zero at the border instead of periodic, so the cosine transform takes the place of the Fourier
       transform, which is exact for them.
    4. ``Q = R`` with penalty γ carries the sparsity and the box of `UDGWeights` and the time term of
       `rainopt.optim.objectives.RainPrior`; it is absent from the printed model.
    """

    def __init__(
        self, O: Array, weights: UDGWeights, penalties: Penalties | None = None, prior: RainPrior = NO_PRIOR
    ) -> None:
        xp = namespace(O)
        self.O, self.weights, self.prior = O, weights, prior
        self.penalties = penalties or Penalties()
        self.growth = 1.0
        timed = prior.trust is not None and truth(xp.any(prior.trust > 0), "check")
        self.split_rain = weights.bounded or weights.sparsity > 0 or timed
        zero = xp.zeros_like(O)
        self.dyO = diff_across(O)
        self.B, self.R, self.Q = O, zero, zero
        self.Px, self.Py = zero, -self.dyO
        self.Bx, self.By = diff_along(O), diff_across(O)
        self.Jx = self.Jy = self.Jq = self.Kx = self.Ky = zero
        device = array_api_compat.device(O)
        self.symbol_along = laplacian_symbol(O.shape[-2], xp, O.dtype, device)[:, None]
        self.symbol_across = laplacian_symbol(O.shape[-1], xp, O.dtype, device)[None, :]

    def advance(self, iterations: int) -> None:
        """Run ``iterations`` sweeps, growing the penalties by ρ after each."""
        for _ in range(iterations):
            self._update_rain()
            self._update_background()
            self._grow()

    def _update_rain(self) -> None:
        O, w = self.O, self.weights
        alpha, beta, gamma, _ = self._current()
        right = (O - self.B) + diff_along_adjoint(alpha * self.Px - self.Jx)
        right = right + diff_across_adjoint(beta * (self.Py + self.dyO) - self.Jy)
        if self.split_rain:
            right = right + gamma * self.Q - self.Jq
        denominator = 1 + (gamma if self.split_rain else 0) + alpha * self.symbol_along + beta * self.symbol_across
        self.R = idct2(dct2(right) / denominator)
        along, across = diff_along(self.R), diff_across(self.R) - self.dyO
        self.Px = shrink(along + self.Jx / alpha, w.lambda_x / alpha)
        self.Py = shrink(across + self.Jy / beta, w.lambda_y / beta)
        self.Jx = self.Jx + alpha * (along - self.Px)
        self.Jy = self.Jy + beta * (across - self.Py)
        if self.split_rain:
            sparsity, ceiling = sparsity_of(w, self.prior), ceiling_of(O, w, self.prior)
            pull = None if self.prior.trust is None else self.prior.trust / gamma
            self.Q = prox_rain(self.R + self.Jq / gamma, sparsity / gamma, ceiling, self.prior.excess, pull)
            self.Jq = self.Jq + gamma * (self.R - self.Q)

    def _update_background(self) -> None:
        kappa, tau = self._current()[3], self.weights.tau
        right = (self.O - self.R) + diff_along_adjoint(kappa * self.Bx - self.Kx)
        right = right + diff_across_adjoint(kappa * self.By - self.Ky)
        self.B = idct2(dct2(right) / (1 + kappa * (self.symbol_along + self.symbol_across)))
        along, across = diff_along(self.B), diff_across(self.B)
        self.Bx = shrink(along + self.Kx / kappa, tau / kappa)
        self.By = shrink(across + self.Ky / kappa, tau / kappa)
        self.Kx = self.Kx + kappa * (along - self.Bx)
        self.Ky = self.Ky + kappa * (across - self.By)

    def _current(self) -> tuple[float, float, float, float]:
        p = self.penalties
        return tuple(self.growth * value for value in (p.alpha, p.beta, p.gamma, p.kappa))  # type: ignore[return-value]

    def _grow(self) -> None:
        self.growth *= self.penalties.rho

    def certify(self) -> tuple[Array, Array]:
        """Return energy and duality gap of the present state; the multipliers are the dual fields."""
        return certify(self.O, *self.result(), Duals(self.Kx, self.Ky, self.Jx, self.Jy), self.weights, self.prior)

    def result(self) -> tuple[Array, Array]:
        """Return (B, R): the copy of the rain layer that fulfils the constraints."""
        return self.B, self.Q if self.split_rain else self.R
