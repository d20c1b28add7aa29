"""TimeLapseNet: encoders of three kernel sizes, whose maps are fused by a filter that is made for each picture.

    rainy -> encoders 3×3, 5×5, 7×7 -> fusion at an eighth of the side -> decoder with skips from all three -> S
    background = max(rainy - S, 0)

Source: Cho et al. 2020, Section III.C, Tables I and II.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rainnet.models.base import Network
from rainnet.models.decomposition import Layers
from rainnet.models.limits import require_within

MOST = {"channels": 64, "features": 512, "kernel": 15}
ENCODERS = 3
HALVINGS = 3
CONVOLUTIONS = (2, 2, 3)
"""Of an encoder before each halving, as in the first seven layers of VGG."""

BEGINNING = 0.02
"""Standard deviation of the weights of the last convolution before they are trained."""

Fusion = Literal["dynamic", "concat", "sum", "product"]


@dataclass(frozen=True)
class TimeLapseNetConfig:
    """What a TimeLapseNet is built of; the defaults are the paper's.

    Attributes
    ----------
    channels
        Of the pictures, 3 for RGB.
    features
        Of the first maps, doubled with each halving; the paper's network has 64, and 64 times its width are these.
    kernel
        Side of the smallest kernel, odd; the other two encoders have two and four pixels more. The paper's study of
        parameter counts has 1 in place of 3.
    fusion
        How the maps of the encoders become one: "dynamic", by a filter that is made of their means; "concat", by one
        that is the same for all pictures; "sum" and "product", number by number.

    Raises
    ------
    ValueError, TypeError
        For numbers that are not whole, below 1, or above what any network of this kind has had, `MOST`; for an even
        kernel, or another fusion.
    """

    channels: int = 3
    features: int = 64
    kernel: int = 3
    fusion: Fusion = "dynamic"

    def __post_init__(self) -> None:
        require_within(self, MOST)
        if self.kernel % 2 == 0:
            raise ValueError(f"`kernel` must be odd, got {self.kernel}")
        if self.fusion not in (words := get_args(Fusion)):
            raise ValueError(f"`fusion` must be one of {', '.join(words)}, got {self.fusion!r}")


PRESETS = {
    "paper": TimeLapseNetConfig(),
    "half": TimeLapseNetConfig(features=32),
    "small": TimeLapseNetConfig(features=16),
}
"""Configs by name."""


class TimeLapseNet(Network):
    """Three encoders, their fusion, and a decoder.

    Parameters
    ----------
    config
        `TimeLapseNetConfig`; None for the paper's.

    Notes
    -----
    1. The tables have one channel of pictures, the paper shows colour. Here the channels are a parameter, and S, which
       has one, is taken from all of them.
    2. The rows of Table II that concatenate do not add up; those of the convolutions do, with the maps of all three
       encoders beside the decoder's.
    3. Maps are enlarged by bilinear interpolation, which is the transposed convolution with a fixed bilinear kernel but
       for its border, where that would darken.
    4. The last convolution has no ReLU, which could close for good. It begins small, but not with zeros: where less
       than half of the frames have rain in a place, finding none costs least of all that knows no better, and absolute
       distances would hold the network there.
    """

    name = "timelapsenet"
    Config = TimeLapseNetConfig
    multiple = 2**HALVINGS

    def __init__(self, config: TimeLapseNetConfig | None = None) -> None:
        super().__init__(config)
        features, kernel = self.config.features, self.config.kernel
        self.encoders = nn.ModuleList(_Encoder(self.channels, features, kernel + 2 * k) for k in range(ENCODERS))
        self.fusion = _Fusion(4 * features, self.config.fusion)
        self.decoder = nn.ModuleList(
            _Decoding(features << k, CONVOLUTIONS[k], (features << k) // 2 if k else 1, last=k == 0)
            for k in reversed(range(HALVINGS))
        )
        # The filter depends on the whole picture; without it, what the kernels and the interpolation reach.
        self.reach = None if self.config.fusion == "dynamic" else _reach(kernel // 2 + ENCODERS - 1)

    def layers(self, rainy: Tensor) -> Layers:
        """Split pictures (N, C, H, W), sides being multiples of 8."""
        S = self.streaks(rainy).expand_as(rainy)
        # The clipping layer: background = max(rainy - S, 0).
        return Layers(torch.minimum(S, rainy), S)

    def streaks(self, rainy: Tensor) -> Tensor:
        """Return S, (N, 1, H, W), of any sign."""
        found = [encoder(rainy) for encoder in self.encoders]
        x = F.relu(self.fusion([maps[-1] for maps in found]))
        for scale, decoding in zip(reversed(range(HALVINGS)), self.decoder, strict=True):
            x = decoding(x, [maps[scale] for maps in found])
        return x


class _Encoder(nn.Module):
    """Seven convolutions of one kernel size, (N, C, H, W) to maps at each scale and the last, halved once more."""

    def __init__(self, channels: int, features: int, kernel: int) -> None:
        super().__init__()
        scales, inputs = [], channels
        for k, count in enumerate(CONVOLUTIONS):
            widths = [inputs, *[features << k] * count]
            scales.append(nn.ModuleList(_convolutions(widths, kernel)))
            inputs = widths[-1]
        self.scales = nn.ModuleList(scales)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return (N, F, H, W), (N, 2F, H / 2, W / 2), (N, 4F, H / 4, W / 4) and (N, 4F, H / 8, W / 8)."""
        found = []
        for convolutions in self.scales:
            for convolution in convolutions:  # type: ignore[attr-defined]
                x = F.relu(convolution(x))
            found.append(x)
            x = F.max_pool2d(x, 2)
        return [*found, x]


