"""A bound on how far a decomposition is from optimal, so that "converged" means something.

Every set of dual fields inside its box gives a lower bound on the least energy. The difference between the energy of
(B, R) and that bound, the duality gap, is therefore never smaller than what is still to be gained.
"""

from __future__ import annotations

from typing import NamedTuple

from rainopt.arrays import Array, namespace
from rainopt.optim.objectives import NO_PRIOR, RainPrior, UDGWeights, ceiling_of, energy_terms, sparsity_of, time_price
from rainopt.optim.operators import diff_across, diff_across_adjoint, diff_along_adjoint
from rainopt.optim.prox import project_ball, project_interval


class Duals(NamedTuple):
    """Dual fields, one for each difference in the energy, each (..., H, W)."""

    b_along: Array  # |·| ≤ τ,  for ∇x B
    b_across: Array  # |·| ≤ τ,  for ∇y B
    r_along: Array  # |·| ≤ λx, for ∇x R
    r_across: Array  # |·| ≤ λy, for ∇y R - ∇y O


def feasible(O: Array, R: Array, duals: Duals, weights: UDGWeights, prior: RainPrior = NO_PRIOR) -> tuple[Array, Duals]:
    """Bring a nearly feasible layer and its duals into their boxes."""
    ceiling = ceiling_of(O, weights, prior)
    if ceiling is not None:
        R = project_interval(R, namespace(R).zeros_like(R), ceiling)
    b_along, b_across, r_along, r_across = duals
    return R, Duals(
        project_ball(b_along, weights.tau),
        project_ball(b_across, weights.tau),
        project_ball(r_along, weights.lambda_x),
        project_ball(r_across, weights.lambda_y),
    )


def dual_energy(
    O: Array, duals: Duals, weights: UDGWeights, radius: Array | float, prior: RainPrior = NO_PRIOR
) -> Array:
    """Return the lower bound that feasible ``duals`` give on the energy, shape ``O.shape[:-2]``, float64.

    With ``v_B = -∇ᵀp_B`` and ``v_R = -∇ᵀp_R`` it is

    ``-Σ [ v_B O + ½ v_B² + p_Ry ∇y O + max over r of ((v_R - v_B) r - λs|r| - κ|r - E|) ]``,

    where r runs over the box of the bounded model, from 0 to the ceiling c, which is O or that of the prior. A sum of
    lines is largest at a kink or an end: at 0, E or c. Without the box and without trust in E the bound is minus
    infinity unless ``|v_R - v_B| ≤ λs`` everywhere, which no iterate fulfils exactly; r is then taken from
    ``|r| ≤ radius`` only.

    Parameters
    ----------
    O
        (..., H, W) rainy image.
    duals
        Fields inside their boxes, see `feasible`.
    weights
        The weights of the energy.
    radius
        Used by the unbounded model only; number or (..., 1, 1).
    """
    xp = namespace(O)
    v_b = -(diff_along_adjoint(duals.b_along) + diff_across_adjoint(duals.b_across))
    v_r = -(diff_along_adjoint(duals.r_along) + diff_across_adjoint(duals.r_across))
    largest = _conjugate_of_rain(O, v_r - v_b, weights, radius, prior)
    conjugate = v_b * O + 0.5 * v_b * v_b + largest + duals.r_across * diff_across(O)
    return -xp.sum(conjugate, axis=(-2, -1), dtype=xp.float64)


def _conjugate_of_rain(O: Array, slope: Array, weights: UDGWeights, radius: Array | float, prior: RainPrior) -> Array:
    """Return the largest ``slope r - λs|r| - κ|r - E|`` over the r that are allowed."""
    xp = namespace(O)
    zero, sparsity, ceiling = xp.zeros_like(O), sparsity_of(weights, prior), ceiling_of(O, weights, prior)
    high = zero + radius if ceiling is None else ceiling
    kinks = [(high, slope - sparsity)]
    if ceiling is None:
        kinks.append((-high, slope + sparsity))
    if prior.excess is not None:
        kinks.append((xp.minimum(prior.excess, high), slope - sparsity))
    largest = zero - time_price(zero, prior)
    for r, inclination in kinks:
        largest = xp.maximum(largest, r * inclination - time_price(r, prior))
    return largest


def certify(
    O: Array, B: Array, R: Array, duals: Duals, weights: UDGWeights, prior: RainPrior = NO_PRIOR
) -> tuple[Array, Array]:
    """Return the energy of (B, R), R brought into its box, and its duality gap; both ``O.shape[:-2]``, float64.

    The gap bounds ``E(B, R) - min E`` from above. For the unbounded model the minimum is taken over layers no
    larger in magnitude than the larger of ``max |O|`` and ``max |R|`` of each image.
    """
    xp = namespace(O)
    R, duals = feasible(O, R, duals, weights, prior)
    radius: Array | float = 0.0
    if not weights.bounded:
        radius = xp.maximum(
            xp.max(xp.abs(O), axis=(-2, -1), keepdims=True), xp.max(xp.abs(R), axis=(-2, -1), keepdims=True)
        )
    energy = energy_terms(O, B, R, weights, prior)
    return energy, energy - dual_energy(O, duals, weights, radius, prior)
