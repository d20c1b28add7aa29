"""Where pictures enter and leave the parameters of a network, so that it can be given another order and range of them.

A network f of another program takes pictures of one order of channels, and of values in [0, r]. Ours takes red, green
and blue in [0, 1], and is to give

    P f(r P x) / r,   P: the channels turned round, if f takes blue, green and red.

Parameters are changed for that once and for all: the factor goes into the weights that take pictures in and those that
give pictures out, and P reorders them. Everything between keeps its values, as what it sees does.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from numbers import Real
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

Channels = Literal["rgb", "bgr"]
ORDERS: tuple[str, ...] = get_args(Channels)
"""Orders of channels that pictures have."""

UNITS: dict[str, Callable[[Tensor, float], Tensor]] = {
    "in": lambda part, r: part * r,
    "out": lambda part, r: part / r,
    "log_variance": lambda part, r: part - 2 * math.log(r),
    "none": lambda part, r: part,
}
"""What a range r does to a group of numbers, each of which belongs to a channel of the picture."""
Unit = Literal["in", "out", "log_variance", "none"]


def require_channels(channels: object) -> Channels:
    """Return an order of channels; ValueError for anything else."""
    if channels not in ORDERS:
        raise ValueError(f"`channels` must be one of {', '.join(ORDERS)}, got {channels!r}")
    return "bgr" if channels == "bgr" else "rgb"


def require_range(value: object) -> float:
    """Return the greatest value of pictures; ValueError for anything but a finite number above 0."""
    if isinstance(value, Real) and not isinstance(value, bool):
        with suppress(OverflowError):
            if 0 < (number := float(value)) < math.inf:
                return number
    raise ValueError(f"`range` must be a finite number above 0, such as 1 or 255, got {reprlib.repr(value)}")


class Port(NamedTuple):
    """A parameter with an axis along which the channels of pictures lie, once or several times.

    Attributes
    ----------
    key
        Our name of the parameter.
    axis
        Along which its channels lie.
    units
        One for each group of channels along the axis: "in", it multiplies what is in the picture's unit; "out", it
        gives that; "log_variance", it is added to the logarithm of a variance; "none", it is free of the unit, and
        only ordered as the channels are.
    """

    key: str
    axis: int
    units: tuple[Unit, ...]


def taking(layer: str, groups: int = 1) -> list[Port]:
    """Return the port of a convolution that takes so many pictures side by side."""
    units: list[Unit] = ["in"] * groups
    return [Port(f"{layer}.weight", 1, tuple(units))]


def giving(layer: str, *, bias: bool = True) -> list[Port]:
    """Return the ports of a convolution, or of a normalisation, that gives a picture."""
    return [Port(f"{layer}.{kind}", 0, ("out",)) for kind in (("weight", "bias") if bias else ("weight",))]


def giving_variance(layer: str) -> list[Port]:
    """Return the ports of a convolution that gives a picture, and behind it the logarithm of its variance."""
    return [Port(f"{layer}.weight", 0, ("out", "none")), Port(f"{layer}.bias", 0, ("out", "log_variance"))]


def ported(state: dict[str, Tensor], ports: Iterable[Port], channels: Channels, range_: float) -> dict[str, Tensor]:
    """Return the parameters of the network that takes red, green and blue in [0, 1].

    Parameters
    ----------
    state
        Parameters by our names, for pictures of the order ``channels`` in [0, ``range_``].
    ports
        Where pictures enter and leave them. Whole numbers, which no weights of a convolution are, stay as they are.
    channels, range_
        Of the pictures that the parameters were trained for.
    """
    result = dict(state)
    for key, axis, units in ports:
        if not (tensor := state[key]).is_floating_point():
            continue
        # Numbers of 16 bits would lose digits, or overflow.
        tensor = tensor if range_ == 1 or tensor.dtype == torch.float64 else tensor.float()
        parts = [UNITS[unit](part, range_) for part, unit in zip(tensor.chunk(len(units), axis), units, strict=True)]
        result[key] = torch.cat([part.flip(axis) for part in parts] if channels == "bgr" else parts, axis)
    return result
