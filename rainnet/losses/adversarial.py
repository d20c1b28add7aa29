"""Losses that a discriminator decides."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


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
