"""What an image is at the edge of the toolkit: dtype, range, unit, channels, luminance."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from rainopt.arrays import Array, detached, is_floating, kernel, namespace, native, require_dense
from rainopt.checks import require_axis, require_finite
from rainopt.host_steps import number

# BT.601 luma, the weights of the luminance that most of the literature scores.
LUMA = (0.299, 0.587, 0.114)
# Rounding of a float that was meant to be 1 is no reason to refuse an image.
RANGE_SLACK = 1e-4
# Half of 255 is 127.5, and is written as 128: by this much a colour may exceed the unit of its picture.
ROUNDED_UP = 256 / 255 * (1 + 1e-6)
# Bits at the top of the range that may be empty. A picture of 8 bits in a file of 16 leaves so many.
DARKEST = 8


class Channels(NamedTuple):
    """An image as float32 planes.

    Attributes
    ----------
    colour
        (C, H, W) in [0, 1], C is 1 or 3.
    alpha
        (H, W) in [0, 1], or None.
    axis
        Where the channels were, or None for an (H, W) image.
    """

    colour: Array
    alpha: Array | None
    axis: int | None


def split_channels(image: Array, channel_axis: int | None = -1) -> Channels:
    """Check an image and bring it into planes; see `join_channels` for the way back.

    Parameters
    ----------
    image
        (H, W), or three axes of which ``channel_axis`` holds 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha)
        channels; uint8, uint16, or floating point in [0, 1].
    channel_axis
        Which axis holds the channels; ignored for (H, W).

    Raises
    ------
    ValueError
        For another rank, number of channels or range, an empty image, NaN or infinities.
    TypeError
        For another dtype, or something that is not an array.
    """
    require_dense(image, "image")
    xp, image = namespace(image), native(image)
    shape = tuple(image.shape)
    if image.ndim not in (2, 3):
        raise ValueError(f"`image` must be (H, W) or (H, W, C), got shape {shape}")
    if 0 in shape:
        raise ValueError(f"`image` must not be empty, got shape {shape}")
    axis: int | None = None
    planes = xp.expand_dims(image, axis=0)
    if image.ndim == 3:
        axis = require_axis(channel_axis, shape)
        planes = xp.moveaxis(image, axis, 0)
        if planes.shape[0] not in (1, 2, 3, 4):
            raise ValueError(
                f"`image` must have 1 to 4 channels (grey or RGB, with or without alpha), got {planes.shape[0]} "
                f"on axis {channel_axis} of shape {shape}"
            )
    planes = unit_range(planes)
    count = planes.shape[0]
    if count in (2, 4):
        return Channels(planes[: count - 1, ...], planes[count - 1, ...], axis)
    return Channels(planes, None, axis)


def raw_planes(image: Array, channel_axis: int | None = -1) -> tuple[Array, float]:
    """Return the colours of a checked image as planes (C, H, W) of its own dtype, and what they are to be multiplied
    with to lie in [0, 1].
    """
    xp = namespace(image)
    planes = xp.expand_dims(image, axis=0)
    if image.ndim == 3:
        planes = xp.moveaxis(image, require_axis(channel_axis, tuple(image.shape)), 0)
    scale = 1 / 255 if image.dtype == xp.uint8 else 1 / 65535 if image.dtype == xp.uint16 else 1.0
    return planes[: 1 if planes.shape[0] < 3 else 3, ...], scale


def join_channels(colour: Array, like: Channels) -> Array:
    """Put planes (C, H, W) back to the layout, and the alpha, that `split_channels` took apart."""
    xp = namespace(colour)
    if like.alpha is not None:
        colour = xp.concat([colour, like.alpha[None, ...]], axis=0)
    if like.axis is None:
        return colour[0, ...]
    return xp.moveaxis(colour, 0, like.axis)


def unit_range(image: Array) -> Array:
    """Return ``image`` as float32 in [0, 1]: uint8 divided by 255, uint16 by 65535, floats checked and passed on."""
    xp = namespace(image)
    if image.dtype == xp.uint8:
        return xp.astype(image, xp.float32) / 255
    if image.dtype == xp.uint16:
        return xp.astype(image, xp.float32) / 65535
    if not is_floating(image):
        raise TypeError(f"`image` must be uint8, uint16 or floating point, got {image.dtype}")
    require_finite(image, "image")
    values = detached(image)
    low, high = (number(end(values), "range") for end in (xp.min, xp.max))
    if low < -RANGE_SLACK or high > 1 + RANGE_SLACK:
        raise ValueError(
            f"`image` of floats must lie in [0, 1], got values from {low:g} to {high:g}; divide by its full scale"
        )
    return xp.clip(xp.astype(image, xp.float32), 0.0, 1.0)


def exposure(*images: Array, channel_axis: int | None = -1) -> float:
    """Return the unit that images are in: the least power of two, at most 1, that none of their colours exceeds.

    A sensor of 12 bits leaves the upper four of 16 empty, and a dark picture some of 8. Thresholds on brightness mean
    what they say in pictures that use their range; so a picture is divided by its exposure at the door, and what is
    found is multiplied by it on the way out. Multiplying by a power of two rounds nothing: a picture and the same one
    sixteen times darker give the same, and one that is bright somewhere, above half of full scale, has an exposure of
    exactly 1.

    Parameters
    ----------
    *images
        One or several that share a unit, such as frames of a scene; each as `split_channels` takes it. Alpha does not
        count.
    channel_axis
        Which axis holds the channels; ignored for (H, W).

    Returns
    -------
    float
        ``2⁻ᵏ`` with k from 0 to `DARKEST`; 1 for a black image. Divided by it, colours may exceed 1 by the rounding of
        8 bits, 1/255, and more where an image is black for more than `DARKEST` bits.

    Raises
    ------
    ValueError, TypeError
        As `split_channels`, as far as the maximum shows what is wrong.
    """
    return unit_of(max((brightest(image, channel_axis) for image in images), default=0.0))


def unit_of(peak: float) -> float:
    """Return the exposure of a picture whose greatest value in [0, 1] is ``peak``; see `exposure`."""
    if not 0 < peak <= 0.5 * ROUNDED_UP:
        return 1.0
    return 2.0 ** -min(math.floor(-math.log2(peak / ROUNDED_UP)), DARKEST)


def brightest(image: Array, channel_axis: int | None = -1) -> float:
    """Return the greatest value of the colours of an image, as a share of full scale."""
    require_dense(image, "image")
    xp, image = namespace(image), native(detached(image))
    whole = image.dtype in (xp.uint8, xp.uint16)
    if image.ndim not in (2, 3) or 0 in tuple(image.shape) or not (whole or is_floating(image)):
        return 0.0  # no image, as whoever looks closer will say
    if image.ndim == 3:
        axis = require_axis(channel_axis, tuple(image.shape))
        if image.shape[axis] in (2, 4):
            image = xp.moveaxis(image, axis, 0)[: image.shape[axis] - 1, ...]
    if image.dtype == xp.uint16 and not isinstance(image, np.ndarray):
        return number(xp.max(xp.astype(image, xp.int32)), "exposure") / 65535  # torch knows little of this dtype
    return number(xp.max(image), "exposure") / (xp.iinfo(image.dtype).max if whole else 1)


def scaled(array: Array, factor: float) -> Array:
    """Return ``array`` times a number; the very array where that is 1."""
    return array if factor == 1 else array * factor


def luminance(colour: Array) -> Array:
    """Return BT.601 luma of (C, H, W) planes, C being 1 or 3; (H, W)."""
    if colour.shape[0] == 1:
        return colour[0, ...]
    return LUMA[0] * colour[0, ...] + LUMA[1] * colour[1, ...] + LUMA[2] * colour[2, ...]


def image_luminance(image: Array, channel_axis: int | None = -1) -> Array:
    """Return `luminance` of an image as `split_channels` takes it, (H, W); the same errors are raised."""
    xp = namespace(image)
    if image.ndim in (2, 3) and image.dtype in (xp.uint8, xp.uint16):
        axis = require_axis(channel_axis, tuple(image.shape)) if image.ndim == 3 else None
        planes = xp.expand_dims(image, axis=0) if axis is None else xp.moveaxis(image, axis, 0)
        fast = kernel("luminance", planes)
        if fast is not None and planes.shape[0] in (1, 2, 3, 4) and 0 not in tuple(planes.shape):
            return fast(planes, LUMA)
    return luminance(split_channels(image, channel_axis).colour)


def frame_luminance(image: Array) -> Array:
    """Return `luminance` of an image (H, W) or (H, W, C) of floats, channels last; (H, W)."""
    return image if image.ndim == 2 else luminance(namespace(image).moveaxis(image, -1, 0))


def quantise(image: Array, dtype: Any) -> Array:
    """Round a [0, 1] image to ``dtype`` of its library: uint8 or uint16 full scale, or a float as it is."""
    xp = namespace(image)
    if xp.isdtype(dtype, "real floating"):
        return xp.astype(image, dtype)
    return xp.astype(xp.round(image * xp.iinfo(dtype).max), dtype)
