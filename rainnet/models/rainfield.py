"""VRGNet whose codes are a field, and whose rain is upright: rain of any size, of any direction and scale.

A code of the paper's VRGNet is a vector and stands for a patch of 64 × 64 pixels. Here it is a field with a cell every
16 pixels, and G is convolutional from end to end, so that a larger field makes a larger layer, alike everywhere.

Source: Wang et al. 2021 (CVPR), Section 3; the field is ours.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rainnet.models.vrgnet import PRESETS as WHOLE
from rainnet.models.vrgnet import VRGNet, VRGNetConfig, widths_of

MARGIN = 2
"""Cells around those that a pixel lies in, on which it depends."""

SLOPE = 0.2  # of the gradient where there is no rain

PRESETS = {"small": replace(WHOLE["small"], latent=16), "paper": replace(WHOLE["paper"], latent=32)}
"""Configs by name; ``latent`` is the numbers of a cell."""


class RainField(VRGNet):
    """A derainer of upright rain, and a generator of as much of it as is wanted.

    Parameters
    ----------
    config
        `VRGNetConfig`; None for that of the first preset.

    Notes
    -----
    Departures from Wang et al. 2021:

    1. RNet and G have no layer that sees a patch as a whole; maps are enlarged by repeating pixels before a
       convolution, which leaves no pattern of the period of a cell, as transposed convolutions do.
    2. What is around the cells of a patch is drawn from the prior, so that patches have no border.
    3. Rain is upright. Its direction is not left to the code: it is what a picture is brought upright by.
    4. Rain is grey, as drops are that show the sky.
    """

    name = "rainfield"
    Config = VRGNetConfig
    directional = True

    def __init__(self, config: VRGNetConfig | None = None) -> None:
        super().__init__(PRESETS["small"] if config is None else config)

    def _parts(self) -> tuple[nn.Module, nn.Module]:
        return FieldEncoder(self.config), FieldGenerator(self.config)

    @property
    def cell(self) -> int:
        """Pixels of the side of a cell."""
        return int(self.config.cell)

    def rain(self, codes: Tensor) -> Tensor:
        """Return the rain of codes (N, latent, h, w) in surroundings that are drawn: (N, C, h · cell, w · cell)."""
        count, numbers, height, width = codes.shape
        field = codes.new_empty(count, numbers, height + 2 * MARGIN, width + 2 * MARGIN).normal_()
        field[..., MARGIN:-MARGIN, MARGIN:-MARGIN] = codes
        return self.rain_of_field(field)

    def rain_of_field(self, field: Tensor) -> Tensor:
        """Return the rain of all cells (N, latent, h, w) but the `MARGIN` outer ones on each side."""
        rain: Tensor = self.generator(field)
        return rain


class FieldEncoder(nn.Module):
    """RNet: (N, C, H, W) to mean and logarithm of the variance of codes, (N, 2 · latent, H / cell, W / cell)."""

    def __init__(self, config: VRGNetConfig) -> None:
        super().__init__()
        widths = widths_of(config)
        self.halvings = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1) for a, b in zip([config.channels, *widths], widths, strict=False)
        )
        self.last = nn.Conv2d(widths[-1], 2 * config.latent, 3, padding=1)

    def forward(self, rainy: Tensor) -> Tensor:
        """Return mean and logarithm of the variance, one behind the other."""
        x = rainy
        for halving in self.halvings:
            x = F.relu(halving(x), inplace=True)
        found: Tensor = self.last(x)
        return found


class FieldGenerator(nn.Module):
    """G: codes (N, latent, h, w) to rain (N, C, (h - 4) · cell, (w - 4) · cell), at least 0.

    Nothing is padded: a convolution takes one row off each side, of maps that are twice as large each time, which adds
    up to `MARGIN` cells exactly.
    """

    def __init__(self, config: VRGNetConfig) -> None:
        super().__init__()
        widths = widths_of(config)[::-1]
        self.first = nn.Conv2d(config.latent, widths[0], 3)
        self.doublings = nn.ModuleList(
            nn.Conv2d(a, b, 3) for a, b in zip(widths, [*widths[1:], widths[-1]], strict=True)
        )
        self.last = nn.Conv2d(widths[-1], 1, 3)
        self.channels = config.channels

    def forward(self, codes: Tensor) -> Tensor:
        """Return the rain, the same in all channels."""
        x = F.relu(self.first(codes), inplace=True)
        for doubling in self.doublings:
            x = F.relu(doubling(F.interpolate(x, scale_factor=2.0, mode="nearest")), inplace=True)
        return _rectified(self.last(x)).expand(-1, self.channels, -1, -1)


def _rectified(x: Tensor) -> Tensor:
    """Return ``max(x, 0)`` with the gradient of a leaky ReLU: a plane that is 0 everywhere could not learn to rain."""
    leaky = F.leaky_relu(x, SLOPE)
    return leaky + (F.relu(x) - leaky).detach()


def draw_field(config: VRGNetConfig, height: int, width: int, generator: Any = None) -> Tensor:
    """Return a field drawn from the prior for at least so many pixels, margins included: (1, latent, h, w)."""
    cells = [-(-side // config.cell) + 2 * MARGIN for side in (height, width)]
    # Row by row, so that more rows go on from where fewer end.
    return torch.randn(cells[0], config.latent, cells[1], generator=generator).movedim(0, 1)[None]
