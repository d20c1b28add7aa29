"""Proximal points and projections in closed form.

``prox_{t f}(v) = argmin_x  t f(x) + ½ (x - v)²``, elementwise but for singular values.
"""

from __future__ import annotations

from rainopt.arrays import Array, namespace


def shrink(value: Array, threshold: float | Array) -> Array:
    """Soft shrinkage ``sign(v) max(|v| - t, 0)``: the proximal point of ``t |x|``.

    Source: Yu et al. 2021, Eq. (9). Departure: the print reads ``|v| max(|v| - t, 0)``, which is not a proximal
    point.
    """
    return positive(value - threshold) - positive(-value - threshold)


def positive(value: Array) -> Array:
    """Return ``max(v, 0)`` elementwise: the projection on the non-negative numbers."""
    xp = namespace(value)
    return xp.where(value > 0, value, xp.zeros_like(value))


def project_interval(value: Array, low: Array, high: Array) -> Array:
    """Project on ``[low, high]`` elementwise; the bounds are arrays that broadcast against ``value``."""
    xp = namespace(value)
    return xp.where(value < low, low, xp.where(value > high, high, value))


def project_ball(value: Array, radius: float) -> Array:
    """Project on ``|v| ≤ radius`` elementwise: the proximal point of the conjugate of ``radius |x|``."""
    # Not `value - shrink(value)`, which rounds.
    xp = namespace(value)
    bound = xp.full_like(value, radius)
    return project_interval(value, -bound, bound)


def shrink_towards(value: Array, threshold: float | Array, target: Array, pull: Array) -> Array:
    """Proximal point of ``t |r| + κ |r - e|``, ``e ≥ 0``.

    Left of 0, between 0 and e, and right of e the sum is a line, whose proximal point is a shift of the value. The
    minimiser is the shift that falls into its own part, or the kink between two that do not. Shrinking by one norm and
    then by the other is no proximal point of their sum: for t = 1, κ = 3, e = 5 the value 0.5 would go to 3, not 2.5.
    """
    xp = namespace(value)
    over, under = value - threshold, value + threshold
    left = xp.minimum(under + pull, xp.zeros_like(value))
    return xp.maximum(xp.maximum(left, xp.minimum(over + pull, target)), over - pull)


def prox_rain(
    value: Array,
    threshold: float | Array,
    ceiling: Array | None,
    excess: Array | None = None,
    pull: Array | None = None,
) -> Array:
    """Proximal point of ``t |r|``, of ``κ |r - e|`` with it where an excess e and its pull κ are given, and of the box
    ``0 ≤ r ≤ ceiling`` where one is given.

    In one dimension the constrained minimiser is the unconstrained one brought into the interval.
    """
    if excess is None or pull is None:
        shrunk = shrink(value, threshold)
    else:
        shrunk = shrink_towards(value, threshold, excess, pull)
    if ceiling is None:
        return shrunk
    xp = namespace(value)
    return project_interval(shrunk, xp.zeros_like(value), ceiling)


def shrink_singular_values(matrix: Array, threshold: float) -> Array:
    """Singular-value thresholding ``U max(S - t, 0) Vᵀ``: the proximal point of ``t ‖X‖_*``, t ≥ 0.

    Takes real matrices (..., m, n), each on its own. Source: Cai, Candès, Shen, "A singular value thresholding
    algorithm for matrix completion", SIAM J. Optim. 2010, Theorem 2.1.
    """
    left, values, right = namespace(matrix).linalg.svd(matrix, full_matrices=False)
    return (left * positive(values - threshold)[..., None, :]) @ right
