"""What all networks have in common, so that one loop trains them and one function runs them on any picture."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn

from rainnet.models.decomposition import Decomposition, Layers


class Frame(Protocol):
    """A picture's way into the frame that a network works in, and back; `rainopt.geometry.warp.Upright` is one."""

    def forward(self, image: Tensor) -> Tensor:
        """Bring (..., H, W) into the frame."""

    def back(self, upright: Tensor) -> Tensor:
        """Bring a layer back to (..., H, W)."""


class AsItIs:
    """The frame of networks that take pictures as they are."""

    def forward(self, image: Tensor) -> Tensor:
        """Return the picture."""
        return image

    def back(self, upright: Tensor) -> Tensor:
        """Return the layer."""
        return upright


class Network(nn.Module):
    """Base of all networks: `layers` is the network itself, `forward` what a user calls.

    Attributes
    ----------
    name
        Under which `rainnet.create` knows it.
    config
        Dataclass with everything that the constructor was told; a checkpoint holds it.
    channels
        Of the pictures: 3 for RGB.
    multiple
        Sides of what `layers` takes are multiples of this.
    directional
        Whether it works in a frame that depends on the angle of the rain.
    reach
        Pixels from an output to the farthest input that it depends on; a tile with so much around it equals the whole.
    """

    name: ClassVar[str]
    directional: ClassVar[bool] = False
    config: Any
    channels: int
    multiple: int
    reach: int

    def layers(self, rainy: Tensor) -> Layers:
        """Split rainy pictures (N, C, H, W), in the frame of the network, sides being multiples of `multiple`."""
        raise NotImplementedError

    def frame(self, height: int, width: int, angle: float | None) -> Frame:
        """Return the way into the frame of the network for pictures of one size with rain of one angle in degrees."""
        return AsItIs()

    def find_angle(self, rainy: Tensor) -> Tensor | None:
        """Return the angle of the rain of each picture, (N,) degrees; None for networks that need none."""
        return None

    def forward(self, rainy: Tensor, angle: Tensor | None = None) -> Decomposition:
        """Take rainy pictures (N, C, H, W) in [0, 1] apart; ``angle`` is (N,) degrees, found where it is None."""
        raise NotImplementedError

    def config_dict(self) -> dict[str, Any]:
        """Return the config as JSON has it."""
        return asdict(self.config)
