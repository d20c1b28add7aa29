"""The picture that the angle is estimated on: float planes, large photographs reduced."""

from __future__ import annotations

import math

import numpy as np

from rainopt.arrays import Array, detached, is_floating, kernel, namespace, native, require_dense
from rainopt.checks import require_axis
from rainopt.host_steps import fetch
from rainopt.image import RANGE_SLACK, split_channels

# Streaks of large photographs are many pixels wide, and evidence is plentiful: work on about this many pixels.
WORK_PIXELS = 1_500_000


def reduction(height: int, width: int) -> int:
    """Return the side of the blocks of pixels that are averaged; 1 for all but large images."""
    factor = math.ceil(math.sqrt(height * width / WORK_PIXELS))
    return factor if min(height, width) >= 2 * factor else 1


def work_planes(image: Array, channel_axis: int = -1) -> np.ndarray:
    """Return `reduced_planes` of an image on the host.

    Raises
    ------
    ValueError, TypeError
        As `rainopt.image.split_channels`.
    """
    return np.ascontiguousarray(fetch(reduced_planes(image, channel_axis), "block means"))


def reduced_planes(image: Array, channel_axis: int = -1) -> Array:
    """Return the colours of an image as (C, h, w) float32 where it lies, averaged over whole blocks; angles are kept.

    Raises
    ------
    ValueError, TypeError
        As `rainopt.image.split_channels`.
    """
    require_dense(image, "image")
    image = native(detached(image))
    fast = _reduced(image, channel_axis)
    if fast is not None:
        return fast
    colour = split_channels(image, channel_axis).colour
    channels, height, width = colour.shape
    factor = reduction(height, width)
    if factor > 1:
        xp = namespace(colour)
        height, width = height // factor, width // factor
        blocks = xp.reshape(colour[:, : height * factor, : width * factor], (channels, height, factor, width, factor))
        colour = xp.mean(blocks, axis=(2, 4))
    return np.ascontiguousarray(colour) if isinstance(colour, np.ndarray) else colour


def _reduced(image: Array, channel_axis: int) -> Array | None:
    """`reduced_planes` of a large image by the kernel of its device; None where it is small, there is no kernel, or
    there is something to complain of, which is left to `split_channels`.
    """
    xp = namespace(image)
    if image.ndim not in (2, 3):
        return None
    if image.ndim == 3:
        channel_axis = require_axis(channel_axis, tuple(image.shape))
    pixels = image[:, :, None] if image.ndim == 2 else xp.moveaxis(image, channel_axis, -1)
    height, width, channels = pixels.shape
    if 0 in pixels.shape or channels not in (1, 2, 3, 4):
        return None
    factor = reduction(height, width)
    if factor == 1:
        return None
    fast = kernel("block_mean", pixels)
    if fast is None:
        return None
    if image.dtype in (xp.uint8, xp.uint16):
        full = xp.iinfo(image.dtype).max
        scale, low, high = 1 / full, 0.0, float(full)
    elif is_floating(image):
        scale, low, high = 1.0, -RANGE_SLACK, 1 + RANGE_SLACK
    else:
        return None
    planes = fast(pixels, channels - (channels in (2, 4)), factor, scale, low, high)
    return None if planes is None else xp.clip(planes, 0.0, 1.0)
