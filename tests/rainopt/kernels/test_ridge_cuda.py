"""Curvature and crests by the kernels for CUDA, against those for the CPU."""

import numpy as np
import pytest

from rainopt.direction.ridges import BLOCK, gaussian_derivatives
from rainopt.kernels import ridge_cpu, ridge_cuda


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((6, 11), "float32"), ((3, 4), "float32"), pytest.param((301, 420), "float64", marks=pytest.mark.gpu)],
)
def test_curvature_and_crests(cuda, rng, shape, dtype):
    image = rng.random(shape).astype(dtype)
    taps = gaussian_derivatives(1.0).astype(dtype)
    here = [np.zeros(shape, dtype) for _ in range(3)]
    ridge_cpu.curvature(image, taps, 0, shape[0], *here)
    there = [cuda(np.zeros(shape, dtype)) for _ in range(3)]
    # In two goes, as the bands of threads.
    for first, last in ((0, 2), (2, shape[0])):
        ridge_cuda.curvature(cuda(image), taps, first, last, *there)
    for expected, found in zip(here, there, strict=True):
        np.testing.assert_allclose(cuda.back(found), expected, atol=2e-5)
    thresholds = np.full(tuple(-(-n // BLOCK) for n in shape), 0.05, dtype)
    for sign in (1.0, -1.0):
        crest, offset = np.zeros(shape, np.bool_), np.zeros(shape, dtype)
        ridge_cpu.crests(*here, here[0].dtype.type(sign), thresholds, BLOCK, 0, shape[0], crest, offset)
        marked, beside = cuda(np.ones(shape, np.bool_)), cuda(np.zeros(shape, dtype))
        ridge_cuda.crests(*map(cuda, here), sign, thresholds, BLOCK, 0, shape[0], marked, beside)
        assert 0 < crest.sum() < crest.size
        # A hair decides where neighbours are equal.
        assert (cuda.back(marked) != crest).mean() < 1e-3
        both = cuda.back(marked) & crest
        np.testing.assert_allclose(cuda.back(beside)[both], offset[both], atol=1e-5)
