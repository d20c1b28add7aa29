"""Input checks that several functions share, each with the message its user sees."""

from __future__ import annotations

import math
from numbers import Integral, Real

from rainopt.arrays import Array, namespace, native, require_dense
from rainopt.host_steps import truth

MOST_ITERATIONS = 100_000  # some hundred are usual; more are a slip, or never end


def require_batch(array: Array, name: str) -> None:
    """Require float32 or float64 images (..., H, W) with at least one pixel, all finite.

    Raises
    ------
    ValueError
        For a wrong rank, an empty image, or NaN and infinities.
    TypeError
        For integers and other dtypes.
    """
    require_dense(array, name)
    xp, array = namespace(array), native(array)
    if array.ndim < 2:
        raise ValueError(f"`{name}` must be (..., H, W), got shape {tuple(array.shape)}")
    if 0 in tuple(array.shape):
        raise ValueError(f"`{name}` must not be empty, got shape {tuple(array.shape)}")
    if array.dtype not in (xp.float32, xp.float64):
        raise TypeError(f"`{name}` must be float32 or float64, got {array.dtype}; scale integers to [0, 1] first")
    require_finite(array, name)


def require_finite(array: Array, name: str) -> None:
    """Require that no element is NaN or infinite; a black picture is not an answer to one."""
    xp = namespace(array)
    if not truth(xp.all(xp.isfinite(array)), "check"):
        raise ValueError(f"`{name}` must be finite, but it holds NaN or infinite values")


def require_same_shape(reference: Array, name: str, **others: Array) -> None:
    """Require that every array of ``others`` has the shape of ``reference``."""
    for other, array in others.items():
        if tuple(array.shape) != tuple(reference.shape):
            raise ValueError(
                f"`{other}` must have the shape of `{name}`, {tuple(reference.shape)}, got {tuple(array.shape)}"
            )


def require_non_negative(most: float = math.inf, /, **values: float) -> None:
    """Require finite real numbers of at least 0 and at most ``most``."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, Real) or not (math.isfinite(value) and value >= 0):
            raise ValueError(f"`{name}` must be a finite number of at least 0, got {value!r}")
        if value > most:
            raise ValueError(f"`{name}` must be at most {most:g}, got {value!r}")


def require_whole(value: float, name: str, most: int | None = None) -> int:
    """Require a whole number of at least 1, and at most ``most``, and return it as an int."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value) or value != int(value):
        raise ValueError(f"`{name}` must be a whole number of at least 1, got {value!r}")
    if value < 1:
        raise ValueError(f"`{name}` must be a whole number of at least 1, got {value!r}")
    if most is not None and value > most:
        raise ValueError(f"`{name}` must be at most {most}, got {value!r}")
    return int(value)


def require_iterations(value: float, name: str = "max_iter") -> int:
    """Require a number of iterations that comes to an end, 1 to `MOST_ITERATIONS`, and return it as an int."""
    return require_whole(value, name, MOST_ITERATIONS)


def require_axis(channel_axis: object, shape: tuple[int, ...], what: str = "an image") -> int:
    """Require an axis of an image of three axes, counted from either end, and return it counted from the first."""
    if isinstance(channel_axis, bool) or not isinstance(channel_axis, Integral) or not -3 <= int(channel_axis) < 3:
        raise ValueError(f"`channel_axis` must name an axis of {what} of shape {shape}, got {channel_axis!r}")
    return int(channel_axis) % 3
