"""Convolutions and linear layers of a state dict in order, for programs whose names of weights tell nothing."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Layer(NamedTuple):
    """A convolution or a linear layer as a state dict has it."""

    name: str
    weight: Tensor
    bias: Tensor | None

    @property
    def outputs(self) -> int:
        """Channels that come out."""
        return self.weight.shape[0]

    @property
    def inputs(self) -> int:
        """Channels that go in."""
        return self.weight.shape[1]

    @property
    def is_small(self) -> bool:
        """Whether it is a convolution of 3×3 pixels."""
        return self.weight.ndim == 4 and tuple(self.weight.shape[2:]) == (3, 3)

    def fits(self, inputs: int, outputs: int) -> bool:
        """Whether it is a convolution of 3×3 pixels with so many channels."""
        return self.is_small and (self.inputs, self.outputs) == (inputs, outputs)

    def named(self, name: str) -> dict[str, Tensor]:
        """Return the weight and the bias under another name; a layer without bias has one of zeros."""
        bias = torch.zeros(self.outputs) if self.bias is None else self.bias
        return {f"{name}.weight": self.weight, f"{name}.bias": bias}


def layers_of(state: dict[str, Tensor]) -> tuple[list[Layer], list[str]]:
    """Return convolutions and linear layers in order, and the names of everything else."""
    layers = [
        Layer(key.removesuffix(".weight"), tensor, state.get(f"{key.removesuffix('.weight')}.bias"))
        for key, tensor in state.items()
        if key.endswith(".weight") and tensor.ndim in (2, 4)
    ]
    taken = {f"{layer.name}.{kind}" for layer in layers for kind in ("weight", "bias")}
    return layers, [key for key in state if key not in taken]


def shapes_of(layers: list[Layer], most: int = 4) -> str:
    """Return names and shapes of the first few layers, for messages."""
    shown = [f"{layer.name} {tuple(layer.weight.shape)}" for layer in layers[:most]]
    return ", ".join(shown) + (f" and {len(layers) - most} more" if len(layers) > most else "")
