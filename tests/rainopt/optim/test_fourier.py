import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from scipy import fft

from rainopt.arrays import to_numpy
from rainopt.optim.fourier import dct2, idct2

SHAPES = [(1, 1), (1, 2), (2, 1), (1, 7), (8, 1), (2, 2), (3, 3), (5, 8), (9, 7), (2, 3, 6, 5)]
TOLERANCE = {"float32": 2e-5, "float64": 1e-13}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_every_library_computes_the_transform_of_scipy(xp, rng, shape, dtype):
    a = rng.standard_normal(shape).astype(dtype)
    there = xp.asarray(a)
    assert dct2(there).dtype == idct2(there).dtype == there.dtype
    for mine, theirs in ((dct2, fft.dctn), (idct2, fft.idctn)):
        expected = theirs(a, type=2, norm="ortho", axes=(-2, -1))
        np.testing.assert_allclose(to_numpy(mine(there)), expected, atol=TOLERANCE[dtype])
    # The input is left alone.
    np.testing.assert_array_equal(to_numpy(there), a)


@given(hnp.array_shapes(min_dims=2, max_dims=3, max_side=9))
def test_the_inverse_is_the_adjoint(shape):
    strict = pytest.importorskip("array_api_strict")
    a, c = np.random.default_rng(sum(shape)).standard_normal((2, *shape))
    spectrum = to_numpy(dct2(strict.asarray(a)))
    np.testing.assert_allclose(to_numpy(idct2(strict.asarray(spectrum))), a, atol=1e-13)
    np.testing.assert_allclose(np.vdot(spectrum, c), np.vdot(a, to_numpy(idct2(strict.asarray(c)))), atol=1e-12)


@pytest.mark.parametrize("shape", [(5, 6), (6, 5)])
def test_torch_differentiates_it(torch, rng, shape):
    a, c = (torch.as_tensor(rng.standard_normal(shape)) for _ in range(2))
    a.requires_grad_()
    np.testing.assert_allclose(dct2(a).detach(), fft.dctn(a.detach().numpy(), norm="ortho"), atol=1e-13)
    # The transform is orthogonal: the gradient of ⟨c, dct2 a⟩ is idct2 c.
    torch.sum(c * dct2(a)).backward()
    np.testing.assert_allclose(a.grad, idct2(c), atol=1e-13)
