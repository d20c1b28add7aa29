"""Distances from what the solver makes of the same picture."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rainopt.image import LUMA
from rainopt.still.adaptive import Removal, solve_adaptive
from rainopt.still.colour import colour_of_rain, remove_layer


class SolverLayers(NamedTuple):
    """What the solver makes of a batch: background (N, C, H, W), and rain (N, 1, H, W) on luminance."""

    background: Tensor
    rain: Tensor


class SolverLoss(nn.Module):
    """Distance from the solver's own decomposition, computed on the fly on the device of the batch (distillation).

    Parameters
    ----------
    iterations
        Of the solver.

    Notes
    -----
    The solver works on luminance and is no part of the gradient; its layer is taken off the colours by
    `rainopt.still.colour.remove_layer`.
    """

    def __init__(self, iterations: int = 60) -> None:
        super().__init__()
        self.iterations = iterations

    def forward(self, O: Tensor, B: Tensor, R: Tensor) -> Tensor:
        """Return the mean distance of both layers from the solver's."""
        target = self.layers(O)
        return F.l1_loss(B, target.background) + F.l1_loss(luminance(R), target.rain)

    @torch.no_grad()
    def layers(self, O: Tensor) -> SolverLayers:
        """Return the solver's decomposition of upright pictures (N, C, H, W) in [0, 1]."""
        O = O.detach().float().clamp(0, 1)
        grey = luminance(O)[:, 0].contiguous()
        rain: list[Any] = [solve_adaptive(one, Removal(), self.iterations, 0.0)[0].rain for one in grey]
        shares = [colour_of_rain(colour, layer, (0.0,)).shares for colour, layer in zip(O, rain, strict=True)]
        taken = [remove_layer(colour, layer, each) for colour, layer, each in zip(O, rain, shares, strict=True)]
        return SolverLayers(torch.stack([b for b, _ in taken]), torch.stack([r for _, r in taken])[:, None])


def luminance(image: Tensor) -> Tensor:
    """Return BT.601 luma of (N, C, H, W) with C of 1 or 3; (N, 1, H, W)."""
    if image.shape[1] == 1:
        return image
    return (image * image.new_tensor(LUMA)[:, None, None]).sum(dim=1, keepdim=True)
