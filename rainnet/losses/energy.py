"""The UDG energy and its bounds as losses: thin modules over `rainopt`'s objectives.

All take layers (N, C, H, W) whose streaks are upright, and return one number: the mean over the batch of what a pixel
costs.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rainopt.optim.objectives import UDGWeights, udg_energy

TERMS = ("self", "image", "rain")
"""Parts of the UDG energy: the data term, the variation of the background, and all terms of the rain."""

HALVES = (torch.float16, torch.bfloat16)


class UDGLoss(nn.Module):
    """The UDG energy of a batch, `rainopt.udg_energy`, divided by the number of values.

    Parameters
    ----------
    weights
        `UDGWeights`; those of the network in the paper are ``UDGWeights.paper(0.01, 1.5, 1.0)``.
    terms
        Which of `TERMS` count; what is left out is switched off by calling the same energy with that weight zero, and
        with layers for which the data term is zero.

    Raises
    ------
    ValueError
        For terms that are not known.

    Notes
    -----
    Source: Yu et al. 2021, Eqs. (13) to (15), without the adversarial loss. Their Eq. (15) lacks the factor ½ of the
    energy, Eq. (3), which is kept here: solver and network minimise one and the same number.
    """

    def __init__(self, weights: UDGWeights, terms: Sequence[str] = TERMS) -> None:
        super().__init__()
        unknown = [term for term in terms if term not in TERMS]
        if unknown or not terms:
            raise ValueError(f"`terms` must be some of {', '.join(TERMS)}, got {tuple(terms)}")
        self.weights, self.terms = weights, frozenset(terms)

    def forward(self, O: Tensor, B: Tensor, R: Tensor) -> Tensor:
        """Return the energy of rainy pictures, backgrounds and rain layers, (N, C, H, W) each, a pixel and channel.

        What mixed precision has made of layers, 16 bits, is computed on in float32: differences of neighbours would
        be nearly all rounding.
        """
        O, B, R = (layer.float() if layer.dtype in HALVES else layer for layer in (O, B, R))
        with torch.autocast(O.device.type, enabled=False):
            return self._energy(O, B, R)

    def _energy(self, O: Tensor, B: Tensor, R: Tensor) -> Tensor:
        w = self.weights
        rain = UDGWeights(0.0, w.lambda_x, w.lambda_y, w.sparsity, bounded=False)
        image = UDGWeights(w.tau, 0.0, 0.0, 0.0, bounded=False)
        nothing = UDGWeights(0.0, 0.0, 0.0, 0.0, bounded=False)
        if self.terms == frozenset(TERMS):
            total = udg_energy(O, B, R, w)
        else:
            total = torch.zeros(O.shape[:-2], dtype=O.dtype, device=O.device)
            if "self" in self.terms:
                total = total + udg_energy(O, B, R, nothing)
            if "image" in self.terms:
                total = total + udg_energy(B, B, torch.zeros_like(B), image)
            if "rain" in self.terms:
                total = total + udg_energy(O, O - R, R, rain)
        return total.sum() / O.numel()


class BoundsLoss(nn.Module):
    """How far a rain layer lies outside ``0 ≤ R ≤ O``, mean over pixels: the constraint of `UDGWeights.bounded`."""

    def forward(self, O: Tensor, R: Tensor) -> Tensor:
        """Return the mean of ``max(-R, 0) + max(R - O, 0)``."""
        return (F.relu(-R) + F.relu(R - O)).mean()
