"""What lies between two rains, and what the numbers of a code stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rainnet.models.rainfield import RainField
from rainnet.models.vrgnet import VRGNet
from rainopt.direction.estimate import estimate_angle
from rainopt.geometry.warp import Upright
from rainopt.image import split_channels

GAIN = 3.0  # of rain that is looked at, which is dark otherwise


class Between(NamedTuple):
    """Two rainy patches, and the rain of codes on the way from one to the other.

    Attributes
    ----------
    first, last
        (side, side, 3) float32 in [0, 1].
    layers
        Rain layers (side, side, 3) float32, at least 0; the first and the last are those of the patches' own codes.
    apart
        Root of the mean square of what both codes differ by; codes drawn at random differ by 1.4.
    """

    first: np.ndarray
    last: np.ndarray
    layers: list[np.ndarray]
    apart: float


def between(network: VRGNet, first: np.ndarray, last: np.ndarray, steps: int, seed: int = 0) -> Between:
    """Return rain between that of two rainy pictures: ``G((1 - t) z_a + t z_b)`` for t from 0 to 1.

    Parameters
    ----------
    network
        In evaluation mode, on the CPU; its codes are those of patches of ``network.config.side`` pixels.
    first, last
        Rainy pictures (H, W) or (H, W, C); the middle of each counts. For a `RainField` it is brought upright by the
        angle that `rainopt.estimate_angle` finds.
    steps
        How many layers, at least 2.
    seed
        Of what lies around the codes of a `RainField`.

    Raises
    ------
    ValueError
        For a picture smaller than a patch.

    Notes
    -----
    Source: Wang et al. 2021 (CVPR), Fig. 1; codes are the means that RNet finds.
    """
    patches = []
    for name, picture in (("first", first), ("last", last)):
        try:
            patches.append(patch_of(network, picture))
        except ValueError as error:
            raise ValueError(f"`{name}`: {error}") from None
    with torch.inference_mode():
        a, b = (network.codes(patch[None]).mean for patch in patches)
        shares = torch.linspace(0, 1, steps).tolist()
        layers = [_layer(network, torch.lerp(a, b, share), seed) for share in shares]
    one, other = (patch.movedim(0, -1).numpy() for patch in patches)
    return Between(one, other, layers, float((a - b).square().mean().sqrt()))


def varied(network: VRGNet, number: int, values: Sequence[float], seed: int = 0) -> list[np.ndarray]:
    """Return rain of codes that differ in one number alone.

    Parameters
    ----------
    network
        In evaluation mode, on the CPU.
    number
        Which of the ``network.config.latent`` numbers, from 0; of a `RainField`, that of all cells.
    values
        What it is set to, -3 to 3 in the paper.
    seed
        Of the other numbers.

    Raises
    ------
    ValueError
        If codes have no such number.

    Notes
    -----
    Source: Wang et al. 2021 (CVPR), Fig. 3.
    """
    count = network.config.latent
    if not 0 <= number < count:
        raise ValueError(f"`number` must be from 0 to {count - 1}, as codes of this network have {count}; got {number}")
    code = network.draw_codes(1, torch.Generator().manual_seed(seed))
    layers = []
    with torch.inference_mode():
        for value in values:
            changed = code.clone()
            changed[:, number] = value
            layers.append(_layer(network, changed, seed))
    return layers


def patch_of(network: VRGNet, picture: np.ndarray) -> Tensor:
    """Return the middle of a picture as the network takes it, (3, side, side); ValueError if it is too small."""
    planes = np.ascontiguousarray(split_channels(picture, -1).colour, dtype=np.float32)
    side = network.config.side
    if min(planes.shape[-2:]) < side:
        raise ValueError(f"the picture must be at least {side} pixels on each side, as the patches of this network are")
    if isinstance(network, RainField):
        angle = estimate_angle(np.moveaxis(planes, 0, -1)).angle
        planes = np.asarray(Upright(angle, *planes.shape[-2:]).forward(planes))
    height, width = planes.shape[-2:]
    top, left = (height - side) // 2, (width - side) // 2
    patch = torch.from_numpy(planes[:, top : top + side, left : left + side].copy()).clamp(0, 1)
    return patch.expand(network.channels, -1, -1)


def _layer(network: VRGNet, code: Tensor, seed: int) -> np.ndarray:
    # What is around the cells of a field is drawn, the same for all that are compared.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return network.rain(code)[0].movedim(0, -1).numpy()
