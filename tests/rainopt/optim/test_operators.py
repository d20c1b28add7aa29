import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rainopt.arrays import to_numpy
from rainopt.optim.fourier import dct2
from rainopt.optim.operators import (
    NORM_SQUARED_BOUND,
    diff_across,
    diff_across_adjoint,
    diff_along,
    diff_along_adjoint,
    laplacian_symbol,
)

PAIRS = [(diff_along, diff_along_adjoint), (diff_across, diff_across_adjoint)]
SHAPES = hnp.array_shapes(min_dims=2, max_dims=4, max_side=7)
DTYPES = st.sampled_from([np.float32, np.float64])
# Whole numbers, so that identities hold without rounding.
WHOLE = st.integers(-100, 100)


@st.composite
def pairs_of_images(draw):
    shape, dtype = draw(SHAPES), draw(DTYPES)
    image = hnp.arrays(dtype, shape, elements=WHOLE.map(float))
    return draw(image), draw(image)


@pytest.mark.parametrize(("forward", "adjoint"), PAIRS)
@given(pairs_of_images())
def test_adjoint_identity(forward, adjoint, images):
    a, p = images
    assert np.vdot(forward(a), p) == np.vdot(a, adjoint(p))
    assert forward(a).dtype == adjoint(p).dtype == a.dtype
    assert forward(a).shape == adjoint(p).shape == a.shape


@given(hnp.arrays(np.float64, SHAPES, elements=WHOLE.map(float)))
def test_differences_are_those_of_numpy_and_zero_where_they_leave_the_image(a):
    np.testing.assert_array_equal(diff_along(a)[..., :-1, :], np.diff(a, axis=-2))
    np.testing.assert_array_equal(diff_across(a)[..., :-1], np.diff(a, axis=-1))
    assert not diff_along(a)[..., -1, :].any()
    assert not diff_across(a)[..., -1].any()


@given(hnp.arrays(np.float64, SHAPES, elements=WHOLE.map(float)))
def test_along_and_across_exchange_with_the_axes(a):
    turned = np.swapaxes(a, -1, -2)
    np.testing.assert_array_equal(diff_across(turned), np.swapaxes(diff_along(a), -1, -2))
    np.testing.assert_array_equal(diff_across_adjoint(turned), np.swapaxes(diff_along_adjoint(a), -1, -2))


def test_adjoints_do_not_read_the_last_row_or_column(rng):
    p = rng.standard_normal((3, 5, 6))
    along, across = p.copy(), p.copy()
    along[..., -1, :] = 1e9
    across[..., -1] = 1e9
    np.testing.assert_array_equal(diff_along_adjoint(along), diff_along_adjoint(p))
    np.testing.assert_array_equal(diff_across_adjoint(across), diff_across_adjoint(p))


@pytest.mark.parametrize(("forward", "adjoint"), PAIRS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1), (2, 3, 5, 4)])
def test_backends_agree(xp, rng, forward, adjoint, shape):
    a = rng.standard_normal(shape)
    for function in (forward, adjoint):
        np.testing.assert_array_equal(to_numpy(function(xp.asarray(a))), function(a))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (8, 1), (5, 4), (6, 7), (2, 3, 4)])
def test_the_symbol_diagonalises_the_laplacians(rng, shape):
    a = rng.standard_normal(shape)
    along = laplacian_symbol(shape[-2], np, np.float64)[:, None]
    across = laplacian_symbol(shape[-1], np, np.float64)[None, :]
    np.testing.assert_allclose(dct2(diff_along_adjoint(diff_along(a))), along * dct2(a), atol=1e-13)
    np.testing.assert_allclose(dct2(diff_across_adjoint(diff_across(a))), across * dct2(a), atol=1e-13)


@pytest.mark.parametrize("length", [1, 2, 3, 8, 101])
def test_the_symbol_holds_the_eigenvalues_and_stays_below_the_norm_bound(xp, length):
    symbol = to_numpy(laplacian_symbol(length, xp, xp.float64))
    matrix = diff_along(np.eye(length))
    np.testing.assert_allclose(np.linalg.eigvalsh(matrix.T @ matrix), symbol, atol=1e-12)
    assert symbol[0] == 0
    assert symbol.max() < NORM_SQUARED_BOUND


def test_the_norm_bound_is_sharp():
    checkerboard = (-1.0) ** np.add.outer(np.arange(200), np.arange(200))
    for forward, _ in PAIRS:
        ratio = np.sum(forward(checkerboard) ** 2) / np.sum(checkerboard**2)
        assert 0.99 * NORM_SQUARED_BOUND < ratio < NORM_SQUARED_BOUND
