"""Input checks that several functions share, each with the message its user sees."""

from __future__ import annotations

import math

from rainopt.arrays import Array, is_floating, namespace


def require_batch(array: Array, name: str) -> None:
    """Require floating-point images (..., H, W) with at least one pixel, all finite.

    Raises
    ------
    ValueError
        For a wrong rank, an empty image, or NaN and infinities.
    TypeError
        For integers and other dtypes.
    """
    if array.ndim < 2:
        raise ValueError(f"`{name}` must be (..., H, W), got shape {tuple(array.shape)}")
    if 0 in tuple(array.shape):
        raise ValueError(f"`{name}` must not be empty, got shape {tuple(array.shape)}")
    if not is_floating(array):
        raise TypeError(f"`{name}` must be float32 or float64, got {array.dtype}; scale integers to [0, 1] first")
    require_finite(array, name)


def require_finite(array: Array, name: str) -> None:
    """Require that no element is NaN or infinite; a black picture is not an answer to one."""
    xp = namespace(array)
    # A sum is finite unless an element is not (or the sum overflows, which the exact test then settles).
    if not math.isfinite(float(xp.sum(array))) and not bool(xp.all(xp.isfinite(array))):
        raise ValueError(f"`{name}` must be finite, but it holds NaN or infinite values")


def require_same_shape(reference: Array, name: str, **others: Array) -> None:
    """Require that every array of ``others`` has the shape of ``reference``."""
    for other, array in others.items():
        if tuple(array.shape) != tuple(reference.shape):
            raise ValueError(
                f"`{other}` must have the shape of `{name}`, {tuple(reference.shape)}, got {tuple(array.shape)}"
            )


def require_non_negative(**values: float) -> None:
    """Require finite numbers of at least 0."""
    for name, value in values.items():
        if not (isinstance(value, (int, float)) and math.isfinite(value) and value >= 0):
            raise ValueError(f"`{name}` must be a finite number of at least 0, got {value!r}")
