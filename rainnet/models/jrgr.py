"""JRGR: rain of one domain taken off, translated into that of another, and put back, in both directions.

    synthetic  O_s -F_s-> B_s, R_s     R_s -G_r-> rain as if real        B_s + it -F_r-> background, rain -G_s-> O_s
    real       O_r -F_r-> B_r, R_r     R_r -G_s-> rain as if synthetic   B_r + it -F_s-> background, rain -G_r-> O_r

Source: Ye et al. 2021 (CVPR), Section 3.1 and Fig. 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from rainnet.models.base import Network, padded
from rainnet.models.decomposition import Layers
from rainnet.models.limits import require_within
from rainnet.models.unet import UNet

MOST = {"channels": 64, "features": 512, "depth": 6}
PARTS = ("removal_synthetic", "generation_real", "removal_real", "generation_synthetic")
"""Names of the four U-Nets: F_s, G_r, F_r and G_s."""


@dataclass(frozen=True)
class JRGRConfig:
    """What a JRGR is built of; the defaults are the paper's, where it says something.

    Attributes
    ----------
    channels
        Of the pictures, 3 for RGB.
    features, depth
        Of the first maps of each of the four U-Nets, and how often these are halved; see `rainnet.models.unet.UNet`.

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


PRESETS = {"paper": JRGRConfig(), "small": JRGRConfig(features=16, depth=3)}
"""Configs by name."""


class Loop(NamedTuple):
    """Everything on the way of pictures into the other domain and back, (N, C, H, W) each; nothing is clipped.

    Attributes
    ----------
    picture
        O, what it begins with.
    rain, background
        What is found in it, R and B = O - R.
    made_rain, made
        The rain layer as if of the other domain, and with it on the background a picture as if of the other domain.
    found_rain, found_background
        What is found in that.
    again_rain, again
        The found rain, translated back, and with it on the found background the picture once more.
    """

    picture: Tensor
    rain: Tensor
    background: Tensor
    made_rain: Tensor
    made: Tensor
    found_rain: Tensor
    found_background: Tensor
    again_rain: Tensor
    again: Tensor


class Translation(NamedTuple):
    """Both loops.

    Attributes
    ----------
    real
        Of real pictures, which become synthetic ones and real again.
    synthetic
        Of synthetic pictures, which become real ones and synthetic again.
    """

    real: Loop
    synthetic: Loop

    def pictures(self) -> dict[str, Tensor]:
        """Return the ten pictures of the paper's Fig. 6 in its order, (a) to (j), by what they show."""
        return {
            "real": self.real.picture,
            "real background": self.real.background,
            "made synthetic": self.real.made,
            "made synthetic background": self.real.found_background,
            "real again": self.real.again,
            "synthetic": self.synthetic.picture,
            "synthetic background": self.synthetic.background,
            "made real": self.synthetic.made,
            "made real background": self.synthetic.found_background,
            "synthetic again": self.synthetic.again,
        }

    @property
    def backgrounds(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """All four that are found: in synthetic and made real pictures, and in real and made synthetic ones."""
        real, synthetic = self.real, self.synthetic
        return synthetic.background, synthetic.found_background, real.background, real.found_background


class JRGR(Network):
    """Two networks that take rain off, and two that translate it.

    As a network of the house it derains by the real removal alone, as the paper's does when it is tested.

    Parameters
    ----------
    config
        `JRGRConfig`; None for the paper's.

    Attributes
    ----------
    removal_synthetic, removal_real
        F_s and F_r.
    generation_real, generation_synthetic
        G_r and G_s.

    Notes
    -----
    Departures from Ye et al. 2021:

    1. A removal network finds the rain, and the background is what it leaves. In the paper it finds the background, and
       the rain is what that leaves. Both can say the same; this one need not learn to copy the picture first.
    2. A generation network finds what it adds to a rain layer, so that it begins by leaving rain as it is.
    3. The text names the U-Net of Ronneberger et al. and no sizes; for ours see `rainnet.models.unet`.
    """

    name = "jrgr"
    Config = JRGRConfig

    def __init__(self, config: JRGRConfig | None = None) -> None:
        super().__init__(config)
        config = self.config
        self.removal_synthetic, self.generation_real, self.removal_real, self.generation_synthetic = (
            UNet(config.channels, config.features, config.depth) for _ in PARTS
        )
        self.multiple, self.reach = self.removal_real.multiple, self.removal_real.reach

    def layers(self, rainy: Tensor) -> Layers:
        """Split real rainy pictures (N, C, H, W), sides being multiples of ``2**depth``, by F_r."""
        rain = self.removal_real(rainy)
        return Layers(rain, rain)

    def translated(self, synthetic: Tensor, real: Tensor) -> Translation:
        """Return everything on the way of pictures of both domains into the other and back.

        Parameters
        ----------
        synthetic, real
            (N, C, H, W) of any sizes.
        """
        F_s, G_r, F_r, G_s = self.removal_synthetic, self.generation_real, self.removal_real, self.generation_synthetic
        return Translation(
            self._loop(real, (F_r, G_s), (F_s, G_r)),
            self._loop(synthetic, (F_s, G_r), (F_r, G_s)),
        )

    def _loop(self, picture: Tensor, out: tuple[UNet, UNet], back: tuple[UNet, UNet]) -> Loop:
        """Return the way of pictures by removal and generation of this domain, and of the other."""
        O = padded(picture, self.multiple)
        height, width = picture.shape[-2:]
        R, B, made_rain, made = _step(O, *out)
        found_rain, found_B, again_rain, again = _step(made, *back)
        whole = Loop(O, R, B, made_rain, made, found_rain, found_B, again_rain, again)
        return Loop(*(each[..., :height, :width] for each in whole))

    def real_rain(self, synthetic: Tensor) -> Tensor:
        """Return the rain of synthetic rainy pictures (N, C, H, W) of any size as if it were real, of any sign."""
        return self._made_real(synthetic)[0]

    def made_real(self, synthetic: Tensor, clean: Tensor | None = None) -> Tensor:
        """Return synthetic rainy pictures as if their rain were real, in [0, 1].

        Parameters
        ----------
        synthetic
            (N, C, H, W) of any size, in [0, 1].
        clean
            The pictures without rain, which the new rain is laid over, so that both are a pair; None: what is found.

        Raises
        ------
        ValueError
            If the clean pictures have another shape.
        """
        if clean is not None and clean.shape != synthetic.shape:
            raise ValueError(
                f"`clean` must have the shape of `synthetic`, {tuple(synthetic.shape)}, got {tuple(clean.shape)}"
            )
        rain, background = self._made_real(synthetic)
        return ((background if clean is None else clean) + rain).clamp(0, 1)

    def _made_real(self, synthetic: Tensor) -> tuple[Tensor, Tensor]:
        """Return the translated rain of synthetic pictures of any size, and what is found behind theirs."""
        height, width = synthetic.shape[-2:]
        _, B, rain, _ = _step(padded(synthetic, self.multiple), self.removal_synthetic, self.generation_real)
        return rain[..., :height, :width], B[..., :height, :width]


def _step(O: Tensor, removal: UNet, generation: UNet) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return rain, background, translated rain, and the background with it."""
    R = removal(O).float()  # sums and differences in 16 bits would be seen
    B = O - R
    translated = R + generation(R).float()
    return R, B, translated, B + translated
