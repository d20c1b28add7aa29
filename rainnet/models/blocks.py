"""Parts that networks are built of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ResidualBlock(nn.Module):
    """``x + conv(relu(conv(x)))``, (N, F, H, W).

    Parameters
    ----------
    features
        Channels in and out.
    along
        Dilation of the first convolution along the rows, so that it sees farther along upright streaks.
    """

    def __init__(self, features: int, along: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(features, features, 3, padding=(along, 1), dilation=(along, 1))
        self.second = nn.Conv2d(features, features, 3, padding=1)
        # Without normalisation, many blocks of usual size would make the sum grow.
        with torch.no_grad():
            self.second.weight.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        """Add what two convolutions find."""
        return x + self.second(F.relu(self.first(x)))
