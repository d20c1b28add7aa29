"""The veil of distant rain: drops too far away to be seen one by one whiten what is behind them."""

from __future__ import annotations

import array_api_compat
import numpy as np

from rainopt.arrays import Array, namespace
from rainopt.checks import require_batch, require_finite
from rainopt.host_steps import number

# What is taken for a veil at most: `remove_veil` multiplies noise by 1 / (1 - v), and a picture that is brighter than
# this everywhere shows a bright thing rather than rain.
MAX_VEIL = 0.4
# The darkest things in a photograph without a veil are not quite black; this much of their light stays.
DARKNESS = 0.02
# Cells along the longer side. Everything is measured in shares of it, so that the size of a picture does not matter,
# and the mean over a cell leaves little noise in a large one.
CELLS = 256
# Distances between nodes along the longer side. The window of a node is two of them wide, an eighth of the side.
SPANS = 16
# Share of a window that may be darker than what counts as its darkest: single cells are noise.
QUANTILE = 0.005
# How much the veil may rise over the length of the longer side, going up, down and sideways. Distance grows from the
# foreground at the bottom to the horizon, seldom the other way or from left to right, and where it may not rise, a
# bright wall beside something dark is seen for what it is. Found on photographs without rain, with and without a
# rendered veil.
RISE_UP = 0.5
RISE_DOWN = 0.05
RISE_SIDEWAYS = 0.02


def estimate_veil(colour: Array, shape: tuple[int, int] | None = None) -> Array:
    """Return how much light of distant rain lies over each part of a picture.

    In small windows of a photograph without haze, something is nearly black in one of the channels (the dark channel
    prior). A veil v lifts it to ``d + v (1 - d)`` with d the darkness that photographs have anyway, so the darkest
    value D of a window says ``v ≤ (D - d) / (1 - d)``. Where nothing is dark, on a sky or a white wall, that says
    little: v is the largest field below all these bounds that rises no faster than a veil does,

    ``v(p) = min_q (min((D(q) - d) / (1 - d), MAX_VEIL) + ρ(p - q))``

    with ρ, the rise allowed from q to p, steepest upwards. Windows without anything dark then take their veil from
    those that have it.

    Parameters
    ----------
    colour
        (C, H, W) in [0, 1], C is 1 or 3, float32 or float64, streaks already removed.
    shape
        Height and width of the veil, where ``colour`` is a reduced picture; default its own.

    Returns
    -------
    Array
        (H, W), or ``shape``, in [0, `MAX_VEIL`], smooth: a cubic B-spline on some 16 nodes.

    Raises
    ------
    ValueError
        For another shape, an empty picture, NaN or infinities.
    TypeError
        For another dtype.

    Notes
    -----
    Source: He, Sun, Tang 2009, Eqs. (5) and (8), with white for the airlight. Departures: a quantile of cell means
    for the minimum over pixels; one bound on the slope for the soft matting, as rain has no edges where objects have
    them. Where the veil thickens upwards, the darkest of a window lies at its lower end, so the estimate lags by half a
    window, on the side of too little. A picture that holds nothing dark at all is mistaken for one with a veil.
    """
    _require_planes(colour)
    xp = namespace(colour)
    bound = (_darkest(_cells(colour)) - DARKNESS) / (1 - DARKNESS)
    nodes = _lower_envelope(xp.clip(bound, 0.0, MAX_VEIL))
    height, width = shape or colour.shape[-2:]
    rows, columns = (
        xp.asarray(_spline(pixels, count), dtype=nodes.dtype, device=array_api_compat.device(nodes))
        for pixels, count in ((height, nodes.shape[0]), (width, nodes.shape[1]))
    )
    # The sum of the weights is 1 up to rounding, which may overshoot.
    return xp.clip(rows @ (nodes @ columns.T), 0.0, MAX_VEIL)


def remove_veil(colour: Array, veil: Array) -> Array:
    """Take a white veil off: ``B_c = (O_c - v) / (1 - v)``, clipped to [0, 1].

    It inverts the screen composition ``O_c = B_c + v (1 - B_c)``, and returns every bit where v is 0.

    Parameters
    ----------
    colour
        (C, H, W) in [0, 1], C is 1 or 3, float32 or float64.
    veil
        (H, W) in [0, 1).

    Raises
    ------
    ValueError
        For shapes that do not fit, or a veil outside its range.
    TypeError
        For another dtype, or arrays of two libraries.
    """
    xp = namespace(colour, veil, names="colour, veil")
    _require_planes(colour)
    if tuple(veil.shape) != tuple(colour.shape[-2:]):
        raise ValueError(f"`veil` must be (H, W) = {tuple(colour.shape[-2:])}, got shape {tuple(veil.shape)}")
    require_batch(veil, "veil")
    low, high = (number(end(veil), "range") for end in (xp.min, xp.max))
    if not 0 <= low <= high < 1:
        raise ValueError(f"`veil` must lie in [0, 1), got values from {low:g} to {high:g}")
    return xp.clip((colour - veil) / (1 - veil), 0.0, 1.0)


