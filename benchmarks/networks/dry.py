"""What is taken from pictures without rain by what is told that there is some: `rainopt` and networks, told an angle.

By default a picture in which no rain is seen is left as it is; this is the harm where somebody insists. The pictures
are the truths of DIR/pairs, which no network that ships was trained on, and every second photograph of DIR/clean, which
they were trained on; the angle is the one that rain in each would most likely have (`rainopt.estimate_angle`). PSNR
(y_matlab) against the picture itself; one that comes back as it was counts as 100 dB.

  python -m benchmarks.networks.dry --data DIR --model refine --model udgnet-small --json results.json
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import finish, print_table
from benchmarks.networks.scores import UNTOUCHED
from benchmarks.options import MODEL, Data, Json, Limit, benchmark
from benchmarks.pictures import CHOSEN_ON, PROTOCOL, halved, pictures, to_bytes
from rainnet.infer.derain import derain
from rainnet.weights.checkpoint import load
from rainopt import derain as derain_by_solver
from rainopt import estimate_angle, psnr, read_image

Told = Callable[[np.ndarray, float], Any]

Models = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="NAME", help="A file, or a network that ships; may be given several times."),
]


def unseen(data: Path, limit: int | None) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the truths of the pairs by name."""
    files = [file for folder in sorted((data / "pairs").glob("*/norain")) for file in pictures(folder)]
    return ((f"{file.parent.parent.name}/{file.name}", read_image(file)) for file in files[:limit])


def measured(found: Iterator[tuple[str, np.ndarray]], methods: dict[str, Told]) -> dict[str, dict[str, float]]:
    """Return by picture, what each method leaves of it in dB."""
    each = {}
    for name, picture in found:
        angle = estimate_angle(picture).angle
        scores = {
            method: min(psnr(to_bytes(np.asarray(told(picture, angle))), picture, PROTOCOL), UNTOUCHED)
            for method, told in methods.items()
        }
        each[name] = scores
        print(f"{name}: {', '.join(f'{m} {s:.1f}' for m, s in scores.items())}", file=sys.stderr, flush=True)
    return each


@benchmark(__doc__)
def main(data: Data, limit: Limit = None, model: Models = None, target: Json = None) -> None:
    """Measure on both sets."""
    methods: dict[str, Told] = {"rainopt": lambda picture, angle: derain_by_solver(picture, angle=angle).background}
    for name in model or [MODEL]:
        methods[name] = partial(_by_network, load(name))
    sets = {
        "truths of pairs": measured(unseen(data, limit), methods),
        "clean": measured(((name, image) for _, name, image in halved(data / "clean", CHOSEN_ON, limit)), methods),
    }
    found = {name: {"pictures": len(each), **_summary(each, list(methods))} for name, each in sets.items() if each}
    if not found:
        raise typer.BadParameter("--data must hold a folder 'pairs' or a folder 'clean'; see --help")
    rows = [
        (name, one["pictures"], method, f"{s['mean']:.2f}", f"{s['worst']:.2f}", s["worst_picture"])
        for name, one in found.items()
        for method, s in one["methods"].items()
    ]
    print_table("Pictures without rain, told an angle", ("set", "pictures", "method", "mean", "worst", "which"), rows)
    finish({"benchmark": "dry", "protocol": PROTOCOL, "sets": found, "each": sets}, target)


def _by_network(network: Any, picture: np.ndarray, angle: float) -> Any:
    return derain(network, picture, angle=angle, device="cpu").background


def _summary(each: dict[str, dict[str, float]], methods: list[str]) -> dict[str, Any]:
    found = {}
    for method in methods:
        worst = min(each, key=lambda name: each[name][method])
        found[method] = {
            "mean": statistics.fmean(scores[method] for scores in each.values()),
            "worst": each[worst][method],
            "worst_picture": worst,
        }
    return {"methods": found}


if __name__ == "__main__":
    main()