class _Fusion(nn.Module):
    """Maps of all encoders, (N, F, h, w) each, to one of the same shape."""

    def __init__(self, features: int, kind: str) -> None:
        super().__init__()
        self.features, self.kind = features, kind
        together = ENCODERS * features
        if kind == "concat":
            self.filter = nn.Conv2d(together, features, 1)
        if kind == "dynamic":
            self.maker = nn.Linear(together, features * together)
            # Begins as one filter for all pictures, of usual size, and learns how they should differ.
            nn.init.kaiming_uniform_(self.maker.bias.data.view(features, together), nonlinearity="relu")
            with torch.no_grad():
                self.maker.weight.mul_(0.1)

    def forward(self, maps: list[Tensor]) -> Tensor:
        """Fuse."""
        if self.kind == "sum":
            return torch.stack(maps).sum(0)
        if self.kind == "product":
            return torch.stack(maps).prod(0)
        x = torch.cat(maps, 1)
        if self.kind == "concat":
            fused: Tensor = self.filter(x)
            return fused
        filters = self.maker(x.mean((2, 3))).view(len(x), self.features, -1)  # (N, F, 3F)
        return (filters @ x.flatten(2)).unflatten(2, x.shape[-2:])


class _Decoding(nn.Module):
    """Maps twice as large: interpolated, beside those of the encoders, and convolved until they fit the next scale."""

    def __init__(self, features: int, count: int, outputs: int, last: bool) -> None:
        super().__init__()
        widths = [(1 + ENCODERS) * features, *[features] * count, outputs]
        self.convolutions = nn.ModuleList(_convolutions(widths, 3))
        self.last = last
        if last:
            nn.init.normal_(self.convolutions[-1].weight, std=BEGINNING)  # type: ignore[arg-type]

    def forward(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        """Enlarge (N, F, h, w) and convolve it beside (N, F, 2h, 2w) of each encoder."""
        x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        x = torch.cat([x, *skips], 1)
        *inner, final = self.convolutions
        for convolution in inner:
            x = F.relu(convolution(x))
        x = final(x)
        return x if self.last else F.relu(x)


def _convolutions(widths: Sequence[int], kernel: int) -> list[nn.Conv2d]:
    """Return convolutions behind each of which a ReLU may come without making maps fainter from one to the next."""
    found = [nn.Conv2d(a, b, kernel, padding=kernel // 2) for a, b in itertools.pairwise(widths)]
    for convolution in found:
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
    return found


def _reach(radius: int) -> int:
    """Return how far a pixel depends on others, where the largest kernel reaches so many pixels around its middle."""
    total = 0
    for k, count in enumerate(CONVOLUTIONS):
        # Convolutions of the encoder, a halving that sees two pixels, and the decoder's convolutions, of pixels that
        # are 2^k wide; and the interpolation, which sees the next pixel of twice that width.
        total += (count * radius + 1 + count + 1) * 2**k + 2 ** (k + 1)
    return total
