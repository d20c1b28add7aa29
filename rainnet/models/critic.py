"""The critic of VRGNet: how rainy a picture looks, by convolutions and attention of every place to every other.

Source: Wang et al. 2021 (CVPR), Section 4, name a self-attention discriminator: Zhang et al. 2019 (SAGAN), Section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SMALLEST = 4  # pixels of the side of the last map
ATTENTIVE = 2  # of the last maps have attention
SLOPE = 0.2  # of the leaky ReLU


class Critic(nn.Module):
    """Convolutions of stride 2 until 4 × 4 pixels are left, the last two maps with attention, and one number.

    Parameters
    ----------
    side
        Pixels of the side of the pictures, a power of two of at least 16.
    channels
        Of the pictures.
    features
        Of the first map, doubled from map to map.
    spectral
        Whether convolutions are divided by their largest singular value.
    """

    def __init__(self, side: int = 64, channels: int = 3, features: int = 64, spectral: bool = True) -> None:
        super().__init__()
        count = (side // SMALLEST).bit_length() - 1
        widths = [features << k for k in range(count)]
        halvings = [nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in zip([channels, *widths], widths, strict=False)]
        normed: Callable[[nn.Module], Any] = nn.utils.parametrizations.spectral_norm
        self.halvings = nn.ModuleList(normed(each) if spectral else each for each in halvings)
        self.attention = nn.ModuleList(SelfAttention(width) for width in widths[-ATTENTIVE:])
        self.last = nn.Conv2d(widths[-1], 1, SMALLEST)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return (N,) numbers of pictures (N, C, side, side), large for what looks rainy."""
        x = pictures
        for k, halving in enumerate(self.halvings):
            x = F.leaky_relu(halving(x), SLOPE)
            attentive = k - len(self.halvings) + len(self.attention)
            x = self.attention[attentive](x) if attentive >= 0 else x
        return self.last(x).flatten()


class SelfAttention(nn.Module):
    """``x + γ Σ softmax(q · k) v`` over all places, (N, F, H, W) to the same; γ begins with 0."""

    def __init__(self, features: int) -> None:
        super().__init__()
        inner = max(features // 8, 1)
        # What is added to all keys alike changes no likeness after the softmax.
        self.query, self.key = nn.Conv2d(features, inner, 1), nn.Conv2d(features, inner, 1, bias=False)
        self.value = nn.Conv2d(features, features, 1)
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Add what each place sees in all the others."""
        q, k, v = (part(x).flatten(2) for part in (self.query, self.key, self.value))  # (N, ·, HW)
        where = torch.softmax(q.transpose(1, 2) @ k, dim=-1)  # (N, HW, HW), rows add up to one
        return x + self.gain * (v @ where.transpose(1, 2)).view_as(x)
