"""How well the shipped network derains pairs that it was not trained on, beside `rainopt` of the same tree.

For each folder of DIR/pairs: PSNR and SSIM (protocol y_matlab, results rounded to 8 bits, means over pictures) of the
input, of `rainopt.derain`, and of the network: with the angle that it finds itself, with the angle of `rainopt`, and
with that angle as the mean of four mirror images, or polished by 20 iterations of the solver. The second table says
what a picture without rain loses: PSNR of the derained truth against the truth, 100 dB where it is left alone.

  python -m benchmarks.networks.quality --data DIR --json results.json --sheet sheet.png
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import numpy as np
import typer

from benchmarks.common import finish, print_table
from benchmarks.networks.scores import UNTOUCHED
from benchmarks.options import MODEL, Data, Json, Limit, Model, Sheet, benchmark
from benchmarks.pictures import PROTOCOL, sets_of_pairs
from data_tools.layouts.halves import read_picture
from data_tools.layouts.read import read_dataset
from rainnet.evaluate.compare import Compared, evaluate
from rainnet.evaluate.methods import Function, find_methods
from rainnet.infer.derain import derain
from rainnet.weights.checkpoint import load
from rainopt.app.sheet import Row, write_sheet
from rainopt.image import quantise
from rainopt.metrics.fidelity import psnr


def methods(model: str) -> list[Any]:
    """Return what is compared."""
    net = load(model)

    def with_angle(angle: str, polish: int = 0, ensemble: int = 1) -> Any:
        return lambda rainy: derain(net, rainy, angle=angle, polish=polish, ensemble=ensemble, device="cpu").background

    return [
        *find_methods(["input", "rainopt"]),
        Function("network, its own angle", with_angle("network")),
        Function("network, rainopt's angle", with_angle("solver")),
        Function("the same, of four mirror images", with_angle("solver", ensemble=4)),
        Function("the same, polished", with_angle("solver", 20)),
    ]


def measure(folder: Path, compared: list[Any], limit: int | None, rows: list[Row]) -> dict[str, Any]:
    """Return the scores of one set, and add a row for each picture."""

    def watch(one: Compared) -> None:
        if one.rainy is None or one.truth is None:
            return
        shown = {"input": one.rainy, **{n: one.results[n] for n in one.results if n != "input"}, "truth": one.truth}
        captions = [
            f"{folder.name}/{one.pair.name} {name}"
            + (f" {one.scores[name].psnr[PROTOCOL]:.1f} dB" if name in one.scores else "")
            for name in shown
        ]
        rows.append(Row([np.asarray(image) for image in shown.values()], captions))

    report = evaluate(compared, read_dataset(folder), (PROTOCOL,), limit=limit, watch=watch)
    return {
        method.name: {"psnr": method.psnr(PROTOCOL), "ssim": method.ssim(PROTOCOL), "seconds": method.seconds}
        for method in report.methods
    }


def losses(folder: Path, compared: list[Any], limit: int | None) -> dict[str, float]:
    """Return, by method, the mean PSNR of the derained truth against the truth."""
    truths = [read_picture(pair.clean) for pair in list(read_dataset(folder))[:limit] if pair.clean is not None]

    def loss(method: Any) -> float:
        results = [
            quantise(np.asarray(method(truth)), np.uint8) if method.name != "input" else truth for truth in truths
        ]
        return statistics.fmean(min(psnr(a, b, PROTOCOL), UNTOUCHED) for a, b in zip(results, truths, strict=True))

    return {method.name: loss(method) for method in compared}


@benchmark(__doc__)
def main(data: Data, limit: Limit = None, model: Model = MODEL, sheet: Sheet = None, target: Json = None) -> None:
    """Measure the sets in a folder."""
    folders = sets_of_pairs(data)
    if not folders:
        raise typer.BadParameter("--data must hold sets of pairs in a folder 'pairs'; see --help")
    sets, rows = figures(folders, methods(model), limit)
    if sheet:
        write_sheet(sheet, rows)
    finish({"benchmark": "net_quality", "protocol": PROTOCOL, "sets": sets}, target)


def figures(folders: list[Path], compared: list[Any], limit: int | None) -> tuple[dict[str, Any], list[Row]]:
    """Measure sets of pairs and print them; return what was found, and a row for each picture."""
    sets: dict[str, Any] = {}
    rows: list[Row] = []
    for folder in folders:
        sets[folder.name] = measure(folder, compared, limit, rows)
        for name, value in losses(folder, compared, limit).items():
            sets[folder.name][name]["dry"] = value
    names = next(iter(sets.values())).keys()
    table = [
        (name, *(f"{s[name]['psnr']:.2f} / {s[name]['ssim']:.4f}" for s in sets.values()), _seconds(sets, name))
        for name in names
    ]
    print_table("PSNR / SSIM on Y (MATLAB)", ("method", *sets, "s / picture"), table)
    table = [(name, *(f"{s[name]['dry']:.1f}" for s in sets.values())) for name in names if name != "input"]
    print_table("PSNR of the derained truth against the truth", ("method", *sets), table)
    return sets, rows


def _seconds(sets: dict[str, Any], name: str) -> str:
    values = [s[name]["seconds"] for s in sets.values() if s[name]["seconds"] is not None]
    return f"{max(values):.3f}" if values else ""


if __name__ == "__main__":
    main()
