"""Distances from a truth that is known."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class TruthLoss(nn.Module):
    """Distance from the truth, for rendered rain: ``mean over pictures of ε log(1 + d / ε)``.

    ``d`` is the mean Charbonnier distance of a picture's background from the truth, plus that of its rain layer. The
    logarithm makes a tenth less error worth as much in light rain as in a downpour, as decibels do; without it, the
    worst pictures of a batch would decide alone. A picture whose error is far below ε counts as it is.

    Parameters
    ----------
    rain
        Weight of the rain layer's distance beside the background's.
    """

    CORNER = 1e-3  # of the Charbonnier distance √(x² + c²) - c
    EPSILON = 5e-3

    def __init__(self, rain: float = 0.5) -> None:
        super().__init__()
        self.rain = rain

    def forward(self, B: Tensor, R: Tensor, clean: Tensor, rainy: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return the distance of both layers, (N, C, H, W) each, from the clean pictures and what lies over them.

        With ``valid``, (N, 1, H, W) of 0 and 1, only the pixels count where that is 1, and pictures without any do not.
        """
        distance = self._distance(B, clean, valid) + self.rain * self._distance(R, rainy - clean, valid)
        costs = self.EPSILON * torch.log1p(distance / self.EPSILON)
        if valid is None:
            return costs.mean()
        counts = valid.flatten(1).amax(dim=1)
        return (costs * counts).sum() / counts.sum().clamp(min=1)

    def _distance(self, a: Tensor, b: Tensor, valid: Tensor | None) -> Tensor:
        each = ((a - b).square() + self.CORNER**2).sqrt()
        if valid is None:
            return each.mean(dim=(1, 2, 3)) - self.CORNER
        pixels = valid.sum(dim=(1, 2, 3)).clamp(min=1) * a.shape[1]
        return ((each - self.CORNER) * valid).sum(dim=(1, 2, 3)) / pixels
