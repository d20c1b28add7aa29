"""The same pictures darker, in 16 bits: whether results depend on the unit that a picture is in.

The rainy pictures of DIR/pairs/SET are multiplied by 1, 1/2, 1/4, 1/8 and 1/16 and rounded to 16 bits, as sensors of 12
bits leave them, derained by `rainopt` and by a network, and brought back by the inverse factor: PSNR in dB (protocol
y_matlab, means over pictures) against the truth, and the largest loss against the bright ones. With --linear they are
brought to light first (x^2.2), and their results back, so that most of a picture lies at the bottom of the range.

  python -m benchmarks.darker --data DIR --json results.json
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import finish, print_table
from benchmarks.options import MODEL, Data, Json, Limit, Model, benchmark
from benchmarks.pictures import PROTOCOL, pairs, to_bytes
from rainnet.infer.derain import derain as derain_by
from rainnet.weights.checkpoint import load
from rainopt import derain
from rainopt.metrics.fidelity import psnr

FACTORS = (1.0, 1 / 2, 1 / 4, 1 / 8, 1 / 16)
GAMMA = 2.2
FULL = 65535

Method = Callable[[np.ndarray], np.ndarray]


def methods(model: str) -> dict[str, Method]:
    """Return what derains, by name."""
    net = load(model)
    return {
        "rainopt": lambda image: np.asarray(derain(image).background),
        model: lambda image: np.asarray(derain_by(net, image, device="cpu").background),
    }


def brought_back(method: Method, rainy: np.ndarray, factor: float, gamma: float) -> np.ndarray:
    """Return what a method makes of a picture (uint8) in another unit, in the picture's own, uint8."""
    light = (rainy / 255.0) ** gamma * factor
    result = method(np.rint(light * FULL).astype(np.uint16)).astype(float)
    if result.max() > 1:  # whole numbers of 16 bits
        result /= FULL
    return to_bytes(np.clip(result / factor, 0, 1) ** (1 / gamma))


@benchmark(__doc__)
def main(
    data: Data,
    name: Annotated[str, typer.Option("--set", metavar="SET", help="Folder of DIR/pairs.")] = "rain100l_dev",
    linear: Annotated[bool, typer.Option("--linear", help="Bring pictures to light first.")] = False,
    limit: Limit = None,
    model: Model = MODEL,
    target: Json = None,
) -> None:
    """Measure each factor."""
    if not (data / "pairs" / name / "rain").is_dir():
        raise typer.BadParameter(f"--data must hold the set '{name}' in a folder 'pairs'; see --help")
    gamma = GAMMA if linear else 1.0
    means = figures(data / "pairs" / name, methods(model), gamma, limit)
    finish({"benchmark": "darker", "protocol": PROTOCOL, "set": name, "gamma": gamma, "psnr": means}, target)


def figures(folder: Path, compared: dict[str, Method], gamma: float, limit: int | None) -> dict[str, list[float]]:
    """Return by method the mean PSNR of a set of pairs at each of `FACTORS`, and print it."""
    scores: dict[str, dict[float, list[float]]] = {each: {factor: [] for factor in FACTORS} for each in compared}
    for _, rainy, clean in pairs(folder, limit):
        for method, found in scores.items():
            for factor in FACTORS:
                found[factor].append(psnr(brought_back(compared[method], rainy, factor, gamma), clean, PROTOCOL))
    means = {method: [statistics.fmean(found[factor]) for factor in FACTORS] for method, found in scores.items()}
    rows: list[tuple[Any, ...]] = [
        (method, *(f"{value:.2f}" for value in found), f"{max(found[0] - value for value in found):.2f}")
        for method, found in means.items()
    ]
    title = f"PSNR on Y (MATLAB) of results brought back, '{folder.name}'{', linear' if gamma != 1 else ''}"
    print_table(title, ("method", *(f"1/{round(1 / factor)}" for factor in FACTORS), "loss"), rows)
    return means


if __name__ == "__main__":
    main()
