"""From a recipe to batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import Tensor

from rainnet.data.examples import Examples
from rainnet.data.kinds import dataset_for
from rainnet.data.loader import make_loader
from rainnet.recipes.recipe import Recipe

__all__ = ["RecipeBatches", "dataset_for"]


@dataclass(frozen=True)
class RecipeBatches:
    """The batches of a recipe, as `rainnet.train.loop.BatchSource`."""

    recipe: Recipe
    dataset: Examples

    def __call__(self, start: int, steps: int, rank: int, world: int) -> Iterable[Mapping[str, Tensor]]:
        """Return the batches of the steps from ``start`` to below ``steps``."""
        run = self.recipe.run
        return make_loader(
            self.dataset, run.batch, start=start, steps=steps - start, workers=run.workers, rank=rank, world=world
        )
