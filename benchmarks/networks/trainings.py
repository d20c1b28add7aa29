"""Trainings that a benchmark asks for, each once: what is there is taken as it is, what was stopped goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from rainnet.recipes.recipe import Recipe, read_recipe
from rainnet.recipes.stages import only, plan
from rainnet.train.run_folder import RunError, RunFolder

ONE_CORE = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def trained(name: str, changes: Sequence[str], data: Path, folder: Path, stages: Sequence[str] = ()) -> dict[str, Any]:
    """Train a recipe, as far as that was not done before, and return what there is to tell of the run.

    Parameters
    ----------
    name, changes
        The recipe, and what differs from it.
    data
        What it is trained on.
    folder
        Of the run.
    stages
        Those of the recipe that are done; none named: all.

    Raises
    ------
    typer.BadParameter
        If the folder holds another run.
    RuntimeError
        If the training fails.
    """
    recipe, run = read_recipe(name, list(changes), data={"train": [data]}), RunFolder(folder)
    recipe = only(recipe, stages) if stages else recipe
    steps = plan(recipe)[-1].last
    begun = folder.is_dir() and any(folder.iterdir())
    try:
        done = _steps_done(run, recipe) if begun else 0
    except RunError as error:
        raise typer.BadParameter(str(error), param_hint="--runs") from None
    if done < steps:
        said = [f"--set={change}" for change in changes] + [f"--stage={stage}" for stage in stages]
        said += ["--resume"] * begun
        command = [sys.executable, "-m", "rainnet", "train", name, f"--data={data}", f"--output={folder}", *said]
        print(f"{folder.name}, {name}: from step {done} to {steps}", file=sys.stderr, flush=True)
        # What is printed here is the results alone.
        status = subprocess.run(command, stdout=sys.stderr, env=os.environ | ONE_CORE, check=False).returncode
        if status:
            raise RuntimeError(f"`rainnet train {name}` ended with status {status}; the same command goes on")
    minutes = _run_minutes(run.log)
    return {"steps": steps, "crops": steps * recipe.run.batch, "minutes": minutes}


def _run_minutes(log: Path) -> float:
    """Return how long a run took, by what it has written for TensorBoard: each time that it went on is a file."""
    from tensorboard.backend.event_processing import event_file_loader  # type: ignore[import-untyped]

    total = 0.0
    for file in sorted(log.glob("events.*")):
        times = [event.wall_time for event in event_file_loader.EventFileLoader(str(file)).Load()]
        total += max(times) - min(times)
    return total / 60


def _steps_done(run: RunFolder, recipe: Recipe) -> int:
    state = run.state_for(recipe, 1)
    return 0 if state is None else int(state["step"])
