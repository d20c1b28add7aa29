import importlib

import numpy as np
import pytest

from rainopt import SolverStatus, UDGWeights, solve_udg, udg_energy
from rainopt.arrays import to_numpy
from rainopt.optim.admm import Admm
from rainopt.optim.certificate import Duals, certify
from rainopt.optim.fused import FusedPrimalDual
from rainopt.optim.objectives import RainPrior
from rainopt.optim.primal_dual import PrimalDual

METHODS = ("primal-dual", "reference", "admm")
SOLVERS = {"primal-dual": FusedPrimalDual, "reference": PrimalDual, "admm": Admm}
THREADS = (1, 2, 4)
HEAVY = UDGWeights(0.02, 0.1, 0.08, 0.01)
WEIGHTS = {"default": UDGWeights(), "heavy": HEAVY, "unbounded": UDGWeights(0.02, 0.1, 0.05, 0.01, bounded=False)}
KINDS = ("sparsity", "ceiling", "both")


@pytest.fixture(name="O")
def small_image(rng):
    return rng.random((12, 14))


def random_prior(rng, O, kind="both"):
    """Factors on both sides of 1, and a ceiling that binds; a few of either are 0."""
    sparsity = (np.maximum(rng.uniform(-0.3, 3, O.shape), 0)).astype(O.dtype)
    ceiling = (O * np.clip(rng.uniform(-0.2, 1.1, O.shape), 0, 1)).astype(O.dtype)
    return RainPrior(None if kind == "ceiling" else sparsity, None if kind == "sparsity" else ceiling)


def everything(prior, turn):
    return RainPrior(*(None if field is None else turn(field) for field in prior))


def state_of(solver):
    return (*solver.result(), *solver.certify())


@pytest.fixture(scope="session")
def least_energy():
    """Return the least energy with a prior, found by a general convex solver."""
    cvxpy = importlib.import_module("cvxpy")

    def least(O, weights, prior):
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
        ceiling = O if prior.ceiling is None else prior.ceiling
        box = [R >= 0, ceiling - R >= 0] if weights.bounded else []
        problem = cvxpy.Problem(cvxpy.Minimize(energy), box)
        problem.solve(solver="CLARABEL")
        assert problem.status == "optimal"
        return float(problem.value)

    return least


# What a prior means


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


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bounded", [True, False])
def test_one_factor_for_all_pixels_is_another_weight(O, method, bounded):
    weights, three = UDGWeights(0.02, 0.1, 0.08, 0.01, bounded), UDGWeights(0.02, 0.1, 0.08, 0.03, bounded)
    prior = RainPrior(sparsity=np.full_like(O, 3.0))
    told = solve_udg(O, weights=weights, method=method, max_iter=80, tol=0, prior=prior)
    plain = solve_udg(O, weights=three, method=method, max_iter=80, tol=0)
    np.testing.assert_allclose(told.rain, plain.rain, rtol=0, atol=1e-13)
    np.testing.assert_allclose((told.energy, told.gap), (plain.energy, plain.gap), rtol=1e-10)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("max_iter", [1, 60])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_rain_is_below_its_ceiling_to_the_last_bit(rng, method, max_iter, dtype):
    O = rng.random((40, 30)).astype(dtype)
    prior = random_prior(rng, O)
    assert np.any(prior.ceiling == 0)
    s = solve_udg(O, weights=UDGWeights(0.2, 0.5, 0.5, 0), method=method, max_iter=max_iter, tol=0, prior=prior)
    assert np.all(s.rain >= 0)
    assert np.all(s.rain <= prior.ceiling)
    assert np.all(s.rain[prior.ceiling == 0] == 0)
    assert max_iter < 60 or np.any(s.rain == prior.ceiling)
    assert s.rain.dtype == dtype


@pytest.mark.parametrize("method", METHODS)
def test_there_is_no_rain_where_it_costs_too_much(O, method):
    plain = solve_udg(O, weights=HEAVY, method=method, max_iter=300, tol=0).rain
    dear = np.zeros(O.shape, bool)
    dear[:, 4:8] = True
    assert plain[dear].max() > 0.05
    prior = RainPrior(sparsity=np.where(dear, 1e4, 1.0))
    told = solve_udg(O, weights=HEAVY, method=method, max_iter=300, tol=0, prior=prior).rain
    assert np.all(told[dear] == 0)
    assert told[~dear].max() > 0.05


