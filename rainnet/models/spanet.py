"""SPANet: residual blocks that attend to where a recurrence over the whole picture has seen rain.

    rainy -> 3 blocks -> 4 x (attention map, 3 blocks that it weighs) -> 2 blocks -> background

Source: Wang et al. 2019, Section 4 and Fig. 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rainnet.models.base import Network
from rainnet.models.decomposition import Layers
from rainnet.models.irnn import DIRECTIONS, Recurrence
from rainnet.models.limits import require_within
from rainopt.arrays import kernel

DirectionAttention = Literal["paper", "released"]
BEFORE, AFTER = 3, 2  # residual blocks around the stages
MOST = {"channels": 64, "features": 4096, "stages": 64, "blocks": 1024}


@dataclass(frozen=True)
class SPANetConfig:
    """What a SPANet is built of; the defaults are the paper's.

    Attributes
    ----------
    channels
        Of the pictures, 3 for RGB.
    features
        Of all blocks, an even number.
    stages
        Attention maps, each with the blocks that it weighs.
    blocks
        Residual blocks of each stage.
    attention
        Whether there are attention maps. Without them blocks add all that they find, as in the paper's Table 4.
    shared_sam
        Whether one module finds the maps of all stages.
    direction_attention
        "paper": weights that are found for each direction and pixel multiply what comes from there. "released": they
        do not, as in the authors' program, which drops the products; its parameters were trained so.
    residual
        Whether the last convolution gives what is to be removed, and begins with zeros, or the background itself, as in
        the paper. The former learns in a hundredth of the steps.

    Raises
    ------
    ValueError, TypeError
        For numbers that are not whole, below 1, or above what any network of this kind has had, `MOST`; for an odd
        number of features, or a direction attention that there is not.
    """

    channels: int = 3
    features: int = 32
    stages: int = 4
    blocks: int = 3
    attention: bool = True
    shared_sam: bool = True
    direction_attention: DirectionAttention = "paper"
    residual: bool = False

    def __post_init__(self) -> None:
        require_within(self, MOST)
        if self.features % 2:
            raise ValueError(f"`features` must be even, got {self.features}: direction attention works on half of them")
        if self.direction_attention not in get_args(DirectionAttention):
            raise ValueError(
                f"`direction_attention` must be one of {', '.join(get_args(DirectionAttention))}, "
                f"got {self.direction_attention!r}"
            )


PRESETS = {
    "paper": SPANetConfig(),
    "released": SPANetConfig(direction_attention="released"),
    "small": SPANetConfig(features=16, stages=2, blocks=2, residual=True),
}
"""Configs by name."""


class SPANet(Network):
    """Blocks that remove rain where attention maps see it.

    Parameters
    ----------
    config
        `SPANetConfig`; None for the paper's.

    Notes
    -----
    Departures from Wang et al. 2019, where the text leaves it open or the authors' program differs from it:

    1. No convolution outside the direction attention has a bias, the middle one of a block has dilation 2, and features
       go through a ReLU behind each sum: as in the authors' program.
    2. α begins with 0.2, not with the identity: ones would add up all of a line.
    3. Direction attention multiplies the four directions, as Fig. 5 has it; the authors' program drops the products,
       which is ``direction_attention="released"``.
    4. The rain layer is what is removed.

    Scans see the whole picture, so that it is run whole where memory allows. With the authors' parameters, pictures of
    321 × 481 pixels in tiles of 256 are within 0.01 dB of the whole; tiles of 128 and 64 differ from it by 34 to 43 and
    30 to 39 dB PSNR, and move the score by 0.1 to 0.8 dB, either way (``benchmarks.networks.spanet``).
    """

    name = "spanet"
    Config = SPANetConfig
    reach = None

    def __init__(self, config: SPANetConfig | None = None) -> None:
        super().__init__(config)
        features, channels = self.config.features, self.channels
        self.head = _conv3(channels, features)
        self.before = nn.ModuleList(DilatedBlock(features) for _ in range(BEFORE))
        maps = (1 if self.config.shared_sam else self.config.stages) if self.config.attention else 0
        self.sams = nn.ModuleList(SpatialAttention(features, self.config.direction_attention) for _ in range(maps))
        self.stages = nn.ModuleList(
            nn.ModuleList(DilatedBlock(features) for _ in range(self.config.blocks)) for _ in range(self.config.stages)
        )
        self.after = nn.ModuleList(DilatedBlock(features) for _ in range(AFTER))
        self.last = _conv3(features, channels)
        if self.config.residual:
            nn.init.zeros_(self.last.weight)

    @property
    def has_attention(self) -> bool:
        """Whether the config asks for attention."""
        return bool(self.config.attention)

    def layers(self, rainy: Tensor) -> Layers:
        """Split pictures (N, C, H, W); the attention map is that of the first stage."""
        x = F.relu(self.head(rainy), inplace=True)  # (N, F, H, W)
        for block in self.before:
            x = block(x)
        first: Tensor | None = None
        for stage, blocks in enumerate(self.stages):
            where = self.sams[stage % len(self.sams)](x) if len(self.sams) else None
            first = where if first is None else first
            for block in blocks:  # type: ignore[attr-defined]
                x = block(x, where)
        for block in self.after:
            x = block(x)
        found = self.last(x)
        removed = found if self.config.residual else rainy - found
        return Layers(removed, removed, first)


class DilatedBlock(nn.Module):
    """``relu(x + a · conv(relu(conv(relu(conv(x))))))``, (N, F, H, W): 1×1, 3×3 with dilation 2, 1×1."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(features, features, 1, bias=False)
        self.second = nn.Conv2d(features, features, 3, padding=2, dilation=2, bias=False)
        self.third = nn.Conv2d(features, features, 1, bias=False)

    def forward(self, x: Tensor, where: Tensor | None = None) -> Tensor:
        """Add what three convolutions find, weighed by an attention map (N, 1, H, W) where there is one."""
        found = F.relu(self.first(x), inplace=True)
        found = F.relu(self.second(found), inplace=True)
        found = self.third(found)
        return F.relu(x + found if where is None else torch.addcmul(x, found, where), inplace=True)


