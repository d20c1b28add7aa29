"""DDN: a residual network that sees only what a guided filter takes away: rain, and little of the scene.

    detail = rainy - guided(rainy) -> convolution -> 12 blocks of two convolutions -> convolution, + rainy

Source: Fu et al. 2017, Section 3 and Fig. 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from rainnet.models.base import Network
from rainnet.models.decomposition import Layers
from rainnet.models.guided import guided_filter
from rainnet.models.limits import require_within

MOST = {"channels": 64, "features": 4096, "blocks": 1024, "radius": 1024}


@dataclass(frozen=True)
class DDNConfig:
    """What a DDN is built of; the defaults are the paper's.

    Attributes
    ----------
    channels
        Of the pictures, 3 for RGB.
    features
        Of all convolutions.
    blocks
        Of two convolutions each; with the first and the last one there are 2 ``blocks`` + 2.
    radius, epsilon
        Of the guided filter, in pixels and in the square of [0, 1].
    normalised
        Whether a batch normalisation is behind each convolution.
    norm_epsilon
        Of these.

    Raises
    ------
    ValueError, TypeError
        For whole numbers below 1 or above what any network of this kind has had, `MOST`; for others that are not finite
        and above 0.
    """

    channels: int = 3
    features: int = 16
    blocks: int = 12
    radius: int = 15
    epsilon: float = 1.0
    normalised: bool = True
    norm_epsilon: float = 1e-3

    def __post_init__(self) -> None:
        require_within(self, MOST)
        for name in ("epsilon", "norm_epsilon"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
                raise ValueError(f"`{name}` must be a finite number above 0, got {value!r}")


PRESETS = {"paper": DDNConfig()}
"""Configs by name."""


class DDN(Network):
    """A residual network on the detail layer.

    Parameters
    ----------
    config
        `DDNConfig`; None for the paper's.

    Notes
    -----
    Where Fu et al. 2017 leave it open, as in the authors' program: the picture's channels are filtered one by one, each
    guided by itself; all but the last convolution end in a ReLU, and blocks add up behind theirs. Other than there, the
    last convolution begins with zeros: an untrained network gives back the picture as it is.
    """

    name = "ddn"
    Config = DDNConfig

    def __init__(self, config: DDNConfig | None = None) -> None:
        super().__init__(config)
        features, channels = self.config.features, self.channels
        self.head = _Convolution(channels, features, self.config)
        self.blocks = nn.ModuleList(
            nn.ModuleList(_Convolution(features, features, self.config) for _ in range(2))
            for _ in range(self.config.blocks)
        )
        self.last = _Convolution(features, channels, self.config)
        scale: nn.Module = self.last.conv if self.last.norm is None else self.last.norm
        for parameter in scale.parameters():
            nn.init.zeros_(parameter)
        self.reach = 2 * self.config.radius + 2 * self.config.blocks + 2

    def layers(self, rainy: Tensor) -> Layers:
        """Split pictures (N, C, H, W)."""
        x = F.relu(self.head(rainy - guided_filter(rainy, self.config.radius, self.config.epsilon)))  # (N, F, H, W)
        for block in self.blocks:
            x = x + F.relu(block[1](F.relu(block[0](x))))  # type: ignore[index]
        removed = -self.last(x)
        return Layers(removed, removed)


class _Convolution(nn.Module):
    """A 3×3 convolution and its normalisation."""

    def __init__(self, inputs: int, outputs: int, config: DDNConfig) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = nn.BatchNorm2d(outputs, eps=config.norm_epsilon, momentum=0.01) if config.normalised else None

    def forward(self, x: Tensor) -> Tensor:
        """Convolve, and normalise."""
        x = self.conv(x)
        return x if self.norm is None else self.norm(x)
