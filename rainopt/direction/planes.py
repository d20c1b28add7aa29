"""The picture that the angle is estimated on: float planes on the host, large photographs reduced."""

from __future__ import annotations

import math

import numpy as np

from rainopt.arrays import Array, detached, host_view, namespace, native, to_numpy
from rainopt.image import RANGE_SLACK, split_channels
from rainopt.parallel.threads import run_all

# Streaks of large photographs are many pixels wide, and evidence is plentiful: work on about this many pixels.
WORK_PIXELS = 1_500_000
BAND_ROWS = 64


def reduction(height: int, width: int) -> int:
    """Return the side of the blocks of pixels that are averaged; 1 for all but large images."""
    factor = math.ceil(math.sqrt(height * width / WORK_PIXELS))
    return factor if min(height, width) >= 2 * factor else 1


def work_planes(image: Array, channel_axis: int = -1) -> np.ndarray:
    """Return the colours of an image as (C, h, w) float32 on the host, averaged over whole blocks; angles are kept.

    Raises
    ------
    ValueError, TypeError
        As `rainopt.image.split_channels`.
    """
    image = detached(image)
    try:
        host = host_view(image)
    except TypeError:  # bfloat16, which numpy does not know
        host = None
    if host is not None:
        planes = _host_planes(native(host), channel_axis)
        if planes is not None:
            return planes
    colour = split_channels(image, channel_axis).colour
    channels, height, width = colour.shape
    factor = reduction(height, width)
    if factor > 1:
        xp = namespace(colour)
        height, width = height // factor, width // factor
        blocks = xp.reshape(colour[:, : height * factor, : width * factor], (channels, height, factor, width, factor))
        colour = xp.mean(blocks, axis=(2, 4))
    return np.ascontiguousarray(to_numpy(colour))


def _host_planes(image: np.ndarray, channel_axis: int) -> np.ndarray | None:
    """`work_planes` of a large host image in one pass; None where it is small, or there is something to complain of."""
    if image.ndim == 2:
        pixels = image[:, :, None]
    elif image.ndim == 3 and channel_axis is not None and -3 <= channel_axis < 3:
        pixels = np.moveaxis(image, channel_axis, -1)
    else:
        return None
    height, width, channels = pixels.shape
    unit = (1.0, -RANGE_SLACK, 1 + RANGE_SLACK)
    scales = {"u1": (1 / 255, 0.0, 255.0), "u2": (1 / 65535, 0.0, 65535.0), "f2": unit, "f4": unit, "f8": unit}
    known = scales.get(image.dtype.str[1:])
    if channels not in (1, 2, 3, 4) or known is None or 0 in pixels.shape:
        return None
    factor = reduction(height, width)
    if factor == 1:
        return None
    from rainopt.kernels.block_mean_cpu import block_means

    scale, low, high = (np.float32(v) for v in known)
    dtype = np.float32 if image.dtype.kind == "f" else image.dtype
    out = np.empty((channels - (channels in (2, 4)), height // factor, width // factor), np.float32)
    starts = range(0, out.shape[1], BAND_ROWS)

    def reduce(first: int) -> bool:
        rows = slice(first, first + BAND_ROWS)
        with np.errstate(over="ignore"):  # a double beyond all bounds is out of range as an infinity, too
            band = np.ascontiguousarray(pixels[first * factor : min(first + BAND_ROWS, out.shape[1]) * factor], dtype)
        return block_means(band, factor, scale, low, high, out[:, rows])

    # What the blocks leave out, and the alpha, must be valid as well.
    rest = (pixels[out.shape[1] * factor :], pixels[:, out.shape[2] * factor :], pixels[:, :, len(out) :])
    valid = image.dtype.kind == "u" or all(((low <= part) & (part <= high)).all() for part in rest)
    if not (valid and all(run_all(reduce, [(first,) for first in starts]))):
        return None
    return np.clip(out, 0, 1)
