"""Refine: a network that begins where the solver ends, and corrects its layer.

    rainy, layer -> 2 × 2 pixels as channels -> blocks -> + -> blocks -> correction
                                                  `-> half -> blocks -> twice ´

    removed = layer + correction

The solver knows where streaks are and how high, from the whole picture; it cannot know what lies behind one, nor that
a railing is none. The network sees both, and has only the difference to learn. Like the layer, the correction is one of
luminance, taken off every channel alike; from a picture that is derained, each channel loses what the colour of the
streaks says, see `rainopt.refine.way`.

Source: ours. The energy behind the layer is that of Yu et al. 2021, Eq. (3); two resolutions as in Ronneberger et al.
2015; blocks of pixels turned into channels as in Shi et al. 2016.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional as F

from rainnet.models.base import Network
from rainnet.models.blocks import ResidualBlock
from rainnet.models.decomposition import Layers
from rainnet.models.limits import require_within
from rainopt.checks import require_whole

# Of each number of a config. A file that asks for more is damaged, or meant to fill the memory.
MOST = {"channels": 64, "features": 4096, "before": 1024, "after": 1024, "coarse_features": 4096, "coarse_blocks": 1024}
STRIDE = 2
"""Pixels a side of the blocks that are turned into channels, and by how much the coarse scale is smaller than that."""


@dataclass(frozen=True)
class RefineConfig:
    """What a Refine is built of.

    Attributes
    ----------
    channels
        Of the pictures, 3 for RGB.
    features
        At half the resolution.
    before, after
        Residual blocks at half the resolution, before and after what the coarse scale adds.
    coarse_features, coarse_blocks
        At a quarter of the resolution, where a look far along the streaks costs little.
    along
        Dilations along the streak of the first convolution of each coarse block, block after block and from the
        beginning again.

    Raises
    ------
    ValueError, TypeError
        For numbers that are not whole, below 1, or above what any network of this kind has had.
    """

    channels: int = 3
    features: int = 32
    before: int = 2
    after: int = 2
    coarse_features: int = 64
    coarse_blocks: int = 6
    along: tuple[int, ...] = (1, 2, 4)

    def __post_init__(self) -> None:
        require_within(self, MOST)
        # JSON has lists.
        object.__setattr__(self, "along", tuple(require_whole(each, "along") for each in self.along))
        if not 1 <= len(self.along) <= MOST["coarse_blocks"] or max(self.along) > MOST["features"]:
            raise ValueError(f"`along` must hold dilations from 1 to {MOST['features']}, got {self.along!r:.80}")

    @property
    def dilations(self) -> list[int]:
        """The dilation along the streak of each coarse block."""
        return [self.along[k % len(self.along)] for k in range(self.coarse_blocks)]


PRESETS = {"small": RefineConfig()}
"""Configs by name."""


class Refine(Network):
    """Two scales of residual blocks on the upright picture and the solver's layer.

    Untrained, it gives the solver's layer itself, taken off every channel alike.

    Parameters
    ----------
    config
        `RefineConfig`; None for the defaults.
    """

    name = "refine"
    Config = RefineConfig
    directional = True
    starts = True

    def __init__(self, config: RefineConfig | None = None) -> None:
        super().__init__(config)
        own: RefineConfig = self.config
        packed, features, coarse = STRIDE**2, own.features, own.coarse_features
        self.multiple = STRIDE**2
        # A block looks 2 pixels far, and a dilated one farther; the coarse ones lie within blocks of 4 pixels.
        fine = 2 + 2 * (own.before + own.after)
        self.reach = STRIDE * fine + STRIDE**2 * sum(each + 1 for each in own.dilations) + 2 * (STRIDE**2 - 1)
        self.head = nn.Conv2d((own.channels + 1) * packed, features, 3, padding=1)
        self.before = nn.Sequential(*(ResidualBlock(features) for _ in range(own.before)))
        self.down = nn.Conv2d(features * packed, coarse, 1)
        self.coarse = nn.Sequential(*(ResidualBlock(coarse, along) for along in own.dilations))
        self.up = nn.Conv2d(coarse, features * packed, 1)
        self.after = nn.Sequential(*(ResidualBlock(features) for _ in range(own.after)))
        self.last = nn.Conv2d(features, packed, 3, padding=1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def layers(self, rainy: Tensor) -> Layers:
        """Correct the solver's layer: (N, C + 1, H, W) with the layer as the last plane, sides multiples of four."""
        removed = (rainy[:, -1:] + self.correction(rainy)).expand(-1, self.channels, -1, -1)
        return Layers(removed, removed)

    def correction(self, rainy: Tensor) -> Tensor:
        """Return what is to be removed beside the solver's layer, (N, 1, H, W), of what `layers` takes."""
        x = self.before(self.head(F.pixel_unshuffle(rainy, STRIDE)))  # (N, F, H / 2, W / 2)
        far = self.coarse(self.down(F.pixel_unshuffle(x, STRIDE)))  # (N, G, H / 4, W / 4)
        x = self.after(x + F.pixel_shuffle(self.up(far), STRIDE))
        correction: Tensor = F.pixel_shuffle(self.last(x), STRIDE)
        return correction
