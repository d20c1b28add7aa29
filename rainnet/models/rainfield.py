"""VRGNet whose codes are a field, and whose rain is upright: rain of any size, of any direction and scale.

A code of the paper's VRGNet is a vector and stands for a patch of 64 × 64 pixels. Here it is a field whose cells are a
pixel wide and 16 pixels high, and G is convolutional from end to end, so that a larger field makes a larger layer,
alike everywhere: no column is unlike another. Some numbers of a code are the same in all cells: how dense, long and
bright rain is changes from picture to picture, not from place to place.

Source: Wang et al. 2021 (CVPR), Section 3; the field is ours.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rainnet.models.vrgnet import PRESETS as WHOLE
from rainnet.models.vrgnet import Codes, VRGNet, VRGNetConfig, widths_of
from rainopt.checks import require_whole

HIGH, WIDE = 5, 7  # cells that the first convolution of G sees, in rows and columns
ABOVE, BESIDE = 3, 7
"""Cells above and below that which a pixel lies in, and beside it, on which it depends."""

SLOPE = 0.2  # of the gradient where there is no rain
SURE = -4.0
"""Logarithm of the variance that codes of pictures begin with; from the prior's own, G learns to ignore them."""


@dataclass(frozen=True)
class RainFieldConfig(VRGNetConfig):
    """What a RainField is built of.

    Attributes
    ----------
    channels, features, latent, side, stages, blocks, derainer
        As a VRGNet's; ``latent`` is the numbers of a cell, and ``side`` that of the patches of the training.
    common
        How many of a cell's numbers, the first, are the same in all cells of a field; at most ``latent``.

    Raises
    ------
    ValueError, TypeError
        As for a VRGNet; for no common number, or more than a cell has.
    """

    latent: int = 16
    common: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        require_whole(self.common, "common", self.latent)


PRESETS = {
    "small": RainFieldConfig(**asdict(WHOLE["small"]) | {"latent": 8, "common": 4}),
    "paper": RainFieldConfig(**asdict(WHOLE["paper"]) | {"latent": 16, "common": 8}),
}
"""Configs by name."""


