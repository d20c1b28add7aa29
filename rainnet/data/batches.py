"""From a recipe to batches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

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

    @cached_property
    def data(self) -> dict[str, Any]:
        """How many files the examples are drawn from, and a digest of their names and sizes: drawn from others, or in
        another order, they are other examples.
        """
        files = self.dataset.files()
        digest = hashlib.sha256()
        for file in files:
            digest.update(f"{file}\0{file.stat().st_size}\n".encode(errors="surrogateescape"))
        return {"files": len(files), "digest": digest.hexdigest()}

    def __call__(self, start: int, steps: int, rank: int, world: int) -> Iterable[Mapping[str, Tensor]]:
        """Return the batches of the steps from ``start`` to below ``steps``."""
        run = self.recipe.run
        return make_loader(
            self.dataset, run.batch, start=start, steps=steps - start, workers=run.workers, rank=rank, world=world
        )
