"""Short trainings whose networks are compared with one another: the same crops for all, and nothing left behind."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.networks.scenes import Scene, derained
from rainnet.data.batches import RecipeBatches, dataset_for
from rainnet.models.base import Network
from rainnet.recipes.recipe import Recipe
from rainnet.train.build import needs_of
from rainnet.train.loop import train
from rainnet.train.meters import Silent
from rainnet.train.run_folder import RunFolder

POOL = 200  # batches that are rendered, and seen again and again


class Pool:
    """Batches of a recipe that are rendered once; as `rainnet.data.batches.RecipeBatches`."""

    def __init__(self, recipe: Recipe) -> None:
        source = RecipeBatches(recipe, dataset_for(recipe.data, recipe.run.seed, needs_of(recipe)))
        self.batches = list(source(0, POOL, 0, 1))

    def __call__(self, start: int, steps: int, rank: int, world: int) -> Iterator[Any]:
        """Yield the batches of some steps."""
        for step in range(start, steps):
            yield self.batches[step % len(self.batches)]


def train_case(recipe: Recipe, batches: Pool) -> Network:
    """Return the network of a case."""
    with tempfile.TemporaryDirectory() as folder:
        return train(recipe, RunFolder(Path(folder) / "run"), batches, Silent(), device="cpu")


def score(network: Network, each: Sequence[Scene]) -> float:
    """Return mean PSNR."""
    return statistics.fmean(derained(network, scene, None) for scene in each)
