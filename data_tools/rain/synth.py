"""Synthetic rain: a clean picture in, the rainy picture and its true rain layer out.

The rain is drawn in three steps, each usable alone: `draw_streaks` draws a random population of streaks,
`render_streaks` turns streaks into a layer, `compose` puts a layer over a picture. `add_rain` does all three.

Only a numpy `Generator` is drawn from: for the streaks in the order that `drops` states; then, if there is a veil,
the uniform numbers of its coarse grid. The same generator state therefore gives the same streaks everywhere, as
long as numpy keeps the streams of these distributions, and the same picture up to 1e-6, which is what the last bit
of ``exp``, ``sin`` and ``cos`` can change.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from data_tools.rain.drops import Drops
from data_tools.rain.haze import check_depth, draw_veil, seen_veil
from data_tools.rain.parts import as_array
from data_tools.rain.spec import Composition, RainSpec, check_composition
from data_tools.rain.streaks import render_streaks

# Streak brightness from which a pixel counts as rainy: five 8-bit steps, about what the eye sees in texture.
_MASK_LEVEL = 5.0 / 255.0


@dataclass(frozen=True, eq=False)
class Rainy:
    """A picture with rain and its truth; unpacks as ``rainy, rain, spec``.

    Attributes
    ----------
    rainy : (H, W) or (H, W, C) float32 array
        The picture with rain, [0, 1]; exactly ``compose(clean, rain, spec.composition)``.
    rain : (H, W) float32 array
        The rain layer as seen, [0, 1], streaks and veil; what the scene hides is not in it.
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


@dataclass(frozen=True, eq=False)
class Rain:
    """Rain before a scene, drawn once: put it `over` any picture of its shape, at any time."""

    spec: RainSpec
    drops: Drops
    veil: NDArray[np.float32] | None
    depth: NDArray[np.float32] | None

    @staticmethod
    def draw(
        shape: tuple[int, int], spec: RainSpec, rng: np.random.Generator, depth: ArrayLike | None = None
    ) -> "Rain":
        """Draw the rain; parameters and errors are those of `add_rain`."""
        scene = None if depth is None else check_depth(depth, shape)
        drops = Drops.draw(shape, spec, rng)
        veil = seen_veil(draw_veil(shape, rng), spec, scene) if spec.veil > 0 else None
        return Rain(spec, drops, veil, scene)

    def over(self, clean: NDArray[np.float32], time: float = 0.0) -> Rainy:
        """Return the picture (float32, checked) taken `time` exposures after the first, with its truth."""
        composition = self.spec.composition
        streaks = render_streaks(self.drops.streaks(time), self.drops.shape, composition, self.depth)
        rain = streaks if self.veil is None else compose(self.veil, streaks, composition)
        return Rainy(compose(clean, rain, composition), rain, self.spec, clean, streaks > _MASK_LEVEL)


def add_rain(image: ArrayLike, spec: RainSpec, rng: np.random.Generator, *, depth: ArrayLike | None = None) -> Rainy:
    """Put synthetic rain over a clean picture.

    Parameters
    ----------
    image : (H, W) or (H, W, C) array, C = 1 or 3
        uint8, uint16 or float in [0, 1].
    spec : RainSpec
        What the rain looks like.
    rng : numpy.random.Generator
        Where the rain is; the order of the draws is in the module's description.
    depth : (H, W) array, optional
        Distance of the scene, >= 0, infinite for the sky. A streak is hidden where the scene is nearer than it, and
        the veil thins in proportion where the scene is nearer than the farthest layer. Three numbered layers are at
        0.5, 1 and 2, their streaks a little around it. ``np.where(near, 0, np.inf)`` keeps all rain behind a mask
        of near things; `ground_depth` makes the depth of open ground. Rain elsewhere is the same with and without.

    Returns
    -------
    Rainy
        Unpacks as ``rainy, rain, spec``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from data_tools import RainSpec, add_rain, compose
    >>> clean = np.full((120, 160, 3), 0.4, np.float32)
    >>> rainy, rain, spec = add_rain(clean, RainSpec(angle=10), np.random.default_rng(0))
    >>> rain.shape, np.array_equal(rainy, compose(clean, rain, spec.composition))
    ((120, 160), True)

    The same seed makes the same rain:

    >>> again = add_rain(clean, RainSpec(angle=10), np.random.default_rng(0))
    >>> np.array_equal(again.rainy, rainy)
    True
    """
    clean = unit_image("image", image)
    return Rain.draw((clean.shape[0], clean.shape[1]), spec, rng, depth).over(clean)


def compose(clean: ArrayLike, rain: ArrayLike, composition: Composition = "screen") -> NDArray[np.float32]:
    """Put a rain layer over a picture: O = min(B + R, 1) if additive, O = 1 - (1 - B)(1 - R) if screen.

    Additive rain is the model of most deraining methods, and loses the picture where it clips. Screen rain, like
    light through a half-transparent drop, shows most over dark places and never clips; it is evaluated as B + R (1
    - B), so that pixels without rain keep their exact value.

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
    B = unit_image("clean", clean)
    R = unit_image("rain", rain)
    check_composition(composition)
    if R.shape != B.shape[:2]:
        raise ValueError(f"`rain` must have the rows and columns of `clean`, {B.shape[:2]}, got shape {R.shape}")
    if B.ndim == 3:
        R = R[:, :, None]
    return np.minimum(B + (R * (1 - B) if composition == "screen" else R), np.float32(1))


def unit_image(name: str, image: ArrayLike) -> NDArray[np.float32]:
    """Check a picture and bring it to float32 in [0, 1]."""
    array = as_array(name, image)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
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
