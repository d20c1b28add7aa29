"""Batches in the order of their steps, made here or by worker processes, the same either way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from rainnet.data.pictures import DataError
from rainnet.data.workers import spared, start_worker


class _Failure(NamedTuple):
    """What a worker says instead of an example that it cannot make."""

    message: str


class _Guarded(Dataset[Any]):
    """A dataset whose `DataError` travels as a message: torch would wrap it in the worker's traceback."""

    def __init__(self, dataset: Dataset[dict[str, Tensor]]) -> None:
        self.dataset = dataset

    def __getitem__(self, index: int) -> dict[str, Tensor] | _Failure:
        try:
            return self.dataset[index]
        except DataError as error:
            return _Failure(str(error))


class _Steps(Sequence[list[int]]):
    """Indices of the examples of each step."""

    def __init__(self, batch: int, start: int, steps: int, rank: int, world: int) -> None:
        self.batch, self.start, self.steps, self.rank, self.world = batch, start, steps, rank, world

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: Any) -> Any:
        if not 0 <= step < self.steps:
            raise IndexError(step)
        first = ((self.start + step) * self.world + self.rank) * self.batch
        return list(range(first, first + self.batch))


class Batches:
    """Batches of a dataset, one for each step; made by `make_loader`.

    Iterating starts the workers; they end with it, also where it is left off.
    """

    def __init__(self, dataset: Dataset[dict[str, Tensor]], steps: _Steps, workers: int) -> None:
        self._steps = steps
        self._loader: DataLoader[Any] = DataLoader(
            _Guarded(dataset),
            batch_sampler=steps,
            num_workers=workers,
            collate_fn=_collate,
            multiprocessing_context="spawn" if workers else None,
            worker_init_fn=start_worker if workers else None,
            # Nothing here is drawn by torch; its own generator would be moved on each time this starts.
            generator=torch.Generator(),
        )

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        with spared():
            batches = iter(self._loader)
        try:
            for batch in batches:
                if isinstance(batch, _Failure):
                    raise DataError(batch.message)
                yield batch
        finally:
            del batches  # which ends the workers


def make_loader(
    dataset: Dataset[dict[str, Tensor]],
    batch: int,
    *,
    start: int = 0,
    steps: int,
    workers: int = 0,
    rank: int = 0,
    world: int = 1,
) -> Batches:
    """Return the batches of the steps ``start`` to ``start + steps - 1``.

    Step t has the examples ``(t * world + rank) * batch`` and on, so that the ranks share out what one would take in
    a batch ``world`` times as large. Neither the number of workers nor where a run was resumed changes an example.

    Parameters
    ----------
    dataset
        One of `rainnet.data`: it has an example for every index.
    batch
        Examples a step and rank.
    start
        The first step, counted from 0; that of a resumed run is the number of steps done.
    steps
        How many batches there are, from ``start`` on.
    workers
        Processes that make examples, each with one compute thread; 0: they are made in this one, when they are asked
        for. Workers are spawned, leave Ctrl-C and SIGTERM to this process, and end with it however it ends.
    rank, world
        Which of how many processes of a training run this one is.

    Returns
    -------
    Batches
        An iterable with a length; a batch is a dict of tensors (batch, ...).

    Raises
    ------
    ValueError
        If a number is out of its range.
    DataError
        While iterating, if an example cannot be made: the message names the file.
    """
    least = {
        "batch": (batch, 1),
        "start": (start, 0),
        "steps": (steps, 0),
        "workers": (workers, 0),
        "world": (world, 1),
    }
    for name, (value, low) in least.items():
        if value < low:
            raise ValueError(f"`{name}` must be at least {low}, got {value}")
    if not 0 <= rank < world:
        raise ValueError(f"`rank` must be at least 0 and less than `world`, which is {world}, got {rank}")
    return Batches(dataset, _Steps(batch, start, steps, rank, world), workers)


def _collate(examples: list[Any]) -> Any:
    failures = [example for example in examples if isinstance(example, _Failure)]
    return failures[0] if failures else default_collate(examples)
