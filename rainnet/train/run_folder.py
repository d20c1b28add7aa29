"""The folder of a training run: its recipe, its state, its models, and what is to be looked at."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch

from rainnet.models.base import Network
from rainnet.programs.base import MAIN
from rainnet.recipes.recipe import Recipe
from rainnet.recipes.stages import plan
from rainnet.weights.checkpoint import SUFFIX, save
from rainnet.weights.fitting import outlined, require_shapes
from rainopt.io.atomic import replacing
from rainopt.io.claim import ClaimedError, claimed
from rainopt.io.own_results import RECORD, note_folder

STATE, RECIPE, BEST, LOCK = "last.ckpt", "recipe.json", "best", ".run.lock"
FORMAT = 2
PARTS = ("step", "stage", "recipe", "config", "world", "program", "optimisers", "published", "averaged", "best")
# Keys that may change when a run goes on: how long it is, and what is seen of it. Everything else would make another.
FREE = r"run\.(steps|workers|log_every|picture_every|save_every):|validation\.|stages\.\d+\.steps:"


class RunError(ValueError):
    """The folder cannot be used; nothing has been done."""


class RunFolder:
    """A folder that one run fills, and a later call goes on with.

    Parameters
    ----------
    path
        Is made where it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def model(self) -> Path:
        """The weights as they are now, to be used."""
        return self.published(MAIN)

    @property
    def best(self) -> Path:
        """The weights that were best on the validation pairs."""
        return self.published(BEST)

    def published(self, name: str) -> Path:
        """The file of a network that a program publishes under a name."""
        return self.path / f"{name}{SUFFIX}"

    @property
    def pictures(self) -> Path:
        """Grids of pictures, a file each."""
        return self.path / "pictures"

    @property
    def log(self) -> Path:
        """What TensorBoard reads."""
        return self.path / "tensorboard"

    def make(self) -> None:
        """Make the folder.

        Raises
        ------
        RunError
            If that cannot be.
        """
        if self.path.is_file():
            raise RunError(f"'{self.path}' is a file; name a folder")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from error

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for this run alone, within a ``with`` block.

        Processes that make examples are spawned and inherit no open file: none that survives its run holds the folder.

        Raises
        ------
        RunError
            If another run does, which is named, or the folder cannot be written.
        """
        with ExitStack() as lock:
            try:
                lock.enter_context(claimed(self.path / LOCK, self.path))
            except ClaimedError as error:
                raise RunError(str(error)) from None
            except OSError as error:
                raise self._unwritable(error) from error
            yield

    def begin(self, recipe: Recipe, resume: bool) -> None:
        """Write the recipe into the folder, which is there and held.

        Raises
        ------
        RunError
            If there is something and it is not to be gone on with, or the folder cannot be written.
        """
        if not resume and self._is_taken():
            there = "holds a run; --resume goes on with it, or" if (self.path / STATE).is_file() else "is not empty;"
            raise RunError(f"'{self.path}' {there} name another folder")
        try:
            with replacing(self.path / RECIPE, True) as file:
                file.write(recipe.model_dump_json(indent=2).encode() + b"\n")
            # What it shows is not to be trained on, wherever the folder lies.
            note_folder(self.path)
        except OSError as error:
            raise self._unwritable(error) from error

    def require_run(self) -> None:
        """Require that a run has begun in the folder, saved anything or not.

        Raises
        ------
        RunError
            If none has.
        """
        if not (self.path / STATE).is_file() and (self._is_taken() or not (self.path / RECIPE).is_file()):
            raise RunError(f"'{self.path}' holds no run to go on with; leave out --resume")

    def _is_taken(self) -> bool:
        """Tell whether the folder holds anything but what a run leaves that was killed before it saved its state."""
        own = (RECIPE, LOCK, RECORD, f"{RECORD}.lock")
        there = [entry for entry in self.path.iterdir() if entry.name not in own] if self.path.is_dir() else []
        return any(not (entry.name.startswith(".") and entry.suffix == ".tmp") for entry in there)

    def _unwritable(self, error: OSError) -> RunError:
        return RunError(f"'{self.path}' cannot be written ({error.strerror or error}); name another")

    def state_for(self, recipe: Recipe, world: int) -> dict[str, Any] | None:
        """Return the state to go on from with a recipe and so many processes; None where none was saved yet.

        Raises
        ------
        RunError
            If there is no run, or it is another one's.
        """
        self.require_run()
        state = self.path / STATE
        if not state.is_file():
            return None
        found = self._load(state)
        self._require_whole(recipe.network.name, found)
        self._require_same(recipe, found["recipe"])
        if found["world"] != world:
            raise RunError(f"'{self.path}' was trained by {found['world']} processes, not {world}; start as many")
        self._require_steps(recipe, found)
        return found

    def require_data(self, found: dict[str, Any], data: dict[str, Any] | None) -> None:
        """Refuse to go on with other files than the state was trained on: an example is drawn from all of them.

        Raises
        ------
        RunError
            If they are others; a state that does not tell is not doubted.
        """
        before = found.get("data")
        if before and data and before != data:
            raise RunError(
                f"'{self.path}' was trained on {before['files']} files, and {data['files']} are there now, not the "
                f"same; bring back those that were there, or begin with --from '{self.model}' in another folder"
            )

    def _require_whole(self, name: str, found: dict[str, Any]) -> None:
        """Refuse a state that lacks something, or whose config asks for another network than its weights are of."""
        state = f"'{self.path / STATE}'"
        if missing := [key for key in PARTS if key not in found]:
            raise RunError(f"{state} is no whole state of a run, it lacks '{missing[0]}'; begin anew in another folder")
        try:
            shapes = {key: tuple(tensor.shape) for key, tensor in found["published"][MAIN].items()}
            require_shapes(outlined(name, found["config"]), shapes, state)
        except (KeyError, AttributeError, TypeError, ValueError) as error:
            raise RunError(f"{state} holds no {name} to go on with ({error}); begin anew in another folder") from None

    def _require_steps(self, recipe: Recipe, found: dict[str, Any]) -> None:
        """Refuse fewer steps than are done, and other ones of a stage that is over."""
        before, now = plan(Recipe.model_validate_json(found["recipe"])), plan(recipe)
        for was, is_ in zip(before[: found["stage"]], now, strict=False):
            if was.steps != is_.steps:
                raise RunError(
                    f"'{self.path}' is through with stage '{was.name}' and its {was.steps} steps; leave them as they "
                    "are"
                )
        stage = now[found["stage"]]
        if found["step"] > stage.last:
            key = f"steps of stage '{stage.name}'" if recipe.stages else "run.steps"
            done = found["step"] - stage.first
            raise RunError(f"'{self.path}' has {done} steps done, and {key} is {stage.steps}; ask for more")

    def publish(self, name: str, network: Network, facts: dict[str, Any]) -> None:
        """Write a network that is to be used."""
        save(network, self.published(name), facts=facts, overwrite=True)

    def save(self, state: dict[str, Any]) -> None:
        """Write the state, whole or not at all."""
        buffer = io.BytesIO()
        torch.save(_rebuilt({"format": FORMAT, **state}), buffer)
        with replacing(self.path / STATE, True) as file:
            file.write(buffer.getbuffer())

    def _load(self, file: Path) -> dict[str, Any]:
        try:
            state = torch.load(file, map_location="cpu", weights_only=True)
        # Whatever is in the file: pickle, zip and torch each have errors of their own.
        except Exception as error:
            raise RunError(
                f"'{file}' is no state of a run, or damaged ({error}); begin anew in another folder"
            ) from error
        if not isinstance(state, dict) or state.get("format") != FORMAT:
            raise RunError(f"'{file}' is not a state that this version writes; begin anew in another folder")
        return state

    def _require_same(self, recipe: Recipe, written: str) -> None:
        try:
            before = Recipe.model_validate_json(written)
        except ValueError as error:
            raise RunError(f"'{self.path}' was trained by a recipe that this version does not know: {error}") from None
        changed = differences(before.model_dump(mode="json"), recipe.model_dump(mode="json"))
        changed = [line for line in changed if not re.match(FREE, line)]
        if changed:
            raise RunError(
                f"'{self.path}' was trained by another recipe ({'; '.join(changed)}); use the same, or another folder"
            )


def _rebuilt(value: Any) -> Any:
    """Return equal containers in which equal strings are one object, and nothing else is one that need not be.

    A pickle notes which objects it has met before, so that a state that was loaded and one that was not would be equal
    and yet other bytes.
    """
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, dict):
        return {_rebuilt(key): _rebuilt(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_rebuilt, value))
    return value


def differences(before: Any, now: Any, path: str = "") -> list[str]:
    """Return ``key: before → now`` for all values that differ."""
    if isinstance(before, dict) and isinstance(now, dict):
        lines = []
        for key in sorted({*before, *now}):
            lines += differences(before.get(key), now.get(key), f"{path}.{key}" if path else key)
        return lines
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        return differences(dict(enumerate(before)), dict(enumerate(now)), path)
    return [] if before == now else [f"{path}: {before!r} → {now!r}"]
