import numpy as np
import pytest

import rainopt
from rainopt import SolverStatus, UDGWeights, solve_udg, udg_energy
from rainopt.arrays import to_numpy
from rainopt.optim.admm import Admm, Penalties
from rainopt.optim.udg import CHECK_EVERY, MAX_ITER, TOL

METHODS = ("primal-dual", "reference", "admm")
WEIGHTS = {
    "default": UDGWeights(),
    "heavy": UDGWeights(0.02, 0.1, 0.08, 0.01),
    "paper": UDGWeights.paper(0.02, 0.1, 0.05),
    "unbounded": UDGWeights(0.02, 0.1, 0.05, 0.01, bounded=False),
}


@pytest.fixture(name="O")
def small_image(rng):
    return rng.random((12, 14))


def streaks_over_blocks(rng, height=96, width=128):
    """A scene of flat blocks and a smooth gradient, and upright streaks: (clean, rain)."""
    clean = 0.25 + 0.2 * np.linspace(0, 1, height)[:, None] + 0.1 * np.sin(np.linspace(0, 3, width))[None, :]
    for _ in range(12):
        i, j = rng.integers(0, height - 20), rng.integers(0, width - 30)
        clean[i : i + rng.integers(8, 40), j : j + rng.integers(12, 50)] = rng.uniform(0.15, 0.6)
    rain = np.zeros((height, width))
    for _ in range(90):
        i, j, length = rng.integers(-20, height), rng.integers(0, width), rng.integers(20, 45)
        rain[max(i, 0) : max(i + length, 0), j] = rng.uniform(0.1, 0.35)
    return clean, rain


# The optimum


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("method", METHODS)
def test_the_energy_is_that_of_a_general_convex_solver(udg_optimum, O, name, method):
    weights = WEIGHTS[name]
    s = solve_udg(O, weights=weights, method=method, max_iter=3000 if method == "admm" else 20_000, tol=1e-6)
    np.testing.assert_allclose(s.energy, udg_optimum(O, weights), rtol=1e-5)
    np.testing.assert_allclose(udg_energy(O, s.background, s.rain, weights), s.energy, rtol=1e-9)


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (1, 1)])
@pytest.mark.parametrize("method", METHODS)
def test_lines_and_points_are_images_too(udg_optimum, rng, shape, method):
    O = rng.random(shape)
    s = solve_udg(O, weights=WEIGHTS["heavy"], method=method, max_iter=3000, tol=1e-7)
    np.testing.assert_allclose(s.energy, udg_optimum(O, WEIGHTS["heavy"]), rtol=1e-5, atol=1e-8)


def test_the_two_solvers_agree_on_the_layers(O):
    # Without a null direction the minimiser is unique enough for B + R, and here for both.
    fused, admm = (solve_udg(O, method=m, max_iter=4000, tol=1e-8) for m in ("primal-dual", "admm"))
    np.testing.assert_allclose(fused.background + fused.rain, admm.background + admm.rain, atol=1e-4)


@pytest.mark.parametrize("name", ["default", "unbounded"])
def test_growing_penalties_freeze_the_iterate_above_the_optimum(O, name):
    energies = {}
    for rho in (1.0, 1.1):
        solver = Admm(O, WEIGHTS[name], Penalties(rho=rho))
        solver.advance(600)
        energies[rho] = float(solver.certify()[0])
    assert energies[1.1] > energies[1.0] * (1 + 1e-4)


@pytest.mark.parametrize("penalties", [{"alpha": 0.0}, {"beta": -1}, {"gamma": float("nan")}, {"kappa": 0}])
def test_penalties_are_checked(penalties):
    with pytest.raises(ValueError, match=f"`{next(iter(penalties))}` must be positive"):
        Penalties(**penalties)
    with pytest.raises(ValueError, match=r"`rho` must be at least 1, got 0\.9"):
        Penalties(rho=0.9)


# The layers


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("max_iter", [1, 3, 60])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_rain_is_in_its_box_to_the_last_bit(rng, method, max_iter, dtype):
    O = rng.random((40, 30)).astype(dtype) ** 3
    s = solve_udg(O, weights=UDGWeights(0.2, 0.5, 0.5, 0), method=method, max_iter=max_iter, tol=0)
    assert s.rain.dtype == s.background.dtype == dtype
    assert np.all(s.rain >= 0)
    assert np.all(s.rain <= O)
    assert max_iter < 60 or s.rain.max() > 0


@pytest.mark.parametrize("method", METHODS)
def test_a_flat_image_has_no_rain(method):
    s = solve_udg(np.full((10, 12), 0.7), method=method)
    np.testing.assert_allclose(s.rain, 0, atol=1e-12)
    np.testing.assert_allclose(s.background, 0.7)
    assert s.status is SolverStatus.CONVERGED


