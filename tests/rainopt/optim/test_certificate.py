import numpy as np
import pytest

from rainopt import UDGWeights
from rainopt.arrays import to_numpy
from rainopt.optim.admm import Admm
from rainopt.optim.certificate import Duals, certify, dual_energy, feasible
from rainopt.optim.objectives import energy_terms
from rainopt.optim.operators import diff_across, diff_across_adjoint, diff_along, diff_along_adjoint
from rainopt.optim.primal_dual import PrimalDual
from tests.support.udg import least_energy, random_prior

WEIGHTS = {
    "default": UDGWeights(),
    "heavy": UDGWeights(0.05, 0.2, 0.2, 0.02),
    "no sparsity": UDGWeights(0.01, 0.1, 0.05, 0.0),
    "paper": UDGWeights.paper(0.05, 0.1, 0.05),
    "unbounded": UDGWeights(0.05, 0.1, 0.05, 0.02, bounded=False),
}


@pytest.fixture(params=WEIGHTS)
def weights(request):
    return WEIGHTS[request.param]


def random_duals(rng, weights, shape, scale=3.0):
    """Fields that leave their boxes as often as not."""
    radii = (weights.tau, weights.tau, weights.lambda_x, weights.lambda_y)
    return Duals(*(scale * radius * rng.uniform(-1, 1, shape) for radius in radii))


def test_feasible_fields_are_those_clipped_to_their_boxes(xp, rng, weights):
    O, R = rng.random((5, 6)), rng.standard_normal((5, 6))
    duals = random_duals(rng, weights, (5, 6))
    rain, inside = feasible(xp.asarray(O), xp.asarray(R), Duals(*(xp.asarray(p) for p in duals)), weights)
    np.testing.assert_array_equal(to_numpy(rain), np.clip(R, 0, O) if weights.bounded else R)
    radii = (weights.tau, weights.tau, weights.lambda_x, weights.lambda_y)
    for field, given, radius in zip(inside, duals, radii, strict=True):
        np.testing.assert_allclose(to_numpy(field), np.clip(given, -radius, radius), rtol=1e-12)


@pytest.mark.parametrize("kind", ["no prior", "time"])
def test_the_bound_is_the_least_value_of_the_lagrangian(rng, weights, kind):
    O, radius = rng.random((6, 7)), 0.8
    prior = random_prior(rng, O, kind)
    _, duals = feasible(O, O, random_duals(rng, weights, O.shape), weights)

    def lagrangian(B, R):
        coupled = [diff_along(B), diff_across(B), diff_along(R), diff_across(R - O)]
        inner = sum(np.vdot(p, field) for p, field in zip(duals, coupled, strict=True))
        return 0.5 * np.sum((B + R - O) ** 2) + np.sum(price(R)) + inner

    def price(R):
        time = 0 if kind == "no prior" else prior.trust * np.abs(R - prior.excess)
        return weights.sparsity * np.abs(R) + time

    v_b = -diff_along_adjoint(duals.b_along) - diff_across_adjoint(duals.b_across)
    v_r = -diff_along_adjoint(duals.r_along) - diff_across_adjoint(duals.r_across)
    # With the best B for every R, a pixel of R sees lines that meet at 0 and where other moments put it: the best is
    # one of these or an end of its range.
    ends = [0 * O, O] if weights.bounded else [0 * O, 0 * O + radius, 0 * O - radius]
    ends += [] if kind == "no prior" else [prior.excess if weights.bounded else np.minimum(prior.excess, radius)]
    R = np.choose(np.argmin([price(end) + (v_b - v_r) * end for end in ends], axis=0), ends)
    bound = dual_energy(O, duals, weights, radius, prior)
    np.testing.assert_allclose(bound, lagrangian(O - R + v_b, R), rtol=1e-11)
    low, high = (0, O) if weights.bounded else (-radius, radius)
    for _ in range(20):
        other = np.clip(R + 0.3 * rng.standard_normal(O.shape), low, high)
        assert lagrangian(O - other + v_b + 0.1 * rng.standard_normal(O.shape), other) >= bound


@pytest.mark.parametrize("solver", [PrimalDual, Admm])
def test_the_gap_bounds_what_is_left_to_gain_at_every_iteration(rng, weights, solver):
    O = rng.random((8, 9))
    optimum = least_energy(O, weights)
    state = solver(O, weights)
    for _ in range(40):
        energy, gap = state.certify()
        if weights.bounded:
            assert energy >= optimum - 1e-7
            assert gap >= energy - optimum - 1e-7
        assert gap >= -1e-12
        state.advance(5)
    assert state.certify()[1] < 0.05 * solver(O, weights).certify()[1]


def test_the_gap_of_the_unbounded_model_holds_over_its_radius(rng):
    O, weights = rng.random((6, 7)), WEIGHTS["paper"]
    state = PrimalDual(O, weights)
    for _ in range(5):
        state.advance(4)
        energy, gap = state.certify()
        radius = max(np.abs(O).max(), np.abs(state.R).max())
        assert gap >= energy - least_energy(O, weights, radius=radius) - 1e-7


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_certificate_is_that_of_the_boxed_layers_of_each_image(xp, rng, weights, dtype):
    # The rain of one image is below it, that of the other above.
    O, B, R = rng.random((2, 5, 6)), rng.random((2, 5, 6)), rng.standard_normal((2, 5, 6)) * [[[0.1]], [[2]]]
    O[1] *= 3
    O, B, R, *duals = (a.astype(dtype) for a in (O, B, R, *random_duals(rng, weights, O.shape)))
    there = certify(*(xp.asarray(a) for a in (O, B, R)), Duals(*(xp.asarray(p) for p in duals)), weights)
    assert there[0].dtype == there[1].dtype == xp.float64
    energy, gap = (to_numpy(value) for value in there)
    rtol = 1e-5 if dtype == "float32" else 1e-12
    boxed = np.clip(R, 0, O) if weights.bounded else R
    np.testing.assert_allclose(energy, energy_terms(O, B, boxed, weights), rtol=rtol)
    for i in range(2):
        single = certify(O[i], B[i], R[i], Duals(*(p[i] for p in duals)), weights)
        np.testing.assert_allclose((energy[i], gap[i]), single, rtol=rtol)


@pytest.mark.parametrize("kind", ["no prior", "both", "time", "all"])
def test_no_duals_bound_above_the_optimum(rng, weights, kind):
    O = rng.random((6, 7))
    prior, radius = random_prior(rng, O, kind), None
    if not weights.bounded:
        prior, radius = prior._replace(ceiling=None), 1.0
    optimum = least_energy(O, weights, prior, radius)
    for scale in (0.0, 0.1, 0.5, 3.0):
        _, duals = feasible(O, O, random_duals(rng, weights, O.shape, scale), weights, prior)
        bound = dual_energy(O, duals, weights, radius, prior)
        assert bound <= optimum + 1e-7
        if scale == 0 and prior.excess is None:
            np.testing.assert_allclose(bound, 0, atol=1e-15)
    if weights.bounded:
        B, R = rng.random((2, 6, 7))
        boxed = np.minimum(R, O if prior.ceiling is None else prior.ceiling)
        energy, gap = certify(O, B, R, duals, weights, prior)
        np.testing.assert_allclose(energy, energy_terms(O, B, boxed, weights, prior), rtol=1e-12)
        np.testing.assert_allclose(energy - gap, bound)