class SpatialAttention(nn.Module):
    """Where rain is: a map in (0, 1) from two rounds of a recurrence in four directions, (N, F, H, W) to (N, 1, H, W).

    Source: Wang et al. 2019, Section 4.1 and Fig. 5(d).
    """

    def __init__(self, features: int, direction_attention: DirectionAttention = "paper") -> None:
        super().__init__()
        self.weighed = direction_attention == "paper"
        self.directions = DirectionWeights(features)
        self.head = _conv3(features, features)
        self.first, self.second = Recurrence(features), Recurrence(features)
        self.middle = _conv3(len(DIRECTIONS) * features, features)
        self.tail = _conv3(len(DIRECTIONS) * features, features)
        self.last = nn.Conv2d(features, 1, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map."""
        weights = self.directions(x) if self.weighed else None
        x = self.middle(_weighed(_swept(self.first, self.head(x)), weights))
        x = F.relu(self.tail(_weighed(_swept(self.second, x), weights)), inplace=True)
        return torch.sigmoid(self.last(x))


def _swept(sweeps: Recurrence, x: Tensor) -> Tensor:
    """Return what the recurrence finds, (N, F, H, W) to (N, 4 F, H, W), laid out as ``x`` where a kernel can do it."""
    plain = torch.is_grad_enabled() or torch.compiler.is_compiling() or torch.is_autocast_enabled(x.device.type)
    alpha, beta = sweeps.alpha, sweeps.beta
    if not plain and x.dtype == alpha.dtype and x.is_contiguous(memory_format=torch.channels_last):
        fast = kernel("irnn_last", x, alpha.detach(), beta.detach())
        if fast is not None:
            found: Tensor = fast(x.permute(0, 2, 3, 1), alpha.detach(), beta.detach()).permute(0, 3, 1, 2)
            return found
    return sweeps(x)


def _weighed(found: Tensor, weights: Tensor | None) -> Tensor:
    """Return what comes from each direction, (N, 4 F, H, W), multiplied by weights (N, 4, H, W) if there are any."""
    if weights is None:
        return found
    parts = found.unflatten(1, (len(DIRECTIONS), -1)) * weights[:, :, None]
    return parts.flatten(1, 2)


class DirectionWeights(nn.Module):
    """How much each direction counts at each pixel: (N, F, H, W) to (N, 4, H, W) in (0, 1)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(features, features // 2, 3, padding=1)
        self.second = nn.Conv2d(features // 2, features // 2, 3, padding=1)
        self.last = nn.Conv2d(features // 2, len(DIRECTIONS), 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the weights."""
        x = F.relu(self.first(x), inplace=True)
        return torch.sigmoid(self.last(F.relu(self.second(x), inplace=True)))


def _conv3(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
