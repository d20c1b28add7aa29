"""What is asked of rain that is translated between two domains, and what each of the critics minimises.

Scores are those of a `rainnet.models.discriminator.Discriminator`, any real number for each patch. The paper's ``D`` is
their logistic function, so that ``log D = -softplus(-score)`` and ``log(1 - D) = -softplus(score)``.

Source: Ye et al. 2021 (CVPR), Eqs. (2) to (8).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def critic_loss(real: Sequence[Tensor], fake: Sequence[Tensor], alpha: float = 1.0) -> Tensor:
    """Return what a critic minimises: ``-α mean log D(real) - Σ_k mean log(1 - D(fake_k))``.

    Parameters
    ----------
    real
        Scores of real pictures, in one part or several, whose mean counts.
    fake
        Scores of what networks make, in parts that are added up: one for a critic of rainy pictures, Eq. (4); two for
        backgrounds in Eq. (2), and four in Eq. (3).
    alpha
        How much real pictures count; with four parts of fakes, 4 weighs both sides alike.

    Notes
    -----
    Source: Ye et al. 2021, Eqs. (2) to (4), which the critic makes large; here with the sign turned round. With as many
    parts of real pictures as ``alpha`` says, it is the sum over both that the authors' program has.
    """
    says = torch.stack([F.softplus(-scores).mean() for scores in real]).mean()
    return alpha * says + torch.stack([F.softplus(scores).mean() for scores in fake]).sum()


def deceiving_loss(fake: Sequence[Tensor]) -> Tensor:
    """Return what the networks minimise for a critic: ``-Σ_k mean log D(fake_k)``.

    Parameters
    ----------
    fake
        Scores as in `critic_loss`.

    Notes
    -----
    Departure from Ye et al. 2021, Eqs. (2) to (4), which let the networks minimise ``mean log(1 - D)``. Both fall as D
    rises, but that one is flat where the critic is sure, which at first it is; Goodfellow et al. 2014 put this form in
    its place (Section 3).
    """
    return torch.stack([F.softplus(-scores).mean() for scores in fake]).sum()


def cycle_loss(before: Tensor, after: Tensor) -> Tensor:
    """Return ``mean |before - after|``: of pictures and what they have become again, or of a background found twice.

    Parameters
    ----------
    before, after
        (N, C, H, W). Eq. (5): O and what both translations make of it. Eq. (6): what is found behind the rain of O, and
        behind the translated rain. Gradients are followed into both.

    Notes
    -----
    Source: Ye et al. 2021, Eqs. (5) and (6), each in both directions; a mean over numbers where the paper has a norm.
    """
    return (before - after).abs().mean()


def truth_loss(backgrounds: Sequence[Tensor], clean: Tensor) -> Tensor:
    """Return ``Σ_k mean (B_k - clean)²``.

    Parameters
    ----------
    backgrounds
        (N, C, H, W) each: what F_s finds in synthetic pictures, and F_r in the real ones that are made of them.
    clean
        (N, C, H, W), the truth behind both.

    Notes
    -----
    Source: Ye et al. 2021, Eq. (7); a mean over numbers where the paper has a norm.
    """
    return torch.stack([F.mse_loss(background, clean) for background in backgrounds]).sum()
