"""Synthetic rain: a clean picture in, the rainy picture and its true rain layer out.

The rain is drawn in three steps, each usable alone: `draw_streaks` draws a random population of streaks,
`render_streaks` turns streaks into a layer, `compose` puts a layer over a picture. `add_rain` does all three.

Only a numpy `Generator` is drawn from, in this order: for every layer of the spec in turn, one uniform number that
rounds the expected number of streaks n to a whole one, (n, 5) uniform numbers (row, column, length, width, brightness
of each streak), n standard normal numbers (angle); then, if there is a veil, the uniform numbers of its coarse grid.
The same generator state therefore gives the same streaks everywhere, as long as numpy keeps the streams of these
distributions, and the same picture up to 1e-6, which is what the last bit of ``exp``, ``sin`` and ``cos`` can change.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data_tools import _streaks
from data_tools._spec import Composition, RainLayer, RainSpec, check_composition

__all__ = [
    "Composition",
    "RainLayer",
    "RainSpec",
    "Rainy",
    "Streaks",
    "add_rain",
    "compose",
    "draw_streaks",
    "render_streaks",
]

# Full width at half maximum of a Gaussian with standard deviation 1.
_FWHM = 2.0 * math.sqrt(2.0 * math.log(2.0))
# The narrowest Gaussian, in pixels, that keeps its light to 0.5 % wherever it falls between pixel centres.
_FINEST_SIGMA = 0.6
# The shortest fade, in pixels, that does the same for its ends; together they stay below 1 %.
_SHORTEST_FADE = 2.5
# Streak brightness from which a pixel counts as rainy: five 8-bit steps, about what the eye sees in texture.
_MASK_LEVEL = 5.0 / 255.0


@dataclass(frozen=True, eq=False)
class Streaks:
    """Streaks of rain, one entry each; all arrays are (N,) float64.

    Attributes
    ----------
    row, column : array
        Midpoints in pixels; pixel (i, j) has its centre at row i, column j. They may lie outside the picture.
    angle : array
        Degrees, 0 vertical, positive moves right going down.
    length : array
        Tip to tip, in pixels.
    sigma : array
        Standard deviation of the Gaussian profile across, in pixels.
    fade : array
        Length of the smooth ramp at each end, in pixels, part of `length`.
    peak : array
        Brightness on the midline, [0, 1].
    """

    row: NDArray[np.float64]
    column: NDArray[np.float64]
    angle: NDArray[np.float64]
    length: NDArray[np.float64]
    sigma: NDArray[np.float64]
    fade: NDArray[np.float64]
    peak: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rainy:
    """A picture with rain and its truth; unpacks as ``rainy, rain, spec``.

    Attributes
    ----------
    rainy : (H, W) or (H, W, C) float32 array
        The picture with rain, [0, 1]; exactly ``compose(clean, rain, spec.composition)``.
    rain : (H, W) float32 array
        The rain layer, [0, 1], streaks and veil.
    spec : RainSpec
        What was asked for.
    clean : array like `rainy`
        The picture without rain, as float32.
    mask : (H, W) bool array
        Where streaks, the veil apart, are brighter than 5/255.
    """

    rainy: NDArray[np.float32]
    rain: NDArray[np.float32]
    spec: RainSpec
    clean: NDArray[np.float32]
    mask: NDArray[np.bool_]

    def __iter__(self) -> Iterator:
        return iter((self.rainy, self.rain, self.spec))


def add_rain(image: ArrayLike, spec: RainSpec, rng: np.random.Generator) -> Rainy:
    """Put synthetic rain over a clean picture.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array, C = 1 or 3
        uint8, uint16 or float in [0, 1].
    spec : RainSpec
        What the rain looks like.
    rng : numpy.random.Generator
        Where the rain is; the order of the draws is in the module's description.

    Returns
    -------
    Rainy
        Unpacks as ``rainy, rain, spec``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.
    """
    clean = _unit_image("image", image)
    if not isinstance(spec, RainSpec):
        raise TypeError(f"`spec` must be a RainSpec, got {type(spec).__name__}")
    shape = (clean.shape[0], clean.shape[1])
    streaks = render_streaks(draw_streaks(shape, spec, rng), shape, spec.composition)
    mask = streaks > _MASK_LEVEL
    rain = compose(_veil(shape, rng) * np.float32(spec.veil), streaks, spec.composition) if spec.veil > 0 else streaks
    return Rainy(compose(clean, rain, spec.composition), rain, spec, clean, mask)


def draw_streaks(shape: tuple[int, int], spec: RainSpec, rng: np.random.Generator) -> Streaks:
    """Draw a random population of streaks, spread evenly over a picture and as far around it as they reach in.

    Parameters
    ----------
    shape : (H, W)
        Rows and columns of the picture.
    spec : RainSpec
        Distribution of the streaks.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Streaks
        Layer after layer, nearest first.
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"`rng` must be a numpy.random.Generator, got {type(rng).__name__}")
    layers = spec.depth_layers
    total = math.fsum(layer.share for layer in layers)
    populations = []
    for layer in layers:
        length, sigma = layer.length * spec.length, layer.width * spec.width / _FWHM
        largest = 1.0 + spec.variation / 2
        margin = largest * (length / 2 + _streaks.CUTOFF * math.hypot(sigma, layer.blur)) + _SHORTEST_FADE
        height, width = shape[0] + 2 * margin, shape[1] + 2 * margin
        expected = spec.density * (layer.share / total) * height * width / 1e6
        count = int(expected + rng.random())
        u = rng.random((count, 5))
        swing = spec.variation * (u[:, 2:4] - 0.5)
        populations.append(
            _streaks_as_seen(
                row=height * u[:, 0] - margin - 0.5,
                column=width * u[:, 1] - margin - 0.5,
                angle=spec.angle + spec.angle_spread * rng.standard_normal(count),
                length=length * (1.0 + swing[:, 0]),
                sigma=sigma * (1.0 + swing[:, 1]),
                peak=spec.intensity * layer.intensity * (1.0 - spec.variation * (1.0 - u[:, 4] ** 2)),
                taper=spec.taper,
                blur=layer.blur,
            )
        )
    return Streaks(*(np.concatenate([getattr(p, f.name) for p in populations]) for f in fields(Streaks)))


