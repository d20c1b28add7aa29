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
# Whole numbers, so that identities hold without rounding.
WHOLE = st.integers(-100, 100).map(float)


@st.composite
def pairs_of_images(draw):
    image = hnp.arrays(draw(st.sampled_from([np.float32, np.float64])), draw(SHAPES), elements=WHOLE)
    return draw(image), draw(image)


@pytest.mark.parametrize(("forward", "adjoint"), PAIRS)
@given(pairs_of_images())
def test_adjoint_identity(forward, adjoint, images):
    a, p = images
    assert np.vdot(forward(a), p) == np.vdot(a, adjoint(p))
    assert forward(a).dtype == adjoint(p).dtype == a.dtype
    assert forward(a).shape == adjoint(p).shape == a.shape


@given(hnp.arrays(np.float64, SHAPES, elements=WHOLE))
def test_differences_are_those_of_numpy_and_zero_where_they_leave_the_image(a):
    np.testing.assert_array_equal(diff_along(a)[..., :-1, :], np.diff(a, axis=-2))
    np.testing.assert_array_equal(diff_across(a)[..., :-1], np.diff(a, axis=-1))
    assert not diff_along(a)[..., -1, :].any()
    assert not diff_across(a)[..., -1].any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (6, 1), (2, 3, 5, 4)])
def test_backends_agree(other_xp, rng, shape):
    a = rng.standard_normal(shape)
    for function in (function for pair in PAIRS for function in pair):
        np.testing.assert_array_equal(to_numpy(function(other_xp.asarray(a))), function(a))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (8, 1), (5, 101), (2, 3, 4)])
def test_the_symbol_diagonalises_the_laplacians_and_stays_below_the_norm_bound(rng, shape):
    a = rng.standard_normal(shape)
    along, across = (laplacian_symbol(n, np, np.float64) for n in shape[-2:])
    np.testing.assert_allclose(dct2(diff_along_adjoint(diff_along(a))), along[:, None] * dct2(a), atol=1e-13)
    np.testing.assert_allclose(dct2(diff_across_adjoint(diff_across(a))), across * dct2(a), atol=1e-13)
    assert along[0] == across[0] == 0
    assert max(along.max(), across.max()) < NORM_SQUARED_BOUND


def test_the_norm_bound_is_sharp():
    checkerboard = (-1.0) ** np.add.outer(np.arange(200), np.arange(200))
    for forward, _ in PAIRS:
        ratio = np.sum(forward(checkerboard) ** 2) / np.sum(checkerboard**2)
        assert 0.99 * NORM_SQUARED_BOUND < ratio < NORM_SQUARED_BOUND