def _require_planes(colour: Array) -> None:
    """Require (C, H, W) with C 1 or 3; what is in it, `_cells` checks where there is less of it."""
    xp = namespace(colour, names="colour")
    if colour.ndim != 3 or colour.shape[0] not in (1, 3):
        raise ValueError(f"`colour` must be (C, H, W) with C 1 or 3, got shape {tuple(colour.shape)}")
    if 0 in tuple(colour.shape):
        raise ValueError(f"`colour` must not be empty, got shape {tuple(colour.shape)}")
    if colour.dtype not in (xp.float32, xp.float64):
        raise TypeError(f"`colour` must be float32 or float64, got {colour.dtype}; scale integers to [0, 1] first")


def _cells(colour: Array) -> Array:
    """Return the darkest channel of the means over square cells, some `CELLS` of them along the longer side."""
    xp = namespace(colour)
    size = max(1, round(max(colour.shape[-2:]) / CELLS))
    darkest = None
    # Channel by channel: a reduction over the first axis is many times slower.
    for channel in range(colour.shape[0]):
        means = _block_rows(colour[channel, ...], size)
        means = _block_rows(means.T, size).T
        # A mean holds NaN and infinities of all its pixels; the minimum over channels would hide an infinity.
        require_finite(means, "colour")
        darkest = means if darkest is None else xp.minimum(darkest, means)
    return darkest


def _block_rows(plane: Array, size: int) -> Array:
    """Return the means over ``size`` rows each, and over those that are left, (H, W) to (⌈H / size⌉, W)."""
    if size == 1:
        return plane
    xp = namespace(plane)
    rows, columns = plane.shape
    whole = rows // size
    parts = []
    if whole:
        parts.append(xp.mean(xp.reshape(plane[: whole * size, :], (whole, size, columns)), axis=1))
    if rows % size:
        parts.append(xp.mean(plane[whole * size :, :], axis=0, keepdims=True))
    return xp.concat(parts, axis=0)


def _darkest(cells: Array) -> Array:
    """Return a low quantile of the cells around each node; edges mirror the picture."""
    xp = namespace(cells)
    height, width = cells.shape
    reach = max(1, round(max(height, width) / SPANS))
    rows, columns = _windows(height, reach), _windows(width, reach)
    index = rows[:, None, :, None] * width + columns[None, :, None, :]
    around = xp.take(
        xp.reshape(cells, (-1,)), xp.asarray(np.reshape(index, -1), device=array_api_compat.device(cells)), axis=0
    )
    ordered = xp.sort(xp.reshape(around, (len(rows), len(columns), -1)), axis=-1)
    return ordered[:, :, int(QUANTILE * ordered.shape[-1])]


def _windows(count: int, reach: int) -> np.ndarray:
    """Cells at most ``reach`` away from nodes spread evenly from end to end of ``count`` cells; (nodes, 2 reach)."""
    nodes = max(1, round(count / reach)) + 1
    first = np.round(np.linspace(0, count, nodes)).astype(np.int64) - reach
    index = (first[:, None] + np.arange(2 * reach)[None, :]) % (2 * count)
    return np.minimum(index, 2 * count - 1 - index)


def _lower_envelope(bound: Array) -> Array:
    """Return the largest nodes below ``bound`` that rise no faster than a veil: erosion with a cone, axis by axis."""
    xp = namespace(bound)

    def rise(count: int, forwards: float, backwards: float) -> Array:
        # From the node of the column to that of the row.
        steps = (np.arange(count)[:, None] - np.arange(count)[None, :]) / SPANS
        cone = np.where(steps > 0, steps * forwards, -steps * backwards)
        return xp.asarray(cone, dtype=bound.dtype, device=array_api_compat.device(bound))

    rows, columns = bound.shape
    nodes = xp.min(bound[None, :, :] + rise(rows, RISE_DOWN, RISE_UP)[:, :, None], axis=1)
    return xp.min(nodes[:, None, :] + rise(columns, RISE_SIDEWAYS, RISE_SIDEWAYS)[None, :, :], axis=2)


def _spline(pixels: int, nodes: int) -> np.ndarray:
    """Weights of a cubic B-spline with ``nodes`` from edge to edge at the centres of pixels; (pixels, nodes).

    Weights are positive, so that the field keeps the range and the slopes of its nodes; at the ends the last node is
    repeated.
    """
    at = (np.arange(pixels) + 0.5) / pixels * (nodes - 1)
    whole = np.floor(at)
    t = at - whole
    taps = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1) / 6
    near = np.clip(whole.astype(np.int64)[:, None] + np.arange(-1, 3)[None, :], 0, nodes - 1)
    weights = np.zeros((pixels, nodes))
    np.add.at(weights, (np.arange(pixels)[:, None], near), taps)
    return weights