# The optimum


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_the_energy_is_that_of_a_general_convex_solver(least_energy, rng, kind, method):
    O = rng.random((6, 7))
    prior = random_prior(rng, O, kind)
    s = solve_udg(O, weights=HEAVY, method=method, max_iter=20_000, tol=1e-6, prior=prior)
    assert s.status is SolverStatus.CONVERGED
    np.testing.assert_allclose(s.energy, least_energy(O, HEAVY, prior), rtol=1e-4)
    np.testing.assert_allclose(udg_energy(O, s.background, s.rain, HEAVY, prior), s.energy, rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_factors_need_no_bound(least_energy, rng, method):
    O = rng.random((6, 7))
    prior = random_prior(rng, O, "sparsity")
    s = solve_udg(O, weights=WEIGHTS["unbounded"], method=method, max_iter=20_000, tol=1e-6, prior=prior)
    np.testing.assert_allclose(s.energy, least_energy(O, WEIGHTS["unbounded"], prior), rtol=1e-4)


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (1, 1)])
@pytest.mark.parametrize("method", METHODS)
def test_lines_and_points_have_priors_too(least_energy, rng, shape, method):
    O = 0.5 + 0.5 * rng.random(shape)
    prior = RainPrior(rng.uniform(0, 0.5, shape), 0.3 * O)
    s = solve_udg(O, weights=HEAVY, method=method, max_iter=3000, tol=1e-7, prior=prior)
    np.testing.assert_allclose(s.energy, least_energy(O, HEAVY, prior), rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_two_solvers_agree(rng, O, name):
    prior = random_prior(rng, O, "both" if WEIGHTS[name].bounded else "sparsity")
    energies = [
        solve_udg(O, weights=WEIGHTS[name], method=m, max_iter=3000, tol=1e-5, prior=prior).energy
        for m in ("primal-dual", "admm")
    ]
    np.testing.assert_allclose(*energies, rtol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
def test_the_gap_bounds_what_is_left_to_gain_at_every_iteration(least_energy, rng, kind, method):
    O = rng.random((8, 9))
    prior = random_prior(rng, O, kind)
    optimum = least_energy(O, HEAVY, prior)
    state = SOLVERS[method](O, HEAVY, prior=prior)
    gaps = []
    for _ in range(30):
        energy, gap = state.certify()
        assert energy >= optimum - 1e-7
        assert gap >= energy - optimum - 1e-7
        gaps.append(float(gap))
        state.advance(5)
    assert gaps[-1] < 0.1 * gaps[0]


def test_the_certificate_of_any_duals_and_layers_holds(least_energy, rng):
    O = rng.random((6, 7))
    prior = random_prior(rng, O)
    optimum = least_energy(O, HEAVY, prior)
    for scale in (0.0, 0.02, 0.3):
        duals = Duals(*(scale * rng.uniform(-1, 1, O.shape) for _ in range(4)))
        B, R = rng.random((6, 7)), rng.random((6, 7))
        energy, gap = certify(O, B, R, duals, HEAVY, prior)
        np.testing.assert_allclose(energy, udg_energy(O, B, np.minimum(R, prior.ceiling), HEAVY, prior), rtol=1e-12)
        assert energy - gap <= optimum + 1e-7


# The fused iteration


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 16), (16, 1), (17, 31), (300, 15), (130, 129)], ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
def test_fused_iterates_are_those_of_the_reference(rng, kind, shape, dtype, thread_count):
    O = rng.random(shape).astype(dtype)
    prior, start = random_prior(rng, O, kind), (0.5 * rng.random(shape)).astype(dtype)
    reference = PrimalDual(O, HEAVY, prior, start)
    solvers = [FusedPrimalDual(O, HEAVY, threads, prior, start) for threads in THREADS]
    tolerance = 1e-12 if dtype == np.float64 else 1e-5
    for iterations in (0, 1, 2, 23):
        reference.advance(iterations)
        B, R, energy, gap = state_of(reference)
        for threads, solver in zip(THREADS, solvers, strict=True):
            thread_count(threads)
            solver.advance(iterations)
            mine = state_of(solver)
            assert mine[0].dtype == mine[1].dtype == dtype
            np.testing.assert_allclose(mine[0], B, rtol=0, atol=tolerance)
            np.testing.assert_allclose(mine[1], R, rtol=0, atol=tolerance)
            scale = 1e-3 + abs(energy)
            np.testing.assert_allclose(mine[2], energy, rtol=0, atol=tolerance * scale)
            np.testing.assert_allclose(mine[3], gap, rtol=0, atol=10 * tolerance * scale)


