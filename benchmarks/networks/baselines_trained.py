"""What PReNet, JORDER-E, DDN and UDGNet learn on one core in the same time from the same rendered rain.

The recipes prenet-small, jorder-small, ddn-small and udgnet-small (without haze, which the others do not have, and as
many steps as take as long) are trained by `rainnet train` from seed 0 over DIR/clean, into FOLDER/RECIPE, on one core
and another that makes crops. A run that is there and finished is taken as it is, and one that was stopped goes on.

  rendered  Our rain (presets light, medium, heavy) over the truths of DIR/pairs, none of which was trained on.
  pairs     The sets of DIR/pairs with their own rain.
  dry       PSNR of the derained truth against the truth, 100 dB where it is left alone.
  runs      Steps, crops and minutes of each training; minutes are those of a clock, whatever else the machine does.

PSNR / SSIM under the protocol y_matlab, of 8 bits, beside the input, `rainopt`, and the UDGNet that ships, which was
trained for longer.

  python -m benchmarks.networks.baselines_trained --data DIR --runs FOLDER --json results.json --sheet sheet.png
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from benchmarks.common import finish, print_table
from benchmarks.networks.quality import losses, measure
from benchmarks.networks.scenes import scenes
from benchmarks.networks.scores import cell, scored
from benchmarks.networks.timing import THREADS
from benchmarks.networks.trainings import trained
from benchmarks.options import MODEL, Data, Json, Limit, Sheet, benchmark
from benchmarks.pictures import PROTOCOL, sets_of_pairs
from rainnet.evaluate.methods import Function, Results, find_methods
from rainopt.app.sheet import Row, write_sheet

# What differs from each recipe.
RECIPES: dict[str, tuple[str, ...]] = {
    "prenet-small": (),
    "jorder-small": (),
    "ddn-small": (),
    "udgnet-small": ("data.haze=0", "run.steps=5200"),
}
SEED = 0
PRESETS = ("light", "medium", "heavy")

Runs = Annotated[Path, typer.Option("--runs", metavar="FOLDER", help="Folder of the runs, one for each recipe.")]
Fewer = Annotated[
    int | None, typer.Option("--steps", min=1, metavar="N", help="Steps of each training, for a quick look.")
]


@benchmark(__doc__)
def main(
    data: Data, runs: Runs, limit: Limit = None, steps: Fewer = None, sheet: Sheet = None, target: Json = None
) -> None:
    """Train and compare."""
    folders = sets_of_pairs(data)
    if not folders:
        raise typer.BadParameter("--data must hold sets of pairs in a folder 'pairs'; see --help")
    told = {name: trained(name, _changes(name, steps), data / "clean", runs / name) for name in RECIPES}
    torch.set_num_threads(THREADS)
    words = {"input": "input", "rainopt": "rainopt", f"{MODEL}, as it ships": MODEL}
    words |= {f"{name}, trained here": str(runs / name) for name in RECIPES}
    rows: list[Row] = []
    sets = compare(data, words, limit, rows)
    report(sets, told)
    if sheet:
        write_sheet(sheet, rows)
    finish({"benchmark": "net_baselines_trained", "protocol": PROTOCOL, "runs": told, "sets": sets}, target)


def compare(data: Path, words: dict[str, str], limit: int | None, rows: list[Row]) -> dict[str, Any]:
    """Return scores of methods, by the sets that the description names, and add a row for each picture of a set.

    ``words`` are what `rainnet evaluate` takes, by the names that they are told under.
    """
    compared = [_method(name, word) for name, word in words.items()]
    sets: dict[str, Any] = {}
    for preset in PRESETS:
        each = [(scene.rainy, scene.clean, None) for scene in scenes(data, preset, limit)]
        sets[f"rendered, {preset}"] = scored({method.name: method for method in compared}, each)["methods"]
    for folder in sets_of_pairs(data):
        sets[folder.name] = measure(folder, compared, limit, rows)
        for name, value in losses(folder, compared, limit).items():
            sets[folder.name][name]["dry"] = value
    return sets


def report(sets: dict[str, Any], told: dict[str, dict[str, Any]]) -> None:
    """Print the tables."""
    report_sets(sets)
    rows = [(name, str(one["steps"]), str(one["crops"]), f"{one['minutes']:.1f}") for name, one in told.items()]
    print_table("Trainings", ("recipe", "steps", "crops", "minutes"), rows)


def report_sets(sets: dict[str, Any]) -> None:
    """Print the tables of scores."""
    names = next(iter(sets.values())).keys()
    rows = [(name, *(cell(found[name]) for found in sets.values())) for name in names]
    print_table("PSNR / SSIM on Y (MATLAB)", ("method", *sets), rows)
    dry = {name: found for name, found in sets.items() if "dry" in found["input"]}
    rows = [(name, *(f"{found[name]['dry']:.1f}" for found in dry.values())) for name in names if name != "input"]
    print_table("PSNR of the derained truth against the truth", ("method", *dry), rows)


def _changes(name: str, steps: int | None) -> list[str]:
    return [*RECIPES[name], f"run.seed={SEED}", *([] if steps is None else [f"run.steps={steps}"])]


def _method(name: str, word: str) -> Function:
    (method,) = find_methods([word], device="cpu")
    if isinstance(method, Results):
        raise RuntimeError(f"'{word}' holds no network")
    return Function(name, method)


if __name__ == "__main__":
    main()
