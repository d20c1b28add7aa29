"""The recurrence in four directions on CUDA, and its gradient, against the kernels for the CPU."""

import numpy as np
import pytest

from rainopt.kernels import irnn_cpu, irnn_cuda, launch

# In the simulator squares have three pixels a side, and rows are asked for four at a time.
SMALL = [(1, 1, 7, 4), (2, 2, 2, 3), (1, 3, 1, 5), (1, 1, 10, 1), (0, 2, 3, 4), (1, 2, 0, 3), (1, 0, 2, 3)]


def inputs(rng, shape, dtype):
    x = rng.standard_normal(shape).astype(dtype)
    alpha, beta = (rng.uniform(-0.5, 1, (4, shape[1])).astype(dtype) for _ in range(2))
    return x, alpha, beta


def check(cuda, rng, shape, dtype):
    x, alpha, beta = inputs(rng, shape, dtype)
    h = irnn_cpu.irnn(x, alpha, beta)
    found = cuda.back(irnn_cuda.irnn(cuda(x), cuda(alpha), cuda(beta)))
    assert found.dtype == dtype
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == "float32" else {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(found, h, **tolerance)
    grad = rng.standard_normal(h.shape).astype(dtype)
    wanted = irnn_cpu.irnn_backward(grad, h, alpha)
    there = cuda.back(irnn_cuda.irnn_backward(cuda(grad), cuda(h), cuda(alpha)))
    for got, expected in zip(there, wanted, strict=True):
        assert got.dtype == dtype
        scale = max(float(np.abs(expected).max(initial=0)), 1)
        np.testing.assert_allclose(got / scale, expected / scale, **tolerance)


@pytest.mark.parametrize("shape", SMALL)
@pytest.mark.parametrize("dtype", ["float32", pytest.param("float64", marks=pytest.mark.slow)])
def test_it_and_its_gradient(cuda, rng, shape, dtype):
    check(cuda, rng, shape, dtype)


@pytest.mark.gpu
@pytest.mark.parametrize("shape", [(2, 5, 131, 97), (1, 32, 64, 300)])
def test_pictures_on_a_card(cuda, rng, shape):
    check(cuda, rng, shape, "float32")


def test_nan_stays_to_the_end_of_its_lines(cuda):
    x = np.ones((1, 1, 4, 4), np.float32)
    x[0, 0, 1, 2] = np.nan
    weights = np.full((4, 1), 0.5, np.float32)
    found = cuda.back(irnn_cuda.irnn(cuda(x), cuda(weights), cuda(weights)))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(irnn_cpu.irnn(x, weights, weights)))
    assert np.isnan(found).sum() == 2 + 2 + 3 + 3


def test_four_launches_each_way(cuda, rng):
    x, alpha, beta = inputs(rng, (1, 2, 4, 5), "float32")
    with launch.recording() as record:
        h = irnn_cuda.irnn(cuda(x), cuda(alpha), cuda(beta))
    assert (record.launches, record.moved) == (4, 4 * 2 * x.nbytes)
    with launch.recording() as record:
        irnn_cuda.irnn_backward(h, h, cuda(alpha))
    assert record.launches == 4
