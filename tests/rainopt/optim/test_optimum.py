import numpy as np
import pytest

import rainopt
from rainopt import SolverStatus, UDGWeights, solve_udg, udg_energy
from rainopt.optim.admm import Admm, Penalties
from rainopt.optim.objectives import RainPrior
from tests.support.udg import KINDS, METHODS, WEIGHTS, least_energy, random_prior


def require_optimal(s, O, weights, prior):
    assert s.status is SolverStatus.CONVERGED
    np.testing.assert_allclose(s.energy, least_energy(O, weights, prior), rtol=1.1e-5, atol=1e-8)
    np.testing.assert_allclose(udg_energy(O, s.background, s.rain, weights, prior), s.energy, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, KINDS[0]) for name in WEIGHTS),
        *(("heavy", kind) for kind in KINDS[1:]),
        *(("unbounded", kind) for kind in ("sparsity", "time")),
        ("paper", "time"),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_the_energy_is_that_of_a_general_convex_solver(rng, name, kind, method):
    O, weights = rng.random((7, 9)), WEIGHTS[name]
    prior = random_prior(rng, O, kind)
    s = solve_udg(O, weights=weights, method=method, max_iter=5000, tol=1e-5, prior=prior)
    require_optimal(s, O, weights, prior)


def test_the_two_solvers_agree_on_the_layers(rng):
    # Without a null direction the minimiser is unique enough for B + R, and here for both.
    O = rng.random((12, 14))
    fused, admm = (solve_udg(O, method=m, max_iter=4000, tol=1e-8) for m in ("primal-dual", "admm"))
    np.testing.assert_allclose(fused.background + fused.rain, admm.background + admm.rain, atol=1e-4)


@pytest.mark.parametrize("name", ["default", "unbounded"])
def test_growing_penalties_freeze_the_iterate_above_the_optimum(rng, name):
    O, energies = rng.random((12, 14)), {}
    for rho in (1.0, 1.1):
        solver = Admm(O, WEIGHTS[name], Penalties(rho=rho))
        solver.advance(300)
        energies[rho] = float(solver.certify()[0])
    assert energies[1.1] > energies[1.0] * (1 + 1e-4)


@pytest.mark.parametrize("penalties", [{"alpha": 0.0}, {"beta": -1}, {"gamma": float("nan")}, {"kappa": 0}])
def test_penalties_are_checked(penalties):
    with pytest.raises(ValueError, match=f"`{next(iter(penalties))}` must be positive"):
        Penalties(**penalties)
    with pytest.raises(ValueError, match=r"`rho` must be at least 1, got 0\.9"):
        Penalties(rho=0.9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("max_iter", [1, 3, 60])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_rain_is_in_its_box_to_the_last_bit(rng, method, max_iter, dtype):
    O = rng.random((40, 30)).astype(dtype) ** 3
    told = random_prior(rng, O)
    assert np.any(told.ceiling == 0)
    for prior, ceiling in ((RainPrior(), O), (told, told.ceiling)):
        weights = UDGWeights(0.2, 0.5, 0.5, 0)
        s = solve_udg(O, weights=weights, method=method, max_iter=max_iter, tol=0, prior=prior)
        assert s.rain.dtype == s.background.dtype == dtype
        assert np.all((s.rain >= 0) & (s.rain <= ceiling))
        assert max_iter < 60 or s.rain.max() > 0


@pytest.mark.parametrize("method", METHODS)
def test_a_flat_image_has_no_rain(method):
    s = solve_udg(np.full((10, 12), 0.7), method=method)
    np.testing.assert_allclose(s.rain, 0, atol=1e-12)
    np.testing.assert_allclose(s.background, 0.7)
    assert s.status is SolverStatus.CONVERGED


def test_known_rain_is_recovered_and_the_printed_model_does_worse(rng):
    # Flat blocks and a smooth gradient, under upright streaks.
    height, width = 96, 128
    clean = 0.25 + 0.2 * np.linspace(0, 1, height)[:, None] + 0.1 * np.sin(np.linspace(0, 3, width))[None, :]
    for _ in range(12):
        i, j = rng.integers(0, height - 20), rng.integers(0, width - 30)
        clean[i : i + rng.integers(8, 40), j : j + rng.integers(12, 50)] = rng.uniform(0.15, 0.6)
    rain = np.zeros((height, width))
    for _ in range(90):
        i, j, length = rng.integers(-20, height), rng.integers(0, width), rng.integers(20, 45)
        rain[max(i, 0) : max(i + length, 0), j] = rng.uniform(0.1, 0.35)
    rainy = np.clip(clean + rain, 0, 1)

    def derained(weights):
        s = solve_udg(rainy, weights=weights, max_iter=2000, tol=1e-3)
        return rainopt.psnr(np.clip(rainy - s.rain, 0, 1), clean)

    ours, printed = derained(UDGWeights()), derained(UDGWeights.paper(0.005, 0.05, 0.02))
    assert ours > rainopt.psnr(rainy, clean) + 8
    assert ours > printed + 3
