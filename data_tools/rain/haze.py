"""The haze of distant rain, and the depth of the scene that it and the streaks are hidden by."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data_tools.rain.parts import as_array, checked_number, checked_shape
from data_tools.rain.spec import RainSpec


def ground_depth(shape: tuple[int, int], horizon: float = 0.5, foreground: float = 0.5) -> NDArray[np.float32]:
    """Return the depth of open, level ground under an upright camera: d = f (1 - h) / (y - h) below the horizon.

    Distant rain then shows above the horizon and down to where the ground is nearer than it.

    Parameters
    ----------
    shape : (H, W)
        Rows and columns of the picture.
    horizon : float
        h, the row of the horizon as a part of the height, [0, 1]; y is the row of a pixel's centre in the same unit.
    foreground : float
        f, the depth at the lower edge of the picture, > 0, in the unit of `RainLayer.distance`.

    Returns
    -------
    (H, W) float32 array
        Infinite at and above the horizon.
    """
    shape = checked_shape(shape)
    horizon = checked_number("horizon", horizon, 0.0, 1.0)
    foreground = checked_number("foreground", foreground, 0.0, math.inf, low_open=True)
    below = (np.arange(shape[0]) + 0.5) / shape[0] - horizon
    column = np.full(shape[0], np.inf)
    with np.errstate(over="ignore"):  # what float32 does not hold is infinitely far
        np.divide(foreground * (1.0 - horizon), below, out=column, where=below > 0)
        column = column.astype(np.float32)
    return np.repeat(column[:, None], shape[1], axis=1)


def check_depth(depth: ArrayLike, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Check the depth of a scene and bring it to float32."""
    array = as_array("depth", depth)
    if array.shape != shape:
        raise ValueError(f"`depth` must have the rows and columns of the picture, {shape}, got shape {array.shape}")
    if not (np.issubdtype(array.dtype, np.floating) or np.issubdtype(array.dtype, np.integer)):
        raise TypeError(f"`depth` must be numbers, got {array.dtype}")
    # Comparisons with NaN are false, so this refuses NaN too.
    if not (array >= 0).all():
        raise ValueError("`depth` must be at least 0 and not NaN")
    return array.astype(np.float32)


def seen_veil(veil: NDArray[np.float32], spec: RainSpec, depth: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Return the brightness of a veil: full from the farthest layer on, and in proportion to the depth before it."""
    bright = veil * np.float32(spec.veil)
    if depth is None:
        return bright
    farthest = max(layer.distance for layer in spec.depth_layers)
    return bright * np.minimum(depth / np.float32(farthest), np.float32(1))


def draw_veil(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    """Smooth haze between 1/3 and 1: cubic B-splines over random numbers, three cells to the shorter side."""
    cell = min(shape) / 3
    grid = rng.random((math.ceil(shape[0] / cell) + 3, math.ceil(shape[1] / cell) + 3))
    rows = _interpolate(grid, shape[0], cell)
    smooth = _interpolate(rows.T, shape[1], cell).T
    return ((1.0 + 2.0 * smooth) / 3.0).astype(np.float32)


def _interpolate(values: NDArray[np.float64], size: int, cell: float) -> NDArray[np.float64]:
    """Uniform cubic B-spline along the first axis, sampled at `size` points `cell` apart per control value."""
    index, t = np.divmod(np.arange(size) / cell, 1.0)
    i, t = index.astype(np.intp), t[:, None]
    weights = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, 3 * t**2 - 3 * t**3 + 3 * t + 1, t**3)
    terms = [w * values[i + k] for k, w in enumerate(weights)]
    return (((terms[0] + terms[1]) + terms[2]) + terms[3]) / 6.0
