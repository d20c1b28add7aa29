"""What the training loop knows of a network's training: what an example must hold, and what each turn minimises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from rainnet.models.base import Network

Batch = Mapping[str, Tensor]
MAIN = "model"
"""Name under which a run publishes the network that it is about."""


@dataclass(frozen=True)
class ExampleSpec:
    """What an example must hold for a program's losses; `rainnet.data` says how each entry looks.

    Attributes
    ----------
    upright
        Whether streaks are vertical in the crops; otherwise they lie as in the picture.
    frames
        Pictures of one scene in an example, in each of which it rains differently.
    truth
        The clean picture.
    unpaired
        A clean picture of another scene.
    unpaired_rainy
        A rainy picture of another scene, from the folders that a recipe names for that.
    angle
        The direction of the rain as it lies in the picture.
    plain
        The crop as it lies, beside the upright one: for a network that learns to find the angle.
    start
        The rain layer that the solver finds in the rainy picture, for a network that begins with it.
    """

    upright: bool = False
    frames: int = 1
    truth: bool = False
    unpaired: bool = False
    unpaired_rainy: bool = False
    angle: bool = False
    plain: bool = False
    start: bool = False

    @property
    def demands(self) -> frozenset[str]:
        """Names of the fields that ask for something."""
        asked = {field.name for field in fields(self) if getattr(self, field.name)}
        return frozenset(asked if self.frames > 1 else asked - {"frames"})

    def __or__(self, other: ExampleSpec) -> ExampleSpec:
        """Return what must be held for the losses of two stages of one run."""
        # False is less than True, and one frame less than two.
        return ExampleSpec(**{f.name: max(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)})


class LossSettings(BaseModel):
    """Base of the settings of a program's losses: a key that is not known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Program(nn.Module):
    """All parts that are trained together, and what each optimiser minimises.

    It is one module, so that data-parallel training wraps it once; its `forward` returns losses. A subclass says what
    its losses `needs`, and computes them in `forward`.

    Parameters
    ----------
    network
        The network that the run is about.
    loss
        What the losses weigh, a `Settings`.

    Raises
    ------
    TypeError
        If the network is none that it `Takes`.

    Attributes
    ----------
    Settings
        The `LossSettings` of its losses.
    Takes
        The class of the networks that it trains.
    all_turns
        Names of the optimisers that it can have.
    turns
        Those that it has, in the order in which they step.
    pattern
        Turns of each step; steps go through it again and again. A word is one turn alone:
        ``("critic",) * 5 + ("network",)`` is six steps, a batch each. Empty: all turns in each step.
    """

    Settings: ClassVar[type[LossSettings]]
    Takes: ClassVar[type[Network]] = Network
    all_turns: ClassVar[tuple[str, ...]] = ("network",)
    turns: tuple[str, ...]
    pattern: Sequence[str | tuple[str, ...]] = ()
    network: Network

    def __init__(self, network: Network, loss: Any) -> None:
        if not isinstance(network, self.Takes):
            raise TypeError(f"`network` must be a {self.Takes.__name__}, got {type(network).__name__}")
        super().__init__()
        self.network, self.loss, self.turns = network, loss, self.all_turns

    @classmethod
    def needs(cls, loss: Any) -> ExampleSpec:
        """Return what every example must hold by these settings of the losses."""
        raise NotImplementedError

    @property
    def derains(self) -> bool:
        """Whether what its network takes rain off by is among what it trains."""
        return True

    def networks(self) -> dict[str, Network]:
        """Return the networks that a run publishes, by the names of their files: `MAIN` and what others there are."""
        return {MAIN: self.network}

    def parameters_of(self, turn: str) -> Iterable[nn.Parameter]:
        """Return what the optimiser of a turn changes."""
        return self.network.parameters()

    def forward(self, batch: Batch, turn: str, progress: float) -> dict[str, Tensor]:
        """Return the terms, weighted, whose sum the optimiser of this turn minimises.

        Parameters
        ----------
        batch
            What `needs` says, with a first axis N.
        turn
            Whose losses.
        progress
            Share in [0, 1) of the stage's steps that is done, for what rises or falls as it goes on.
        """
        raise NotImplementedError

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Return pictures to look at, (N, C, H, W) in [0, 1] each, by what they show.

        These are rainy picture, background, rain (three times as bright), the attention map of networks that have one,
        and, if there is one, the truth; the first frame of several.
        """
        first = {name: batch[name] for name in ("rainy", "clean", "start") if name in batch}
        first = {name: value[:, 0] if value.ndim == 5 else value for name, value in first.items()}
        start = first.pop("start", None)
        layers = self.network.split(first["rainy"] if start is None else torch.cat([first["rainy"], start], dim=1))
        background, rain = first["rainy"] - layers.removed.float(), 3 * layers.rain.float()
        shown = {"rainy": first.pop("rainy"), "background": background.clamp(0, 1), "rain x3": rain.clamp(0, 1)}
        if layers.attention is not None:
            shown["attention"] = layers.attention.float().expand_as(shown["rainy"])
        return shown | first
