"""What an image is at the edge of the toolkit: dtype, range, channels, luminance."""

from __future__ import annotations

from typing import Any, NamedTuple

from rainopt.arrays import Array, is_floating, namespace, native
from rainopt.checks import require_finite

# BT.601 luma, the weights of the luminance that most of the literature scores.
LUMA = (0.299, 0.587, 0.114)
# Rounding of a float that was meant to be 1 is no reason to refuse an image.
RANGE_SLACK = 1e-4


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
    xp = namespace(image, names="image")
    image = native(image)
    shape = tuple(image.shape)
    if image.ndim not in (2, 3):
        raise ValueError(f"`image` must be (H, W) or (H, W, C), got shape {shape}")
    if 0 in shape:
        raise ValueError(f"`image` must not be empty, got shape {shape}")
    axis: int | None = None
    planes = xp.expand_dims(image, axis=0)
    if image.ndim == 3:
        if channel_axis is None or not -3 <= channel_axis < 3:
            raise ValueError(f"`channel_axis` must name an axis of an image of shape {shape}, got {channel_axis!r}")
        axis = channel_axis % 3
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
    low, high = float(xp.min(image)), float(xp.max(image))
    if low < -RANGE_SLACK or high > 1 + RANGE_SLACK:
        raise ValueError(
            f"`image` of floats must lie in [0, 1], got values from {low:g} to {high:g}; divide by its full scale"
        )
    return xp.clip(xp.astype(image, xp.float32), 0.0, 1.0)


def luminance(colour: Array) -> Array:
    """Return BT.601 luma of (C, H, W) planes, C being 1 or 3; (H, W)."""
    if colour.shape[0] == 1:
        return colour[0, ...]
    return LUMA[0] * colour[0, ...] + LUMA[1] * colour[1, ...] + LUMA[2] * colour[2, ...]


def frame_luminance(image: Array) -> Array:
    """Return `luminance` of an image (H, W) or (H, W, C) of floats, channels last; (H, W)."""
    return image if image.ndim == 2 else luminance(namespace(image).moveaxis(image, -1, 0))


def quantise(image: Array, dtype: Any) -> Array:
    """Round a [0, 1] image to ``dtype`` of its library: uint8 or uint16 full scale, or a float as it is."""
    xp = namespace(image)
    if xp.isdtype(dtype, "real floating"):
        return xp.astype(image, dtype)
    return xp.astype(xp.round(image * xp.iinfo(dtype).max), dtype)
