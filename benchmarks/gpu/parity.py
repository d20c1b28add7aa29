"""Step a: every CUDA kernel, and the functions that users call, agree with the CPU on random inputs."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from typing import Any

import numpy as np

from benchmarks.common import rainy_photograph
from benchmarks.gpu.cases import cases
from benchmarks.gpu.notes import Notes, arguments
from benchmarks.gpu.place import Place, place_named, places
from rainopt import arrays, derain, estimate_angle, percentile_background, solve_udg
from rainopt.arrays import CPU, CUDA, KERNELS

# Kernels that the host has under another name, and those that are compared by what is made of them: a hair decides
# where two pixels are alike, and so whether one is a crest; and some are steps of `derain` in one pass.
HOSTS: dict[str, Any] = {
    "ridge_curvature": "rainopt.kernels.ridge_cpu:curvature",
    "ridge_table": "benchmarks.gpu.host_ridges:Table",
    "ridge_thresholds": "benchmarks.gpu.host_ridges:thresholds",
}
BY_USE = {"colour_votes", "luminance", "remove_layer", "ridge_crests", "streak_doubt"}
IMAGE, ENERGY = 1e-4, 1e-5  # largest difference of images in [0, 1], and of energies relative to them


def difference(found: Any, wanted: Any) -> float:
    """Return the largest difference of two arrays, relative to values beyond 1; infinite for other shapes."""
    a, b = np.asarray(found, dtype=np.float64), np.asarray(wanted, dtype=np.float64)
    if a.shape != b.shape:
        return float("inf")
    if not a.size:
        return 0.0
    worst = np.abs(a - b) / np.maximum(np.abs(b), 1)
    return float("inf") if np.isnan(worst).any() else float(worst.max())


def parts(result: Any) -> list[Any]:
    """Return the arrays of a result; None, which is one as well, as NaN cannot be."""
    return list(result) if isinstance(result, (tuple, list)) else [np.float64(-1) if result is None else result]


def operations() -> list[str]:
    """Return the operations that devices have kernels for."""
    return sorted({operation for operation, kind in KERNELS if kind == CUDA} - BY_USE)


def kernel_parity(place: Place, tiny: bool, seed: int, operation: str) -> dict[str, Any]:
    """Return the worst difference of an operation's kernel, and where it is too large."""
    entry: dict[str, Any] = {"cases": 0, "worst": 0.0, "wrong": []}
    for case in cases(np.random.default_rng(seed), tiny):
        if case.operation != operation:
            continue
        entry["cases"] += 1
        try:
            there = case.call(arrays._loaded(KERNELS[case.operation, CUDA]), place.put)
            here = case.call(arrays._loaded(KERNELS.get((case.operation, CPU), HOSTS.get(case.operation))), np.asarray)
            worst = max(difference(place.host(a), b) for a, b in zip(parts(there), parts(here), strict=True))
        # What a kernel cannot do is told, and the next is tried.
        except Exception as error:
            entry["wrong"].append(f"{case.title}: {type(error).__name__}: {error}"[:300])
            continue
        entry["worst"] = max(entry["worst"], worst)
        if not worst <= IMAGE:
            entry["wrong"].append(f"{case.title}: {worst:.2e}")
    return entry if entry["cases"] else {"cases": 0, "wrong": ["no case"]}


def whole_functions(place: Place, tiny: bool) -> Iterator[tuple[str, Callable[[], dict[str, float]]]]:
    """Yield names of public functions, and what compares them with the CPU."""
    side = (64, 72) if tiny else (512, 768)
    picture = rainy_photograph(*side, angle=12.0)
    grey = np.ascontiguousarray(picture.mean(axis=-1), np.float32) / 255
    batch = np.stack([grey, grey[::-1], np.roll(grey, 9, axis=1)])

    def solved() -> dict[str, float]:
        there, here = (solve_udg(put(batch), max_iter=50, tol=0) for put in (place.put, np.asarray))
        energy = np.abs(place.host(there.energy) / np.asarray(here.energy) - 1)
        return {"image": difference(place.host(there.rain), here.rain), "energy": float(energy.max())}

    yield "solve_udg, batch of 3, 50 steps", solved
    calls: dict[str, Callable[[Any], Any]] = {
        "derain, angle given": lambda image: derain(image, angle=12.0),
        "derain": derain,
        "derain, veil": lambda image: derain(image, veil=True),
        "derain, tiles": lambda image: derain(image, angle=-30.0, tile=40 if tiny else 300),
    }
    for name, call in calls.items():
        for dtype in (np.uint8, np.float32):
            image = picture if dtype == np.uint8 else picture.astype(np.float32) / 255

            def derained(call: Any = call, image: np.ndarray = image) -> dict[str, float]:
                there, here = call(place.put(image)), call(image)
                a, b = place.host(there.background), here.background
                return {
                    "image": difference(a, b),
                    "share_beyond": float(np.mean(np.abs(a - b) > IMAGE)),
                    "degrees": abs(there.angle - here.angle),
                }

            yield f"{name}, {np.dtype(dtype).name}", derained

    def angle() -> dict[str, float]:
        there, here = estimate_angle(place.put(picture)), estimate_angle(picture)
        return {"degrees": abs(there.angle - here.angle), "confidence": abs(there.confidence - here.confidence)}

    yield "estimate_angle", angle
    rng = np.random.default_rng(3)
    shape = (6, 8, 9, 3) if tiny else (60, 135, 240, 3)
    values = np.clip(rng.random(shape[1:]) * 0.7 + (rng.random(shape) < 0.1) * 0.3, 0, 1)
    for frames in (np.uint8(np.rint(values * 255)), np.uint16(np.rint(values * 65535)), np.float32(values)):

        def background(frames: Any = frames) -> dict[str, float]:
            there, here = percentile_background(place.put(frames)), percentile_background(frames)
            pairs = {"image": (there.image, here.image), "seen": (there.seen, here.seen)}
            return {part: difference(place.host(a), b) for part, (a, b) in pairs.items()}

        yield f"percentile_background, {np.asarray(frames).dtype}", background


def comparison(place: Place, tiny: bool, seed: int, part: str) -> dict[str, Any]:
    """Return what a part finds: a kernel's operation, or a title of a whole function."""
    if part in operations():
        return kernel_parity(place, tiny, seed, part)
    return dict(whole_functions(place, tiny))[part]()


def _elsewhere(place: str, tiny: bool, seed: int, part: str) -> dict[str, Any]:
    return comparison(place_named(place), tiny, seed, part)


def main() -> None:
    """Compare all of it."""
    asked = arguments()
    notes = Notes(asked.notes)
    # Other inputs at each run: a kernel is to be right on all of them.
    seed = int.from_bytes(os.urandom(4), "little")
    notes.note("seed", seed)
    there = list(places(notes, asked.rehearse))
    tasks = [(place, part) for place in there for part in [*dict(whole_functions(place, True)), *operations()]]
    if asked.rehearse:
        for place, part in tasks:
            notes.attempt(f"{part}, {place.name}", partial(comparison, place, True, seed, part))
        return
    # Most of the time goes into compiling kernels, which a core does as well beside others.
    workers = max((os.cpu_count() or 2) - 2, 1)
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        running = {pool.submit(_elsewhere, place.name, False, seed, part): (place, part) for place, part in tasks}
        for done in as_completed(running):
            place, part = running[done]
            notes.attempt(f"{part}, {place.name}", done.result)


if __name__ == "__main__":
    main()
