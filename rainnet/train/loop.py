"""The one training loop: every network of this project, one optimiser or several, one device or many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any, Protocol

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from rainnet.models.base import Network
from rainnet.programs.base import MAIN, Batch, Program
from rainnet.recipes.recipe import Recipe
from rainnet.recipes.stages import Stage, plan
from rainnet.train.build import active, build_program, copy_parts, go_on, optimiser_for, trained
from rainnet.train.diverged import DivergedError
from rainnet.train.ema import averaged
from rainnet.train.fabric import launched
from rainnet.train.interruption import Interruption, StoppedError
from rainnet.train.meters import Clock, Means, Step, Watcher
from rainnet.train.run_folder import BEST, RunFolder
from rainnet.train.schedule import learning_rate
from rainnet.train.validator import Validator


class BatchSource(Protocol):
    """Where batches come from; `rainnet.data.batches.RecipeBatches` is one."""

    def __call__(self, start: int, steps: int, rank: int, world: int) -> Iterable[Batch]:
        """Return the batches of the steps from ``start`` to below ``steps``."""


def train(
    recipe: Recipe,
    folder: RunFolder,
    batches: BatchSource,
    watcher: Watcher,
    *,
    validator: Validator | None = None,
    device: str = "auto",
    resume: bool = False,
) -> Network:
    """Train a network and keep it in a folder; returns it as it is kept.

    A run that was stopped goes on from its last checkpoint, and ends with the same weights as one that was not:
    batches, learning rates and random numbers are functions of the step. Ctrl-C and SIGTERM stop it after the step at
    hand. More steps may be asked for when it goes on; a learning rate that falls to the end then falls more slowly.

    Parameters
    ----------
    recipe, folder, batches, watcher, validator
        What is trained, where it is kept, on what, who is told, and who validates.
    device
        "auto", "cpu" or "cuda:N"; under torchrun, the kind of device of all processes.
    resume
        Go on with what the folder holds; from the beginning, where a run was killed before it had saved anything.

    Raises
    ------
    DivergedError
        If a loss or a gradient is not finite.
    RunError, RecipeError, CheckpointError, ValueError
        If the folder or the recipe cannot be used, or the device is not there.
    StoppedError
        A KeyboardInterrupt, after the state was saved.
    """
    stages = plan(recipe)
    with launched(recipe, device) as fabric, ExitStack() as held:
        if resume and fabric.is_global_zero:
            # Before the state is read, which another run could go on writing.
            folder.require_run()
            held.enter_context(folder.held())
        state = folder.state_for(recipe, fabric.world_size) if resume else None
        if state:
            folder.require_data(state, getattr(batches, "data", None))
        if not state and fabric.is_global_zero:
            # What is wrong with a later stage is found out before anything is done.
            for stage in stages[1:]:
                build_program(stage.recipe, frozen=stage.frozen, copies=stage.copies)
        begun = False
        for stage in stages[state["stage"] if state else 0 :]:
            run = _StageRun(recipe, stage, stages[-1].last, folder, watcher, validator, fabric, state)
            try:
                if not begun and fabric.is_global_zero:
                    if not resume:
                        folder.make()
                        held.enter_context(folder.held())
                    folder.begin(recipe, resume)
                begun = True
                run.run(batches)
                state, kept = run.state(), run.published[MAIN]
            finally:
                run.free()
    return kept


class _StageRun:
    """One stage, from where a state has left it, or from its beginning.

    Parameters
    ----------
    recipe
        Of the whole run; what this stage is trained by is the stage's own.
    stage
        Which.
    steps
        Of the whole run.
    folder, watcher, validator, fabric
        As `train`.
    state
        Of this stage, or of the end of the one before; None for a new run.
    """

    def __init__(
        self,
        recipe: Recipe,
        stage: Stage,
        steps: int,
        folder: RunFolder,
        watcher: Watcher,
        validator: Validator | None,
        fabric: Fabric,
        state: dict[str, Any] | None,
    ) -> None:
        self.whole, self.stage, self.recipe, self.steps = recipe, stage, stage.recipe, steps
        self.folder, self.watcher, self.validator, self.fabric = folder, watcher, validator, fabric
        resumed = state is not None and state["stage"] == stage.number
        started = self.recipe.network.start is not None
        config = state["config"] if state and (resumed or not started) else None
        program = build_program(self.recipe, config, stage.frozen, stage.copies)
        self.program: Program = program.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if state and resumed:
            self.program.load_state_dict(state["program"])
        elif state:
            go_on(self.program, state, started)
        if not resumed:
            copy_parts(self.program, stage.copies)
        turns = {turn: trained(self.program, turn) for turn in program.turns}
        turns = {turn: parameters for turn, parameters in turns.items() if parameters}
        bare = {turn: optimiser_for(self.program, turn, self.recipe.optimiser_of(turn)) for turn in turns}
        self.pattern = active(program, turns)
        self.networks = nn.ModuleDict(program.networks())
        shown = {id(parameter) for parameter in self.networks.parameters()}
        self.moving = {turn for turn, them in turns.items() if any(id(parameter) in shown for parameter in them)}
        self.average = averaged(self.networks, self.recipe.run.ema)
        self.done: int = state["step"] if state else 0
        self.best: float | None = state["best"] if state else None
        self.data: dict[str, Any] | None = None
        self.module: Any
        self.module, *wrapped = fabric.setup(self.program, *bare.values())
        self.optimisers = dict(zip(turns, wrapped, strict=True))
        if state and resumed:
            # After the parameters have moved: what an optimiser remembers goes where they are.
            for turn, optimiser in bare.items():
                optimiser.load_state_dict(state["optimisers"][turn])
            for name, network in self.published.items():
                network.load_state_dict(state["published"][name])
            self.average.n_averaged.fill_(state["averaged"])
        self.average.module.to(fabric.device)

    @property
    def published(self) -> dict[str, Network]:
        """The networks as they are kept: averages over the steps."""
        averages: Any = self.average.module
        return dict(averages.items())

    def free(self) -> None:
        """Let go of what holds on to the processes of a run: they cannot end before it."""
        self.module, self.optimisers = None, {}

    def run(self, batches: BatchSource) -> None:
        """Do the steps that are left of the stage."""
        fabric, self.data = self.fabric, getattr(batches, "data", None)
        source = iter(batches(self.done, self.stage.last, fabric.global_rank, fabric.world_size))
        clock, means = Clock(self.recipe.run.batch * fabric.world_size), Means()
        with Interruption() as interruption:
            if not self.done:
                # Whatever happens from now on, there is something to go on from.
                self._save()
            while self.done < self.stage.last and not self._agreed(interruption):
                with clock:
                    batch = fabric.to_device(dict(next(source)))
                means.add(self._step(batch))
                self.done += 1
                clock.count()
                if fabric.is_global_zero:
                    self._report(means, clock, batch)
            self._save()
            if interruption.asked and self.done < self.steps:
                raise StoppedError(interruption.asked)

    def _agreed(self, interruption: Interruption) -> bool:
        """Tell whether to stop before the next step, the same in all processes of a run.

        A signal reaches them one after the other, and one that has left would be waited for by those that have not.
        """
        if self.fabric.world_size == 1:
            return bool(interruption.asked)
        heard = torch.tensor(float(interruption.asked), device=self.fabric.device)
        agreed = int(self.fabric.all_reduce(heard, reduce_op="max"))  # type: ignore[arg-type]
        # What has been heard since then is for the next time.
        interruption.asked = agreed or interruption.asked
        return bool(agreed)

    def _step(self, batch: Batch) -> dict[str, Tensor]:
        # Whatever a program draws is a function of the step, so that a resumed run draws the same.
        torch.manual_seed((self.recipe.run.seed << 32) + self.done * self.fabric.world_size + self.fabric.global_rank)
        self.program.train()
        for name in self.stage.frozen:
            self.program.get_submodule(name).eval()
        batch = {name: _channels_last(value) for name, value in batch.items()}
        told: dict[str, Tensor] = {}
        step = self.done - self.stage.first
        turns = self.pattern[step % len(self.pattern)]
        for turn in turns:
            section, optimiser = self.recipe.optimiser_of(turn), self.optimisers[turn]
            rate = learning_rate(section, step, self.stage.steps)
            for group in optimiser.param_groups:
                group["lr"] = rate * group.get("share", 1.0)
            optimiser.zero_grad(set_to_none=True)
            terms = self.module(batch, turn, step / self.stage.steps)
            total = torch.stack(list(terms.values())).sum()
            self._require_finite(total, terms, turn, rate)
            self.fabric.backward(total)
            most = section.clip or float("inf")
            norm = self.fabric.clip_gradients(self.program, optimiser, max_norm=most, error_if_nonfinite=False)
            self._require_finite(norm, terms, turn, rate)
            optimiser.step()
            told |= {name: value.detach() for name, value in terms.items()}
        if not self.moving.isdisjoint(turns):
            self.average.update_parameters(self.networks)
        return told

    def _require_finite(self, number: Tensor | None, terms: Mapping[str, Tensor], turn: str, rate: float) -> None:
        if number is None or bool(torch.isfinite(number)):
            return
        batch = self.fabric.world_size * self.recipe.run.batch
        raise DivergedError.at(self.done, batch, terms, turn, rate, self.recipe.run.precision, self.folder)

    def _report(self, means: Means, clock: Clock, batch: Batch) -> None:
        run, number, ends = self.recipe.run, self.done, self.done == self.stage.last
        self.watcher.advance(number)
        if number % run.log_every == 0 or ends:
            section = self.recipe.optimiser_of(next(iter(self.optimisers)))
            rate = learning_rate(section, number - 1 - self.stage.first, self.stage.steps)
            speed, waiting = clock.read()
            left = (self.steps - number) * clock.images / speed if speed else 0.0
            told = Step(number, self.steps, self.stage.name, means.take(), rate, speed, waiting, left)
            self.watcher.step(told)
        if run.picture_every and number % run.picture_every == 0:
            with self.fabric.autocast():
                self.watcher.pictures(number, self.program.pictures(batch))
        judged = self.validator is not None and (number % self.recipe.validation.every == 0 or ends)
        if judged or (run.save_every and number % run.save_every == 0):
            self._save()
        if self.validator is not None and judged:
            self._validate(self.validator)
            self._save()
        clock.resume()  # what was done beside training is no part of its speed

    def _validate(self, validator: Validator) -> None:
        scores = validator(self.published[MAIN])
        best = self.best is None or scores[validator.leading] > self.best
        if best:
            self.best = scores[validator.leading]
            self.folder.publish(BEST, self.published[MAIN], self._facts(scores))
        self.watcher.validated(self.done, scores, best)

    def state(self) -> dict[str, Any]:
        """Return everything that a run goes on from."""
        return {
            "step": self.done,
            "stage": self.stage.number,
            "recipe": self.whole.model_dump_json(),
            "config": self.program.network.config_dict(),
            "world": self.fabric.world_size,
            "program": self.program.state_dict(),
            "optimisers": {turn: one.optimizer.state_dict() for turn, one in self.optimisers.items()},
            "published": {name: network.state_dict() for name, network in self.published.items()},
            "averaged": int(self.average.n_averaged),
            "best": self.best,
            "data": self.data,
        }

    def _save(self) -> None:
        if not self.fabric.is_global_zero:
            return
        self.folder.save(self.state())
        for name, network in self.published.items():
            self.folder.publish(name, network, self._facts({}))

    def _facts(self, scores: dict[str, float]) -> dict[str, Any]:
        return {"steps": self.done, "recipe": self.whole.without_paths(), "scores": scores}


def _channels_last(value: Tensor) -> Tensor:
    return value.contiguous(memory_format=torch.channels_last) if value.ndim == 4 else value
