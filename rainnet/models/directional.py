"""The directional-gradient network: the few directions that the gradients of a rain layer are gathered around.

Source: Cho et al. 2020, Section III.B.3, Eqs. (4) to (6), and III.C.2, Fig. 5.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LEAST = 1e-3
"""Gradient below which a pixel has next to no direction, in the range a pixel."""


class DirectionalGradients(nn.Module):
    """Membership of each pixel in one of k directions, and how far its gradient is from it.

        V = Σ_i |∇S_i| Σ_k α_k(θ_i) |sin(θ_i - c_k)| / Σ_i |∇S_i|

    θ is the direction of the gradient, c_k are the centres, which are learned, and α = softmax(W * θ + b) with k
    filters of 3 × 3 pixels, W and b learned as well. V is 0 where all gradients lie along the centres, whatever their
    size.

    Parameters
    ----------
    centres
        k, at least 1.
    printed
        Compute Eqs. (4) and (5) as they are printed, for comparison: θ in (-π/2, π/2] is the filters' input and is
        compared with c_k as a number, ``mean_i Σ_k α_k(θ_i) |θ_i - c_k|``.

    Notes
    -----
    Departures from Cho et al. 2020, unless ``printed``:

    1. A line of -89° and one of 89° are two degrees apart: a direction is compared modulo 180°, by the sine of the
       difference, which is the difference where that is small. The filters see it as ``(cos 2θ, sin 2θ)``.
    2. A flat place has no direction, and its θ is noise: places count by the magnitude of their gradient. Times the
       magnitude, the sine is the part of ∇S across the centre's direction, which has a derivative everywhere.
    3. The sum is divided by that of the magnitudes, so that the loss does not ask for less rain; where gradients come
       near `LEAST`, by which each magnitude is rounded off at 0, it does so a little.
    """

    centres: nn.Parameter

    def __init__(self, centres: int = 4, printed: bool = False) -> None:
        super().__init__()
        if centres < 1:
            raise ValueError(f"`centres` must be at least 1, got {centres}")
        self.printed = printed
        self.filters = nn.Conv2d(1 if printed else 2, centres, 3, padding=1)
        self.centres = nn.Parameter(math.pi * (torch.arange(centres) / centres - 0.5))

    def forward(self, S: Tensor) -> Tensor:
        """Return V of rain layers (N, 1, H, W): (N,), at least 0.

        Sides must have two pixels at least.
        """
        gx, gy = gradients(S)
        if self.printed:
            theta = torch.atan(gy / torch.where(gx.abs() < 1e-8, torch.full_like(gx, 1e-8), gx))
            member = self.filters(theta).softmax(1)  # (N, k, H - 1, W - 1)
            return (member * (theta - self._along()).abs()).sum(1).mean((1, 2))
        size = (gx.square() + gy.square() + LEAST**2).sqrt()
        twice = torch.cat([gx.square() - gy.square(), 2 * gx * gy], 1) / size.square()
        member = self.filters(twice).softmax(1)
        across = (gx * self._along().sin() - gy * self._along().cos()).abs()  # |∇S| |sin(θ - c_k)|
        return (member * across).sum((1, 2, 3)) / size.sum((1, 2, 3))

    def _along(self) -> Tensor:
        return self.centres.view(1, -1, 1, 1)


def gradients(S: Tensor) -> tuple[Tensor, Tensor]:
    """Return forward differences across and down the picture, (N, 1, H - 1, W - 1) each, of (N, 1, H, W)."""
    here = S[..., :-1, :-1]
    return S[..., :-1, 1:] - here, S[..., 1:, :-1] - here
