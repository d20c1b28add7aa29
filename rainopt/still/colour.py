"""The colour of rain, and a rain layer found on luminance taken off a picture in that colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import array_api_compat
import numpy as np

from rainopt.arrays import Array, kernel, namespace
from rainopt.image import LUMA

# Pixels on a side of the cells that votes are summed over. A streak has the colour of the three by three cells around
# it: fewer would let noise decide, and in more the light of two lamps is mixed.
CELL = 8
SIDE = 5.0  # pixels across the rain, to either side, that a streak is held against
FAINT = 0.01  # brightness of the layer above which a pixel votes
# Votes that rain is achromatic, and votes in each cell that it has the colour that it has in the whole picture: as many
# as a share of the mean over the cells, and no fewer than the least. A pixel of a streak 0.05 bright has 0.0025.
ACHROMATIC = 0.25
COMMON, LEAST_COMMON = 0.1, 0.01
# Least and greatest share of a channel, before their mean is made 1, where nothing is sure. The less doubt is left, the
# nearer they are to 0 and to infinity: streaks in the light of a tail-lamp have nothing in blue.
SHARES = (0.2, 2.0)
DOUBT = 1e-3  # the least that is left
# What a channel may lack of its share, a level of 8 bits: where it is at 0 and the share is small, it cannot tell that
# there was no rain.
SLACK = 1 / 255
# Softens the shares of rain that hides what is behind it where that is nearly as bright as the drops.
SOFTNESS = 0.02


class RainColour(NamedTuple):
    """The colour of rain by place: what it adds to each channel, over what it adds to luminance.

    Attributes
    ----------
    shares
        (C, h, w) float32 above 0, one for each cell of `CELL` × `CELL` pixels; between their middles they are
        interpolated linearly. Their sum with the weights of luminance is 1, and achromatic rain has 1 everywhere.
    common
        (C,) float32, the shares in the whole picture.
    confidence
        (h, w) float32 in [0, 1): how far the streaks near a cell have decided on its shares, and not ``common``.
    """

    shares: Array
    common: Array
    confidence: Array


class RainLight(NamedTuple):
    """The light that the rain of a scene adds to its frames, see `shares_over`.

    Attributes
    ----------
    shares
        Of each channel, over luminance, in the light of the drops.
    hides
        In [0, 1], how much of what is behind it a drop hides: 1 over the luminance of its light.
    """

    shares: tuple[float, ...]
    hides: float = 0.0


def remove_layer(colour: Array, rain: Array, shares: Array | None = None, first_row: int = 0) -> tuple[Array, Array]:
    """Return colour planes without the rain, and the layer that could be taken.

    ``B_c = O_c - a_c R`` with shares a_c whose sum with the weights of luminance is 1, so that the luminance of the
    result is ``Y - R``. No channel may fall below 0: R is first limited to ``min_c (O_c + δ) / a_c``, for a streak was
    not brighter than what is there with it. What a channel lacks of its share, at most δ, is not taken.

    The shares of white light that hides what is behind it (the screen composition), ``(1 - O_c + ε) / (1 - Y + ε)``,
    were taken here before. They depend on the scene alone: where it is coloured they take most from the channels that
    it lacks, and leave its own colour, stronger, along every streak; across clear streaks of photographs the contrast
    of colour grew to twice that of the rainy picture. A drop in flight is before each pixel for a small part of the
    exposure, so its light adds to the scene and hides little; and it is the light of the lamps and the part of the sky
    that the drop refracts, which `colour_of_rain` finds.

    Parameters
    ----------
    colour
        (C, H, W) in [0, 1].
    rain
        (H, W), layer on luminance, at least 0.
    shares
        (C, h, w) of the dtype of ``colour``, as in `RainColour`; (C, 1, 1) for one colour everywhere; None: 1.
    first_row
        Where the planes are a band of rows of the picture that the shares are of: the first of its rows.

    Returns
    -------
    tuple
        Derained planes (C, H, W), at least 0, exactly ``colour`` where the layer is 0; and the layer that was taken
        off, (H, W).
    """
    xp = namespace(colour)
    if shares is None:
        shares = xp.ones((colour.shape[0], 1, 1), dtype=colour.dtype, device=array_api_compat.device(colour))
    fast = kernel("remove_layer", colour, rain, shares)
    if fast is not None and all(field.dtype == xp.float32 for field in (colour, rain, shares)):
        return fast(colour, rain, shares, CELL, first_row, SLACK, _weights(colour))
    here = interpolated(shares, first_row, tuple(rain.shape))
    # Channel by channel: a reduction over the first axis is many times slower.
    for channel in range(colour.shape[0]):
        rain = xp.minimum(rain, (colour[channel, ...] + SLACK) / here[channel, ...])
    clean = colour - rain * here
    held = xp.where(clean > 0, clean, xp.zeros_like(clean))
    taken = rain - _weighted(held - clean)
    return held, xp.where(taken > 0, taken, xp.zeros_like(taken))


def shares_over(light: RainLight, behind: Array) -> Array:
    """Return the shares (C, h, w) of rain of a known light over what is behind it, (C, h, w) in [0, 1].

    A drop with the light L, before a pixel for the part α of the exposure, adds ``α (L_c - B_c)``. With
    ``l_c = L_c / L_Y`` and ``h = 1 / L_Y``, and α eliminated,

    ``a_c = ((1 + ε) l_c - h B_c) / (1 + ε - h B_Y)``,

    which is l_c where drops hide nothing, and the screen composition for white light and h = 1. The scene behind is
    that of cells, not of pixels: what a layer has too much or too little in a pixel would be taken for the pixel's
    colour, and where drops are hardly brighter than the scene that makes much of little.
    """
    xp, device = namespace(behind), array_api_compat.device(behind)
    shares = xp.asarray(list(light.shares), dtype=behind.dtype, device=device)[:, None, None]
    if light.hides == 0:
        return shares
    over = ((1 + SOFTNESS) * shares - light.hides * behind) / (1 + SOFTNESS - light.hides * _weighted(behind))
    return _bounded(over, xp.ones_like(behind[0, ...]))


def cells_behind(colour: Array, rain: Array) -> Array:
    """Return the means (C, h, w) of cells of planes (C, H, W) less a layer (H, W), nowhere below 0."""
    xp = namespace(colour)
    behind = xp.where(colour > rain, colour - rain, xp.zeros_like(colour))
    sums = _cell_sums(behind)
    for axis in (-2, -1):
        first = CELL * xp.arange(sums.shape[axis], dtype=sums.dtype, device=array_api_compat.device(sums))
        pixels = xp.clip(colour.shape[axis] - first, 1, CELL)
        sums = sums / (pixels[:, None] if axis == -2 else pixels)
    return sums


def interpolated(shares: Array, first_row: int, shape: tuple[int, int]) -> Array:
    """Return shares (C, h, w) at the pixels of rows from ``first_row`` on, (C, *shape); beyond the middles of the
    outermost cells they stay the same.
    """
    xp = namespace(shares)
    for axis, first, count in ((-2, first_row, shape[0]), (-1, 0, shape[1])):
        cells = shares.shape[axis]
        pixel = xp.arange(first, first + count, dtype=shares.dtype, device=array_api_compat.device(shares))
        place = xp.clip((pixel + 0.5) / CELL - 0.5, 0, cells - 1)
        before = xp.astype(place, xp.int64)
        part = place - xp.astype(before, shares.dtype)
        one, other = (xp.take(shares, index, axis=axis) for index in (before, xp.clip(before + 1, 0, cells - 1)))
        shares = one + (part[:, None] if axis == -2 else part) * (other - one)
    return shares


def colour_of_rain(planes: Array, rain: Array, angles: Sequence[float], scale: float = 1.0) -> RainColour:
    """Find the colour of the rain of a picture, of which the layer on luminance is known.

    `colour_votes` says how.
    """
    return decided(colour_votes(planes, rain, angles, scale))


def colour_votes(planes: Array, rain: Array, angles: Sequence[float], scale: float = 1.0) -> Array:
    """Return the votes for the colour of rain, summed over cells: a regression of each channel on the layer.

    Across the rain a streak rises above both its sides, in each channel by its share of what it rises in luminance.
    With ``∇² f = f - (f₋ + f₊) / 2``, the sides being `SIDE` pixels away, the votes of a cell are
    ``V_c = Σ ∇² O_c · ∇² R`` over the pixels with R above `FAINT` and over all directions, and ``V_c / Σ_c w_c V_c``
    with the weights w of luminance is the share of a channel where there are enough. What does not vary across the
    rain as the layer does has no part in it.

    A channel at 1 tells only that there was at least as much. Its pixels vote like others: what a streak has added to
    the picture, little where the sky is at 1 already, is what has to be taken off it.

    Parameters
    ----------
    planes
        (C, H, W), C being 1 or 3, of whole numbers or floats.
    rain
        (H, W) float32 in [0, 1], the layer on luminance.
    angles
        Degrees in (-90, 90], of all directions of the rain.
    scale
        What the planes are to be multiplied with to lie in [0, 1].

    Returns
    -------
    Array
        (C, h, w) float32, one for each cell of `CELL` × `CELL` pixels; those at the last row and column may be smaller.
    """
    offsets = np.array([_offset(angle) for angle in angles], np.int64).reshape(-1, 2)
    xp = namespace(planes, rain)
    fast = kernel("colour_votes", planes, rain)
    known = [getattr(xp, name, None) for name in ("uint8", "uint16", "float32", "float64")]
    if fast is not None and rain.dtype == xp.float32 and planes.dtype in known:
        return fast(planes, rain, offsets, scale, FAINT, CELL)
    colour = xp.astype(planes, xp.float32) * scale
    votes = xp.zeros_like(colour)
    for down, across in offsets.tolist():
        rises = xp.where(rain > FAINT, _rise(rain, down, across), xp.zeros_like(rain))
        votes = votes + _rise(colour, down, across) * rises
    return _cell_sums(votes)


def decided(votes: Array) -> RainColour:
    """Return the colour of rain that votes (C, h, w) of `colour_votes` give.

    The votes of a cell are those of the three by three cells around it, weighted as 1, 2, 1 either way, and a few for
    the shares in the whole picture; these are decided with some for achromatic rain. A picture with few streaks so has
    achromatic rain, and a place with few of them the rain of the picture.
    """
    xp = namespace(votes)
    common = common_shares(xp.sum(votes, axis=(1, 2)))
    near = _binomial(_binomial(votes, -1), -2)
    mean = xp.sum(votes, axis=(1, 2)) / (votes.shape[1] * votes.shape[2])
    luma = _weighted(near)
    luma = xp.where(luma > 0, luma, xp.zeros_like(luma))
    usual = COMMON * _weighted(mean)
    usual = xp.where(usual > LEAST_COMMON, usual, xp.full_like(usual, LEAST_COMMON))
    shares = _bounded((near + usual * common[:, None, None]) / (luma + usual), usual / (luma + usual))
    return RainColour(shares, common, luma / (luma + usual))


def common_shares(votes: Array) -> Array:
    """Return the shares (C,) of a picture, or of frames of one scene, from the sums of all their votes (C,)."""
    xp = namespace(votes)
    luma = _weighted(votes)
    every = xp.where(luma > 0, luma, xp.zeros_like(luma)) + ACHROMATIC
    return _bounded((votes + ACHROMATIC) / every, ACHROMATIC / every)


def _bounded(shares: Array, doubt: Array) -> Array:
    """Return shares (C, ...) within bounds that are as wide as the doubt of them (...), in [0, 1], is small."""
    xp = namespace(shares)
    doubt = xp.where(doubt > DOUBT, doubt, xp.full_like(doubt, DOUBT))
    least, most = SHARES[0] * doubt, SHARES[1] / doubt
    shares = xp.where(shares > least, shares, xp.zeros_like(shares) + least)
    shares = xp.where(shares < most, shares, xp.zeros_like(shares) + most)
    return shares / _weighted(shares)


def _weights(channels: Array) -> tuple[float, ...]:
    """Return the weights of luminance of channels (C, ...)."""
    return (1.0,) if channels.shape[0] == 1 else LUMA


def _weighted(channels: Array) -> Array:
    """Return the sum of channels (C, ...) with the weights of luminance."""
    if channels.shape[0] == 1:
        return channels[0, ...]
    return LUMA[0] * channels[0, ...] + LUMA[1] * channels[1, ...] + LUMA[2] * channels[2, ...]


def _offset(angle: float) -> tuple[int, int]:
    """Return how many rows down and columns to the right the side of a streak lies."""
    radians = math.radians(angle)
    return round(-SIDE * math.sin(radians)), round(SIDE * math.cos(radians))


def _rise(field: Array, down: int, across: int) -> Array:
    """Return a field (..., H, W) less the mean of its pixels to either side; beyond the border its pixel repeats."""
    one, other = (_moved(_moved(field, sign * down, -2), sign * across, -1) for sign in (1, -1))
    return field - (one + other) / 2


def _moved(field: Array, by: int, axis: int) -> Array:
    xp, size = namespace(field), field.shape[axis]
    if by == 0:
        return field
    index = xp.clip(xp.arange(size, device=array_api_compat.device(field)) + by, 0, size - 1)
    return xp.take(field, index, axis=axis)


def _cell_sums(field: Array) -> Array:
    """Return the sums of the cells of a field (C, H, W)."""
    xp, device = namespace(field), array_api_compat.device(field)
    for axis in (-2, -1):
        shape = list(field.shape)
        shape[axis] = -shape[axis] % CELL
        field = xp.concat([field, xp.zeros(tuple(shape), dtype=field.dtype, device=device)], axis=axis)
    channels, height, width = field.shape
    return xp.sum(xp.reshape(field, (channels, height // CELL, CELL, width // CELL, CELL)), axis=(2, 4))


def _binomial(field: Array, axis: int) -> Array:
    """Return the mean of each number and its neighbours along an axis, weighted as 1, 2, 1; outside there is 0."""
    xp = namespace(field)
    turned = xp.moveaxis(field, axis, -1)
    nothing = xp.zeros_like(turned[..., :1])
    padded = xp.concat([nothing, turned, nothing], axis=-1)
    return xp.moveaxis((padded[..., :-2] + 2 * turned + padded[..., 2:]) / 4, -1, axis)