def test_known_rain_is_recovered_and_the_printed_model_does_worse(rng):
    clean, rain = streaks_over_blocks(rng)
    rainy = np.clip(clean + rain, 0, 1)

    def derained(weights):
        s = solve_udg(rainy, weights=weights, max_iter=2000, tol=1e-3)
        return rainopt.psnr(np.clip(rainy - s.rain, 0, 1), clean)

    before = rainopt.psnr(rainy, clean)
    ours, printed = derained(UDGWeights()), derained(UDGWeights.paper(0.005, 0.05, 0.02))
    assert ours > before + 8
    assert ours > printed + 3


# The settings


def test_statuses_and_counts(O):
    s = solve_udg(O, max_iter=1, tol=1e-9)
    assert (s.status, s.iterations) == (SolverStatus.MAX_ITER, 1)
    s = solve_udg(O, max_iter=7, tol=0)
    assert (s.status, s.iterations) == (SolverStatus.MAX_ITER, 7)
    s = solve_udg(O, max_iter=5000)
    assert s.status is SolverStatus.CONVERGED
    assert s.iterations % CHECK_EVERY == 0
    assert "max_iter" in SolverStatus.MAX_ITER.value
    assert "tol" in SolverStatus.CONVERGED.value


@pytest.mark.parametrize("method", METHODS)
def test_converged_means_that_every_gap_is_within_tol(rng, method):
    O = rng.random((3, 12, 14)) * np.array([1.0, 0.1, 0.5])[:, None, None]
    previous = 0
    for tol in (0.5, 0.1, 0.02):
        s = solve_udg(O, method=method, tol=tol, max_iter=5000)
        assert s.status is SolverStatus.CONVERGED
        assert np.all(s.gap <= tol * s.energy)
        assert s.energy.shape == s.gap.shape == (3,)
        assert s.iterations >= previous
        previous = s.iterations


def test_the_defaults_are_those_that_are_documented(O):
    assert (MAX_ITER, TOL) == (400, 0.02)
    given, default = solve_udg(O, weights=UDGWeights(), method="auto", max_iter=400, tol=0.02), solve_udg(O)
    np.testing.assert_array_equal(given.rain, default.rain)
    assert given.iterations == default.iterations


def test_more_iterations_never_end_higher(O):
    energies = [float(solve_udg(O, max_iter=n, tol=0).energy) for n in (25, 100, 400, 1600)]
    assert energies == sorted(energies, reverse=True)


@pytest.mark.parametrize("max_iter", [0, -1, 2.5, float("nan"), float("inf")])
def test_max_iter_must_be_a_positive_whole_number(O, max_iter):
    with pytest.raises(ValueError, match="`max_iter` must be a whole number of at least 1"):
        solve_udg(O, max_iter=max_iter)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("max_iter", [3, np.int64(3), 3.0])
def test_max_iter_may_be_a_whole_number_of_any_kind(O, method, max_iter):
    assert solve_udg(O, method=method, max_iter=max_iter, tol=0).iterations == 3


def test_bad_settings_name_the_argument(O):
    with pytest.raises(ValueError, match="`tol` must be at least 0, got -1"):
        solve_udg(O, tol=-1)
    with pytest.raises(ValueError, match="`tol` must be at least 0, got nan"):
        solve_udg(O, tol=float("nan"))
    with pytest.raises(ValueError, match=r"`method` must be one of .*, got 'fast'"):
        solve_udg(O, method="fast")


def test_bad_images_name_the_argument(xp, O):
    O = xp.asarray(O)
    with pytest.raises(ValueError, match=r"`O` must be \(\.\.\., H, W\), got shape \(14,\)"):
        solve_udg(O[0, :])
    with pytest.raises(ValueError, match="`O` must not be empty"):
        solve_udg(O[:0, :])
    with pytest.raises(TypeError, match=r"`O` must be float32 or float64, got .*uint8; scale integers"):
        solve_udg(xp.ones((4, 4), dtype=xp.uint8))
    with pytest.raises(ValueError, match="`O` must not be negative when the rain layer is bounded"):
        solve_udg(O - 0.5)
    for value in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(ValueError, match="`O` must be finite"):
            solve_udg(xp.where(xp.max(O) <= O, xp.full_like(O, value), O))
    with pytest.raises(TypeError, match="`O` must be arrays of one library"):
        solve_udg([[0.0, 1.0]])


def test_half_precision_is_refused(O):
    with pytest.raises(TypeError, match="`O` must be float32 or float64, got float16"):
        solve_udg(O.astype(np.float16))


def test_negative_images_are_fine_without_bounds(O):
    assert solve_udg(O - 0.5, weights=WEIGHTS["unbounded"]).status is SolverStatus.CONVERGED


# The array


