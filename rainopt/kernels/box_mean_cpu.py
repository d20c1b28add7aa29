"""Means over boxes on the CPU, by scipy's running sums."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def box_mean(field: np.ndarray, length: int, axis: int) -> np.ndarray:
    """Return the mean of the ``length`` pixels around each, along one axis; beyond the border its pixel repeats."""
    return np.asarray(ndimage.uniform_filter1d(field, length, axis=axis, mode="nearest"))
