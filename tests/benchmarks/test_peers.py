import numpy as np
import pytest

from benchmarks.common import rainy_luminance
from benchmarks.solver.peers import check_minimum, ours_on, theirs_on
from benchmarks.solver.toolbox import METHODS, DataTerm, Method, Peer, Variations, differences
from rainopt import UDGWeights, solve_udg, udg_energy
from rainopt.optim.operators import diff_across, diff_across_adjoint, diff_along, diff_along_adjoint

SHAPE = (9, 13)
WEIGHTS = [UDGWeights(), UDGWeights.paper(0.01, 0.1, 0.05), UDGWeights(0.01, 0.03, 0.02, 0.1)]


def test_differences_are_those_of_rainopt(rng):
    A = differences(SHAPE, np.float64)
    x, p = rng.normal(size=(2, *SHAPE)), rng.normal(size=(4, *SHAPE))

    forward = A.matvec(x.ravel()).reshape(4, *SHAPE)
    np.testing.assert_array_equal(forward[:2], diff_along(x))
    np.testing.assert_array_equal(forward[2:], diff_across(x))
    assert not forward[:2, -1].any()
    assert not forward[2:, :, -1].any()

    backward = A.rmatvec(p.ravel()).reshape(2, *SHAPE)
    np.testing.assert_allclose(backward, diff_along_adjoint(p[:2]) + diff_across_adjoint(p[2:]), atol=1e-14)
    np.testing.assert_allclose(np.vdot(forward, p), np.vdot(x, backward), rtol=1e-12)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_toolbox_terms_add_up_to_the_energy(rng, weights):
    O = rng.random(SHAPE)
    peer = Peer(O, weights)
    x = np.concatenate([rng.random(O.size), O.ravel() * rng.random(O.size)])
    expected = float(udg_energy(O, *peer.layers(x), weights))
    assert peer.f(x) + peer.g(peer.A.matvec(x)) == pytest.approx(expected, rel=1e-12)
    assert peer.energy(x) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_proximal_point_of_the_data_term_is_a_minimum(rng, weights):
    O, tau = rng.random(SHAPE), 0.7
    f = DataTerm(O, weights)
    v = rng.normal(size=2 * O.size)
    x = f.prox(v, tau)

    def price(point):
        return tau * f(point) + 0.5 * np.sum((point - v) ** 2)

    R = x[O.size :]
    if weights.bounded:
        assert R.min() >= 0
        assert np.all(O.ravel() >= R)
    for _ in range(200):
        near = x + rng.normal(size=x.size) * 10 ** rng.uniform(-4, 0)
        if weights.bounded:
            near[O.size :] = np.clip(near[O.size :], 0, O.ravel())
        assert price(x) <= price(near) + 1e-12


def test_proximal_points_of_the_variations_obey_moreau(rng):
    O, tau = rng.random(SHAPE), 0.7
    g = Variations(O, UDGWeights(0.1, 0.3, 0.2, 0.0))
    p = rng.normal(size=4 * O.size)
    np.testing.assert_allclose(g.prox(p, tau) + tau * g.proxdual(p / tau, 1 / tau), p, atol=1e-12)
    x = g.prox(p, tau)
    for _ in range(100):
        near = x + 0.1 * rng.normal(size=x.size)
        assert tau * g(x) + 0.5 * np.sum((x - p) ** 2) <= tau * g(near) + 0.5 * np.sum((near - p) ** 2)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_arrives_at_the_minimum_of_solve_udg(name):
    O = rainy_luminance(20, 24, np.float64)
    weights = UDGWeights()
    ours = solve_udg(O, weights=weights, tol=0, max_iter=5000)
    peer = Peer(O, weights)
    x = Method(name, 2.4 if name == "LinearizedADMM" else 0.3).run(peer, 5000)
    B, R = peer.layers(x)
    assert peer.energy(x) == pytest.approx(float(ours.energy), rel=1e-4)
    np.testing.assert_allclose(O - R, O - ours.rain, atol=0.02)
    np.testing.assert_allclose(B, ours.background, atol=0.02)


@pytest.mark.slow
def test_an_interior_point_method_finds_the_same_minimum():
    assert check_minimum(UDGWeights(), (8, 10))["relative_spread"] < 1e-5


def test_the_count_of_iterations_is_the_least_that_arrives():
    O = rainy_luminance(48, 64)
    peer, method = Peer(O, UDGWeights()), Method("PrimalDual", 0.3)
    solution, clocks = ours_on(O, UDGWeights(), 1)
    target = 1.001 * float(solution.energy)
    best, count, _, trials = theirs_on(peer, [method, Method("PrimalDual", 50.0)], target, 1)
    assert best == method
    assert 1 in clocks
    assert trials[1]["iterations"] is None or trials[1]["iterations"] > count
    assert peer.energy(method.run(peer, count)) <= target < peer.energy(method.run(peer, count - 1))