def _streaks_as_seen(
    row: NDArray[np.float64],
    column: NDArray[np.float64],
    angle: NDArray[np.float64],
    length: NDArray[np.float64],
    sigma: NDArray[np.float64],
    peak: NDArray[np.float64],
    taper: float,
    blur: float,
) -> Streaks:
    """Streaks as a camera records them: defocused, and no finer than its pixels, at unchanged total light."""
    seen_sigma = np.maximum(np.hypot(sigma, blur), _FINEST_SIGMA)
    fade = np.maximum(0.5 * taper * length, _SHORTEST_FADE)
    seen_length = np.maximum(length, 2.0 * fade)
    dimmed = peak * (sigma / seen_sigma) * (length / seen_length)
    return Streaks(row, column, angle, seen_length, seen_sigma, fade, dimmed)


def render_streaks(
    streaks: Streaks, shape: tuple[int, int], composition: Composition = "screen"
) -> NDArray[np.float32]:
    """Render streaks into a rain layer.

    Profiles are Gaussian across and fade smoothly at both ends, evaluated at the pixel centres; those of `draw_streaks`
    are wide enough for a streak to look the same wherever it falls between pixels. Streaks lie over each other by the
    rule of `compose`, so a layer rendered in parts and composed is the layer rendered at once.

    Parameters
    ----------
    streaks : Streaks
        What to draw.
    shape : (H, W)
        Rows and columns of the layer; whatever lies outside is left out.
    composition : {"screen", "additive"}
        How streaks combine where they cross.

    Returns
    -------
    (H, W) float32 array
        Brightness in [0, 1].
    """
    check_composition(composition)
    canvas = np.zeros(shape, dtype=np.float64)
    names = ("row", "column", "angle", "length", "sigma", "fade", "peak")
    row, column, angle, length, sigma, fade, peak = (
        np.ascontiguousarray(getattr(streaks, name), np.float64) for name in names
    )
    _streaks.draw(canvas, row, column, np.deg2rad(angle), length, sigma, fade, peak, composition == "screen")
    return np.minimum(canvas, 1.0).astype(np.float32)


def compose(clean: ArrayLike, rain: ArrayLike, composition: Composition = "screen") -> NDArray[np.float32]:
    """Put a rain layer over a picture: O = min(B + R, 1) if additive, O = 1 - (1 - B)(1 - R) if screen.

    Additive rain is the model of most deraining methods, and loses the picture where it clips. Screen rain, like light
    through a half-transparent drop, shows most over dark places and never clips; it is evaluated as B + R (1 - B), so
    that pixels without rain keep their exact value.

    Parameters
    ----------
    clean : (H, W) or (H, W, C) array, C = 1 or 3
        B; uint8, uint16 or float in [0, 1].
    rain : (H, W) array
        R, the same in all channels; uint8, uint16 or float in [0, 1].
    composition : {"screen", "additive"}
        Which formula.

    Returns
    -------
    float32 array, shaped like `clean`
        O in [0, 1].
    """
    B = _unit_image("clean", clean)
    R = _unit_image("rain", rain)
    check_composition(composition)
    if R.shape != B.shape[:2]:
        raise ValueError(f"`rain` must have the rows and columns of `clean`, {B.shape[:2]}, got shape {R.shape}")
    if B.ndim == 3:
        R = R[:, :, None]
    return np.minimum(B + (R * (1 - B) if composition == "screen" else R), np.float32(1))


def _veil(shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
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


def _unit_image(name: str, image: ArrayLike) -> NDArray[np.float32]:
    """Check a picture and bring it to float32 in [0, 1]."""
    array = np.asarray(image)
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3) or array.size == 0:
        raise ValueError(
            f"`{name}` must be (H, W) or (H, W, C) with C 1 or 3 and no side empty, got shape {array.shape}"
        )
    if array.dtype in (np.uint8, np.uint16):
        return array.astype(np.float32) / np.float32(np.iinfo(array.dtype).max)
    if not np.issubdtype(array.dtype, np.floating):
        raise TypeError(f"`{name}` must be uint8, uint16 or floating point, got {array.dtype}")
    low, high = array.min(), array.max()
    # Comparisons with NaN are false, so this refuses NaN and infinities too.
    if not (low >= 0 and high <= 1):
        raise ValueError(f"`{name}` must be finite and in [0, 1], got values from {low:g} to {high:g}")
    return array.astype(np.float32)
