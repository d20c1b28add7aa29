"""Means over the pixels that can be trusted."""

from __future__ import annotations

from torch import Tensor


def per_picture(costs: Tensor, valid: Tensor | None = None) -> Tensor:
    """Return the mean over pictures of the mean cost of a picture's valid pixels.

    Parameters
    ----------
    costs
        (N, C, H, W).
    valid
        (N, 1, H, W) of 0 and 1; None: all pixels count. Pictures without any valid one do not count.
    """
    if valid is None:
        return costs.mean()
    pixels = valid.sum(dim=(1, 2, 3))
    each = (costs * valid).sum(dim=(1, 2, 3)) / (pixels.clamp(min=1) * costs.shape[1])
    # A picture without valid pixels costs nothing already.
    return each.sum() / (pixels > 0).sum().clamp(min=1)
