import numpy as np
import pytest

from rainopt import SolverStatus, UDGWeights, solve_udg, udg_energy
from rainopt.arrays import to_numpy
from rainopt.optim.objectives import RainPrior
from tests.support.udg import HEAVY, METHODS, WEIGHTS, random_prior

ITERATIONS = ("primal-dual", "reference")


@pytest.fixture(name="O")
def small_image(rng):
    return rng.random((12, 14))


def test_the_energy_grows_by_what_the_factors_add(xp, rng):
    O, B, R = (rng.random((3, 5, 6)) - 0.3 for _ in range(3))
    factors = rng.uniform(0, 4, O.shape)
    weights = UDGWeights(0.1, 0.2, 0.3, 0.4, bounded=False)
    arrays = [xp.asarray(a) for a in (O, B, R)]
    plain = to_numpy(udg_energy(*arrays, weights))
    there = udg_energy(*arrays, weights, RainPrior(sparsity=xp.asarray(factors)))
    assert isinstance(there, type(arrays[0]))
    expected = plain + 0.4 * np.sum((factors - 1) * np.abs(R), axis=(-2, -1))
    np.testing.assert_allclose(to_numpy(there), expected, rtol=1e-12)


def test_a_ceiling_is_a_constraint_and_no_price(rng):
    O, B, R = (rng.random((5, 6)) for _ in range(3))
    assert udg_energy(O, B, R, HEAVY, RainPrior(ceiling=0 * O)) == udg_energy(O, B, R, HEAVY)


def test_the_energy_has_gradients(torch, rng):
    O, B, R = (torch.as_tensor(rng.random((2, 5, 6))).requires_grad_() for _ in range(3))
    factors = torch.as_tensor(rng.uniform(0.1, 3, (2, 5, 6))).requires_grad_()
    ceiling = torch.zeros(2, 5, 6, dtype=torch.float64)

    def energy(*leaves):
        return udg_energy(*leaves[:3], HEAVY, RainPrior(leaves[3], ceiling))

    assert torch.autograd.gradcheck(energy, (O, B, R, factors), eps=1e-7)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_factors_of_one_and_the_image_as_ceiling_say_nothing(O, method, dtype):
    O = O.astype(dtype)
    plain = solve_udg(O, weights=HEAVY, method=method, max_iter=60, tol=0)
    assert plain.rain.max() > 0.01
    # A field of thresholds is rounded to its dtype, and one number is not.
    layers, sums = (1e-13, 1e-10) if dtype == np.float64 else (1e-6, 1e-5)
    for prior in (RainPrior(np.ones_like(O), O), RainPrior(np.ones_like(O)), RainPrior(ceiling=O.copy()), RainPrior()):
        told = solve_udg(O, weights=HEAVY, method=method, max_iter=60, tol=0, prior=prior)
        np.testing.assert_allclose(told.rain, plain.rain, rtol=0, atol=layers)
        np.testing.assert_allclose(told.background, plain.background, rtol=0, atol=layers)
        np.testing.assert_allclose((told.energy, told.gap), (plain.energy, plain.gap), rtol=sums, atol=sums)


@pytest.mark.parametrize("method", ITERATIONS)
def test_a_start_at_the_solution_needs_fewer_iterations(rng, method):
    O = rng.random((40, 30))
    options = {"weights": HEAVY, "method": method, "prior": RainPrior(np.full_like(O, 0.5), 0.95 * O)}
    best = solve_udg(O, max_iter=5000, tol=1e-6, **options)
    cold, warm = (solve_udg(O, max_iter=5000, tol=1e-3, start=start, **options) for start in (None, best.rain))
    assert warm.status is cold.status is SolverStatus.CONVERGED
    assert warm.iterations < cold.iterations
    for count in (5, 20, 60):
        cold, warm = (solve_udg(O, max_iter=count, tol=0, start=start, **options) for start in (None, best.rain))
        assert warm.energy - best.energy < 0.9 * (cold.energy - best.energy)


@pytest.mark.parametrize("method", ITERATIONS)
def test_the_start_does_not_decide_where_it_ends(rng, O, method):
    options = {"weights": HEAVY, "method": method, "max_iter": 5000, "tol": 1e-6, "prior": random_prior(rng, O)}
    energies = [solve_udg(O, start=start, **options).energy for start in (None, O, 3 * O, -O)]
    np.testing.assert_allclose(energies, energies[0], rtol=1e-5)


@pytest.mark.parametrize("method", ITERATIONS)
def test_no_rain_is_the_start_that_is_not_given(O, method):
    plain, given, other = (
        solve_udg(O, method=method, max_iter=10, tol=0, start=start).rain for start in (None, 0 * O, 0.5 * O)
    )
    np.testing.assert_array_equal(given, plain)
    assert np.abs(other - plain).max() > 1e-3


def calls(O, prior, weights=HEAVY):
    yield lambda: udg_energy(O, O, 0 * O, weights, prior)
    yield lambda: solve_udg(O, weights=weights, prior=prior)


@pytest.mark.parametrize("field", RainPrior._fields)
@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda f: f[:-1], ValueError, "must have the shape of `O`"),
        (lambda f: f[None], ValueError, "must have the shape of `O`"),
        (lambda f: f[0], ValueError, r"must be \(\.\.\., H, W\)"),
        (lambda f: f - 1e-3, ValueError, "must not be negative"),
        (lambda f: f + np.nan, ValueError, "must be finite"),
        (lambda f: f + np.inf, ValueError, "must be finite"),
        (lambda f: f.astype(int), TypeError, "must be float32 or float64"),
        (lambda f: f.astype(np.float32), TypeError, "float"),
    ],
    ids=["rows", "batch", "rank", "negative", "NaN", "infinite", "integer", "other precision"],
)
def test_fields_that_do_not_fit(O, field, change, error, message):
    prior = RainPrior(**{field: change(0 * O)})
    for call in calls(O, prior):
        with pytest.raises(error, match=f"`prior.{field}` {message}" if error is ValueError else message):
            call()


def test_ceilings_above_the_image_and_without_bounds(O):
    ceiling = 0.5 * O
    for call in calls(O, RainPrior(ceiling=ceiling), WEIGHTS["unbounded"]):
        with pytest.raises(ValueError, match=r"`prior\.ceiling` has no meaning with bounded=False"):
            call()
    ceiling[3, 4] = O[3, 4] + 1e-9
    for call in calls(O, RainPrior(ceiling=ceiling)):
        with pytest.raises(ValueError, match=r"`prior\.ceiling` must not be above the image"):
            call()


def test_a_start_that_does_not_fit(O):
    with pytest.raises(ValueError, match="`start` must have the shape of `O`"):
        solve_udg(O, start=O[:-1])
    with pytest.raises(ValueError, match="`start` must be finite"):
        solve_udg(O, start=O + np.nan)
    with pytest.raises(TypeError, match="`start` must be float32 or float64"):
        solve_udg(O, start=O.astype(int))
    with pytest.raises(TypeError, match="`start` must be of the image's dtype float64, got float32"):
        solve_udg(O, start=O.astype(np.float32))
