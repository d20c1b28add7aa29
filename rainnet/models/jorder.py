"""JORDER-E: where rain is, how bright, and what is behind it, found together and twice.

    pass:  (rainy, background so far) -> contextualised dilated blocks -> mask and streaks of the rain
           -> both scale and shift the features -> decoder, + rainy

Source: Yang et al. 2019, and of its precursor Yang et al. 2017, Section 3 and Fig. 2; where these leave it open, the
authors' program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rainnet.models.base import Network
from rainnet.models.decomposition import Layers
from rainnet.models.limits import require_within

PATHS = ((1, 1), (2, 2), (2, 4))
"""Dilations of the two convolutions of each path of a block."""
CONTEXT = 0.1
"""What the paths with dilation count beside the first."""
KINDS = 2  # of pixels: without rain, with rain
ESTIMATED, ENCODED = 8, 16  # features between the convolutions that find, and that look at, mask and streaks
MOST = {"channels": 64, "features": 4096, "blocks": 1024, "passes": 64}


@dataclass(frozen=True)
class JORDERConfig:
    """What a JORDER-E is built of; the defaults are the authors'.

    Attributes
    ----------
    channels
        Of the pictures, 3 for RGB.
    features
        Of all blocks.
    blocks
        Of each pass.
    passes
        How often the picture is gone through, each time by a network of its own that is given what the one before has
        found.
    attention
        Whether the mask says where rain is. That of the authors' parameters does not, see `JORDER`.

    Raises
    ------
    ValueError, TypeError
        For numbers that are not whole, below 1, or above what any network of this kind has had, `MOST`.
    """

    channels: int = 3
    features: int = 64
    blocks: int = 9
    passes: int = 2
    attention: bool = True

    def __post_init__(self) -> None:
        require_within(self, MOST)


PRESETS = {
    "paper": JORDERConfig(),
    "small": JORDERConfig(features=32, blocks=3),
}
"""Configs by name; "small" is what the authors publish parameters of for practical use."""


class Found(NamedTuple):
    """What a pass finds.

    Attributes
    ----------
    background
        (N, C, H, W), not clipped.
    mask
        (N, 2, H, W): logits of pixels without rain, and with.
    streaks
        (N, C, H, W): background minus rainy picture, as far as rain changes it.
    features
        After each block, (N, F, H, W).
    """

    background: Tensor
    mask: Tensor
    streaks: Tensor
    features: list[Tensor]


class JORDER(Network):
    """Passes that find rain and remove it.

    Parameters
    ----------
    config
        `JORDERConfig`; None for the authors'.

    Notes
    -----
    1. The authors' program works on [0, 255] and this one on [0, 1]: `rainnet.convert` divides parameters accordingly.
    2. What the authors train the mask on is true where the clean picture is brighter than the rainy one in red, where
       there is no rain; so ``attention`` is off for their parameters.
    3. The decoder begins with zeros: an untrained network gives back the picture as it is.
    """

    name = "jorder"
    Config = JORDERConfig

    def __init__(self, config: JORDERConfig | None = None) -> None:
        super().__init__(config)
        self.passes = nn.ModuleList(
            _Pass(self.channels, self.config.features, self.config.blocks) for _ in range(self.config.passes)
        )
        widest = max(sum(path) for path in PATHS)
        # Encoder, blocks; two convolutions each that find masks, look at them, and decode.
        self.reach = self.config.passes * (1 + self.config.blocks * widest + 2 + 2 + 2)

    @property
    def has_attention(self) -> bool:
        """Whether the mask says where rain is."""
        return bool(self.config.attention)

    def layers(self, rainy: Tensor) -> Layers:
        """Split pictures (N, C, H, W)."""
        found = self.found(rainy)[-1]
        removed = rainy - found.background
        return Layers(removed, removed, found.mask.softmax(1)[:, 1:] if self.config.attention else None)

    def found(self, rainy: Tensor) -> list[Found]:
        """Return what each pass finds in pictures (N, C, H, W)."""
        found: list[Found] = []
        for one in self.passes:
            found.append(one(rainy, found[-1] if found else None))
        return found


class _Pass(nn.Module):
    """One way through the network."""

    def __init__(self, channels: int, features: int, blocks: int) -> None:
        super().__init__()
        self.encoder = nn.Conv2d(2 * channels, features, 3, padding=1)
        self.blocks = nn.ModuleList(_Block(features) for _ in range(blocks))
        self.mask, self.streaks = (_Pair(features, ESTIMATED, outputs, False) for outputs in (KINDS, channels))
        self.mask_scale, self.mask_shift = (_Pair(KINDS, ENCODED, features) for _ in range(2))
        self.streaks_scale, self.streaks_shift = (_Pair(channels, ENCODED, features) for _ in range(2))
        self.decoder = _Pair(features, features, channels, False)
        # Masks and streaks begin as a factor of one, and what is added to the picture as nothing.
        for pair, value in ((self.mask_scale, 1.0), (self.streaks_scale, 1.0), (self.decoder, 0.0)):
            nn.init.zeros_(pair.second.weight)
            nn.init.constant_(pair.second.bias, value)  # type: ignore[arg-type]

    def forward(self, rainy: Tensor, before: Found | None) -> Found:
        """Return what is found, with what the pass before has found."""
        x = self.encoder(torch.cat((rainy, rainy if before is None else before.background), 1))  # (N, F, H, W)
        features = []
        for k, block in enumerate(self.blocks):
            x = block(x)
            x = x if before is None else x + before.features[k]
            features.append(x)
        mask, streaks = self.mask(x), self.streaks(x)
        if before is not None:
            mask, streaks = mask + before.mask, streaks + before.streaks
        shift = self.mask_shift(mask) + self.streaks_shift(streaks)
        scale = self.mask_scale(mask) * self.streaks_scale(streaks)
        return Found(self.decoder(x + shift + scale * x) + rainy, mask, streaks, features)


class _Block(nn.Module):
    """``x + Σ w relu(conv(relu(conv(x))))`` over paths with dilations `PATHS`, (N, F, H, W)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.paths = nn.ModuleList(_Pair(features, features, features, dilations=path) for path in PATHS)

    def forward(self, x: Tensor) -> Tensor:
        """Add what the paths find."""
        total = x
        for k, path in enumerate(self.paths):
            total = torch.add(total, F.relu(path(x), inplace=True), alpha=CONTEXT if k else 1)
        return total


class _Pair(nn.Module):
    """Two 3×3 convolutions, with a ReLU between them or without."""

    def __init__(
        self, inputs: int, between: int, outputs: int, active: bool = True, dilations: tuple[int, int] = (1, 1)
    ) -> None:
        super().__init__()
        self.active = active
        self.first, self.second = (
            nn.Conv2d(a, b, 3, padding=dilation, dilation=dilation)
            for a, b, dilation in ((inputs, between, dilations[0]), (between, outputs, dilations[1]))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve twice."""
        x = self.first(x)
        out: Tensor = self.second(F.relu(x, inplace=True) if self.active else x)
        return out
