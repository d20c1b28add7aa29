"""CycleGAN: whole pictures translated between rainy and clean, in both directions, without pairs.

Source: Zhu et al. 2017 (ICCV), Section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from rainnet.models.base import Network
from rainnet.models.decomposition import Layers
from rainnet.models.limits import require_within
from rainnet.models.unet import UNet

MOST = {"channels": 64, "features": 512, "depth": 6}


@dataclass(frozen=True)
class CycleGANConfig:
    """What a CycleGAN is built of.

    Attributes
    ----------
    channels
        Of the pictures, 3 for RGB.
    features, depth
        Of the first maps of both U-Nets, and how often these are halved; see `rainnet.models.unet.UNet`.

    Raises
    ------
    ValueError, TypeError
        For numbers that are not whole, below 1, or above what any network of this kind has had, `MOST`.
    """

    channels: int = 3
    features: int = 64
    depth: int = 4

    def __post_init__(self) -> None:
        require_within(self, MOST)


PRESETS = {"unet": CycleGANConfig(), "small": CycleGANConfig(features=16, depth=3)}
"""Configs by name."""


class Cycles(NamedTuple):
    """What pictures become in the other domain, and in their own again, (N, C, H, W) each; nothing is clipped.

    Attributes
    ----------
    made_clean, rainy_again
        Of rainy pictures.
    made_rainy, clean_again
        Of clean ones.
    """

    made_clean: Tensor
    rainy_again: Tensor
    made_rainy: Tensor
    clean_again: Tensor


class CycleGAN(Network):
    """A network that makes rainy pictures clean, and one that makes clean ones rainy.

    Parameters
    ----------
    config
        `CycleGANConfig`; None for the first preset.

    Notes
    -----
    Departure from Zhu et al. 2017: both are U-Nets as those of `rainnet.models.jrgr`, beside which it stands, and find
    what they add to a picture, so that they begin by leaving it as it is; theirs have residual blocks.
    """

    name = "cyclegan"
    Config = CycleGANConfig

    def __init__(self, config: CycleGANConfig | None = None) -> None:
        super().__init__(config)
        config = self.config
        self.removal = UNet(config.channels, config.features, config.depth)
        self.generation = UNet(config.channels, config.features, config.depth)
        self.multiple, self.reach = self.removal.multiple, self.removal.reach

    def layers(self, rainy: Tensor) -> Layers:
        """Split rainy pictures (N, C, H, W), sides being multiples of ``2**depth``."""
        removed = -self.removal(rainy)
        return Layers(removed, removed)

    def cleaned(self, rainy: Tensor) -> Tensor:
        """Return pictures (N, C, H, W) of any size as if they were clean."""
        return rainy + self.removal.at_any_size(rainy)

    def rained(self, clean: Tensor) -> Tensor:
        """Return pictures (N, C, H, W) of any size as if they were rainy."""
        return clean + self.generation.at_any_size(clean)

    def cycles(self, rainy: Tensor, clean: Tensor) -> Cycles:
        """Return what pictures of both domains, (N, C, H, W) of any sizes, become and become again."""
        made_clean, made_rainy = self.cleaned(rainy), self.rained(clean)
        return Cycles(made_clean, self.rained(made_clean), made_rainy, self.cleaned(made_rainy))
