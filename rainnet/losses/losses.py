"""Losses: thin modules over `rainopt`'s objectives, and the papers' other terms.

All take layers (N, C, H, W) in the upright frame, streaks vertical, and return one number: the mean over the batch of
what a pixel costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rainopt.image import LUMA
from rainopt.optim.objectives import UDGWeights, udg_energy
from rainopt.optim.udg import solve_udg
from rainopt.still.adaptive import Removal, solve_adaptive
from rainopt.still.colour import remove_layer

TERMS = ("self", "image", "rain")
"""Parts of the UDG energy: the data term, the variation of the background, and all terms of the rain."""


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
        """Return the energy of rainy pictures, backgrounds and rain layers, (N, C, H, W) each, a pixel and channel."""
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


class SelfConsistencyLoss(nn.Module):
    """``‖O - B - R‖²``, mean over pixels: Yu et al. 2021, Eq. (15)."""

    def forward(self, O: Tensor, B: Tensor, R: Tensor) -> Tensor:
        """Return the mean square of what the two layers do not explain."""
        return F.mse_loss(B + R, O)


class AdversarialLoss(nn.Module):
    """Logistic adversarial losses on the scores of a discriminator, (N, 1, h, w) or any shape.

    Notes
    -----
    Source: Yu et al. 2021, Eq. (13), L_adv; Goodfellow et al. 2014, in its non-saturating form.
    """

    def forward(self, fake: Tensor) -> Tensor:
        """Return what the generator minimises: ``mean log(1 + exp(-D(fake)))``."""
        return F.softplus(-fake).mean()

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Return what the discriminator minimises."""
        return F.softplus(-real).mean() + F.softplus(fake).mean()


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

    def forward(self, B: Tensor, R: Tensor, clean: Tensor, rainy: Tensor) -> Tensor:
        """Return the distance of both layers, (N, C, H, W) each, from the clean pictures and what lies over them."""
        distance = self._distance(B, clean) + self.rain * self._distance(R, rainy - clean)
        return (self.EPSILON * torch.log1p(distance / self.EPSILON)).mean()

    def _distance(self, a: Tensor, b: Tensor) -> Tensor:
        return ((a - b).square() + self.CORNER**2).sqrt().mean(dim=(1, 2, 3)) - self.CORNER


class SolverLayers(NamedTuple):
    """What the solver makes of a batch: background (N, C, H, W), and rain (N, 1, H, W) on luminance."""

    background: Tensor
    rain: Tensor


class SolverLoss(nn.Module):
    """Distance from the solver's own decomposition, computed on the fly on the device of the batch (distillation).

    Parameters
    ----------
    weights
        `UDGWeights` for all pixels; None: chosen from each picture, as `rainopt.derain` does.
    iterations
        Of the solver.

    Notes
    -----
    The solver works on luminance and is no part of the gradient; its layer is taken off the colours by
    `rainopt.still.colour.remove_layer`.
    """

    def __init__(self, weights: UDGWeights | None = None, iterations: int = 60) -> None:
        super().__init__()
        self.weights, self.iterations = weights, iterations

    def forward(self, O: Tensor, B: Tensor, R: Tensor) -> Tensor:
        """Return the mean distance of both layers from the solver's."""
        target = self.layers(O)
        return F.l1_loss(B, target.background) + F.l1_loss(luminance(R), target.rain)

    @torch.no_grad()
    def layers(self, O: Tensor) -> SolverLayers:
        """Return the solver's decomposition of upright pictures (N, C, H, W) in [0, 1]."""
        O = O.detach().float().clamp(0, 1)
        grey = luminance(O)[:, 0].contiguous()
        if self.weights is not None:
            rain: Any = solve_udg(grey, weights=self.weights, max_iter=self.iterations, tol=0).rain
        else:
            alone: list[Any] = [solve_adaptive(one, Removal(), self.iterations, 0.0)[0].rain for one in grey]
            rain = torch.stack(alone)
        taken = [remove_layer(colour, y, layer) for colour, y, layer in zip(O, grey, rain, strict=True)]
        return SolverLayers(torch.stack([b for b, _ in taken]), torch.stack([r for _, r in taken])[:, None])


def luminance(image: Tensor) -> Tensor:
    """Return BT.601 luma of (N, C, H, W) with C of 1 or 3; (N, 1, H, W)."""
    if image.shape[1] == 1:
        return image
    return (image * image.new_tensor(LUMA)[:, None, None]).sum(dim=1, keepdim=True)
