"""The one training loop: every network of this project, one optimiser or several, one device or many."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import MixedPrecision, Precision
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor

from rainnet.average import Average
from rainnet.checkpoint import load, save
from rainnet.devices import resolve_device
from rainnet.models import create
from rainnet.models.base import Network
from rainnet.programs import PROGRAMS, Program
from rainnet.recipe import Recipe, checked
from rainnet.run_folder import RunFolder
from rainnet.schedule import learning_rate
from rainnet.validate import Judge

Batch = Mapping[str, Tensor]


class DivergedError(RuntimeError):
    """A loss was no number any more; the message says where, and what to look at."""


@dataclass(frozen=True)
class Step:
    """What is told of a step, counted from 1.

    Attributes
    ----------
    terms
        Weighted losses of all turns, means over the steps since the last one told.
    rate
        Learning rate of the first optimiser.
    images_per_second, waiting
        Since the last one told: crops on all devices, and the share of the time in which they were waited for.
    seconds_left
        At that speed.
    """

    number: int
    steps: int
    terms: dict[str, float]
    rate: float
    images_per_second: float
    waiting: float
    seconds_left: float


class Watcher(Protocol):
    """Who is told how it goes."""

    def step(self, step: Step) -> None:
        """Take note of a step."""

    def pictures(self, number: int, pictures: dict[str, Tensor]) -> None:
        """Show pictures, (N, C, H, W) in [0, 1] each."""

    def validated(self, number: int, scores: dict[str, float], best: bool) -> None:
        """Take note of a validation."""

    def advance(self, number: int) -> None:
        """Note that so many steps are done."""


class Batches(Protocol):
    """Where batches come from: `rainnet.data.make_loader` for one run."""

    def __call__(self, start: int, steps: int, rank: int, world: int) -> Iterable[Batch]:
        """Return the batches of the steps from ``start`` to below ``steps``."""


def build_program(recipe: Recipe) -> Program:
    """Return the network of a recipe and all that is trained with it, with fresh weights by the recipe's seed.

    Raises
    ------
    RecipeError, ValueError
        For a name, a key or a value that is not known.
    """
    torch.manual_seed(recipe.run.seed)
    section = recipe.network
    network = create(section.name, preset=section.preset, **section.config)
    if section.start is not None:
        start = load(section.start)
        network.load_state_dict(start.state_dict())
    program = PROGRAMS[section.name]
    return program(network, checked(program.Settings, recipe.loss, "loss"))


def make_fabric(recipe: Recipe, device: str) -> Fabric:
    """Return Fabric for one device, or for all processes that torchrun has started.

    Raises
    ------
    ValueError
        If a device is asked for that is not there.
    """
    chosen = resolve_device(device)
    kind = "cuda" if chosen.type == "cuda" else "cpu"
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1:
        # A turn leaves the other turns' parameters without gradients.
        strategy = DDPStrategy(find_unused_parameters=True)
        return Fabric(
            accelerator=kind,
            devices=local,
            num_nodes=world // local,
            strategy=strategy,
            plugins=[_precision(recipe, kind)],
        )
    devices: Any = [chosen.index or 0] if kind == "cuda" else 1
    return Fabric(accelerator=kind, devices=devices, plugins=[_precision(recipe, kind)])


class _ExactInputs(MixedPrecision):
    """Mixed precision inside the network alone: pictures of 16 bits would not be those that a loss compares with."""

    def convert_input(self, data: Any) -> Any:
        return data


def _precision(recipe: Recipe, kind: str) -> Precision:
    name = recipe.run.precision
    return Precision() if name == "32-true" else _ExactInputs(name, device=kind)


def train(
    recipe: Recipe,
    folder: RunFolder,
    batches: Batches,
    watcher: Watcher,
    *,
    judge: Judge | None = None,
    device: str = "auto",
    resume: bool = False,
) -> Network:
    """Train a network and keep it in a folder; returns it as it is kept.

    A run that was stopped, whenever that was, goes on from its last checkpoint and ends with the same weights as one
    that was not: batches, learning rates and random numbers are functions of the step.

    Parameters
    ----------
    recipe, folder, batches, watcher, judge
        What is trained, where it is kept, on what, who is told, and who validates.
    device
        "auto", "cpu" or "cuda:N"; under torchrun, the kind of device of all processes.
    resume
        Go on with what the folder holds.

    Raises
    ------
    DivergedError
        If a loss is not finite.
    RunError, RecipeError, ValueError
        If the folder or the recipe cannot be used, or the device is not there.
    KeyboardInterrupt
        After the state was saved.
    """
    fabric = make_fabric(recipe, device)
    fabric.launch()
    state = folder.begin(recipe, resume) if fabric.is_global_zero or resume else None
    return _Loop(recipe, folder, watcher, judge, fabric, state).run(batches)


class _Loop:
    """One run."""

    def __init__(
        self,
        recipe: Recipe,
        folder: RunFolder,
        watcher: Watcher,
        judge: Judge | None,
        fabric: Fabric,
        state: dict[str, Any] | None,
    ) -> None:
        self.recipe, self.folder, self.watcher, self.judge, self.fabric = recipe, folder, watcher, judge, fabric
        self.program = build_program(recipe).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        adams = {turn: self._optimiser(turn) for turn in self.program.turns}
        self.average = Average(self.program.network, recipe.run.ema)
        self.done, self.best = 0, None
        if state is not None:
            self.program.load_state_dict(state["program"])
            for turn, adam in adams.items():
                adam.load_state_dict(state["optimisers"][turn])
            self.average.module.load_state_dict(state["average"])
            self.done, self.best = state["step"], state["best"]
        module, *wrapped = fabric.setup(self.program, *adams.values())
        self.module = module
        self.optimisers = dict(zip(adams, wrapped, strict=True))
        self.average.module.to(fabric.device)

    def _optimiser(self, turn: str) -> torch.optim.Optimizer:
        section = self.recipe.optimiser_of(turn)
        parameters = list(self.program.parameters_of(turn))
        return torch.optim.Adam(parameters, section.lr, section.betas, weight_decay=section.weight_decay)

    def run(self, batches: Batches) -> Network:
        run, fabric = self.recipe.run, self.fabric
        source = iter(batches(self.done, run.steps, fabric.global_rank, fabric.world_size))
        clock, means = _Clock(run.batch * fabric.world_size), _Means()
        try:
            while self.done < run.steps:
                with clock.waiting():
                    batch = fabric.to_device(dict(next(source)))
                means.add(self._step(batch))
                self.done += 1
                clock.count()
                if fabric.is_global_zero:
                    self._report(means, clock, batch)
                fabric.barrier()
        except KeyboardInterrupt:
            self._save()
            raise
        self._save()
        return self.average.module if run.ema else self.program.network

    def _step(self, batch: Batch) -> dict[str, Tensor]:
        # Whatever a program draws is a function of the step, so that a resumed run draws the same.
        torch.manual_seed((self.recipe.run.seed << 32) + self.done * self.fabric.world_size + self.fabric.global_rank)
        self.program.train()
        self.program.progress = self.done / self.recipe.run.steps
        batch = {name: _channels_last(value) for name, value in batch.items()}
        told: dict[str, Tensor] = {}
        for turn, optimiser in self.optimisers.items():
            section = self.recipe.optimiser_of(turn)
            rate = learning_rate(section, self.done, self.recipe.run.steps)
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.zero_grad(set_to_none=True)
            terms = self.module(batch, turn)
            total = torch.stack(list(terms.values())).sum()
            if not bool(torch.isfinite(total)):
                raise DivergedError(self._what_to_look_at(terms, turn, rate))
            self.fabric.backward(total)
            if section.clip:
                self.fabric.clip_gradients(self.program, optimiser, max_norm=section.clip, error_if_nonfinite=False)
            optimiser.step()
            told |= {name: value.detach() for name, value in terms.items()}
        self.average.update(self.program.network, self.done)
        return told

    def _what_to_look_at(self, terms: Mapping[str, Tensor], turn: str, rate: float) -> str:
        values = ", ".join(f"{name} {float(value.detach()):g}" for name, value in terms.items())
        first = self.done * self.fabric.world_size * self.recipe.run.batch
        last = first + self.fabric.world_size * self.recipe.run.batch - 1
        return (
            f"step {self.done + 1}: the losses of turn '{turn}' are {values} at learning rate {rate:g} and precision "
            f"{self.recipe.run.precision}; look at examples {first} to {last} of the data, at the losses before in "
            f"'{self.folder.log}', lower optimiser.lr, set optimiser.clip, or take precision 32-true. The last "
            f"checkpoint in '{self.folder.path}' is untouched"
        )

    def _report(self, means: _Means, clock: _Clock, batch: Batch) -> None:
        run, number = self.recipe.run, self.done
        self.watcher.advance(number)
        if number % run.log_every == 0 or number == run.steps:
            rate = learning_rate(self.recipe.optimiser_of(self.program.turns[0]), number - 1, run.steps)
            speed, waiting = clock.read()
            left = (run.steps - number) * clock.images / speed if speed else 0.0
            self.watcher.step(Step(number, run.steps, means.take(), rate, speed, waiting, left))
        if run.picture_every and number % run.picture_every == 0:
            with self.fabric.autocast():
                self.watcher.pictures(number, self.program.pictures(batch))
        if self.judge and (number % self.recipe.validation.every == 0 or number == run.steps):
            scores = self.judge(self.average.module)
            best = self.best is None or scores[self.judge.leading] > self.best
            if best:
                self.best = scores[self.judge.leading]
                self._keep(self.folder.best, scores)
            self.watcher.validated(number, scores, best)
        if run.save_every and number % run.save_every == 0:
            self._save()
        # What was done beside training is no part of its speed.
        clock.resume()

    def _save(self) -> None:
        if not self.fabric.is_global_zero:
            return
        self.folder.save(
            {
                "step": self.done,
                "recipe": self.recipe.model_dump_json(),
                "program": self.program.state_dict(),
                "optimisers": {turn: one.optimizer.state_dict() for turn, one in self.optimisers.items()},
                "average": self.average.module.state_dict(),
                "best": self.best,
            }
        )
        self._keep(self.folder.model, {})

    def _keep(self, path: Any, scores: dict[str, float]) -> None:
        facts = {"steps": self.done, "recipe": self.recipe.model_dump(mode="json"), "scores": scores}
        save(self.average.module, path, facts=facts, overwrite=True)


def _channels_last(value: Tensor) -> Tensor:
    return value.contiguous(memory_format=torch.channels_last) if value.ndim == 4 else value


class _Means:
    """Means of losses over some steps; summed where they are, so that a device is not waited for."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._count = 0

    def add(self, terms: Mapping[str, Tensor]) -> None:
        self._sums = {name: self._sums.get(name, 0) + value for name, value in terms.items()}
        self._count += 1

    def take(self) -> dict[str, float]:
        """Return the means and begin anew."""
        result = {name: float(total) / self._count for name, total in self._sums.items()}
        self._sums, self._count = {}, 0
        return result


class _Clock:
    """How fast it goes, and how long was waited for data."""

    def __init__(self, images: int) -> None:
        self.images = images  # a step
        self._steps, self._waited, self._worked, self._mark = 0, 0.0, 0.0, time.perf_counter()

    def waiting(self) -> _Clock:
        return self

    def __enter__(self) -> None:
        self._from = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        self._waited += time.perf_counter() - self._from

    def count(self) -> None:
        now = time.perf_counter()
        self._worked += now - self._mark
        self._mark = now
        self._steps += 1

    def resume(self) -> None:
        self._mark = time.perf_counter()

    def read(self) -> tuple[float, float]:
        """Return images a second and the share of waiting since the last reading."""
        seconds = max(self._worked, 1e-9)
        result = self._steps * self.images / seconds, self._waited / seconds
        self._steps, self._waited, self._worked = 0, 0.0, 0.0
        return result
