"""Where a network runs, and that it is left in the mode in which it was found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from rainnet.infer.devices import resolve_device


def parameter_of(net: nn.Module) -> Tensor:
    """Return a parameter of a network, which tells its device and its dtype."""
    return next(net.parameters(), torch.empty(0))


def device_for(name: str | torch.device, net: nn.Module) -> torch.device:
    """Turn the name of a device into a device; "auto" is where the network is, if that is an accelerator.

    Raises
    ------
    ValueError
        As `rainnet.infer.devices.resolve_device`.
    """
    if isinstance(name, torch.device):
        name = str(name)
    current = parameter_of(net).device
    return current if name == "auto" and current.type != "cpu" else resolve_device(name)


@contextmanager
def evaluating(net: nn.Module) -> Iterator[None]:
    """Bring a network to evaluation mode, and each of its modules back to the mode that it had."""
    before = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        yield
    finally:
        for module, training in before:
            module.training = training
