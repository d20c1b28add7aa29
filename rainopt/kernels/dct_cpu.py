"""The two-dimensional DCT-II on the CPU, by scipy's transforms."""

from __future__ import annotations

import numpy as np
from scipy import fft

from rainopt.parallel.threads import num_threads


def dct2(image: np.ndarray) -> np.ndarray:
    """Orthonormal DCT-II over the last two axes."""
    return np.asarray(fft.dctn(image, type=2, norm="ortho", axes=(-2, -1), workers=num_threads()))


def idct2(coefficients: np.ndarray) -> np.ndarray:
    """Inverse of `dct2`."""
    return np.asarray(fft.idctn(coefficients, type=2, norm="ortho", axes=(-2, -1), workers=num_threads()))
