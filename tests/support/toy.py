"""A network of one convolution, and all that it takes to add it: a model, a program, a recipe, and one entry."""

from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

import torch
from torch import nn
from torch.nn import functional as F

from rainnet.models.base import Network
from rainnet.models.decomposition import Layers
from rainnet.programs.base import ExampleSpec, LossSettings, Program
from rainnet.recipes.recipe import Recipe
from rainnet.zoo import NETWORKS, Entry, added

# The network.


@dataclass(frozen=True)
class ToyConfig:
    channels: int = 3
    strength: float = 0.1


class Toy(Network):
    """Takes pictures as they lie, in blocks of 2 pixels."""

    name, Config = "toy", ToyConfig
    multiple, reach = 2, 3

    def __init__(self, config=None):
        super().__init__(config)
        self.convolution = nn.Conv2d(4 * self.channels, 4 * self.channels, 3, padding=1)

    def layers(self, rainy):
        found = self.config.strength * F.pixel_shuffle(self.convolution(F.pixel_unshuffle(rainy, 2)), 2)
        return Layers(found, found)


# Its loss.


class ToyLoss(LossSettings):
    truth: float = 1.0
    smooth: float = 0.1


class ToyProgram(Program):
    Settings = ToyLoss

    @classmethod
    def needs(cls, loss):
        return ExampleSpec(truth=loss.truth > 0)

    def forward(self, batch, turn, progress):
        removed = self.network.layers(batch["rainy"]).removed
        terms = {"smooth": self.loss.smooth * removed.diff(dim=-2).abs().mean()}
        if self.loss.truth:
            terms["truth"] = self.loss.truth * F.l1_loss(batch["rainy"] - removed, batch["clean"])
        return terms


# Everything else that adds it.

ENTRY = Entry(Toy, {"default": ToyConfig()}, ToyProgram)
RECIPE = {
    "network": {"name": "toy"},
    "data": {"size": 16},
    "optimiser": {"lr": 1e-2, "schedule": "cosine"},
    "run": {"steps": 6, "batch": 2, "workers": 0, "log_every": 1, "picture_every": 0, "save_every": 0, "ema": 0.5},
}


def toy_recipe(**sections):
    """The recipe with other values of some keys, by section."""
    merged = {name: RECIPE.get(name, {}) | section for name, section in sections.items() if isinstance(section, dict)}
    return Recipe.model_validate({**RECIPE, **sections, **merged})


@contextmanager
def in_zoo(program=ToyProgram, model=Toy):
    """Have it in the table within a ``with`` block, perhaps with another program or model than around it."""
    with mock.patch.dict(NETWORKS):
        NETWORKS.pop("toy", None)
        with added("toy", Entry(model, {"default": model.Config()}, program)) as entry:
            yield entry


# What tests of training learn from, watch and compare.


def batches(start, steps, rank, world):
    """Batches of noise; all random numbers of a step hang on its number alone."""
    for step in range(start, steps):
        torch.manual_seed(step)
        yield {name: torch.rand(2, 3, 16, 16) for name in ("rainy", "clean")}


def state_of(folder):
    """The state of a run, as it is kept in its folder."""
    return torch.load(folder / "last.ckpt", weights_only=True)


class Watcher:
    """Keeps what it is told, and may send a signal to its own process when so many steps are done."""

    def __init__(self, at=None, do=None):
        self.steps, self.shown, self.scores, self.at, self.do = [], [], [], at, do

    def advance(self, number):
        if number == self.at:
            self.do()

    def step(self, step):
        self.steps.append(step)

    def pictures(self, number, pictures):
        self.shown.append((number, pictures))

    def validated(self, number, scores, best):
        self.scores.append((number, scores, best))


def assert_same(one, other):
    """Two state dicts hold the same numbers."""
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name
