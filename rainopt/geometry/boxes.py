"""Means over boxes, on any array library."""

from __future__ import annotations

import array_api_compat

from rainopt.arrays import Array, kernel, namespace


def box_mean(field: Array, length: int, axis: int) -> Array:
    """Return the mean of the ``length`` pixels around each, along one axis; beyond the border its pixel repeats.

    Parameters
    ----------
    field
        (..., H, W) floating point.
    length
        Odd, at least 1.
    axis
        -2, along the rows' direction, or -1.

    Raises
    ------
    ValueError
        For an even length.
    """
    if length < 1 or length % 2 == 0:
        raise ValueError(f"`length` must be odd and at least 1, got {length!r}")
    fast = kernel("box_mean", field)
    if fast is not None:
        return fast(field, length, axis)
    xp = namespace(field)
    turned = xp.moveaxis(field, axis, -1)
    reach = length // 2
    repeats = (*turned.shape[:-1], reach)
    first = xp.broadcast_to(turned[..., :1], repeats)
    last = xp.broadcast_to(turned[..., -1:], repeats)
    # Differences of long running sums would lose the digits of single precision.
    padded = xp.astype(xp.concat([xp.zeros_like(turned[..., :1]), first, turned, last], axis=-1), xp.float64)
    total = xp.cumulative_sum(padded, axis=-1)
    mean = xp.astype((total[..., length:] - total[..., :-length]) / length, field.dtype)
    return xp.moveaxis(mean, -1, axis)


def shifted(field: Array, by: int) -> Array:
    """Return the pixel ``by`` columns to the left of each (to the right for negative ``by``), the border repeated."""
    xp = namespace(field)
    width = field.shape[-1]
    index = xp.clip(xp.arange(width, device=array_api_compat.device(field)) - by, 0, width - 1)
    return xp.take(field, index, axis=-1)
