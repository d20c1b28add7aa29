"""The result files of the benchmarks, as they lie in a folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LARGEST = 1e300  # of a number that is taken for one: JSON can hold larger ones than a float
GPU = "gpu"  # The folder, beside the others, of what `benchmarks/gpu/run.sh` found, a file for each card.


class DamagedError(ValueError):
    """Result files that cannot be read; a line for each says which and why."""


@dataclass(frozen=True)
class Result:
    """What one benchmark found.

    Attributes
    ----------
    name
        The benchmark.
    file
        The file, from the folder of results, with ``/`` between folders.
    values
        The JSON object.
    """

    name: str
    file: str
    values: Mapping[str, Any]

    def at(self, *path: str | int) -> Any:
        """Return what lies at a path of keys and places; None where there is no such thing."""
        return at(self.values, *path)


@dataclass(frozen=True)
class Results:
    """All results, by the name of their benchmark, and those of graphics cards."""

    by_name: Mapping[str, Result]
    gpu: Sequence[Result] = field(default=())

    def get(self, name: str) -> Result | None:
        """Return the result of a benchmark; None where it is not there."""
        return self.by_name.get(name)

    def at(self, name: str, *path: str | int) -> Any:
        """Return what lies at a path in the result of a benchmark; None where there is no such thing."""
        result = self.get(name)
        return None if result is None else result.at(*path)


def read(folder: Path) -> Results:
    """Read all result files of a folder, and those in its folder ``gpu``.

    Raises
    ------
    DamagedError
        If a file cannot be read or is no JSON object, or two files are of one benchmark.
    """
    found: dict[str, Result] = {}
    wrong: list[str] = []
    for file in sorted(folder.glob("*.json")):
        values = _object(file, wrong)
        if values is None:
            continue
        name = name_of(file.stem, values)
        if name in found:
            wrong.append(f"'{file.name}' and '{found[name].file}' are both of {name}: remove the older one")
        found[name] = Result(name, file.name, values)
    cards = []
    for file in sorted((folder / GPU).glob("*.json")):
        values = _object(file, wrong)
        if values is not None:
            cards.append(Result(file.stem, f"{GPU}/{file.name}", values))
    if wrong:
        raise DamagedError("\n".join(wrong))
    return Results(found, cards)


def name_of(stem: str, values: Mapping[str, Any]) -> str:
    """Return the benchmark that a file is of: it says so, or its name does.

    Files from before `benchmarks.peers` and `benchmarks.quality` were about the whole project hold what the modules of
    these names in `benchmarks.solver` found.
    """
    name = values.get("benchmark")
    name = name if isinstance(name, str) and name else stem
    if name == "peers" and "tasks" not in values and "pyproximal" in values:
        return "solver_peers"
    if name == "quality" and {"sets", "clean", "rendered"} & values.keys():
        return "solver_quality"
    return name


def _object(file: Path, wrong: list[str]) -> Mapping[str, Any] | None:
    try:
        values = json.loads(file.read_text(encoding="utf-8"), parse_constant=_refuse)
    except (OSError, ValueError, RecursionError) as error:
        wrong.append(f"'{file.name}' cannot be read ({error}): run its benchmark again")
        return None
    if not isinstance(values, dict):
        wrong.append(f"'{file.name}' must hold a JSON object, got {type(values).__name__}: run its benchmark again")
        return None
    return values


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no number of JSON")


def at(value: Any, *path: str | int) -> Any:
    """Return what lies at a path of keys and places in JSON; None where there is no such thing."""
    for step in path:
        if isinstance(value, Mapping) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def number(value: Any, *path: str | int) -> float | None:
    """Return the number at a path in JSON; None where there is none."""
    value = at(value, *path)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > LARGEST:
        return None
    return float(value)


def word(value: Any, *path: str | int) -> str:
    """Return the text at a path in JSON; empty where there is none."""
    value = at(value, *path)
    return value if isinstance(value, str) else ""


def pairs(value: Any, *path: str | int) -> list[tuple[str, Any]]:
    """Return the keys and values of the object at a path in JSON; none where there is no object."""
    value = at(value, *path)
    return list(value.items()) if isinstance(value, Mapping) else []


def items(value: Any, *path: str | int) -> list[Any]:
    """Return the list at a path in JSON; empty where there is none."""
    value = at(value, *path)
    return value if isinstance(value, list) else []
