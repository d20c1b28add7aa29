import numpy as np
import pytest

from rainopt import SolverStatus, UDGWeights, solve_udg
from rainopt.arrays import to_numpy
from rainopt.optim.objectives import NO_PRIOR, RainPrior
from rainopt.optim.udg import CHECK_EVERY
from tests.support.udg import HEAVY, METHODS, WEIGHTS, random_prior, turned


@pytest.fixture(name="O")
def small_image(rng):
    return rng.random((12, 14))


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


def test_more_iterations_never_end_higher(O):
    energies = [float(solve_udg(O, max_iter=n, tol=0).energy) for n in (25, 100, 400, 1600)]
    assert energies == sorted(energies, reverse=True)


@pytest.mark.parametrize(("lambda_x", "lambda_y"), [(0.05, 0.5), (0.5, 0.02), (0.005, 0.3)])
def test_steps_suit_weights_that_are_far_apart(lambda_x, lambda_y):
    # A natural image, because noise is easy.
    from skimage import data

    O = data.coffee()[100:160, 200:280].mean(axis=-1) / 255
    s = solve_udg(O, weights=UDGWeights(0.005, lambda_x, lambda_y), tol=0.02, max_iter=1500)
    assert s.status is SolverStatus.CONVERGED


@pytest.mark.parametrize("max_iter", [0, -1, 2.5, float("nan"), float("inf")])
def test_max_iter_must_be_a_positive_whole_number_of_any_kind(O, max_iter):
    assert [solve_udg(O, max_iter=kind(3), tol=0).iterations for kind in (int, np.int64, float)] == [3, 3, 3]
    with pytest.raises(ValueError, match="`max_iter` must be a whole number of at least 1"):
        solve_udg(O, max_iter=max_iter)


def test_bad_settings_name_the_argument(O):
    for tol in (-1, float("nan")):
        with pytest.raises(ValueError, match=f"`tol` must be at least 0, got {tol}"):
            solve_udg(O, tol=tol)
    with pytest.raises(ValueError, match=r"`method` must be one of .*, got 'fast'"):
        solve_udg(O, method="fast")
    with pytest.raises(TypeError, match="`weights` must be UDGWeights, got dict"):
        solve_udg(O, weights={"tau": 1.0})
    with pytest.raises(ValueError, match="`bounded` must be True or False"):
        UDGWeights(bounded="no")


def test_bad_images_name_the_argument(xp, O):
    for dtype in ("uint8", "int64"):
        with pytest.raises(TypeError, match=rf"`O` must be float32 or float64, got .*{dtype}; scale integers"):
            solve_udg(xp.ones((4, 4), dtype=getattr(xp, dtype)))
    with pytest.raises(TypeError, match="`O` must be float32 or float64, got float16"):
        solve_udg(O.astype(np.float16))
    with pytest.raises(TypeError, match="`O` must be arrays of one library"):
        solve_udg([[0.0, 1.0]])
    O = xp.asarray(O)
    with pytest.raises(ValueError, match=r"`O` must be \(\.\.\., H, W\), got shape \(14,\)"):
        solve_udg(O[0, :])
    with pytest.raises(ValueError, match="`O` must not be empty"):
        solve_udg(O[:0, :])
    for value in (float("nan"), float("inf"), -float("inf")):
        with pytest.raises(ValueError, match="`O` must be finite"):
            solve_udg(xp.where(xp.max(O) <= O, xp.full_like(O, value), O))
    with pytest.raises(ValueError, match="`O` must not be negative when the rain layer is bounded"):
        solve_udg(O - 0.5)
    assert solve_udg(O - 0.5, weights=WEIGHTS["unbounded"]).status is SolverStatus.CONVERGED


@pytest.mark.parametrize("method", ["auto", "reference", "admm"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_libraries_agree(other_xp, rng, O, method, dtype):
    O = O.astype(dtype)
    there = other_xp.asarray(O)
    for prior, start in ((NO_PRIOR, None), (random_prior(rng, O, "all"), 0.4 * O)):
        options = {"weights": HEAVY, "method": method, "max_iter": 30, "tol": 0}
        mine = solve_udg(O, prior=prior, start=start, **options)
        start = None if start is None else other_xp.asarray(start)
        theirs = solve_udg(there, prior=turned(prior, other_xp.asarray), start=start, **options)
        for name in ("background", "rain", "energy", "gap"):
            value = getattr(theirs, name)
            assert isinstance(value, type(there))
            assert value.dtype == (there.dtype if name in ("background", "rain") else other_xp.float64)
            rtol, atol = (1e-4, 1e-5) if dtype == "float32" else (1e-9, 1e-12)
            np.testing.assert_allclose(to_numpy(value), getattr(mine, name), rtol=rtol, atol=atol)


def test_torch_gradients_go_through_the_reference(torch, rng, O):
    for prior in (NO_PRIOR, turned(random_prior(rng, O, "all"), torch.as_tensor)):
        leaf = torch.as_tensor(O).requires_grad_()
        s = solve_udg(leaf, weights=HEAVY, max_iter=10, tol=0, prior=prior)
        plain = solve_udg(torch.as_tensor(O), weights=HEAVY, max_iter=10, tol=0, prior=prior)
        assert not plain.rain.requires_grad
        np.testing.assert_allclose(s.rain.detach(), plain.rain, atol=1e-12)
        s.rain.sum().backward()
        assert leaf.grad.isfinite().all()
        assert leaf.grad.abs().max() > 0


@pytest.mark.parametrize("method", METHODS)
def test_layout_in_memory_does_not_matter_and_what_is_given_is_kept(torch, rng, method):
    base = rng.random((40, 50, 4))
    kept = base.copy()
    base.setflags(write=False)
    options = {"method": method, "max_iter": 20, "tol": 0}
    O = base[..., 0]
    ceiling, excess = np.asfortranarray(O * base[..., 1]), O * base[..., 3]
    for view in (lambda a: a, lambda a: a[::-1, ::2], lambda a: a.T, np.asfortranarray):
        fields = [view(a) for a in (O, 2 * base[..., 1], ceiling, excess, base[..., 3], base[..., 2])]
        plain = [np.ascontiguousarray(a) for a in fields]
        s, there = (
            solve_udg(image, prior=RainPrior(*told), start=start, **options) for image, *told, start in (fields, plain)
        )
        np.testing.assert_array_equal(s.rain, there.rain)
        np.testing.assert_array_equal(s.background, there.background)
        assert not any(np.shares_memory(layer, field) for layer in (s.rain, s.background) for field in fields)
    np.testing.assert_array_equal(base, kept)
    expected = solve_udg(O.T.copy(), **options).rain
    for other in (O.astype(">f8").T, torch.as_tensor(kept)[..., 0].T):
        np.testing.assert_array_equal(solve_udg(other, **options).rain, expected)


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_is_its_images(rng, method):
    batch = rng.random((2, 2, 140, 12))
    options = {"weights": HEAVY, "method": method, "max_iter": 20, "tol": 0}
    prior, start = random_prior(rng, batch, "all"), 0.3 * batch
    s = solve_udg(batch, prior=prior, start=start, **options)
    assert s.energy.shape == s.gap.shape == (2, 2)
    for index in np.ndindex(2, 2):
        own = turned(prior, lambda field, index=index: field[index])
        single = solve_udg(batch[index], prior=own, start=start[index], **options)
        np.testing.assert_allclose(s.rain[index], single.rain, rtol=0, atol=1e-13)
        np.testing.assert_allclose((s.energy[index], s.gap[index]), (single.energy, single.gap), rtol=1e-10)
