"""Distances between normal distributions, as variational inference asks for."""

from __future__ import annotations

import math

from torch import Tensor

LEAST, MOST = math.log(1e-8), math.log(1e4)
"""Between which logarithms of variances are kept: beyond, their exponentials leave what numbers can hold."""


def bounded(log_variance: Tensor) -> Tensor:
    """Return logarithms of variances between `LEAST` and `MOST`, without gradient where they were beyond."""
    return log_variance.clamp(LEAST, MOST)


def kl_standard(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return ``KL(N(α, β) ‖ N(0, 1)) = α²/2 + (β - log β - 1)/2`` of each number.

    Parameters
    ----------
    mean, log_variance
        α and log β, any shape.

    Notes
    -----
    Source: Wang et al. 2021 (CVPR), Eq. (14), first line; the sum over numbers is the caller's.
    """
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1)


def kl_around(mean: Tensor, log_variance: Tensor, centre: Tensor, variance: float) -> Tensor:
    """Return ``KL(N(μ, σ²) ‖ N(x, ε²)) = (μ - x)²/2ε² + (σ²/ε² - log(σ²/ε²) - 1)/2`` of each number.

    Parameters
    ----------
    mean, log_variance
        μ and log σ², any shape.
    centre
        x, of the same shape.
    variance
        ε², above 0.

    Notes
    -----
    Source: Wang et al. 2021 (CVPR), Eq. (14), second line.
    """
    ratio = log_variance - math.log(variance)
    return 0.5 * ((mean - centre).square() / variance + ratio.exp() - ratio - 1)
