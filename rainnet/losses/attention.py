"""What an attention map should be: one where there is rain, zero elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rainnet.losses.masked import per_picture

THRESHOLD = 10 / 255


class AttentionLoss(nn.Module):
    """``‖A - M‖²``, mean over pixels and pictures, ``M = 1`` where rainy and clean picture differ by more than a
    threshold in some channel.

    Parameters
    ----------
    threshold
        In [0, 1].

    Notes
    -----
    Source: Wang et al. 2019, Eq. (7), which names no threshold. Their program adds up differences of bytes that wrap
    around, and calls rain whatever is not 0: also where the clean picture is brighter by a level. Here differences are
    those of real numbers, and the threshold is ours: above the noise of cameras and codecs, below visible streaks.
    """

    def __init__(self, threshold: float = THRESHOLD) -> None:
        super().__init__()
        self.threshold = threshold

    def mask(self, rainy: Tensor, clean: Tensor) -> Tensor:
        """Return M, (N, 1, H, W) of 0 and 1, of pictures (N, C, H, W)."""
        return rain_mask(rainy, clean, self.threshold)

    def forward(self, attention: Tensor, rainy: Tensor, clean: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return the loss of a map (N, 1, H, W) in [0, 1]; over the pixels where ``valid``, (N, 1, H, W), is 1."""
        return per_picture((attention - self.mask(rainy, clean)).square(), valid)


@torch.no_grad()
def rain_mask(rainy: Tensor, clean: Tensor, threshold: float = THRESHOLD) -> Tensor:
    """Return (N, 1, H, W), 1 where pictures (N, C, H, W) differ by more than a threshold in some channel, else 0."""
    return ((rainy - clean).abs().amax(dim=1, keepdim=True) > threshold).to(rainy.dtype)
