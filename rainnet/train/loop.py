"""The one training loop: every network of this project, one optimiser or several, one device or many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from torch import Tensor

from rainnet.models.base import Network
from rainnet.programs import PROGRAMS, Batch, Program
from rainnet.recipes.recipe import Recipe, RecipeError, checked
from rainnet.train.ema import Average
from rainnet.train.fabric import make_fabric
from rainnet.train.interruption import Interruption
from rainnet.train.meters import Clock, Means, Step, Watcher
from rainnet.train.run_folder import RunFolder
from rainnet.train.schedule import learning_rate
from rainnet.train.validator import Judge
from rainnet.weights.checkpoint import load, save
from rainnet.zoo import create, known


class DivergedError(RuntimeError):
    """A loss or a gradient was no number any more; the message says where, and what to look at."""


class BatchSource(Protocol):
    """Where batches come from; `rainnet.data.batches.RecipeBatches` is one."""

    def __call__(self, start: int, steps: int, rank: int, world: int) -> Iterable[Batch]:
        """Return the batches of the steps from ``start`` to below ``steps``."""


def build_program(recipe: Recipe, config: Mapping[str, Any] | None = None) -> Program:
    """Return the network of a recipe and all that is trained with it, with fresh weights by the recipe's seed, or with
    those of the model that it is to begin with.

    Parameters
    ----------
    recipe
        What is trained.
    config
        Of the network, where a state to be restored knows it; nothing else is read then.

    Raises
    ------
    RecipeError, CheckpointError, ValueError, TypeError
        For a name, a key or a value that is not known, or a model that is not of this network.
    """
    torch.manual_seed(recipe.run.seed)
    section = recipe.network
    if config is not None:
        network = create(section.name, **config)
    elif section.start is not None:
        network = _started(recipe)
    else:
        network = create(section.name, preset=section.preset, **section.config)
    kind = PROGRAMS[section.name]
    for turn in recipe.optimiser:
        try:
            known(turn, kind.all_turns, "optimiser of this network")
        except ValueError as error:
            raise RecipeError(f"'optimiser.{turn}': {error}") from None
    return kind.build(network.train().requires_grad_(True), checked(kind.Settings, recipe.loss, "loss"))


def _started(recipe: Recipe) -> Network:
    """Return the model that a recipe begins with; it brings its own config."""
    section = recipe.network
    network = load(section.start)  # type: ignore[arg-type]
    if network.name != section.name:
        raise RecipeError(f"'{section.start}' is a {network.name}, and the recipe trains a {section.name}")
    found = network.config_dict()
    for key, value in section.config.items():
        known(key, found, f"field of the config of {section.name}")
        if value != found[key] and value != list(found[key] if isinstance(found[key], tuple) else ()):
            raise RecipeError(f"'network.config.{key}' is {value!r}, and that of '{section.start}' is {found[key]!r}")
    return network


def train(
    recipe: Recipe,
    folder: RunFolder,
    batches: BatchSource,
    watcher: Watcher,
    *,
    judge: Judge | None = None,
    device: str = "auto",
    resume: bool = False,
) -> Network:
    """Train a network and keep it in a folder; returns it as it is kept.

    A run that was stopped goes on from its last checkpoint, and ends with the same weights as one that was not:
    batches, learning rates and random numbers are functions of the step. Ctrl-C and SIGTERM stop it after the step at
    hand. More steps may be asked for when it goes on; a learning rate that falls to the end then falls more slowly.

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
        If a loss or a gradient is not finite.
    RunError, RecipeError, CheckpointError, ValueError
        If the folder or the recipe cannot be used, or the device is not there.
    KeyboardInterrupt
        After the state was saved.
    """
    fabric = make_fabric(recipe, device)
    fabric.launch()
    state = folder.state_for(recipe, fabric.world_size) if resume else None
    program = build_program(recipe, state["config"] if state else None)
    if fabric.is_global_zero:
        folder.begin(recipe, resume)
    return _Loop(recipe, folder, watcher, judge, fabric, program, state).run(batches)


class _Loop:
    """One run."""

    def __init__(
        self,
        recipe: Recipe,
        folder: RunFolder,
        watcher: Watcher,
        judge: Judge | None,
        fabric: Fabric,
        program: Program,
        state: dict[str, Any] | None,
    ) -> None:
        self.recipe, self.folder, self.watcher, self.judge, self.fabric = recipe, folder, watcher, judge, fabric
        self.program: Program = program.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if state is not None:
            self.program.load_state_dict(state["program"])
        adams = [self._optimiser(turn) for turn in program.turns]
        self.average = Average(program.network, recipe.run.ema)
        self.done, self.best = 0, None
        self.module, *wrapped = fabric.setup(self.program, *adams)
        self.optimisers = dict(zip(program.turns, wrapped, strict=True))
        if state is not None:
            # After the parameters have moved: what an optimiser remembers goes where they are.
            for turn, adam in zip(program.turns, adams, strict=True):
                adam.load_state_dict(state["optimisers"][turn])
            self.average.module.load_state_dict(state["average"])
            self.done, self.best = state["step"], state["best"]
        self.average.module.to(fabric.device)

    def _optimiser(self, turn: str) -> torch.optim.Optimizer:
        section = self.recipe.optimiser_of(turn)
        parameters = list(self.program.parameters_of(turn))
        return torch.optim.Adam(parameters, section.lr, section.betas, weight_decay=section.weight_decay)

    def run(self, batches: BatchSource) -> Network:
        run, fabric = self.recipe.run, self.fabric
        source = iter(batches(self.done, run.steps, fabric.global_rank, fabric.world_size))
        clock, means = Clock(run.batch * fabric.world_size), Means()
        if not self.done:
            # Whatever happens from now on, there is something to go on from.
            self._save()
        with Interruption() as interruption:
            while self.done < run.steps:
                with clock:
                    batch = fabric.to_device(dict(next(source)))
                means.add(self._step(batch))
                self.done += 1
                clock.count()
                if fabric.is_global_zero:
                    self._report(means, clock, batch)
                if interruption.asked and self.done < run.steps:
                    self._save()
                    raise KeyboardInterrupt
        self._save()
        return self.average.module

    def _step(self, batch: Batch) -> dict[str, Tensor]:
        # Whatever a program draws is a function of the step, so that a resumed run draws the same.
        torch.manual_seed((self.recipe.run.seed << 32) + self.done * self.fabric.world_size + self.fabric.global_rank)
        self.program.train()
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
            self._require_finite(total, terms, turn, rate)
            self.fabric.backward(total)
            most = section.clip or float("inf")
            norm = self.fabric.clip_gradients(self.program, optimiser, max_norm=most, error_if_nonfinite=False)
            self._require_finite(norm, terms, turn, rate)
            optimiser.step()
            told |= {name: value.detach() for name, value in terms.items()}
        self.average.update(self.program.network, self.done)
        return told

    def _require_finite(self, number: Tensor | None, terms: Mapping[str, Tensor], turn: str, rate: float) -> None:
        if number is None or bool(torch.isfinite(number)):
            return
        values = ", ".join(f"{name} {float(value.detach()):g}" for name, value in terms.items())
        first = self.done * self.fabric.world_size * self.recipe.run.batch
        last = first + self.fabric.world_size * self.recipe.run.batch - 1
        raise DivergedError(
            f"step {self.done + 1}: a loss or gradient of turn '{turn}' is no number ({values}) at learning rate "
            f"{rate:g} and precision {self.recipe.run.precision}; look at examples {first} to {last} of the data, at "
            f"the losses before in '{self.folder.log}', lower optimiser.lr, set optimiser.clip, or take precision "
            f"32-true. The last checkpoint in '{self.folder.path}' is untouched"
        )

    def _report(self, means: Means, clock: Clock, batch: Batch) -> None:
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
        judged = self.judge is not None and (number % self.recipe.validation.every == 0 or number == run.steps)
        if judged or (run.save_every and number % run.save_every == 0):
            self._save()
        if self.judge is not None and judged:
            self._validate(self.judge)
            self._save()
        # What was done beside training is no part of its speed.
        clock.resume()

    def _validate(self, judge: Judge) -> None:
        scores = judge(self.average.module)
        best = self.best is None or scores[judge.leading] > self.best
        if best:
            self.best = scores[judge.leading]
            self._keep(self.folder.best, scores)
        self.watcher.validated(self.done, scores, best)

    def _save(self) -> None:
        if not self.fabric.is_global_zero:
            return
        self.folder.save(
            {
                "step": self.done,
                "recipe": self.recipe.model_dump_json(),
                "config": self.program.network.config_dict(),
                "world": self.fabric.world_size,
                "program": self.program.state_dict(),
                "optimisers": {turn: one.optimizer.state_dict() for turn, one in self.optimisers.items()},
                "average": self.average.module.state_dict(),
                "best": self.best,
            }
        )
        self._keep(self.folder.model, {})

    def _keep(self, path: Path, scores: dict[str, float]) -> None:
        facts = {"steps": self.done, "recipe": self.recipe.without_paths(), "scores": scores}
        save(self.average.module, path, facts=facts, overwrite=True)


def _channels_last(value: Tensor) -> Tensor:
    return value.contiguous(memory_format=torch.channels_last) if value.ndim == 4 else value
