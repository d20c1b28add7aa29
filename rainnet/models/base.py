"""What all networks have in common, so that one loop trains them and one function runs them on any picture.

A network is one file: a frozen config, and a class with a constructor and `layers`.
"""

from __future__ import annotations

from dataclasses import asdict
from numbers import Real
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rainnet.models.decomposition import Decomposition, Layers
from rainnet.models.start import solver_layers
from rainnet.models.warp import BatchUpright
from rainopt.geometry.within import Within, upright_of


class Orientation(Protocol):
    """A picture's way into the orientation of a network, and back; `rainopt.geometry.warp.Upright` is one."""

    def forward(self, image: Tensor) -> Tensor:
        """Bring (..., H, W) into orientation."""

    def back(self, upright: Tensor) -> Tensor:
        """Bring a layer back to (..., H, W)."""


class AsItLies:
    """The orientation of networks that take pictures as they lie."""

    def forward(self, image: Tensor) -> Tensor:
        """Return the picture."""
        return image

    def back(self, upright: Tensor) -> Tensor:
        """Return the layer."""
        return upright


class Network(nn.Module):
    """Base of all networks. A network writes `layers`, and `find_angle` if it can; a user calls `forward`.

    Padding, cropping, and the way into the network's orientation and back are done here: streaks are made upright for
    a directional network, and any other takes pictures as they lie.

    Parameters
    ----------
    config
        A `Config`; None: the defaults.

    Attributes
    ----------
    name
        Under which `rainnet.create` knows it.
    Config
        Its frozen dataclass with everything that the constructor has to be told; a checkpoint holds it.
    config
        Of this network.
    channels
        Of the pictures: the config's, or 3 for RGB.
    multiple
        Sides of what `layers` takes are multiples of this.
    directional
        Whether it works on pictures whose streaks are upright.
    starts
        Whether it begins where the solver ends: what `layers` takes has one plane more, the solver's rain layer on
        luminance, and what the network removes is that layer and a correction.
    reach
        Pixels from an output to the farthest input that it depends on; a tile with so much around it equals the whole.
        None: an output depends on the whole picture, by scans or by filters that are pooled from it, and the network
        is run whole where memory allows, see `rainnet.infer.tiles`.

    Raises
    ------
    TypeError
        If ``config`` is that of another network.
    """

    name: ClassVar[str]
    Config: ClassVar[type[Any]]
    directional: ClassVar[bool] = False
    starts: ClassVar[bool] = False
    config: Any
    channels: int
    multiple: int = 1
    reach: int | None

    def __init__(self, config: Any = None) -> None:
        super().__init__()
        self.config = self.Config() if config is None else config
        if not isinstance(self.config, self.Config):
            raise TypeError(f"`config` must be a {self.Config.__name__}, got {type(config).__name__}")
        self.channels = getattr(self.config, "channels", 3)

    @property
    def has_attention(self) -> bool:
        """Whether `layers` returns an attention map."""
        return False

    @property
    def planes(self) -> int:
        """How many planes `layers` takes: the channels, and the solver's layer of a network that `starts` from it."""
        return self.channels + self.starts

    def layers(self, rainy: Tensor) -> Layers:
        """Split rainy pictures (N, C, H, W), in the orientation of the network, sides being multiples of `multiple`;
        of a network that `starts` from the solver, (N, C + 1, H, W) with the solver's layer as the last plane.
        """
        raise NotImplementedError

    def split(self, rainy: Tensor) -> Layers:
        """Return the `layers` of pictures of any size, (N, C, H, W) in the orientation of the network."""
        return cropped(self.layers(padded(rainy, self.multiple)), rainy)

    def find_angle(self, rainy: Tensor) -> Tensor | None:
        """Return the angle of the rain of each picture, (N,) degrees; None for networks that find none."""
        return None

    def forward(self, rainy: Tensor, angle: Tensor | float | None = None, start: Tensor | None = None) -> Decomposition:
        """Take rainy pictures apart.

        Parameters
        ----------
        rainy
            (N, C, H, W) in [0, 1].
        angle
            (N,) degrees in (-90, 90], or one number for all pictures, used by directional networks alone; None: found.
            Gradients are followed through the shear.
        start
            (N, 1, H, W) in [0, 1], the solver's rain layers on luminance as the pictures lie, of networks that begin
            with them alone; None: found, picture by picture.

        Raises
        ------
        ValueError, TypeError
            For another shape, or something else than degrees; of a directional network also for a batch that mixes rain
            steeper and flatter than 45 degrees and is not square, or if it is not told the angle and finds none.
        """
        if not isinstance(rainy, torch.Tensor):
            raise TypeError(f"`rainy` must be a tensor (N, {self.channels}, H, W), got {type(rainy).__name__}")
        if rainy.ndim != 4 or rainy.shape[1] != self.channels:
            raise ValueError(f"`rainy` must be (N, {self.channels}, H, W), got shape {tuple(rainy.shape)}")
        angle = self._angle(rainy, angle)
        way: Orientation = AsItLies() if angle is None else BatchUpright(angle, *rainy.shape[-2:])
        upright = way.forward(rainy)
        if not self.starts or angle is None:
            if start is not None:
                raise ValueError(f"`start` must be None: {self.name} does not begin with the solver's layer")
            layers = self.split(upright)
            background = (rainy - way.back(layers.removed)).clamp(0, 1)
            where = None if layers.attention is None else way.back(layers.attention).clamp(0, 1)
            return Decomposition(background, way.back(layers.rain).clamp(0, 1), angle, where)
        if start is None:
            start = solver_layers(rainy, angle.detach())
        elif tuple(start.shape) != (len(rainy), 1, *rainy.shape[-2:]):
            wanted = (len(rainy), 1, *rainy.shape[-2:])
            raise ValueError(f"`start` must be a layer of each picture, {wanted}, got shape {tuple(start.shape)}")
        straight = way.forward(start).clamp(0, 1)
        # The correction alone travels back: what the network leaves of the start is not interpolated twice.
        layers = self.split(torch.cat([upright, straight], dim=1))
        removed = start + way.back(layers.removed - straight)
        return Decomposition((rainy - removed).clamp(0, 1), removed.clamp(0, 1), angle)

    def _angle(self, rainy: Tensor, angle: Tensor | float | None) -> Tensor | None:
        """Return the angles that the batch is brought upright by; None for a network that needs none."""
        if not self.directional:
            return None
        if angle is None:
            found = self.find_angle(rainy)
            if found is None:
                raise ValueError(f"`angle` must be given: {self.name} works on upright streaks and finds no angle")
            return found
        if not isinstance(angle, Tensor):
            if isinstance(angle, bool) or not isinstance(angle, Real):
                raise TypeError(f"`angle` must be a tensor (N,) of degrees, or one number, got {type(angle).__name__}")
            angle = torch.tensor(float(angle), device=rainy.device)
        count = len(rainy)
        if angle.ndim == 0 or tuple(angle.shape) == (1,):
            angle = angle.expand(count)
        if tuple(angle.shape) != (count,):
            raise ValueError(
                f"`angle` must be degrees for each of {count} pictures, ({count},), or one number, got shape "
                f"{tuple(angle.shape)}"
            )
        return angle if angle.is_floating_point() else angle.float()

    def orientation(self, height: int, width: int, angle: float | None, within: Within | None = None) -> Orientation:
        """Return the way into the network's orientation for one picture with rain of an angle in degrees; as of a part
        of another picture, where it is ``within`` that.
        """
        return upright_of(0.0 if angle is None else angle, height, width, within) if self.directional else AsItLies()

    def config_dict(self) -> dict[str, Any]:
        """Return the config as JSON has it."""
        return asdict(self.config)


def padded(image: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column of (N, C, H, W) until the sides are multiples."""
    down, right = -image.shape[-2] % multiple, -image.shape[-1] % multiple
    return F.pad(image, (0, right, 0, down), mode="replicate") if down or right else image


def cropped(layers: Layers, like: Tensor) -> Layers:
    """Undo `padded` on all layers."""
    height, width = like.shape[-2:]
    return Layers(*(None if layer is None else layer[..., :height, :width] for layer in layers))  # type: ignore[arg-type]
