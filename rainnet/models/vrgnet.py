"""VRGNet: a rainy picture as a clean background and a latent code that a generator turns into rain.

    rainy -> BNet -> mean and variance of the background        rainy -> RNet -> mean and variance of the code z
    z -> G -> rain;  background + rain is what a critic is shown beside the rainy picture

Source: Wang et al. 2021 (CVPR), Section 3 and Fig. 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rainnet.models.base import Network
from rainnet.models.decomposition import Layers
from rainnet.models.limits import require_within
from rainnet.models.prenet import Backgrounds, PReNet, PReNetConfig

MOST = {"channels": 64, "features": 1024, "latent": 4096, "side": 512, "stages": 64, "blocks": 1024, "derainer": 4096}
LEAST_SIDE = 16
VARIANCE = 1e-6  # of the background around the truth, ε² of Eq. (4)
INNER = 4  # pixels of the side of the smallest map


@dataclass(frozen=True)
class VRGNetConfig:
    """What a VRGNet is built of; the defaults are the paper's.

    Attributes
    ----------
    channels
        Of the pictures, 3 for RGB.
    features
        Of the first convolution of RNet and the last but one of G; each map of half the side has twice as many.
    latent
        Numbers of a code.
    side
        Pixels of the side of the patches that G makes, a power of two.
    stages, blocks, derainer
        Stages, residual blocks and features of BNet, which is a `PReNet` that finds a variance as well.

    Raises
    ------
    ValueError, TypeError
        For numbers that are not whole, below 1, or above what any network of this kind has had, `MOST`; for a side that
        is no power of two of at least `LEAST_SIDE`.
    """

    channels: int = 3
    features: int = 32
    latent: int = 128
    side: int = 64
    stages: int = 6
    blocks: int = 5
    derainer: int = 32

    def __post_init__(self) -> None:
        require_within(self, MOST)
        if self.side < LEAST_SIDE or self.side & (self.side - 1):
            raise ValueError(f"`side` must be a power of two of at least {LEAST_SIDE}, got {self.side}")

    @property
    def halvings(self) -> int:
        """How often the side is halved until `INNER` pixels are left."""
        return (self.side // INNER).bit_length() - 1

    @property
    def cell(self) -> int:
        """Pixels that a number of the smallest map stands for, along each side."""
        return int(self.side // INNER)

    @property
    def background(self) -> PReNetConfig:
        """The config of BNet."""
        return PReNetConfig(
            channels=self.channels,
            features=self.derainer,
            stages=self.stages,
            blocks=self.blocks,
            variance="last",
        )


PRESETS = {"paper": VRGNetConfig(), "small": VRGNetConfig(features=16, latent=64, stages=3, blocks=3, derainer=16)}
"""Configs by name."""


class Codes(NamedTuple):
    """What is known of the codes of rainy pictures.

    Attributes
    ----------
    mean, log_variance
        (N, latent), or (N, latent, h, w) of codes that are a field.
    common
        How many of the first numbers are the same in all cells of a field.
    """

    mean: Tensor
    log_variance: Tensor
    common: int = 0

    def draw(self) -> Tensor:
        """Return codes drawn from these normal distributions, so that gradients are followed through them."""
        noise = torch.randn_like(self.mean)
        if self.common:
            noise[:, : self.common] = noise[:, : self.common, :1, :1]
        return self.mean + (0.5 * self.log_variance).exp() * noise


class VRGNet(Network):
    """A derainer, and a generator of rain.

    As a network of the house it derains, by the mean of BNet. `rain` makes rain of codes, `codes` finds those of
    pictures.

    Parameters
    ----------
    config
        `VRGNetConfig`; None for the paper's.

    Notes
    -----
    Departures from Wang et al. 2021, where the text leaves it open: RNet takes the rainy picture, and what makes maps
    larger and smaller are convolutions of 4 × 4 pixels without bias, as in the authors' program.
    """

    name = "vrgnet"
    Config = VRGNetConfig

    def __init__(self, config: VRGNetConfig | None = None) -> None:
        super().__init__(config)
        self.background = PReNet(self.config.background)
        self.encoder, self.generator = self._parts()
        final = self.background.final
        if final is not None and final.bias is not None:
            # Begins as sure as pairs with an exact truth ask for, which short runs would not come to.
            with torch.no_grad():
                final.bias[self.channels :] = math.log(VARIANCE)
        self.reach = self.background.reach

    def _parts(self) -> tuple[nn.Module, nn.Module]:
        return RainEncoder(self.config), RainGenerator(self.config)

    def layers(self, rainy: Tensor) -> Layers:
        """Split pictures (N, C, H, W) by BNet."""
        return self.background.layers(rainy)

    def backgrounds(self, rainy: Tensor) -> Backgrounds:
        """Return what BNet finds in pictures (N, C, H, W), with the variance."""
        return self.background.backgrounds(rainy)

    def codes(self, rainy: Tensor) -> Codes:
        """Return the codes of patches (N, C, side, side)."""
        found: Tensor = self.encoder(rainy)
        mean, log_variance = found.chunk(2, 1)
        return Codes(mean, log_variance)

    def draw_codes(self, count: int, generator: Any = None) -> Tensor:
        """Return codes of patches, drawn from the prior: (count, latent)."""
        return torch.randn(count, self.config.latent, generator=generator)

    def rain(self, codes: Tensor) -> Tensor:
        """Return the rain of codes (N, latent): (N, C, side, side), at least 0."""
        rain: Tensor = self.generator(codes)
        return rain


class RainEncoder(nn.Module):
    """RNet: (N, C, side, side) to mean and logarithm of the variance of codes, (N, 2 · latent)."""

    def __init__(self, config: VRGNetConfig) -> None:
        super().__init__()
        widths = widths_of(config)
        self.halvings = nn.ModuleList(
            nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False)
            for a, b in zip([config.channels, *widths], widths, strict=False)
        )
        self.whole = nn.Conv2d(widths[-1], 2 * widths[-1], INNER)
        self.last = nn.Linear(2 * widths[-1], 2 * config.latent)

    def forward(self, rainy: Tensor) -> Tensor:
        """Return mean and logarithm of the variance, one behind the other."""
        x = rainy
        for halving in self.halvings:
            x = F.relu(halving(x), inplace=True)
        found: Tensor = self.last(F.relu(self.whole(x)).flatten(1))
        return found


class RainGenerator(nn.Module):
    """G: codes (N, latent) to rain (N, C, side, side), at least 0."""

    def __init__(self, config: VRGNetConfig) -> None:
        super().__init__()
        widths = widths_of(config)[::-1]
        self.first = nn.Linear(config.latent, 2 * widths[0])
        self.whole = nn.ConvTranspose2d(2 * widths[0], widths[0], INNER, bias=False)
        self.doublings = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, bias=False)
            for a, b in zip(widths, [*widths[1:], config.channels], strict=True)
        )

    def forward(self, codes: Tensor) -> Tensor:
        """Return the rain."""
        x = F.relu(self.first(codes))[..., None, None]
        x = F.relu(self.whole(x), inplace=True)
        for doubling in self.doublings:
            x = F.relu(doubling(x), inplace=True)
        return x


def widths_of(config: VRGNetConfig) -> list[int]:
    """Return the features of the maps, from the largest to the smallest."""
    return [config.features << k for k in range(config.halvings)]
