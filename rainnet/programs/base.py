"""What the training loop knows of a network's training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from torch import Tensor, nn

from rainnet.models.base import Network

Batch = Mapping[str, Tensor]


class Program(nn.Module):
    """All parts that are trained together, and what each optimiser minimises.

    It is one module, so that data-parallel training wraps it once; its `forward` returns losses.

    Attributes
    ----------
    network
        What is kept in the end.
    turns
        Names of the optimisers, in the order in which they step.
    progress
        Share of the run that is done, 0 to below 1; the loop sets it, for losses that change as the training goes on.
    loss
        Settings of the losses, a pydantic model; `Settings` is its class.
    """

    Settings: ClassVar[type[Any]]
    network: Network
    turns: tuple[str, ...] = ("network",)
    progress: float = 0.0

    def parameters_of(self, turn: str) -> Iterable[nn.Parameter]:
        """Return what the optimiser of a turn changes."""
        return self.network.parameters()

    def forward(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return the terms, weighted, whose sum the optimiser of this turn minimises."""
        raise NotImplementedError

    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Return pictures to look at, (N, C, H, W) in [0, 1] each, by what they show."""
        raise NotImplementedError

    def needs(self) -> frozenset[str]:
        """Return the entries that every batch must have; see `rainnet.data`."""
        return frozenset({"rainy"})