@pytest.mark.parametrize("method", METHODS)
def test_libraries_agree(other_xp, O, method):
    here = solve_udg(O, method=method, max_iter=40, tol=0)
    there = solve_udg(other_xp.asarray(O), method=method, max_iter=40, tol=0)
    for name in ("background", "rain", "energy", "gap"):
        value = getattr(there, name)
        assert isinstance(value, type(other_xp.asarray(O)))
        np.testing.assert_allclose(to_numpy(value), getattr(here, name), rtol=1e-9, atol=1e-12)


def test_torch_gradients_go_through_the_reference(torch, O):
    leaf = torch.as_tensor(O).requires_grad_()
    s = solve_udg(leaf, max_iter=10, tol=0)
    assert s.rain.requires_grad
    plain = solve_udg(torch.as_tensor(O), max_iter=10, tol=0)
    assert not plain.rain.requires_grad
    np.testing.assert_allclose(s.rain.detach(), plain.rain, atol=1e-12)
    s.rain.sum().backward()
    assert leaf.grad.isfinite().all()
    assert leaf.grad.abs().max() > 0


@pytest.mark.parametrize("method", METHODS)
def test_layout_in_memory_does_not_matter_and_the_input_is_kept(rng, method):
    base = rng.random((40, 50, 3))
    for view in (base[..., 1], base[::-1, ::2, 0], base[..., 2].T, np.asfortranarray(base[..., 0])):
        kept = base.copy()
        s = solve_udg(view, method=method, max_iter=20, tol=0)
        contiguous = solve_udg(np.ascontiguousarray(view), method=method, max_iter=20, tol=0)
        np.testing.assert_array_equal(s.rain, contiguous.rain)
        np.testing.assert_array_equal(s.background, contiguous.background)
        np.testing.assert_array_equal(base, kept)
        assert not np.shares_memory(s.background, base)


def test_read_only_images(O):
    expected = solve_udg(O).rain
    O.setflags(write=False)
    np.testing.assert_array_equal(solve_udg(O).rain, expected)


def test_the_order_of_bytes_does_not_matter(O):
    expected = solve_udg(O).rain
    np.testing.assert_array_equal(solve_udg(O.astype(">f8")).rain, expected)


def test_torch_views(torch, rng):
    t = torch.as_tensor(rng.random((3, 20, 24)))
    turned = t.permute(0, 2, 1)
    expected = solve_udg(np.ascontiguousarray(turned.numpy())).rain
    np.testing.assert_array_equal(solve_udg(turned).rain, expected)


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_is_its_images(rng, method):
    batch = rng.random((2, 2, 9, 11))
    s = solve_udg(batch, method=method, max_iter=30, tol=0)
    assert s.energy.shape == (2, 2)
    for index in np.ndindex(2, 2):
        single = solve_udg(batch[index], method=method, max_iter=30, tol=0)
        np.testing.assert_allclose(s.rain[index], single.rain, atol=1e-13)
        np.testing.assert_allclose(s.energy[index], single.energy, rtol=1e-12)


def test_the_same_twice(rng):
    O = rng.random((300, 60)).astype(np.float32)
    first, second = solve_udg(O), solve_udg(O)
    np.testing.assert_array_equal(first.rain, second.rain)
    np.testing.assert_array_equal(first.background, second.background)
    assert first.energy == second.energy


def test_threads_change_nothing(rng, thread_count):
    O = rng.random((300, 60)).astype(np.float32)
    results = []
    for count in (1, 2, 4):
        thread_count(count)
        results.append(solve_udg(O, max_iter=60, tol=0).rain)
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(results[2], results[0])


def test_a_mirrored_image_has_mirrored_layers(rng):
    O = rng.random((14, 15))
    s = solve_udg(O, max_iter=8000, tol=1e-9)
    mirrored = solve_udg(O[:, ::-1], max_iter=8000, tol=1e-9)
    np.testing.assert_allclose(mirrored.rain[:, ::-1], s.rain, atol=1e-5)
    np.testing.assert_allclose(mirrored.energy, s.energy, rtol=1e-8)


@pytest.mark.parametrize(("lambda_x", "lambda_y"), [(0.05, 0.5), (0.5, 0.02), (0.005, 0.3)])
def test_steps_suit_weights_that_are_far_apart(lambda_x, lambda_y):
    # A natural image, because noise is easy.
    from skimage import data

    O = data.coffee()[100:160, 200:280].mean(axis=-1) / 255
    s = solve_udg(O, weights=UDGWeights(0.005, lambda_x, lambda_y), tol=0.02, max_iter=1500)
    assert s.status is SolverStatus.CONVERGED


def test_weights_have_their_own_type():
    with pytest.raises(TypeError, match="`weights` must be UDGWeights or None, got dict"):
        solve_udg(np.zeros((4, 4)), weights={"tau": 1.0})
    with pytest.raises(ValueError, match="`bounded` must be True or False"):
        UDGWeights(bounded="no")
