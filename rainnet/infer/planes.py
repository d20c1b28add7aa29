"""An image as planes that a network takes, and back: channels, unit, library and device."""

from __future__ import annotations

from numbers import Real
from typing import Any

import array_api_compat
import numpy as np
import torch
from torch import Tensor

from rainnet.models.base import Network
from rainopt.arrays import Array, namespace, to_numpy
from rainopt.image import Channels, split_channels

# A picture of more pixels is sheared on the host, so that only its tiles need room on a GPU.
MOST_ON_DEVICE = 1 << 25


def checked_unit(unit: float) -> float:
    """Return what a picture is divided by, if it is a number above 0 and at most 1; ValueError otherwise."""
    if isinstance(unit, bool) or not isinstance(unit, Real) or not 0 < unit <= 1:
        raise ValueError(f"`unit` must be a number above 0 and at most 1, got {unit!r}")
    return float(unit)


def without_colour(channels: Channels, net: Network) -> Channels:
    """Return how an image is put together, and its alpha, without the rest; refuse channels that a network lacks."""
    count = channels.colour.shape[0]
    if count != net.channels and (count, net.channels) != (1, 3):
        raise ValueError(
            f"`image` has {count} channels besides alpha, and the network takes {net.channels}; convert the image"
        )
    alpha = channels.alpha
    if alpha is not None:
        # Not a view, which would keep the colour.
        alpha = namespace(alpha).asarray(alpha, copy=True)
    return Channels(None, alpha, channels.axis)


def planes_of(image: Array, channel_axis: int, net: Network, place: torch.device) -> Tensor:
    """Return the planes of an image (C, H, W) as a tensor of its own where it is sheared."""
    colour = split_channels(image, channel_axis).colour
    planes = colour if isinstance(colour, Tensor) else torch.from_numpy(np.ascontiguousarray(to_numpy(colour)))
    near = planes.shape[-2] * planes.shape[-1] <= MOST_ON_DEVICE
    return planes.to(place if near else "cpu", torch.float32).contiguous()


def for_net(colour: Tensor, net: Network) -> Tensor:
    """Return planes with as many channels as the network takes; equal ones share memory."""
    return colour if len(colour) == net.channels else colour.expand(net.channels, -1, -1)


def like(tensor: Tensor, reference: Array) -> Any:
    """Return a tensor in the library and on the device of another array."""
    if isinstance(reference, Tensor):
        return tensor.to(reference.device)
    host = tensor.cpu().numpy()
    if isinstance(reference, np.ndarray):
        return host
    return namespace(reference).asarray(host, device=array_api_compat.device(reference))


def contiguous(image: Array) -> Array:
    """Return an image whose pixels lie in memory as its shape says, where that can be asked for."""
    if isinstance(image, Tensor):
        return image.contiguous()
    return np.ascontiguousarray(image) if isinstance(image, np.ndarray) else image
