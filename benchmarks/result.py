"""The one format of all results: a JSON object with the name, the environment, how it was measured, and the figures.

::

    {"benchmark": "angle",                  its name, which is its file's: results/angle.json
     "environment": {"python": ..., "system": ..., "architecture": ..., "cores": ..., "versions": {...}},
     "measured": {"date": "2026-11-29", "commit": "63245d5", "dirty": false,
                  "command": "python -m benchmarks.angle.accuracy --data DIR", "seconds": 63.1, "quick": false},
     ...}                                   what was measured

Results that are older than "measured" have none.
"""

from __future__ import annotations

import json
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.measured import Begun, Measured, begin
from benchmarks.words import module_words
from rainopt.io.atomic import replacing
from rainopt.parallel.threads import num_threads

PACKAGES: tuple[str, ...] = (
    "rainopt",
    "numpy",
    "scipy",
    "numba",
    "pillow",
    "scikit-image",
    "pylops",
    "pyproximal",
    "cvxpy",
    "clarabel",
    "av",
    "opencv-python-headless",
    "prox_tv",
)
ENVIRONMENT = {"python": str, "system": str, "architecture": str, "cores": int, "versions": dict}
MEASURED = {"date": str, "commit": str | None, "dirty": bool, "command": str, "seconds": float | int, "quick": bool}

_running: list[Begun] = []


class ResultError(ValueError):
    """A file that is no result of a benchmark; one sentence names it and what is wrong."""


def environment() -> dict[str, Any]:
    """Return versions and core counts: what a reader needs to compare, and nothing that names a computer."""
    versions: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": num_threads(),
        "versions": versions,
    }


def started(command: str, quick: bool) -> None:
    """Note that a benchmark begins now, in this process; `finish` tells when that was, and on which tree."""
    _running[:] = [begin(command, quick)]


def finish(results: dict[str, Any], path: Path | None) -> None:
    """Write ``results`` with how they came about to ``path``, or print the JSON where no path is given.

    Parameters
    ----------
    results
        What was measured, and its name under "benchmark".
    path
        The file, written whole or not at all; its folder is made.

    Raises
    ------
    ValueError
        If there is no name, or a number that JSON has no words for.
    """
    if not isinstance(results.get("benchmark"), str):
        raise ValueError(f"`results` must hold the name of the benchmark as 'benchmark', got the keys {list(results)}")
    measured = (_running[-1] if _running else begin(module_words(), quick=False)).measured()
    head = {"benchmark": results["benchmark"], "environment": environment(), "measured": measured.as_dict()}
    text = json.dumps({**head, **results}, indent=2, allow_nan=False) + "\n"
    if path is None:
        print(text, end="")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, overwrite=True) as file:
        file.write(text.encode())


def read(path: Path) -> dict[str, Any]:
    """Return a result.

    Raises
    ------
    ResultError
        If the file cannot be read, or has another form.
    """
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultError(f"'{path}' cannot be read as a result: {error}") from error
    wrong = problems(result, path.stem)
    if wrong:
        raise ResultError(f"'{path}' is no result of a benchmark: {'; '.join(wrong)}")
    return dict(result)


def how_measured(result: dict[str, Any]) -> Measured | None:
    """Return how a result was measured; None before this was recorded."""
    return Measured(**result["measured"]) if "measured" in result else None


def problems(result: Any, name: str) -> list[str]:
    """Return what is wrong with the form of a result that should be called ``name``."""
    if not isinstance(result, dict):
        return [f"it must be an object, got a {type(result).__name__}"]
    wrong = []
    if result.get("benchmark") != name:
        wrong.append(f"'benchmark' must be the name of the file, '{name}', got {result.get('benchmark')!r}")
    wrong += _wrong_fields("environment", result.get("environment"), ENVIRONMENT)
    if "measured" in result:
        wrong += _wrong_fields("measured", result["measured"], MEASURED)
    if not result.keys() - {"benchmark", "environment", "measured"}:
        wrong.append("it holds no figures")
    return wrong


def _wrong_fields(name: str, found: Any, kinds: dict[str, Any]) -> list[str]:
    if not isinstance(found, dict):
        return [f"'{name}' must be an object, got {found!r}"]
    if found.keys() != kinds.keys():
        return [f"'{name}' must hold {', '.join(kinds)}, got {', '.join(map(str, found)) or 'nothing'}"]
    return [
        f"'{name}.{field}' must be {getattr(kind, '__name__', kind)}, got {found[field]!r}"
        for field, kind in kinds.items()
        if not isinstance(found[field], kind)
    ]
