"""The guided filter of a picture by itself: a mean that stops at edges."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def guided_filter(image: Tensor, radius: int, epsilon: float) -> Tensor:
    """Smooth each channel of pictures under its own guidance.

    In each window of 2 ``radius`` + 1 pixels the result is linear in the picture, ``q = a I + b``, with

        a = var(I) / (var(I) + ε),   b = (1 - a) mean(I),

    and a and b of a pixel are the means over all windows that hold it. Windows end at the border of the picture.

    Parameters
    ----------
    image
        (N, C, H, W).
    radius
        In pixels.
    epsilon
        Variance above which something is an edge, in the square of the picture's unit.

    Returns
    -------
    Tensor
        (N, C, H, W); a value depends on 2 ``radius`` pixels around it.

    Notes
    -----
    Source: He, Sun, Tang 2010, Eqs. (5), (6) and (8).
    """
    mean = _box_mean(image, radius)
    variance = (_box_mean(image * image, radius) - mean * mean).clamp(min=0)
    a = variance / (variance + epsilon)
    return _box_mean(a, radius) * image + _box_mean((1 - a) * mean, radius)


def _box_mean(image: Tensor, radius: int) -> Tensor:
    """Return means over windows that end at the border, of (N, C, H, W)."""
    side = 2 * radius + 1
    down = F.avg_pool2d(image, (side, 1), 1, (radius, 0), count_include_pad=False)
    return F.avg_pool2d(down, (1, side), 1, (0, radius), count_include_pad=False)
