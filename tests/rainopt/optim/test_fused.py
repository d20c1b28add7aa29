import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rainopt import UDGWeights
from rainopt.optim.fused import FusedPrimalDual
from rainopt.optim.primal_dual import PrimalDual

WEIGHTS = {
    "default": UDGWeights(),
    "paper": UDGWeights.paper(0.01, 0.1, 0.05),
    "unbounded": UDGWeights(0.01, 0.1, 0.05, 0.02, bounded=False),
    "heavy": UDGWeights(0.2, 0.5, 0.5, 0.05),
}
# Heights below, at and above the number of ghost rows; widths around the vector length and the padding of rows.
SHAPES = [
    (1, 1),
    (1, 16),
    (16, 1),
    (2, 2),
    (3, 15),
    (15, 3),
    (5, 128),
    (9, 129),
    (17, 31),
    (70, 2),
    (257, 3),
    (300, 15),
    (131, 128),
    (130, 129),
    (60, 2048),
]
THREADS = (1, 2, 4)


def state_of(solver):
    return (*solver.result(), *solver.certify())


def bands_of(O, weights, threads):
    return len(FusedPrimalDual(O, weights, threads).bands)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
def test_iterates_are_those_of_the_reference(rng, shape, dtype, thread_count):
    O = rng.random(shape).astype(dtype)
    weights = WEIGHTS["default"]
    reference = PrimalDual(O, weights)
    solvers = [FusedPrimalDual(O, weights, threads) for threads in THREADS]
    tolerance = 1e-12 if dtype == np.float64 else 1e-5
    # Single steps, part of what runs together, and more.
    for iterations in (1, 2, 5, 23):
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
            np.testing.assert_allclose(mine[2], energy, atol=tolerance * scale)
            np.testing.assert_allclose(mine[3], gap, atol=10 * tolerance * scale)


@pytest.mark.parametrize("name", WEIGHTS)
def test_iterates_are_those_of_the_reference_for_all_weights(rng, name):
    O = rng.random((150, 20))
    reference, fused = PrimalDual(O, WEIGHTS[name]), FusedPrimalDual(O, WEIGHTS[name], threads=2)
    assert len(fused.bands) == 2
    for solver in (reference, fused):
        solver.advance(50)
    for mine, theirs in zip(state_of(fused), state_of(reference), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)


@settings(max_examples=30)
@given(
    st.integers(1, 200),
    st.integers(1, 40),
    st.integers(1, 5),
    st.lists(st.integers(1, 20), min_size=1, max_size=3),
    st.integers(0, 2**32 - 1),
)
def test_any_shape_any_cut_any_rhythm(rows, columns, threads, rhythm, seed):
    O = np.random.default_rng(seed).random((rows, columns))
    reference, fused = PrimalDual(O, WEIGHTS["unbounded"]), FusedPrimalDual(O, WEIGHTS["unbounded"], threads)
    for iterations in rhythm:
        fused.advance(iterations)
    reference.advance(sum(rhythm))
    for mine, theirs in zip(state_of(fused), state_of(reference), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)


def test_the_cuts_change_nothing(rng):
    O = rng.random((300, 40)).astype(np.float32)
    results = {}
    for threads in (1, 2, 3, 4):
        solver = FusedPrimalDual(O, UDGWeights(), threads)
        assert len(solver.bands) == threads
        solver.advance(37)
        results[threads] = solver.result()
    for threads in (2, 3, 4):
        np.testing.assert_array_equal(results[threads][0], results[1][0])
        np.testing.assert_array_equal(results[threads][1], results[1][1])


def test_bands_cover_the_image_once_and_are_thicker_than_their_ghosts(rng):
    for rows in (1, 63, 64, 127, 128, 129, 300):
        O = rng.random((rows, 10))
        solver = FusedPrimalDual(O, UDGWeights(), threads=4)
        covered = [i for band in solver.bands for i in range(band.first, band.last)]
        assert covered == list(range(rows))
        if len(solver.bands) > 1:
            for band in solver.bands:
                assert band.last - band.first > max(band.above, band.below)
    assert bands_of(rng.random((63, 10)), UDGWeights(), 4) == 1
    assert bands_of(rng.random((300, 10)), UDGWeights(), 4) == 4


def test_a_batch_is_its_images(rng):
    batch = rng.random((2, 3, 140, 12))
    solver = FusedPrimalDual(batch, UDGWeights(), threads=12)
    assert len(solver.bands) == 12
    solver.advance(20)
    B, R, energy, gap = state_of(solver)
    assert energy.shape == gap.shape == (2, 3)
    for index in np.ndindex(2, 3):
        single = FusedPrimalDual(batch[index], UDGWeights(), threads=1)
        single.advance(20)
        np.testing.assert_array_equal(B[index], single.result()[0])
        np.testing.assert_array_equal(R[index], single.result()[1])
        np.testing.assert_allclose((energy[index], gap[index]), single.certify(), rtol=1e-12)


def test_the_image_is_copied(rng):
    O = rng.random((20, 20))
    solver, kept = FusedPrimalDual(O, UDGWeights()), O.copy()
    solver.advance(5)
    np.testing.assert_array_equal(O, kept)
    background, rain = solver.result()
    solver.advance(5)
    again = solver.result()
    assert not np.array_equal(again[0], background)
    assert not np.shares_memory(again[1], rain)


def test_arrays_without_host_memory_are_refused(torch, strict):
    for O in (torch.zeros(4, 4, requires_grad=True), strict.zeros((4, 4))):
        with pytest.raises(TypeError, match="`O` must be a host array that needs no gradient"):
            FusedPrimalDual(O, UDGWeights())
