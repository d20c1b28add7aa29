import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainopt import UDGWeights, solve_udg
from rainopt.optim.fused import fused_primal_dual
from tests.support.udg import HEAVY, KINDS, WEIGHTS, random_prior

# Heights below, at and above the number of ghost rows; widths around the vector length and the padding of rows.
SHAPES = [(1, 1), (1, 16), (16, 1), (2, 2), (3, 15), (15, 3), (5, 128), (9, 129), (17, 31)]
SHAPES += [(70, 2), (257, 3), (300, 15), (131, 128), (130, 129), (40, 1024)]
THREADS = (1, 4)


def solved(O, method, count, weights=HEAVY, **told):
    s = solve_udg(O, weights=weights, method=method, max_iter=count, tol=0, **told)
    assert s.rain.dtype == s.background.dtype == O.dtype
    return s


def require_same(mine, theirs, tolerance):
    np.testing.assert_allclose(mine.background, theirs.background, rtol=0, atol=tolerance)
    np.testing.assert_allclose(mine.rain, theirs.rain, rtol=0, atol=tolerance)
    scale = 1e-3 + np.abs(theirs.energy).max()
    np.testing.assert_allclose(mine.energy, theirs.energy, rtol=0, atol=tolerance * scale)
    np.testing.assert_allclose(mine.gap, theirs.gap, rtol=0, atol=10 * tolerance * scale)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
def test_iterates_are_those_of_the_reference(rng, shape, dtype, thread_count):
    O = rng.random(shape).astype(dtype)
    tolerance = 1e-12 if dtype == np.float64 else 1e-5
    for kind in KINDS:
        told = {"prior": random_prior(rng, O, kind)}
        if kind != "no prior":
            told["start"] = (0.5 * rng.random(shape)).astype(dtype)
        # Single steps, part of what runs together, and more.
        for count in (1, 31) if kind in ("no prior", "both", "all") else (2,):
            expected = solved(O, "reference", count, **told)
            for threads in THREADS:
                thread_count(threads)
                require_same(solved(O, "primal-dual", count, **told), expected, tolerance)


@pytest.mark.parametrize("name", WEIGHTS)
def test_iterates_are_those_of_the_reference_for_all_weights(rng, name, thread_count):
    thread_count(2)
    weights = WEIGHTS[name]
    # Without bounds an image may be negative, and so may its rain.
    O = rng.random((150, 20)) - (0 if weights.bounded else 0.5)
    told = {} if weights.bounded else {"prior": random_prior(rng, O, "sparsity"), "start": rng.standard_normal(O.shape)}
    for more in ({}, told, {"prior": random_prior(rng, O, "time")}):
        expected = solved(O, "reference", 50, weights, **more)
        require_same(solved(O, "primal-dual", 50, weights, **more), expected, 1e-11)


@settings(max_examples=30)
@given(
    st.integers(1, 200),
    st.integers(1, 40),
    st.integers(1, 5),
    st.lists(st.integers(1, 20), min_size=1, max_size=3),
    st.integers(0, 2**32 - 1),
)
def test_any_shape_any_cut_any_rhythm(rows, columns, threads, rhythm, seed):
    O, weights = np.random.default_rng(seed).random((rows, columns)), WEIGHTS["unbounded"]
    fused = fused_primal_dual(O, weights, threads)
    for count in rhythm:
        fused.advance(count)
    expected = solved(O, "reference", sum(rhythm), weights)
    for mine, theirs in zip(fused.result(), (expected.background, expected.rain), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(fused.certify(), (expected.energy, expected.gap), rtol=1e-9, atol=1e-12)


def test_the_cuts_change_nothing(rng, thread_count):
    O = rng.random((300, 40)).astype(np.float32)
    for told in ({}, {"prior": random_prior(rng, O, "all"), "start": 0.3 * O}):
        layers = []
        for threads in (1, 2, 3, 4):
            thread_count(threads)
            # The image is cut into as many bands as there are threads.
            assert len(fused_primal_dual(O, HEAVY, **told).bands) == threads
            layers.append(solved(O, "primal-dual", 37, **told))
        for other in layers[1:]:
            np.testing.assert_array_equal(other.rain, layers[0].rain)
            np.testing.assert_array_equal(other.background, layers[0].background)


def test_results_stay_while_the_iteration_goes_on(rng):
    solver = fused_primal_dual(rng.random((20, 20)), UDGWeights())
    solver.advance(5)
    results = solver.result()
    kept = [layer.copy() for layer in results]
    solver.advance(5)
    for before, now, after in zip(kept, results, solver.result(), strict=True):
        np.testing.assert_array_equal(now, before)
        assert not np.array_equal(after, before)


def test_there_is_none_for_arrays_that_no_kernel_may_see(torch, strict):
    for O in (torch.zeros(4, 4, requires_grad=True), strict.zeros((4, 4))):
        assert fused_primal_dual(O, UDGWeights()) is None
