"""PReNet: one small network that derains in several stages, each of which sees the picture and the stage before.

    stage:  (rainy, background so far) -> convolution -> LSTM -> 5 residual blocks -> convolution, + rainy

Source: Ren et al. 2019, Sections 3.1 to 3.3 and Fig. 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rainnet.models.base import Network
from rainnet.models.decomposition import Layers
from rainnet.models.limits import require_within

Recurrent = Literal["lstm", "none"]
Variance = Literal["none", "last", "every"]
GATES = ("input", "forget", "candidate", "output")
MOST = {"channels": 64, "features": 4096, "stages": 64, "blocks": 1024}


@dataclass(frozen=True)
class PReNetConfig:
    """What a PReNet is built of; the defaults are the paper's.

    Attributes
    ----------
    channels
        Of the pictures, 3 for RGB.
    features
        Of all convolutions.
    stages
        How often the network is applied; its weights are the same each time.
    blocks
        Residual blocks of a stage.
    shared_blocks
        Whether all blocks of a stage are one and the same, which is applied again and again: PRN_r and PReNet_r.
    recurrent
        "lstm": features are remembered from stage to stage, PReNet. "none": stages share nothing but the background,
        PRN.
    residual
        Whether a stage's convolution gives what is added to the rainy picture, or the background itself, as in some of
        the authors' ablations.
    variance
        "none"; or a second head for the logarithm of the variance of the background, as in VRGNet: "last", the last
        stage has a convolution of its own for both; "every", that of all stages gives both.

    Raises
    ------
    ValueError, TypeError
        For numbers that are not whole, below 1, or above what any network of this kind has had, `MOST`; for another
        word.
    """

    channels: int = 3
    features: int = 32
    stages: int = 6
    blocks: int = 5
    shared_blocks: bool = False
    recurrent: Recurrent = "lstm"
    residual: bool = True
    variance: Variance = "none"

    def __post_init__(self) -> None:
        require_within(self, MOST)
        for name, words in (("recurrent", get_args(Recurrent)), ("variance", get_args(Variance))):
            if (word := getattr(self, name)) not in words:
                raise ValueError(f"`{name}` must be one of {', '.join(words)}, got {word!r}")


PRESETS = {
    "paper": PReNetConfig(),
    "prn": PReNetConfig(recurrent="none"),
    "prenet-r": PReNetConfig(shared_blocks=True),
    "prn-r": PReNetConfig(shared_blocks=True, recurrent="none"),
    "variance": PReNetConfig(variance="last"),
    "small": PReNetConfig(features=16, stages=4, blocks=3),
}
"""Configs by name."""


class Backgrounds(NamedTuple):
    """What the stages of a PReNet find.

    Attributes
    ----------
    stages
        The background after each stage, (N, C, H, W) each, not clipped; the last is the result.
    log_variance
        (N, C, H, W): the logarithm of the variance of the last one, of networks that have a head for it.
    """

    stages: list[Tensor]
    log_variance: Tensor | None = None


class PReNet(Network):
    """A residual network that is applied in stages, with a memory from stage to stage.

    Parameters
    ----------
    config
        `PReNetConfig`; None for the paper's.

    Notes
    -----
    Departures from Ren et al. 2019, where the authors' program differs from the text:

    1. A block ends in two ReLUs, one behind its second convolution and one behind the sum.
    2. Each stage gives what is added to the rainy picture.

    And one from both: what is added begins with zeros, so that an untrained network gives back the picture as it is.

    What a stage finds depends on 2 ``blocks`` + 3 pixels around (without LSTM, 2 ``blocks`` + 2), so the whole network
    on ``stages`` times as many.
    """

    name = "prenet"
    Config = PReNetConfig

    def __init__(self, config: PReNetConfig | None = None) -> None:
        super().__init__(config)
        features, channels = self.config.features, self.channels
        self.head = _conv3(2 * channels, features)
        self.memory = Memory(features) if self.config.recurrent == "lstm" else None
        self.blocks = nn.ModuleList(
            _Block(features) for _ in range(1 if self.config.shared_blocks else self.config.blocks)
        )
        every, last = self.config.variance == "every", self.config.variance == "last"
        self.last = _conv3(features, 2 * channels if every else channels)
        self.final = _conv3(features, 2 * channels) if last else None
        for convolution in (self.last, self.final):
            if convolution is not None and self.config.residual:
                nn.init.zeros_(convolution.weight)
                nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
        self.reach = self.config.stages * (2 * self.config.blocks + (2 if self.memory is None else 3))

    def layers(self, rainy: Tensor) -> Layers:
        """Split pictures (N, C, H, W)."""
        removed = rainy - self.backgrounds(rainy).stages[-1]
        return Layers(removed, removed)

    def backgrounds(self, rainy: Tensor) -> Backgrounds:
        """Return the background after each stage, of pictures (N, C, H, W)."""
        background, state, found = rainy, None, rainy
        stages: list[Tensor] = []
        for stage in range(self.config.stages):
            x = F.relu(self.head(torch.cat((rainy, background), 1)), inplace=True)  # (N, F, H, W)
            if self.memory is not None:
                x, state = self.memory(x, state)
            for k in range(self.config.blocks):
                x = self.blocks[k % len(self.blocks)](x)
            ends = self.final is not None and stage == self.config.stages - 1
            found = (self.final if ends else self.last)(x)  # type: ignore[misc]  # (N, C, H, W), or 2 C channels
            background = found[:, : self.channels]
            background = background + rainy if self.config.residual else background
            stages.append(background)
        return Backgrounds(stages, None if self.config.variance == "none" else found[:, self.channels :])


class Memory(nn.Module):
    """A convolutional LSTM, (N, F, H, W) to the same, with the state that it takes to the next stage.

        i, f, o = sigmoid(conv(x, h)),   g = tanh(conv(x, h)),   c ← f·c + i·g,   h = o·tanh(c)

    All four convolutions are one, of 4 F channels in the order of `GATES`.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.gates = _conv3(2 * features, len(GATES) * features)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return what is remembered, h, and the state (h, c); ``state`` is None in the first stage."""
        if state is None:
            # Nothing is remembered yet: half of the convolution would be over zeros.
            features = x.shape[1]
            gates = F.conv2d(x, self.gates.weight[:, :features], self.gates.bias, padding=1)
            i, _, g, o = gates.chunk(len(GATES), 1)
            c = torch.sigmoid(i) * torch.tanh(g)
        else:
            i, f, g, o = self.gates(torch.cat((x, state[0]), 1)).chunk(len(GATES), 1)
            c = torch.sigmoid(f) * state[1] + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, (h, c)


class _Block(nn.Module):
    """``relu(x + relu(conv(relu(conv(x)))))``, (N, F, H, W)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.first, self.second = _conv3(features, features), _conv3(features, features)

    def forward(self, x: Tensor) -> Tensor:
        """Add what two convolutions find."""
        found = F.relu(self.second(F.relu(self.first(x), inplace=True)), inplace=True)
        return F.relu(x + found, inplace=True)


def _conv3(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)
