import numpy as np
import pytest

from benchmarks.common import rainy_luminance
from benchmarks.peers.plain_admm import PlainAdmm, dx, dx_t, dy, dy_t
from benchmarks.peers.udg import energy_of, iterations_to
from rainopt import UDGWeights, solve_udg


@pytest.mark.parametrize(("forward", "adjoint"), [(dx, dx_t), (dy, dy_t)])
def test_adjoints(rng, forward, adjoint):
    a, p = rng.normal(size=(5, 7)), forward(rng.normal(size=(5, 7)))
    np.testing.assert_allclose(np.vdot(forward(a), p), np.vdot(a, adjoint(p)))


@pytest.mark.parametrize("weights", [UDGWeights(), UDGWeights.paper(0.01, 0.05, 0.02)])
def test_the_plain_algorithm_arrives_at_the_minimum_of_the_solver(weights):
    O = rainy_luminance(20, 24, np.float64)
    ours = solve_udg(O, weights=weights, tol=0, max_iter=5000)
    plain = PlainAdmm(O, weights)
    plain.advance(600)
    assert energy_of(O, plain.result(), weights) == pytest.approx(float(ours.energy), rel=1e-3)


def test_growing_penalties_freeze_it_before():
    O, weights = rainy_luminance(20, 24, np.float64), UDGWeights()
    kept, growing = PlainAdmm(O, weights), PlainAdmm(O, weights, rho=1.2)
    for solver in (kept, growing):
        solver.advance(300)
    assert energy_of(O, growing.result(), weights) > 1.01 * energy_of(O, kept.result(), weights)


def test_iterations_are_the_first_that_arrive():
    O, weights = rainy_luminance(20, 24, np.float64), UDGWeights()
    target = 1.01 * float(solve_udg(O, weights=weights).energy)
    count = iterations_to(O, weights, 1.0, target)
    before = PlainAdmm(O, weights)
    before.advance(count - 1)
    assert energy_of(O, before.result(), weights) > target
    before.advance(1)
    assert energy_of(O, before.result(), weights) <= target
