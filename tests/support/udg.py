"""Small problems of the UDG energy: weights, priors, and the least energy by a general convex solver."""

import numpy as np

from rainopt import UDGWeights
from rainopt.optim.objectives import NO_PRIOR, RainPrior

METHODS = ("primal-dual", "reference", "admm")
HEAVY = UDGWeights(0.02, 0.1, 0.08, 0.01)
WEIGHTS = {
    "default": UDGWeights(),
    "heavy": HEAVY,
    "paper": UDGWeights.paper(0.02, 0.1, 0.05),
    "unbounded": UDGWeights(0.02, 0.1, 0.05, 0.01, bounded=False),
}
KINDS = ("no prior", "sparsity", "ceiling", "both", "time", "all")


def random_prior(rng, O, kind="both"):
    """Factors on both sides of 1, and a ceiling that binds; a few of either are 0. An excess on both sides of the
    ceiling, and trust on both sides of the weights.
    """
    sparsity = np.maximum(rng.uniform(-0.3, 3, O.shape), 0).astype(O.dtype)
    ceiling = (O * np.clip(rng.uniform(-0.2, 1.1, O.shape), 0, 1)).astype(O.dtype)
    prior = RainPrior(
        sparsity if kind in ("sparsity", "both", "all") else None,
        ceiling if kind in ("ceiling", "both", "all") else None,
    )
    if kind not in ("time", "all"):
        return prior
    return prior._replace(
        excess=(np.maximum(O, 0) * np.clip(rng.uniform(-0.3, 1.3, O.shape), 0, 1)).astype(O.dtype),
        trust=(np.maximum(rng.uniform(-0.05, 0.15, O.shape), 0)).astype(O.dtype),
    )


def turned(prior, function):
    """Apply a function to the fields of a prior that are given."""
    return RainPrior(*(None if field is None else function(field) for field in prior))


def least_energy(O, weights, prior=NO_PRIOR, radius=None):
    """Return the least energy of one image (H, W), among layers with ``|R| <= radius`` where one is given."""
    import cvxpy

    B, R = cvxpy.Variable(O.shape), cvxpy.Variable(O.shape)

    def norm1(field):
        return cvxpy.sum(cvxpy.abs(field)) if 0 not in field.shape else 0.0

    factors = np.ones(O.shape) if prior.sparsity is None else prior.sparsity
    energy = (
        0.5 * cvxpy.sum_squares(B + R - O)
        + weights.tau * (norm1(B[1:] - B[:-1]) + norm1(B[:, 1:] - B[:, :-1]))
        + weights.lambda_x * norm1(R[1:] - R[:-1])
        + weights.lambda_y * norm1((O - R)[:, 1:] - (O - R)[:, :-1])
        + weights.sparsity * cvxpy.sum(cvxpy.multiply(factors, cvxpy.abs(R)))
    )
    if prior.excess is not None:
        energy += cvxpy.sum(cvxpy.multiply(prior.trust, cvxpy.abs(R - prior.excess)))
    ceiling = O if prior.ceiling is None else prior.ceiling
    constraints = [R >= 0, ceiling - R >= 0] if weights.bounded else []
    if radius is not None:
        constraints.append(cvxpy.abs(R) <= radius)
    problem = cvxpy.Problem(cvxpy.Minimize(energy), constraints)
    problem.solve(solver="CLARABEL")
    assert problem.status == "optimal"
    return float(problem.value)
