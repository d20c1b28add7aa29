"""UDGNet: the network whose two streams are the two unknowns of the UDG energy.

    rainy -> angle -> upright -> image stream -> what is removed -> back
                             `-> rain stream  -> the rain layer  -> back

Source: Yu et al. 2021, Section 3.3, Eqs. (12) to (15) and Fig. 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rainnet.models.base import Network
from rainnet.models.blocks import ResidualBlock
from rainnet.models.decomposition import Layers
from rainopt.checks import require_whole

SPAN = 45.0  # degrees to either side that the angle network tells apart
# Of each number of a config. A file that asks for more is damaged, or meant to fill the memory.
MOST = {
    "channels": 64,
    "features": 4096,
    "blocks": 1024,
    "rain_blocks": 1024,
    "stride": 64,
    "along": 4096,
    "angle_features": 4096,
    "angle_stages": 32,
}


@dataclass(frozen=True)
class UDGNetConfig:
    """What a UDGNet is built of; the defaults are the paper's, `small` is for CPUs.

    Attributes
    ----------
    channels
        Of the pictures, 3 for RGB.
    features
        Of the two streams.
    blocks, rain_blocks
        Residual blocks of the image stream and of the rain stream, two 3×3 convolutions each; None: as many in both.
    stride
        The streams work on blocks of ``stride`` × ``stride`` pixels that are turned into channels, so at a cost that
        falls with its square; 1 is the paper's network.
    along
        Dilations along the streak of the first convolution of each block, block after block and from the beginning
        again: streaks are upright, so a look far along them costs nothing more. (1,) is the paper's network.
    rain_from_input
        Whether the rain stream predicts what is to be subtracted from the rainy picture, as the authors' program does,
        or the layer itself.
    angle_features, angle_stages
        Channels of the first stage of the angle network, doubled by each of the next up to eight times, and stages,
        each a convolution and a pooling.

    Raises
    ------
    ValueError, TypeError
        For numbers that are not whole, below 1, or above what any network of this kind has had: `MOST`.
    """

    channels: int = 3
    features: int = 32
    blocks: int = 32
    rain_blocks: int | None = None
    stride: int = 1
    along: tuple[int, ...] = (1,)
    rain_from_input: bool = True
    angle_features: int = 16
    angle_stages: int = 5

    def __post_init__(self) -> None:
        for name in MOST:
            value = getattr(self, name)
            if name == "along":
                # JSON has lists.
                object.__setattr__(self, name, tuple(_bounded(each, name) for each in value))
            elif name != "rain_blocks" or value is not None:
                _bounded(value, name)
        if not 1 <= len(self.along) <= MOST["blocks"]:
            raise ValueError(f"`along` must hold 1 to {MOST['blocks']} dilations, got {len(self.along)}; (1,) is none")

    def dilations(self, blocks: int) -> list[int]:
        """Return the dilation along the streak of each of so many blocks."""
        return [self.along[k % len(self.along)] for k in range(blocks)]


def _bounded(value: float, name: str) -> int:
    whole = require_whole(value, name)
    if whole > MOST[name]:
        raise ValueError(f"`{name}` must be at most {MOST[name]}, got {whole}")
    return whole


PRESETS = {
    "paper": UDGNetConfig(),
    "small": UDGNetConfig(blocks=12, rain_blocks=4, stride=2, along=(1, 2, 4), rain_from_input=False),
}
"""Configs by name."""


class UDGNet(Network):
    """Angle regression, differentiable warp, and two streams that split the upright picture.

    Parameters
    ----------
    config
        `UDGNetConfig`; None for the paper's.

    Notes
    -----
    Departures from Yu et al. 2021:

    1. The streaks are made upright by a shear (see `rainnet.models.warp`), and what is removed travels back, not the
       background, which would be blurred.
    2. The angle is regressed from pictures of any size: the features are averaged over the picture. It lies within
       ±45 degrees; angles beyond have to be given.
    3. `UDGNetConfig.stride`, ``along``, ``rain_blocks`` and ``rain_from_input=False`` are ours.
    """

    name = "udgnet"
    Config = UDGNetConfig
    directional = True

    def __init__(self, config: UDGNetConfig | None = None) -> None:
        super().__init__(config)
        self.multiple = self.config.stride
        # One convolution in, two a block, two out; a block of `stride` pixels sees the blocks around it.
        blocks, stride = self.config.blocks, self.config.stride
        rain_blocks = blocks if self.config.rain_blocks is None else self.config.rain_blocks
        steps = sum(dilation + 1 for dilation in self.config.dilations(max(blocks, rain_blocks)))
        self.reach = stride * (steps + 3) + stride - 1
        self.angle = AngleNet(self.config)
        self.image_stream = Stream(self.config, blocks)
        self.rain_stream = Stream(self.config, rain_blocks)

    def layers(self, rainy: Tensor) -> Layers:
        """Split upright pictures (N, C, H, W) of sides that are multiples of the stride."""
        rain = self.rain_stream(rainy)
        return Layers(self.image_stream(rainy), rainy - rain if self.config.rain_from_input else rain)

    def find_angle(self, rainy: Tensor) -> Tensor:
        """Return the angle of the rain of each picture (N, C, H, W), (N,) degrees in (-45, 45)."""
        return self.angle(rainy)


class Stream(nn.Module):
    """Convolution, residual blocks, two convolutions; (N, C, H, W) to (N, C, H, W). It begins with zeros."""

    def __init__(self, config: UDGNetConfig, blocks: int) -> None:
        super().__init__()
        packed = config.channels * config.stride**2
        self.stride = config.stride
        self.head = nn.Conv2d(packed, config.features, 3, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(config.features, along) for along in config.dilations(blocks)))
        self.tail = nn.Conv2d(config.features, config.features, 3, padding=1)
        self.last = nn.Conv2d(config.features, packed, 3, padding=1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, image: Tensor) -> Tensor:
        """Return the layer that the stream is trained for."""
        x = F.pixel_unshuffle(image, self.stride) if self.stride > 1 else image
        x = self.head(x)  # (N, F, H / s, W / s)
        # The sum keeps the way to the input open: behind a ReLU, a stream that begins with zeros can die for good.
        x = x + self.tail(self.blocks(x))
        x = self.last(x)  # (N, C s², H / s, W / s)
        return F.pixel_shuffle(x, self.stride) if self.stride > 1 else x


class AngleNet(nn.Module):
    """Convolutions and pooling, an average over the picture, and a number in (0, 1) that stands for an angle.

    The number a means (1 - a) · 90 - 45 degrees, as in the authors' labels.
    """

    def __init__(self, config: UDGNetConfig) -> None:
        super().__init__()
        widths = [config.angle_features * min(2**k, 8) for k in range(config.angle_stages)]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1) for a, b in zip([config.channels, *widths], widths, strict=False)
        )
        self.last = nn.Linear(widths[-1], 1)

    def forward(self, rainy: Tensor) -> Tensor:
        """Return (N,) degrees in (-45, 45) of (N, C, H, W)."""
        x = rainy
        for convolution in self.convolutions:
            # Rounded up, so that a picture smaller than the pooling is deep does not vanish.
            x = F.max_pool2d(F.relu(convolution(x)), 2, ceil_mode=True)
        features = x.mean(dim=(-2, -1)).to(self.last.weight.dtype)
        # As a sum, which mixed precision leaves alone: in 16 bits degrees come in steps of a quarter.
        number = torch.sigmoid((features * self.last.weight[0]).sum(dim=-1) + self.last.bias)
        return (1 - number) * (2 * SPAN) - SPAN
