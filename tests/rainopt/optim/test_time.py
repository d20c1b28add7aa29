"""The term of the energy that other moments bring: what it says at its ends, and what it refuses."""

import numpy as np
import pytest

from rainopt import SolverStatus, UDGWeights, solve_udg, udg_energy
from rainopt.arrays import to_numpy
from rainopt.optim.objectives import RainPrior
from tests.support.udg import HEAVY, KINDS, METHODS, WEIGHTS, random_prior


@pytest.fixture(name="O")
def small_image(rng):
    return rng.random((12, 14))


def test_the_energy_grows_by_the_distance_from_the_excess_times_the_trust(xp, rng):
    O, B, R, E, trust = rng.random((5, 3, 5, 6))
    R -= 0.3
    weights = UDGWeights(0.1, 0.2, 0.3, 0.4, bounded=False)
    arrays = [xp.asarray(a) for a in (O, B, R)]
    told = udg_energy(*arrays, weights, RainPrior(excess=xp.asarray(E), trust=xp.asarray(trust)))
    assert isinstance(told, type(arrays[0]))
    grown = np.sum(trust * np.abs(R - E), axis=(-2, -1))
    np.testing.assert_allclose(to_numpy(told) - to_numpy(udg_energy(*arrays, weights)), grown, rtol=1e-12)


def test_the_energy_has_gradients(torch, rng):
    O, B, R, E, trust = (torch.as_tensor(a).requires_grad_() for a in rng.uniform(0.1, 1, (5, 2, 5, 6)))

    def energy(*leaves):
        return udg_energy(*leaves[:3], WEIGHTS["unbounded"], RainPrior(None, None, *leaves[3:]))

    assert torch.autograd.gradcheck(energy, (O, B, R, E, trust), eps=1e-7)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", WEIGHTS)
def test_an_excess_that_nothing_trusts_says_nothing(rng, O, method, dtype, name):
    O, weights = O.astype(dtype), WEIGHTS[name]
    priors = [random_prior(rng, O, kind) for kind in (KINDS if weights.bounded else ("no prior", "sparsity"))]
    for prior in priors:
        distrusted = prior._replace(excess=(O * rng.random(O.shape)).astype(dtype), trust=0 * O)
        prior = prior._replace(excess=None, trust=None)
        plain, told = (
            solve_udg(O, weights=weights, method=method, max_iter=30, tol=0, prior=p) for p in (prior, distrusted)
        )
        for field in ("background", "rain", "energy", "gap"):
            np.testing.assert_array_equal(getattr(told, field), getattr(plain, field))


@pytest.mark.parametrize("method", METHODS)
def test_an_excess_that_is_trusted_above_all_is_the_rain(rng, O, method):
    for name, kind in (("heavy", "time"), ("heavy", "all"), ("unbounded", "time")):
        prior = random_prior(rng, O, kind)
        prior = prior._replace(trust=np.full_like(O, 3.0))
        s = solve_udg(O, weights=WEIGHTS[name], method=method, max_iter=3000, tol=1e-6, prior=prior)
        assert s.status is SolverStatus.CONVERGED
        expected = prior.excess if prior.ceiling is None else np.minimum(prior.excess, prior.ceiling)
        np.testing.assert_allclose(s.rain, expected, atol=1e-6)


@pytest.mark.parametrize("method", ["primal-dual", "reference"])
def test_a_start_at_a_trusted_excess_is_nearer(rng, method):
    O = rng.random((40, 30))
    prior = RainPrior(excess=O * rng.random(O.shape), trust=np.full_like(O, 0.3))
    options = {"weights": HEAVY, "method": method, "prior": prior}
    least = solve_udg(O, max_iter=2000, tol=1e-6, **options).energy
    for count in (1, 5, 20):
        cold, warm = (
            solve_udg(O, max_iter=count, tol=0, start=start, **options).energy for start in (None, prior.excess)
        )
        assert warm - least < 0.9 * (cold - least)


def calls(O, prior, weights=HEAVY):
    yield lambda: udg_energy(O, O, 0 * O, weights, prior)
    yield lambda: solve_udg(O, weights=weights, prior=prior)


@pytest.mark.parametrize(("given", "missing"), [("excess", "trust"), ("trust", "excess")])
def test_excess_and_trust_come_together(O, given, missing):
    for call in calls(O, RainPrior(**{given: 0.5 * O})):
        with pytest.raises(ValueError, match=rf"`prior\.{given}` was given without `prior\.{missing}`; give both"):
            call()


def test_an_excess_above_the_image_that_bounds_it(O):
    prior = RainPrior(excess=O.copy(), trust=0 * O)
    prior.excess[3, 4] += 1e-9
    for call in calls(O, prior):
        with pytest.raises(ValueError, match=r"`prior\.excess` must not be above the image"):
            call()
    for call in calls(O, prior, WEIGHTS["unbounded"]):
        call()
