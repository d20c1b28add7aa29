import numpy as np
import pytest

from rainopt import UDGWeights
from rainopt.arrays import to_numpy
from rainopt.optim.admm import Admm
from rainopt.optim.certificate import Duals, certify, dual_energy, feasible
from rainopt.optim.objectives import energy_terms
from rainopt.optim.operators import diff_across, diff_across_adjoint, diff_along, diff_along_adjoint
from rainopt.optim.primal_dual import PrimalDual

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


def test_feasible_fields_are_in_their_boxes_and_stay_where_they_are(xp, rng, weights):
    O, R = xp.asarray(rng.random((5, 6))), xp.asarray(rng.standard_normal((5, 6)))
    duals = Duals(*(xp.asarray(p) for p in random_duals(rng, weights, (5, 6))))
    rain, inside = feasible(O, R, duals, weights)
    radii = (weights.tau, weights.tau, weights.lambda_x, weights.lambda_y)
    for field, radius in zip(inside, radii, strict=True):
        assert np.abs(to_numpy(field)).max() <= radius * (1 + 1e-12)
    expected = np.clip(to_numpy(R), 0, to_numpy(O)) if weights.bounded else to_numpy(R)
    np.testing.assert_array_equal(to_numpy(rain), expected)
    again = feasible(O, rain, inside, weights)
    np.testing.assert_array_equal(to_numpy(again[0]), to_numpy(rain))
    for once, twice in zip(inside, again[1], strict=True):
        np.testing.assert_allclose(to_numpy(twice), to_numpy(once), rtol=0, atol=1e-15)


@pytest.mark.parametrize("seed", range(4))
def test_no_duals_bound_above_the_optimum(udg_optimum, weights, seed):
    rng = np.random.default_rng(seed)
    O = rng.random((6, 7))
    radius = 1.0
    optimum = udg_optimum(O, weights, None if weights.bounded else radius)
    for scale in (0.1, 0.5, 3.0):
        _, duals = feasible(O, O, random_duals(rng, weights, O.shape, scale), weights)
        assert dual_energy(O, duals, weights, radius) <= optimum + 1e-7
    zero = Duals(*[np.zeros_like(O)] * 4)
    np.testing.assert_allclose(dual_energy(O, zero, weights, radius), 0, atol=1e-15)


def test_the_bound_is_the_least_value_of_the_lagrangian(rng, weights):
    O, radius = rng.random((6, 7)), 0.8
    _, duals = feasible(O, O, random_duals(rng, weights, O.shape), weights)

    def lagrangian(B, R):
        coupled = [diff_along(B), diff_across(B), diff_along(R), diff_across(R - O)]
        inner = sum(np.vdot(p, field) for p, field in zip(duals, coupled, strict=True))
        return 0.5 * np.sum((B + R - O) ** 2) + weights.sparsity * np.abs(R).sum() + inner

    v_b = -diff_along_adjoint(duals.b_along) - diff_across_adjoint(duals.b_across)
    v_r = -diff_along_adjoint(duals.r_along) - diff_across_adjoint(duals.r_across)
    # With the best B for every R, a pixel of R sees a line on either side of 0: the best is 0 or an end of its range.
    ends = [0 * O, O] if weights.bounded else [0 * O, 0 * O + radius, 0 * O - radius]
    prices = [weights.sparsity * np.abs(end) + (v_b - v_r) * end for end in ends]
    R = np.choose(np.argmin(prices, axis=0), ends)
    bound = dual_energy(O, duals, weights, radius)
    np.testing.assert_allclose(bound, lagrangian(O - R + v_b, R), rtol=1e-11)
    low, high = (0, O) if weights.bounded else (-radius, radius)
    for _ in range(20):
        other = np.clip(R + 0.3 * rng.standard_normal(O.shape), low, high)
        assert lagrangian(O - other + v_b + 0.1 * rng.standard_normal(O.shape), other) >= bound


@pytest.mark.parametrize("solver", [PrimalDual, Admm])
def test_the_gap_bounds_what_is_left_to_gain_at_every_iteration(udg_optimum, rng, weights, solver):
    O = rng.random((8, 9))
    optimum = udg_optimum(O, weights)
    state = solver(O, weights)
    gaps = []
    for _ in range(40):
        energy, gap = state.certify()
        if weights.bounded:
            assert energy >= optimum - 1e-7
            assert gap >= energy - optimum - 1e-7
        assert gap >= -1e-12
        gaps.append(float(gap))
        state.advance(5)
    assert gaps[-1] < 0.05 * gaps[0]


def test_the_gap_of_the_unbounded_model_holds_over_its_radius(udg_optimum, rng):
    O, weights = rng.random((6, 7)), WEIGHTS["paper"]
    state = PrimalDual(O, weights)
    for _ in range(5):
        state.advance(4)
        energy, gap = state.certify()
        radius = max(np.abs(O).max(), np.abs(state.R).max())
        assert gap >= energy - udg_optimum(O, weights, radius) - 1e-7


def test_the_gap_vanishes(rng, weights):
    state = PrimalDual(rng.random((8, 9)), weights)
    state.advance(6000)
    energy, gap = state.certify()
    assert -1e-12 <= gap <= 1e-5 * energy


def test_the_certified_energy_is_that_of_the_boxed_layers(rng, weights):
    O, B, R = rng.random((2, 5, 6)), rng.random((2, 5, 6)), 2 * rng.standard_normal((2, 5, 6))
    duals = random_duals(rng, weights, O.shape)
    energy, gap = certify(O, B, R, duals, weights)
    assert energy.shape == gap.shape == (2,)
    boxed = np.clip(R, 0, O) if weights.bounded else R
    np.testing.assert_allclose(energy, energy_terms(O, B, boxed, weights))
    for i in range(2):
        single = certify(O[i], B[i], R[i], Duals(*(p[i] for p in duals)), weights)
        np.testing.assert_allclose(single, (energy[i], gap[i]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_backends_agree(xp, rng, weights, dtype):
    O, B, R = (rng.random((2, 5, 6)).astype(dtype) for _ in range(3))
    duals = [p.astype(dtype) for p in random_duals(rng, weights, O.shape)]
    expected = certify(O, B, R, Duals(*duals), weights)
    there = certify(*(xp.asarray(a) for a in (O, B, R)), Duals(*(xp.asarray(p) for p in duals)), weights)
    for mine, theirs in zip(there, expected, strict=True):
        assert mine.dtype == xp.float64
        np.testing.assert_allclose(to_numpy(mine), theirs, rtol=1e-5 if dtype == "float32" else 1e-12)