class RainField(VRGNet):
    """A derainer of upright rain, and a generator of as much of it as is wanted.

    Parameters
    ----------
    config
        `RainFieldConfig`; None for that of the first preset.

    Notes
    -----
    Departures from Wang et al. 2021:

    1. RNet and G have no layer that sees a patch as a whole. Columns are as many from end to end, so that rain that is
       moved by a pixel is as likely as rain that is not; streaks kept to some columns of cells 16 pixels wide.
    2. What is around the cells of a patch is drawn from the prior, so that patches have no border.
    3. Rain is upright. Its direction is not left to the code: it is what a picture is brought upright by.
    4. Rain is grey, as drops are that show the sky.
    """

    name = "rainfield"
    Config = RainFieldConfig
    directional = True

    def __init__(self, config: RainFieldConfig | None = None) -> None:
        super().__init__(PRESETS["small"] if config is None else config)

    def _parts(self) -> tuple[nn.Module, nn.Module]:
        return FieldEncoder(self.config), FieldGenerator(self.config)

    @property
    def cell(self) -> int:
        """Pixels that a cell is high."""
        return int(self.config.cell)

    def codes(self, rainy: Tensor) -> Codes:
        """Return the codes of upright patches (N, C, side, side)."""
        found = super().codes(rainy)
        common = self.config.common
        return Codes(_alike(found.mean, common), _alike(found.log_variance, common), common)

    def draw_codes(self, count: int, generator: Any = None) -> Tensor:
        """Return codes of patches, drawn from the prior: (count, latent, side / cell, side)."""
        side = self.config.side
        noise = torch.randn(count, self.config.latent, side // self.cell, side, generator=generator)
        noise[:, : self.config.common] = noise[:, : self.config.common, :1, :1]
        return noise

    def rain(self, codes: Tensor) -> Tensor:
        """Return the rain of codes (N, latent, h, w) in surroundings that are drawn: (N, C, h · cell, w)."""
        (height, width), common = codes.shape[-2:], self.config.common
        field = codes.new_empty(*codes.shape[:2], height + 2 * ABOVE, width + 2 * BESIDE).normal_()
        field[:, :common] = codes[:, :common, :1, :1]
        field[..., ABOVE:-ABOVE, BESIDE:-BESIDE] = codes
        return self.rain_of_field(field)

    def rain_of_field(self, field: Tensor) -> Tensor:
        """Return the rain of all cells (N, latent, h, w) but the `ABOVE` and `BESIDE` outer ones on each side."""
        rain: Tensor = self.generator(field)
        return rain


class FieldEncoder(nn.Module):
    """RNet: (N, C, H, W) to mean and logarithm of the variance of codes, (N, 2 · latent, H / cell, W)."""

    def __init__(self, config: VRGNetConfig) -> None:
        super().__init__()
        # All columns are kept, so that maps grow less in number than a VRGNet's.
        widths = [config.features * min(k, 2) for k in range(1, config.halvings + 1)]
        self.halvings = nn.ModuleList(
            nn.Conv2d(a, b, (4, 3), stride=(2, 1), padding=1)
            for a, b in zip([config.channels, *widths], widths, strict=False)
        )
        self.last = nn.Conv2d(widths[-1], 2 * config.latent, 3, padding=1)
        _start(self)
        with torch.no_grad():
            weight, bias = self.last.parameters()
            weight[config.latent :] *= 0.1
            bias[config.latent :] = SURE

    def forward(self, rainy: Tensor) -> Tensor:
        """Return mean and logarithm of the variance, one behind the other."""
        x = rainy
        for halving in self.halvings:
            x = F.relu(halving(x), inplace=True)
        found: Tensor = self.last(x)
        return found


class FieldGenerator(nn.Module):
    """G: codes (N, latent, h, w) to rain (N, C, (h - 2 · ABOVE) · cell, w - 2 · BESIDE), at least 0.

    Rows alone become more, twice each time and four times in the end: first it is said where streaks are, while their
    length is still a few rows, and then they are drawn out. Nothing is padded: what convolutions take off each side are
    the outer cells.
    """

    def __init__(self, config: VRGNetConfig) -> None:
        super().__init__()
        widths = widths_of(config)[-2::-1]  # a VRGNet's but for the widest
        self.first = nn.Conv2d(config.latent, widths[0], (HIGH, WIDE))
        self.drawings = nn.ModuleList(
            nn.Conv2d(a, b, 3) for a, b in zip(widths, [*widths[1:], widths[-1]], strict=True)
        )
        _start(self)
        self.last = nn.Conv2d(widths[-1], 1, 3)  # begins small: rain is dark in most places
        self.channels, self.cell = config.channels, config.cell

    def forward(self, codes: Tensor) -> Tensor:
        """Return the rain, the same in all channels."""
        height, width = (codes.shape[-2] - 2 * ABOVE) * self.cell, codes.shape[-1] - 2 * BESIDE
        x = F.relu(self.first(codes), inplace=True)
        *inner, final = self.drawings
        for drawing in inner:
            x = F.relu(drawing(F.interpolate(x, scale_factor=(2.0, 1.0), mode="nearest")), inplace=True)
        # The last step, in which streaks get most of their length, is a smooth one.
        x = F.relu(final(F.interpolate(x, scale_factor=(4.0, 1.0), mode="bilinear")), inplace=True)
        x = _rectified(self.last(x))
        top, left = (x.shape[-2] - height) // 2, (x.shape[-1] - width) // 2
        return x[..., top : top + height, left : left + width].expand(-1, self.channels, -1, -1)


def _start(part: nn.Module) -> None:
    """Let signals keep their size from layer to layer, so that what a code says is heard from the first step on."""
    for layer in part.modules():
        if isinstance(layer, nn.Conv2d) and layer.bias is not None:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)


def _rectified(x: Tensor) -> Tensor:
    """Return ``max(x, 0)`` with the gradient of a leaky ReLU: a plane that is 0 everywhere could not learn to rain."""
    leaky = F.leaky_relu(x, SLOPE)
    return leaky + (F.relu(x) - leaky).detach()


def _alike(numbers: Tensor, common: int) -> Tensor:
    """Return numbers (N, latent, h, w) of which the first are means over all cells."""
    means = numbers[:, :common].mean((2, 3), keepdim=True).expand(-1, -1, *numbers.shape[-2:])
    return torch.cat([means, numbers[:, common:]], 1)


def draw_field(
    config: RainFieldConfig, height: int, width: int, generator: Any = None, common: Tensor | None = None
) -> Tensor:
    """Return a field drawn from the prior for at least so many pixels, outer cells included: (1, latent, h, w).

    Parameters
    ----------
    config
        Of the network.
    height, width
        Pixels.
    generator
        Of random numbers.
    common
        (config.common,) numbers that are the same in all cells; None: drawn, too.
    """
    rows, columns = -(-height // config.cell) + 2 * ABOVE, width + 2 * BESIDE
    alike = torch.randn(config.common, generator=generator) if common is None else common
    # Row by row, so that more rows go on from where fewer end.
    field = torch.randn(rows, config.latent, columns, generator=generator).movedim(0, 1)[None].contiguous()
    field[:, : config.common] = alike.view(1, -1, 1, 1)
    return field
