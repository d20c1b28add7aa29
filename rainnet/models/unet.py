"""A U-Net: what is seen at coarse scales, brought back to the picture's own beside what was seen there.

Source: Ronneberger et al. 2015 (MICCAI), Fig. 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rainnet.models.base import padded

BEGINNING = 0.01
"""Standard deviation of the weights of the last convolution before they are trained."""

WIDEST = 8
"""Times the features of the first maps that others have at most."""


class UNet(nn.Module):
    """Maps that are halved and widened ``depth`` times, and enlarged again beside those of their own size.

    Parameters
    ----------
    channels
        Of the pictures, in and out.
    features
        Of the first maps, doubled with each halving up to `WIDEST` times.
    depth
        Halvings; the sides of what it takes are multiples of ``2**depth``.

    Attributes
    ----------
    multiple
        Sides of what it takes are multiples of this.
    reach
        Pixels from an output to the farthest input that it depends on.

    Notes
    -----
    Departures from Ronneberger et al. 2015: borders are padded, so that the sides stay as they are; convolutions of
    stride 2 halve in place of the largest of four pixels, which would forget where in the four a thin streak was; and
    maps grow no wider than eight times the first, as in Isola et al. 2017, where theirs go on to sixteen: half of all
    weights would be in the smallest maps.

    There is no normalisation. Statistics of a batch say nothing in a batch of one; statistics of a picture would take
    away how strong its rain is, which is what is asked for, and the picture could not be worked on in tiles. Weights
    begin so that maps are as strong behind the last layer as behind the first. The last convolution begins small, but
    not with zeros, which would let nothing in front of it learn in the first step.
    """

    def __init__(self, channels: int = 3, features: int = 64, depth: int = 4) -> None:
        super().__init__()
        widths = [features * min(2**k, WIDEST) for k in range(depth + 1)]
        steps = [*itertools.pairwise(widths)]
        self.first = nn.ModuleList([_convolution(channels, features), _convolution(features, features)])
        self.halvings = nn.ModuleList(
            nn.ModuleList([_convolution(a, b, kernel=4, stride=2), _convolution(b, b)]) for a, b in steps
        )
        self.enlargements = nn.ModuleList(_enlargement(b, a) for a, b in reversed(steps))
        self.mergers = nn.ModuleList(
            nn.ModuleList([_convolution(2 * a, a), _convolution(a, a)]) for a, _ in reversed(steps)
        )
        self.last = nn.Conv2d(features, channels, 1)
        nn.init.normal_(self.last.weight, std=BEGINNING)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]
        self.multiple, self.reach = 2**depth, reach_of(depth)

    def forward(self, picture: Tensor) -> Tensor:
        """Return (N, C, H, W) of any sign for pictures (N, C, H, W), sides being multiples of ``2**depth``."""
        x, seen = _passed(picture, self.first), []
        for halving in self.halvings:
            seen.append(x)
            x = _passed(x, halving)  # type: ignore[arg-type]
        for enlarge, merger in zip(self.enlargements, self.mergers, strict=True):
            x = _passed(torch.cat([seen.pop(), enlarge(x)], 1), merger)  # type: ignore[arg-type]
        found: Tensor = self.last(x)
        return found

    def at_any_size(self, picture: Tensor) -> Tensor:
        """Return the same for pictures (N, C, H, W) of any size, in 32 bits: to be added to them or taken off them."""
        height, width = picture.shape[-2:]
        found: Tensor = self(padded(picture, self.multiple))
        return found.float()[..., :height, :width]


def reach_of(depth: int) -> int:
    """Return how far an output of a `UNet` depends on the picture, in pixels."""
    reach = 1  # of the smallest maps: the convolution behind the last halving
    for level in reversed(range(depth)):
        # A pixel of the map below is two wide, and the halving sees one more on either side. Convolutions of this size
        # are two where maps are merged, and one behind a halving, or the first two.
        reach = 2 * reach + 2 + 2 + (2 if level == 0 else 1)
    return reach


def _passed(x: Tensor, convolutions: Iterable[nn.Module]) -> Tensor:
    for convolution in convolutions:
        x = F.relu(convolution(x), inplace=True)
    return x


def _convolution(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Conv2d:
    """Return a convolution behind which a ReLU may come without making maps fainter."""
    found = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=1)
    nn.init.kaiming_normal_(found.weight, nonlinearity="relu")
    nn.init.zeros_(found.bias)  # type: ignore[arg-type]
    return found


def _enlargement(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """Return what makes four pixels of one, without a ReLU behind it."""
    found = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
    nn.init.normal_(found.weight, std=inputs**-0.5)
    nn.init.zeros_(found.bias)  # type: ignore[arg-type]
    return found
