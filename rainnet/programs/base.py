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
    all_turns
        Names of the optimisers that it can have.
    turns
        Those that it has, in the order in which they step.
    loss
        Settings of the losses, a pydantic model; `Settings` is its class.
    """

    Settings: ClassVar[type[Any]]
    network: Network
    all_turns: ClassVar[tuple[str, ...]] = ("network",)
    turns: tuple[str, ...] = ("network",)

    @classmethod
    def build(cls, network: Network, loss: Any) -> Program:
        """Return the program of a network with settings of the losses."""
        raise NotImplementedError

    @classmethod
    def needs(cls, loss: Any) -> frozenset[str]:
        """Return the entries that every batch must have by these settings; see `rainnet.data`."""
        raise NotImplementedError

    def parameters_of(self, turn: str) -> Iterable[nn.Parameter]:
        """Return what the optimiser of a turn changes."""
        return self.network.parameters()

    def forward(self, batch: Batch, turn: str) -> dict[str, Tensor]:
        """Return the terms, weighted, whose sum the optimiser of this turn minimises."""
        raise NotImplementedError

    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Return pictures to look at, (N, C, H, W) in [0, 1] each, by what they show."""
        raise NotImplementedError
