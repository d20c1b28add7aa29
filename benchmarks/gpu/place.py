"""An array library and its device, as the benchmarks of GPUs use it: to put arrays there, to wait, to time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.gpu.notes import Notes
from rainopt.arrays import to_numpy


@dataclass(frozen=True)
class Place:
    """Where arrays lie and functions compute.

    Attributes
    ----------
    name
        "numpy", "cupy" or "torch".
    put
        Returns a host array there.
    wait
        Returns when all that was asked for is done.
    event
        Returns a mark in the stream of work; ``between`` two of them lie so many milliseconds.
    """

    name: str
    put: Callable[[np.ndarray], Any]
    wait: Callable[[], None]
    event: Callable[[], Any]
    between: Callable[[Any, Any], float]

    def host(self, array: Any) -> np.ndarray:
        """Return an array of this place on the host."""
        return np.asarray(to_numpy(array))


def numpy_place() -> Place:
    """Return the host itself, timed by its clock."""
    return Place("numpy", np.asarray, lambda: None, time.perf_counter, lambda a, b: 1e3 * (b - a))


def cupy_place() -> Place:
    """Return the current device of cupy."""
    import cupy

    def event() -> Any:
        mark = cupy.cuda.Event()
        mark.record()
        return mark

    def between(a: Any, b: Any) -> float:
        b.synchronize()
        return float(cupy.cuda.get_elapsed_time(a, b))

    return Place("cupy", cupy.asarray, lambda: cupy.cuda.Device().synchronize(), event, between)


def torch_place() -> Place:
    """Return the current CUDA device of torch."""
    import torch

    def put(array: np.ndarray) -> Any:
        return torch.from_numpy(np.array(array)).cuda()

    def event() -> Any:
        mark = torch.cuda.Event(enable_timing=True)
        mark.record()
        return mark

    def between(a: Any, b: Any) -> float:
        b.synchronize()
        return float(a.elapsed_time(b))

    return Place("torch", put, torch.cuda.synchronize, event, between)


def place_named(name: str) -> Place:
    """Return the place of a name."""
    return {"numpy": numpy_place, "cupy": cupy_place, "torch": torch_place}[name]()


def places(notes: Notes, rehearse: bool) -> Iterator[Place]:
    """Yield the places that are measured: both libraries, or the host alone in a rehearsal; note what is not there."""
    for make in (numpy_place,) if rehearse else (cupy_place, torch_place):
        try:
            place = make()
            place.host(place.put(np.zeros(1)))
        # Where one library does not work, the other is measured.
        except Exception as error:
            notes.note(make.__name__, {"error": f"{type(error).__name__}: {error}"[:600]})
            continue
        yield place


def milliseconds(
    place: Place, function: Callable[[], Any], repeat: int = 15, warm: int = 2, seconds: float = 8.0
) -> dict[str, float | int]:
    """Return medians of the time between events around a call, and of the time that the caller waited for it, in ms.

    Fewer calls than ``repeat`` are made where they would take longer than ``seconds``.
    """
    for _ in range(warm):
        function()
    place.wait()
    device: list[float] = []
    wall: list[float] = []
    begun = time.perf_counter()
    while len(device) < repeat and (not device or time.perf_counter() - begun < seconds):
        start = time.perf_counter()
        before = place.event()
        function()
        after = place.event()
        device.append(place.between(before, after))
        wall.append(1e3 * (time.perf_counter() - start))
    return {
        "median_ms": statistics.median(device),
        "min_ms": min(device),
        "max_ms": max(device),
        "wall_ms": statistics.median(wall),
        "repeats": len(device),
    }


def copied_bytes_per_second(place: Place, size: int) -> float:
    """Return the bytes that a copy of ``size`` bytes on the device reads and writes in a second, the median of 10."""
    source = place.put(np.random.default_rng(0).integers(0, 255, size, dtype=np.uint8))
    target = place.put(np.zeros(size, np.uint8))

    def copy() -> None:
        target[:] = source

    # Many in one piece: a single one is over before its event is written.
    def several() -> None:
        for _ in range(10):
            copy()

    return 10 * 2 * size / (1e-3 * milliseconds(place, several, repeat=10)["median_ms"])
