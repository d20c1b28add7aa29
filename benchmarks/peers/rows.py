"""What a task reports: ours and each peer with its times, what came out, and why a peer was not run."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from benchmarks.common import Timing, timed
from rainopt.parallel.threads import num_threads, set_num_threads

# Distribution of each module that a peer may need.
DISTRIBUTIONS = {
    "av": "av",
    "cv2": "opencv-python-headless",
    "numpy": "numpy",
    "prox_tv": "prox_tv",
    "pyproximal": "pyproximal",
    "scipy": "scipy",
    "skimage": "scikit-image",
}
INSTALL = "pip install 'rainopt[peers]'"
COMPILED = {"prox_tv": "; it is compiled there, which needs a C++ compiler and LAPACKE"}
SLOW, VERY_SLOW = 1.0, 4.0  # seconds of the uncounted run from which three timed ones are enough, and one

Outcome = tuple[Timing, dict[str, Any]]


@dataclass(frozen=True)
class Peer:
    """One way to do the work of a task.

    Attributes
    ----------
    name
        What it is called in tables.
    run
        Does the work; returns its times and what is told of the result. None for what is named, but not run.
    module
        What must be importable for it.
    plain
        Whether it is a re-implementation, written here from a publication, and not a package's.
    why_not
        Why it is not run, if it is not.
    """

    name: str
    run: Callable[[], Outcome] | None
    module: str
    plain: bool = False
    why_not: str | None = None


def missing(module: str) -> str | None:
    """Return how to install what cannot be imported, None for what can."""
    try:
        importlib.import_module(module)
    except (ImportError, OSError):  # OSError: a compiled part without the library that it needs
        return INSTALL + COMPILED.get(module, "")
    return None


def task(name: str, work: str, ours: tuple[str, Callable[[], Outcome]], peers: Iterable[Peer]) -> dict[str, Any]:
    """Run ours, a name and what does the work, then every peer, and return the object of the task."""
    called, run = ours
    clock, result = run()
    return {
        "task": name,
        "work": work,
        "ours": {"name": called, "threads": num_threads(), **clock.as_dict(), "result": result},
        "peers": [_row(peer, clock) for peer in peers],
    }


def _row(peer: Peer, ours: Timing) -> dict[str, Any]:
    reason = peer.why_not or missing(peer.module)
    distribution = DISTRIBUTIONS[peer.module]
    row: dict[str, Any] = {"name": peer.name, "package": distribution, "version": _version(distribution)}
    row |= {"plain": peer.plain, "threads": 1}
    if reason or peer.run is None:
        return {**row, "result": None, "missing": reason}
    clock, result = peer.run()
    return {**row, **clock.as_dict(), "times_ours": clock.median / ours.median, "result": result, "missing": None}


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def clocked(function: Callable[[], Any], repeat: int) -> tuple[Timing, Any]:
    """Time a warm function: ``repeat`` runs after an uncounted one, fewer of what takes seconds."""
    first, _ = timed(function, 1, warm=0)
    if first.median > VERY_SLOW:
        repeat = 1
    elif first.median > SLOW:
        repeat = min(repeat, 3)
    return timed(function, repeat, warm=0)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let rainopt and OpenCV use one thread."""
    import cv2

    before = cv2.getNumThreads()
    set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        set_num_threads(None)
        cv2.setNumThreads(before)