def test_fused_iterates_without_bounds(rng):
    O = rng.random((150, 20)) - 0.5
    prior, start = random_prior(rng, O, "sparsity"), rng.standard_normal(O.shape)
    weights = WEIGHTS["unbounded"]
    reference, fused = PrimalDual(O, weights, prior, start), FusedPrimalDual(O, weights, 2, prior, start)
    assert len(fused.bands) == 2
    for solver in (reference, fused):
        solver.advance(50)
    for mine, theirs in zip(state_of(fused), state_of(reference), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)


def test_the_cuts_change_nothing(rng):
    O = rng.random((300, 40)).astype(np.float32)
    prior, start = random_prior(rng, O), 0.3 * O
    whole = FusedPrimalDual(O, HEAVY, 1, prior, start)
    whole.advance(37)
    for threads in (2, 3, 4):
        cut = FusedPrimalDual(O, HEAVY, threads, prior, start)
        assert len(cut.bands) == threads
        cut.advance(37)
        for mine, theirs in zip(cut.result(), whole.result(), strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_is_its_images(rng, method):
    batch = rng.random((2, 2, 140, 12))
    prior, start = random_prior(rng, batch), 0.3 * batch
    s = solve_udg(batch, weights=HEAVY, method=method, max_iter=20, tol=0, prior=prior, start=start)
    assert s.energy.shape == s.gap.shape == (2, 2)
    for index in np.ndindex(2, 2):
        own = everything(prior, lambda field, index=index: field[index])
        single = solve_udg(
            batch[index], weights=HEAVY, method=method, max_iter=20, tol=0, prior=own, start=start[index]
        )
        np.testing.assert_allclose(s.rain[index], single.rain, rtol=0, atol=1e-13)
        np.testing.assert_allclose((s.energy[index], s.gap[index]), (single.energy, single.gap), rtol=1e-10)


# The start


@pytest.mark.parametrize("method", ["primal-dual", "reference"])
def test_a_start_at_the_solution_needs_fewer_iterations(rng, method):
    O = rng.random((40, 30))
    prior = RainPrior(np.full_like(O, 0.5), 0.95 * O)
    best = solve_udg(O, weights=HEAVY, method=method, max_iter=5000, tol=1e-6, prior=prior)
    options = {"weights": HEAVY, "method": method, "prior": prior}
    cold, warm = (solve_udg(O, max_iter=5000, tol=1e-3, start=start, **options) for start in (None, best.rain))
    assert warm.status is cold.status is SolverStatus.CONVERGED
    assert warm.iterations < cold.iterations
    for count in (5, 20, 60):
        cold, warm = (solve_udg(O, max_iter=count, tol=0, start=start, **options) for start in (None, best.rain))
        assert warm.energy - best.energy < 0.9 * (cold.energy - best.energy)


@pytest.mark.parametrize("method", ["primal-dual", "reference"])
def test_the_start_does_not_decide_where_it_ends(rng, O, method):
    prior = random_prior(rng, O)
    energies = [
        solve_udg(O, weights=HEAVY, method=method, max_iter=5000, tol=1e-6, prior=prior, start=start).energy
        for start in (None, O, 3 * O, -O)
    ]
    np.testing.assert_allclose(energies, energies[0], rtol=1e-5)


def test_no_rain_is_the_start_that_is_not_given(O):
    for method in ("primal-dual", "reference"):
        plain = solve_udg(O, method=method, max_iter=10, tol=0)
        given = solve_udg(O, method=method, max_iter=10, tol=0, start=0 * O)
        np.testing.assert_array_equal(given.rain, plain.rain)
        other = solve_udg(O, method=method, max_iter=10, tol=0, start=0.5 * O)
        assert np.abs(other.rain - plain.rain).max() > 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_what_is_given_is_kept_and_may_lie_anywhere_in_memory(rng, method):
    O = rng.random((30, 20))
    base = rng.random((20, 30, 3))
    sparsity, start = 2 * base[..., 0].T, base[..., 2].T
    ceiling = np.asfortranarray(O * base[..., 1].T)
    kept = [a.copy(order="C") for a in (O, sparsity, ceiling, start)]
    options = {"weights": HEAVY, "method": method, "max_iter": 20, "tol": 0}
    s = solve_udg(O, prior=RainPrior(sparsity, ceiling), start=start, **options)
    there = solve_udg(kept[0], prior=RainPrior(*kept[1:3]), start=kept[3], **options)
    np.testing.assert_array_equal(s.rain, there.rain)
    for now, before in zip((O, sparsity, ceiling, start), kept, strict=True):
        np.testing.assert_array_equal(now, before)
        assert not np.shares_memory(s.rain, now)
        assert not np.shares_memory(s.background, now)


# The array


@pytest.mark.parametrize("method", ["auto", "reference", "admm"])
@pytest.mark.parametrize("kind", KINDS)
def test_libraries_agree(other_xp, rng, O, method, kind):
    prior, start = random_prior(rng, O, kind), 0.4 * O
    here = solve_udg(O, weights=HEAVY, method=method, max_iter=30, tol=0, prior=prior, start=start)
    there = solve_udg(
        other_xp.asarray(O),
        weights=HEAVY,
        method=method,
        max_iter=30,
        tol=0,
        prior=everything(prior, other_xp.asarray),
        start=other_xp.asarray(start),
    )
    for name in ("background", "rain", "energy", "gap"):
        value = getattr(there, name)
        assert isinstance(value, type(other_xp.asarray(O)))
        np.testing.assert_allclose(to_numpy(value), getattr(here, name), rtol=1e-9, atol=1e-12)


def test_the_energy_has_gradients(torch, rng):
    O, B, R = (torch.as_tensor(rng.random((2, 5, 6))).requires_grad_() for _ in range(3))
    factors = torch.as_tensor(rng.uniform(0.1, 3, (2, 5, 6))).requires_grad_()
    ceiling = torch.zeros(2, 5, 6, dtype=torch.float64)

    def energy(*leaves):
        return udg_energy(*leaves[:3], HEAVY, RainPrior(leaves[3], ceiling))

    assert torch.autograd.gradcheck(energy, (O, B, R, factors), eps=1e-7)
    energy(O, B, R, factors).sum().backward()
    np.testing.assert_allclose(factors.grad, HEAVY.sparsity * R.detach().abs(), rtol=1e-12)


@pytest.mark.parametrize("method", ["auto", "reference", "admm"])
def test_single_precision_stays(xp, rng, method):
    O = rng.random((9, 10)).astype(np.float32)
    prior = everything(random_prior(rng, O), xp.asarray)
    s = solve_udg(xp.asarray(O), method=method, max_iter=5, prior=prior, start=xp.asarray(0.3 * O))
    assert s.rain.dtype == s.background.dtype == xp.float32
    assert s.energy.dtype == s.gap.dtype == xp.float64


def test_gradients_go_through_the_reference_with_a_prior(torch, rng, O):
    leaf = torch.as_tensor(O).requires_grad_()
    prior = everything(random_prior(rng, O), torch.as_tensor)
    s = solve_udg(leaf, weights=HEAVY, max_iter=10, tol=0, prior=prior)
    plain = solve_udg(torch.as_tensor(O), weights=HEAVY, max_iter=10, tol=0, prior=prior)
    np.testing.assert_allclose(s.rain.detach(), plain.rain, atol=1e-12)
    s.rain.sum().backward()
    assert leaf.grad.isfinite().all()
    assert leaf.grad.abs().max() > 0


# What is refused


def calls(O, prior, weights=HEAVY):
    yield lambda: udg_energy(O, O, 0 * O, weights, prior)
    for method in METHODS:
        yield lambda method=method: solve_udg(O, weights=weights, method=method, prior=prior)


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


def test_a_ceiling_above_the_image(O):
    ceiling = 0.5 * O
    ceiling[3, 4] = O[3, 4] + 1e-9
    for call in calls(O, RainPrior(ceiling=ceiling)):
        with pytest.raises(ValueError, match=r"`prior\.ceiling` must not be above the image"):
            call()


def test_a_ceiling_without_bounds(O):
    for call in calls(O, RainPrior(ceiling=0.5 * O), WEIGHTS["unbounded"]):
        with pytest.raises(ValueError, match=r"`prior\.ceiling` has no meaning with bounded=False"):
            call()


@pytest.mark.parametrize("method", METHODS)
def test_a_start_that_does_not_fit(O, method):
    with pytest.raises(ValueError, match="`start` must have the shape of `O`"):
        solve_udg(O, method=method, start=O[:-1])
    with pytest.raises(ValueError, match="`start` must be finite"):
        solve_udg(O, method=method, start=O + np.nan)
    with pytest.raises(TypeError, match="`start` must be float32 or float64"):
        solve_udg(O, method=method, start=O.astype(int))
