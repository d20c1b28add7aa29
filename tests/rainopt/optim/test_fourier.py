import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from scipy import fft

from rainopt.arrays import to_numpy
from rainopt.optim.fourier import dct2, idct2

SHAPES = [(1, 1), (1, 2), (2, 1), (1, 7), (8, 1), (2, 2), (3, 3), (4, 6), (5, 8), (9, 7), (2, 3, 6, 5)]
TOLERANCE = {"float32": 2e-5, "float64": 1e-13}


def scipy_dct2(a):
    return fft.dctn(a, type=2, norm="ortho", axes=(-2, -1))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_every_library_computes_the_transform_of_scipy(xp, rng, shape, dtype):
    a = rng.standard_normal(shape).astype(dtype)
    there = xp.asarray(a)
    assert dct2(there).dtype == idct2(there).dtype == there.dtype
    np.testing.assert_allclose(to_numpy(dct2(there)), scipy_dct2(a), atol=TOLERANCE[dtype])
    expected = fft.idctn(a, type=2, norm="ortho", axes=(-2, -1))
    np.testing.assert_allclose(to_numpy(idct2(there)), expected, atol=TOLERANCE[dtype])


@given(hnp.array_shapes(min_dims=2, max_dims=3, max_side=9))
def test_reference_inverts_itself_and_keeps_the_norm(shape):
    strict = pytest.importorskip("array_api_strict")
    a = np.random.default_rng(sum(shape)).standard_normal(shape)
    spectrum = dct2(strict.asarray(a))
    np.testing.assert_allclose(to_numpy(idct2(spectrum)), a, atol=1e-13)
    np.testing.assert_allclose(np.sum(to_numpy(spectrum) ** 2), np.sum(a**2), rtol=1e-12)


def test_the_inverse_is_the_adjoint(strict, rng):
    a, c = rng.standard_normal((2, 6, 7))
    forward = float(strict.sum(dct2(strict.asarray(a)) * strict.asarray(c)))
    backward = float(strict.sum(strict.asarray(a) * idct2(strict.asarray(c))))
    np.testing.assert_allclose(forward, backward, rtol=1e-12)


@pytest.mark.parametrize("shape", [(5, 6), (6, 5)])
def test_torch_differentiates_it(torch, rng, shape):
    a = torch.as_tensor(rng.standard_normal(shape), dtype=torch.float64).requires_grad_()
    c = torch.as_tensor(rng.standard_normal(shape), dtype=torch.float64)
    np.testing.assert_allclose(dct2(a).detach(), scipy_dct2(a.detach().numpy()), atol=1e-13)
    # The transform is orthogonal: the gradient of ⟨c, dct2 a⟩ is idct2 c.
    torch.sum(c * dct2(a)).backward()
    np.testing.assert_allclose(a.grad, idct2(c), atol=1e-13)


def test_input_is_left_alone(rng):
    a = rng.standard_normal((4, 5))
    kept = a.copy()
    dct2(a), idct2(a)
    np.testing.assert_array_equal(a, kept)
