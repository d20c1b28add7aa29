"""The critic's game of Wasserstein distances, with a penalty on slopes that are not one."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Return what the critic minimises of its scores, (N,) each: ``mean D(fake) - mean D(real)``.

    Notes
    -----
    Source: Wang et al. 2021 (CVPR), Eq. (16); Arjovsky et al. 2017.
    """
    return fake.mean() - real.mean()


def generator_loss(fake: Tensor) -> Tensor:
    """Return what the generator minimises: ``-mean D(fake)``."""
    return -fake.mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """Return ``mean (‖∇D(x̂)‖ - 1)²`` at random places x̂ between real and fake pictures.

    Parameters
    ----------
    critic
        Scores (N,) of pictures (N, C, H, W), each of its own picture alone.
    real, fake
        (N, C, H, W); gradients are not followed into them.

    Notes
    -----
    Source: Gulrajani et al. 2017, Eq. (3).
    """
    share = torch.rand(len(real), 1, 1, 1, device=real.device, dtype=real.dtype)
    between = torch.lerp(fake.detach(), real.detach(), share).requires_grad_()
    (slopes,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slopes.flatten(1).norm(dim=1) - 1).square().mean()
