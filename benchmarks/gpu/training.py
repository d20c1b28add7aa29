"""Step d: train the recipe of `next_training.toml` for as long as there is time, and keep its averaged weights in OUT.

The learning rate follows the recipe's schedule over as many steps as the time is expected to hold, which a few steps
on examples that are already there tell beforehand. Should it be less in the end, the run is stopped, and what is kept
is what it had become.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.gpu.notes import Notes, arguments
from rainnet.data.batches import RecipeBatches, dataset_for
from rainnet.data.examples import Examples
from rainnet.data.loader import make_loader
from rainnet.programs.base import Batch
from rainnet.recipes.recipe import Recipe, read_recipe
from rainnet.train.build import needs_of
from rainnet.train.interruption import StoppedError
from rainnet.train.loop import BatchSource, train
from rainnet.train.meters import Silent, Step
from rainnet.train.run_folder import RunFolder
from rainopt.parallel.ahead import ahead

PLAN = Path(__file__).with_name("next_training.toml")
AHEAD = 4  # batches that lie on the device before they are wanted
STARTING, SAVING = 14.0, 6.0  # seconds until workers yield, and those that the end takes
CAUTION = 0.97  # share of the steps that the measured speed promises
TOLD_EVERY = 50  # steps


class Repeated:
    """The same few batches again and again, to measure a speed by, as `rainnet.train.loop.BatchSource`."""

    def __init__(self, dataset: Examples, batch: int, device: torch.device, count: int = 2) -> None:
        self._batches = [_there(made, device) for made in make_loader(dataset, batch, steps=count)]

    def __call__(self, start: int, steps: int, rank: int, world: int) -> Iterator[Batch]:
        """Yield them."""
        _quick()
        return (self._batches[step % len(self._batches)] for step in range(start, steps))


@dataclass(frozen=True)
class OnDevice:
    """Batches of a source, brought to the device by a thread of their own before they are wanted."""

    source: BatchSource
    device: torch.device

    def __call__(self, start: int, steps: int, rank: int, world: int) -> Iterable[Batch]:
        """Yield them in their order."""
        _quick()
        batches = self.source(start, steps, rank, world)
        return ahead((_there(batch, self.device) for batch in batches), AHEAD)


def _there(batch: Any, device: torch.device) -> dict[str, Tensor]:
    if device.type == "cpu":
        return dict(batch)
    return {name: value.pin_memory().to(device, non_blocking=True) for name, value in batch.items()}


def _quick() -> None:
    # The loop asks for algorithms that give the same each time, so that a run can go on as if it had not been stopped;
    # this one does not go on, and the time is short.
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = True, False


@dataclass
class Kept(Silent):
    """Writes what is told of a run to a file, and keeps the model of each checkpoint beside it.

    Attributes
    ----------
    model, kept
        Where the run writes its averaged weights, and where they are kept.
    log
        A line of JSON for each report.
    until
        When the run is to be stopped, of `time.perf_counter`.
    """

    model: Path
    kept: Path
    log: Path
    until: float
    steps: list[Step] = field(default_factory=list)
    begun: float = field(default_factory=time.perf_counter)
    _stamp: float = 0.0
    _stopping: bool = False

    def advance(self, number: int) -> None:
        """Keep a checkpoint that has come since; stop the run when its time is over."""
        if number % 10 == 0 and self.model.exists() and self.model.stat().st_mtime != self._stamp:
            self._stamp = self.model.stat().st_mtime
            self.keep()
        if time.perf_counter() > self.until and not self._stopping:
            self._stopping = True
            # As anybody stops a run: it saves its state and ends.
            os.kill(os.getpid(), signal.SIGTERM)

    def step(self, step: Step) -> None:
        """Write a report."""
        self.steps.append(step)
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at_s": round(time.perf_counter() - self.begun, 1), **asdict(step)}) + "\n")

    def keep(self) -> None:
        """Copy the model, whole or not at all."""
        beside = self.kept.with_suffix(".new")
        shutil.copyfile(self.model, beside)
        os.replace(beside, self.kept)


def photographs(folder: str, rehearse: bool, scratch: Path) -> Path:
    """Return the folder that is trained on; in a rehearsal without one, a folder of sample photographs."""
    if Path(folder).is_dir():
        return Path(folder).resolve()
    if not rehearse:
        raise FileNotFoundError(f"'{folder}' is not there; fill it by benchmarks.gpu.photographs, and carry it along")
    from benchmarks.common import photograph
    from rainopt import write_image

    for number, size in enumerate(((128, 160), (96, 128))):
        write_image(scratch / f"{number}.png", photograph(*size))
    return scratch


def recipe_of(plan: dict[str, Any], folder: Path, rehearse: bool, more: Iterable[str] = ()) -> Recipe:
    """Return the recipe of a plan, of so many steps."""
    sections: dict[str, Any] = {"data": {"train": [folder]}}
    if plan["start"] and not rehearse:
        sections["network"] = {"name": "udgnet", "start": Path(plan["start"]).resolve()}
    own = [*plan["changes"], *(plan["rehearsal"] if rehearse else ())]
    quiet = [f"run.log_every={TOLD_EVERY}", "run.picture_every=0"]
    return read_recipe(plan["recipe"], [*own, *quiet, *more], **sections)


def speed(plan: dict[str, Any], folder: Path, rehearse: bool, device: torch.device) -> float:
    """Return the steps a second that the device makes of batches that are already there."""
    steps = 3 if rehearse else plan["measured_steps"]
    recipe = recipe_of(plan, folder, rehearse, [f"run.steps={3 * steps}", f"run.log_every={steps}", "run.save_every=0"])
    dataset = dataset_for(recipe.data, recipe.run.seed, needs_of(recipe))

    class Speeds(Silent):
        told: list[float] = []  # noqa: RUF012

        def step(self, step: Step) -> None:
            self.told.append(step.images_per_second)

    watcher = Speeds()
    with tempfile.TemporaryDirectory() as scratch:
        train(
            recipe,
            RunFolder(Path(scratch) / "run"),
            Repeated(dataset, recipe.run.batch, device),
            watcher,
            device=str(device),
        )
    # The first report holds the search for algorithms.
    return float(np.median(watcher.told[1:])) / recipe.run.batch


def main() -> None:
    """Measure, train, keep."""
    asked = arguments()
    begun = time.perf_counter()
    notes = Notes(asked.notes)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    plan = tomllib.loads(PLAN.read_text(encoding="utf-8"))
    device = torch.device("cpu" if asked.rehearse else "cuda:0")
    budget = min(asked.seconds, 90.0) if asked.rehearse else asked.seconds
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        (scratch / "photographs").mkdir()
        folder = photographs(plan["photographs"], asked.rehearse, scratch / "photographs")
        rate = notes.attempt("steps_per_second", lambda: speed(plan, folder, asked.rehearse, device))
        left = budget - (time.perf_counter() - begun) - STARTING - SAVING
        if rate is None or left <= 0:
            raise RuntimeError("the speed could not be measured, or no time is left")
        steps = 12 if asked.rehearse else max(int(CAUTION * rate * left), 1)
        every = max(int(rate * plan["checkpoint_seconds"]), 1)
        recipe = recipe_of(plan, folder, asked.rehearse, [f"run.steps={steps}", f"run.save_every={every}"])
        notes.note("plan", {"steps": steps, "batch": recipe.run.batch, "size": recipe.data.size, "every": every})
        run = RunFolder(scratch / "run")
        kept = asked.out / f"{plan['name']}.safetensors"
        until = begun + budget - SAVING
        watcher = Kept(run.model, kept, asked.out / "training.jsonl", until)
        batches = RecipeBatches(recipe, dataset_for(recipe.data, recipe.run.seed, needs_of(recipe)))
        ended = "stopped"
        with contextlib.suppress(StoppedError):
            train(recipe, run, OnDevice(batches, device), watcher, device=str(device))
            ended = "done"
        watcher.keep()
        last = watcher.steps[-1] if watcher.steps else None
        notes.note(
            "trained",
            {
                "ended": ended,
                "file": kept.name,
                "bytes": kept.stat().st_size,
                "seconds": time.perf_counter() - watcher.begun,
                "last": None if last is None else asdict(last),
                "photographs": len(batches.dataset.files()),
            },
        )
    # Workers that are left over do not hold up the end.
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            print(f"still there: {thread.name}")


if __name__ == "__main__":
    main()
