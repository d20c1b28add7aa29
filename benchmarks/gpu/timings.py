"""Step b: the times of the table, by events of the device, warm, medians; and the same on this machine's CPU.

Bytes are those that an algorithm must move: each iteration of the solver reads seven fields (O, B, R and four duals)
and writes six; the background reads its frames twice. Over the bandwidth of a copy they are the floor of a time, and
a kernel that does several iterations in one pass may be below it.
"""

from __future__ import annotations

import cProfile
import pstats
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import photograph, rainy_photograph
from benchmarks.gpu.networks import time_networks
from benchmarks.gpu.notes import Notes, arguments
from benchmarks.gpu.place import Place, copied_bytes_per_second, milliseconds, numpy_place, places
from benchmarks.gpu.profile import counted
from rainopt import derain, estimate_angle, percentile_background, solve_udg
from rainopt.direction.estimate import vote
from rainopt.direction.evidence import gather
from rainopt.direction.planes import work_planes
from rainopt.image import exposure

ITERATIONS = 50
FIELDS = 7 + 6  # read and written by an iteration of the solver
ANGLE = 12.0
COMPARED = ("solve_udg", "batch", "background", "derain", "derain, angle given")
COUNTED = (*COMPARED, "derain, angle alone")
DRAWN = 10  # frames of the sequence that are drawn; the others are these again

Task = tuple[Callable[[Any], Any], int]


def inputs(rehearse: bool) -> dict[str, np.ndarray]:
    """Return what is worked on, by name; in a rehearsal a hundredth of it."""
    single, batch, large = (
        ((32, 48), (3, 24, 24), (96, 128)) if rehearse else ((1024, 2048), (32, 512, 512), (3000, 4000))
    )
    frames, hd = (6, (27, 48)) if rehearse else (100, (1080, 1920))
    rng = np.random.default_rng(5)
    grey = np.ascontiguousarray(rainy_photograph(*single).mean(axis=-1), np.float32) / 255
    tile = np.ascontiguousarray(rainy_photograph(*batch[1:]).mean(axis=-1), np.float32) / 255
    scene = photograph(*hd)
    noise = rng.integers(-3, 4, scene.shape, dtype=np.int16)
    few = []
    for k in range(min(frames, DRAWN)):
        # Light rain as bright pixels: some tenth of them in each frame, others in the next.
        rain = np.roll(noise, 37 * k, axis=1) + 90 * (np.roll(noise[..., :1], 91 * k, axis=0) == 3)
        few.append(np.clip(scene + rain, 0, 255).astype(np.uint8))
    sequence = np.stack([few[7 * k % len(few)] for k in range(frames)])
    return {
        "single": grey,
        "batch": np.stack([np.roll(tile, 17 * k, axis=1) for k in range(batch[0])]),
        "large": rainy_photograph(*large, angle=ANGLE, scale=2.0),
        "frames": sequence,
    }


def tasks(data: dict[str, np.ndarray]) -> dict[str, tuple[str, Callable[[Any], Any], int]]:
    """Return by title which input a task takes, what it does, and the bytes that it must move."""
    iteration = FIELDS * 4 * ITERATIONS

    def solve(O: Any, method: str = "auto") -> Any:
        return solve_udg(O, max_iter=ITERATIONS, tol=0, method=method)

    return {
        "solve_udg": ("single", solve, iteration * data["single"].size),
        "solve_udg, reference": ("single", lambda O: solve(O, "reference"), iteration * data["single"].size),
        "solve_udg, to its tolerance": ("single", solve_udg, 0),
        "batch": ("batch", solve, iteration * data["batch"].size),
        "background": ("frames", percentile_background, 2 * data["frames"].nbytes),
        "derain": ("large", derain, 0),
        "derain, angle given": ("large", lambda image: derain(image, angle=ANGLE), 0),
        "derain, exposure alone": ("large", exposure, data["large"].nbytes),
        "derain, angle alone": ("large", estimate_angle, data["large"].nbytes),
        "derain, angle alone, ridges by the host": ("large", by_the_host, data["large"].nbytes),
    }


def by_the_host(image: Any) -> Any:
    """Estimate the angle from planes that are copied to the host: what kernels for ridges have to be quicker than."""
    return vote(gather(work_planes(image)))


def measure(place: Place, data: dict[str, np.ndarray], bandwidth: float, notes: Notes, until: float) -> None:
    """Time all tasks on a place, one input after the other, so that only one lies there; the CPU has fewer."""
    for name in data:
        mine = {title: task for title, task in tasks(data).items() if task[0] == name}
        if place.name == "numpy":
            mine = {title: task for title, task in mine.items() if title in COMPARED}
        there = place.put(data[name])
        for title, (_, function, needed) in mine.items():
            left = until - time.perf_counter()
            if left < 1:
                notes.note(f"{title}, {place.name}", {"error": "no time was left"})
                continue

            def timed(function: Any = function, there: Any = there, needed: int = needed, left: float = left) -> Any:
                seconds = min(3.0, left / 3)
                found: dict[str, Any] = dict(milliseconds(place, lambda: function(there), 15, 1, seconds))
                if needed:
                    found["bytes"] = needed
                    found["share_of_bandwidth"] = needed / bandwidth / (1e-3 * found["median_ms"])
                return found

            notes.attempt(f"{title}, {place.name}", timed)
        del there


def count_all(place: Place, data: dict[str, np.ndarray], notes: Notes) -> None:
    """Note what the device does in one call of each task."""
    for title in COUNTED:
        source, function, _ = tasks(data)[title]
        there = place.put(data[source])
        notes.attempt(f"counts of {title}, {place.name}", partial(counted, place, partial(function, there)))
        del there


def host_time(call: Callable[[], Any]) -> list[str]:
    """Return the functions of this project in which the calling thread spends most of one call, in ms."""
    profiler = cProfile.Profile()
    profiler.runcall(call)
    entries: Any = getattr(pstats.Stats(profiler), "stats")  # noqa: B009
    longest = sorted(entries.items(), key=lambda entry: -entry[1][3])
    return [
        f"{1e3 * took[3]:8.1f} ms {took[0]:4d} x {Path(file).stem}.{name}"
        for (file, _, name), took in longest
        if "rainopt" in file
    ][:24]


def main() -> None:
    """Time the device, then the CPU as far as time allows."""
    asked = arguments()
    until = time.perf_counter() + asked.seconds - 4
    notes = Notes(asked.notes)
    data = inputs(asked.rehearse)
    notes.note("shapes", {name: list(array.shape) for name, array in data.items()})
    for place in places(notes, asked.rehearse):
        name = place.name
        bandwidth = copied_bytes_per_second(place, 1 << (20 if asked.rehearse else 30))
        notes.note(f"copy_bytes_per_second_{name}", bandwidth)
        measure(place, data, bandwidth, notes, until)
        time_networks(place, notes, asked.rehearse)
        if "host time of derain" not in notes.found:
            notes.attempt("host time of derain", partial(host_time, partial(derain, place.put(data["large"]))))
    # After the device's times, since what counts can fail in ways of its own.
    for place in islice(places(notes, asked.rehearse), 1):
        count_all(place, data, notes)
    if not asked.rehearse:
        here = numpy_place()
        measure(here, data, copied_bytes_per_second(here, 1 << 28), notes, until)


if __name__ == "__main__":
    main()
