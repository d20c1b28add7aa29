"""Robust principal components: split a matrix into a low-rank and a sparse part, and prove how well.

``min over A, E, Δ of ‖A‖_* + λ ‖E‖₁  such that  A + E = D + Δ J``, where the term in the scalar Δ is optional: it lets
D move along one direction J, which is what TILT asks (`rainopt.direction.tilt`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rainopt.checks import require_finite, require_iterations, require_non_negative, require_same_shape
from rainopt.optim.prox import shrink, shrink_singular_values

MAX_ITER = 1000
TOL = 1e-5
PENALTY = 10.0  # the penalty starts at this times 1 / ‖D‖₂
# The penalty is balanced at first and fixed later: a penalty that changes for ever need not converge.
BALANCE_EVERY, BALANCE_UNTIL = 5, 300
BALANCE_RATIO, BALANCE_FACTOR = 2.0, 1.5


@dataclass(frozen=True)
class RobustPCA:
    """A split ``low_rank + sparse = D + step · J``, and the proof of how good it is.

    Attributes
    ----------
    low_rank, sparse
        (m, n) float64. They fulfil the constraint to rounding; `low_rank` has few non-zero singular values, while
        `sparse` is small, not exactly 0, where nothing is corrupted.
    step
        Δ; 0 without a jacobian.
    multiplier
        (m, n) float64 Y with ``‖Y‖₂ ≤ 1``, ``|Y| ≤ λ`` and ``⟨Y, J⟩ = 0`` to rounding. ``⟨Y, D⟩`` is a lower bound on
        the objective of every split.
    objective, gap
        ``‖low_rank‖_* + λ ‖sparse‖₁``, and by how much it exceeds ``⟨Y, D⟩``: no split is better by more than that.
    penalty
        The last penalty, for a warm start.
    iterations
        Steps taken.
    converged
        Whether the gap is within ``tol`` of the objective. If not, a larger ``max_iter`` refines the split.
    """

    low_rank: np.ndarray
    sparse: np.ndarray
    step: float
    multiplier: np.ndarray
    objective: float
    gap: float
    penalty: float
    iterations: int
    converged: bool


def robust_pca(
    D: np.ndarray,
    jacobian: np.ndarray | None = None,
    *,
    weight: float | None = None,
    max_iter: int = MAX_ITER,
    tol: float = TOL,
    start: RobustPCA | None = None,
) -> RobustPCA:
    """Split a matrix into a low-rank and a sparse part.

    Parameters
    ----------
    D
        (m, n) real host array, m, n ≥ 1; computed in float64.
    jacobian
        (m, n) direction J along which D may move, not 0; None for plain robust principal components.
    weight
        λ > 0, the weight of the sparse part; default ``1 / √m``.
    max_iter
        Most iterations, each one singular value decomposition.
    tol
        Stop when the duality gap is at most ``tol`` times the objective, or what rounding allows.
    start
        The split of a similar matrix, to begin from; its shape must be D's.

    Returns
    -------
    RobustPCA
        Not converging is a field, not an exception.

    Raises
    ------
    ValueError
        For wrong shapes, non-finite values, a jacobian of zeros, or settings out of range.

    Notes
    -----
    Source: Zhang, Ganesh, Liang, Ma, "TILT: Transform Invariant Low-rank Textures", IJCV 2012, Algorithm 1, inner
    loop; without J it is Lin, Chen, Ma, "The augmented Lagrange multiplier method for exact recovery of corrupted
    low-rank matrices", 2010. Departures:

    1. The penalty is balanced between the primal and the dual residual, then fixed. Growing penalties, ρ = 1.25 in
       the paper, freeze the iterate before the optimum.
    2. Δ is updated before and after E. Three blocks in turn need not converge (Chen, He, Ye, Yuan 2016); with the
       quadratic block swept both ways they do (Li, Sun, Toh, "A Schur complement based semi-proximal ADMM", 2016).
    3. A is updated last, so that the multiplier always has ``‖Y‖₂ ≤ 1`` and the duality gap costs no decomposition.
    4. The duality gap decides when to stop; the paper looks at the constraint alone.
    """
    D, J = _checked(D, jacobian)
    weight = 1 / math.sqrt(D.shape[0]) if weight is None else weight
    require_non_negative(weight=weight, tol=tol)
    if weight == 0:
        raise ValueError("`weight` must be positive, got 0")
    max_iter = require_iterations(max_iter)
    # A matrix of zeros is its own split; the weight of 1 only avoids a division.
    scale = float(np.linalg.norm(D, 2)) or 1.0
    if start is None:
        A, E, Y, penalty = np.zeros_like(D), np.zeros_like(D), np.zeros_like(D), PENALTY / scale
    else:
        require_same_shape(D, "D", start=start.low_rank)
        A, E, Y, penalty = start.low_rank, start.sparse, start.multiplier, start.penalty

    line = _Line(J)
    floor = 1e-14 * float(np.sum(np.abs(D)))
    for iteration in range(1, max_iter + 1):
        scaled = Y / penalty
        moved = D + line.project(A + E - D - scaled)
        E = shrink(moved - A + scaled, weight / penalty)
        step = line.coordinate(A + E - D - scaled)
        moved = D + step * J
        before, A = A, shrink_singular_values(moved - E + scaled, 1 / penalty)
        residual = moved - A - E
        Y = Y + penalty * residual
        # The new multiplier is what the thresholding took off, so that ⟨A, Y⟩ = Σ max(s - t, 0) t / t = ‖A‖_*.
        objective = float(np.vdot(A, Y)) + weight * float(np.abs(moved - A).sum())
        dual = line.feasible(Y, weight)
        gap = objective - float(np.vdot(dual, D))
        if converged := gap <= tol * objective + floor:
            break
        if iteration % BALANCE_EVERY == 0 and iteration <= BALANCE_UNTIL:
            # In units of A and of Y, ‖Y‖₂ being 1.
            primal, change = np.linalg.norm(residual) / scale, penalty * np.linalg.norm(A - before)
            if primal > BALANCE_RATIO * change:
                penalty *= BALANCE_FACTOR
            elif change > BALANCE_RATIO * primal:
                penalty /= BALANCE_FACTOR
    return RobustPCA(A, moved - A, step, dual, objective, max(gap, 0.0), penalty, iteration, converged)


class _Line:
    """The direction J along which D may move; zeros where it may not move at all."""

    def __init__(self, J: np.ndarray) -> None:
        self.J = J
        self.square = float(np.vdot(J, J))
        self.norm = float(np.linalg.norm(J, 2)) if self.square else 0.0

    def coordinate(self, matrix: np.ndarray) -> float:
        """Return the multiple of J nearest to a matrix."""
        return float(np.vdot(self.J, matrix)) / self.square if self.square else 0.0

    def project(self, matrix: np.ndarray) -> np.ndarray:
        """Return the part of a matrix along J."""
        return self.coordinate(matrix) * self.J

    def feasible(self, Y: np.ndarray, weight: float) -> np.ndarray:
        """Return a matrix near Y, of ``‖Y‖₂ ≤ 1``, that is orthogonal to J, with ``‖·‖₂ ≤ 1`` and ``|·| ≤ weight``."""
        along = self.coordinate(Y)
        orthogonal = Y - along * self.J
        spectral = 1 + abs(along) * self.norm
        return orthogonal / max(spectral, float(np.abs(orthogonal).max()) / weight)


def _checked(D: np.ndarray, jacobian: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    D = np.asarray(D, dtype=np.float64)
    if D.ndim != 2 or 0 in D.shape:
        raise ValueError(f"`D` must be (m, n) with m, n at least 1, got shape {D.shape}")
    require_finite(D, "D")
    if jacobian is None:
        return D, np.zeros_like(D)
    J = np.asarray(jacobian, dtype=np.float64)
    require_same_shape(D, "D", jacobian=J)
    require_finite(J, "jacobian")
    if not J.any():
        raise ValueError("`jacobian` must not be 0 everywhere: the step would not be determined")
    return D, J
