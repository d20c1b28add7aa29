"""What translating rain is worth where rain is unlike that of the pairs: Ye et al. 2021, Tables 1 and 2.

Two renderings play "synthetic" and "real", as RainCityscape and RainRendering do in the paper: they differ in how rain
lies over the picture, in how far streaks turn from one another, in their length, and in the veil behind them. One half
of the pictures of DIR/clean gets synthetic rain and keeps its truth; the other half gets real rain, and its truth is
never seen. Tested on real rain over the truths of DIR/pairs.

supervised   The removal network of JRGR, trained on the synthetic pairs alone.
CycleGAN     Pictures with real rain into clean ones and back, by the same networks; clean ones are those of the pairs.
JRGR         All three stages.
--ablation   JRGR without each kind of loss (Table 2); and the paper's Init-1, which begins with the joint stage, and
             Init-2, which leaves out the second.

All have as many crops a step, and as many steps. A joint step costs several of the others, so that the supervised
network is also trained for as long as JRGR takes (--longer). FOLDER keeps data and trainings: what is there and
finished is taken as it is, and what was stopped goes on. PSNR / SSIM under the protocol y_matlab.

  python -m benchmarks.networks.translation --data DIR --runs FOLDER --json results.json
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer

from benchmarks.common import finish, print_table
from benchmarks.networks.scores import Method, Triple, cell, scored
from benchmarks.networks.timing import THREADS
from benchmarks.networks.trainings import trained
from benchmarks.options import Data, Json, Limit, Sheet, benchmark
from benchmarks.pictures import PROTOCOL, middle, pictures, to_bytes
from data_tools import RainSpec, add_rain
from rainnet import load
from rainnet.infer.derain import derain
from rainopt import read_image, write_image
from rainopt.app.sheet import Row, write_sheet

SPREAD = 25.0  # degrees, of the direction of either rain
STEPS = {"synthetic": 1500, "real": 500, "joint": 1000}
SHOWN = 6  # pictures of the sheet
COST = 5  # steps on pairs that take as long as a joint one
PUBLISHED = {"supervised": 25.64, "CycleGAN": 26.29, "JRGR": 27.51}
WITHOUT = {
    "w/o adversarial, backgrounds": "adversarial_background",
    "w/o adversarial, rainy": "adversarial_rainy",
    "w/o cycles": "cycle",
    "w/o truth": "mse",
}

Runs = Annotated[Path, typer.Option("--runs", metavar="FOLDER", help="Folder of data and trainings.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Trainings of each case.")]
Share = Annotated[float, typer.Option("--share", min=0.001, help="Of the steps, for a try.")]
Ablation = Annotated[bool, typer.Option("--ablation", help="Train without each kind of loss, too.")]
Longer = Annotated[bool, typer.Option("--longer", help="Train the supervised network for as long as JRGR takes, too.")]


@dataclass(frozen=True)
class Case:
    """One training: its recipe, what it changes, and which of the stages it has."""

    recipe: str
    changes: tuple[str, ...]
    stages: tuple[str, ...] = ()


@benchmark(__doc__)
def main(
    data: Data,
    runs: Runs,
    seeds: Seeds = 1,
    share: Share = 1.0,
    ablation: Ablation = False,
    longer: Longer = False,
    limit: Limit = None,
    sheet: Sheet = None,
    target: Json = None,
) -> None:
    """Train and compare."""
    torch.set_num_threads(THREADS)
    synthetic, real = domains(data, runs)
    tested = held_out(data, limit)
    found: dict[str, list[dict[str, float]]] = {"input": [score(None, tested)] * seeds}
    chosen = cases(share, real)
    chosen = {name: case for name, case in chosen.items() if ablation or name in (*PUBLISHED, "supervised, longer")}
    if not longer:
        del chosen["supervised, longer"]
    for seed in range(seeds):
        for name, case in chosen.items():
            folder = folder_of(runs, seed, name)
            trained(case.recipe, [*case.changes, f"run.seed={seed}"], synthetic, folder, case.stages)
            found.setdefault(name, []).append(score(folder, tested))
    report(found, len(tested))
    if sheet:
        folders = {name: folder_of(runs, 0, name) for name in chosen}
        write_sheet(sheet, rows_of(folders, tested))
    results = {"protocol": PROTOCOL, "share": share, "steps": STEPS, "pictures": len(tested), "found": found}
    finish({"benchmark": "net_translation", **results}, target)


def folder_of(runs: Path, seed: int, name: str) -> Path:
    """Return where a training is kept."""
    return runs / f"seed{seed}" / re.sub("[^A-Za-z0-9]+", "-", name)


def synthetic_rain(rng: np.random.Generator) -> RainSpec:
    """Draw synthetic rain: short streaks side by side, added to the picture."""
    return RainSpec(
        angle=float(rng.uniform(-SPREAD, SPREAD)),
        angle_spread=0.5,
        length=float(rng.uniform(15, 30)),
        width=float(rng.uniform(1.5, 2.5)),
        density=float(rng.uniform(2000, 6000)),
        intensity=float(rng.uniform(0.4, 0.8)),
        composition="additive",
        layers=2,
    )


def real_rain(rng: np.random.Generator) -> RainSpec:
    """Draw what plays real rain: long streaks that cross, screened over the picture and over a veil."""
    return RainSpec(
        angle=float(rng.uniform(-SPREAD, SPREAD)),
        angle_spread=5.0,
        length=float(rng.uniform(50, 90)),
        width=float(rng.uniform(1.5, 2.5)),
        density=float(rng.uniform(1500, 4000)),
        intensity=float(rng.uniform(0.4, 0.8)),
        texture=0.4,
        composition="screen",
        layers=3,
        veil=float(rng.uniform(0.1, 0.3)),
    )


def domains(data: Path, runs: Path) -> tuple[Path, Path]:
    """Write synthetic pairs over one half of the pictures, and real rain, without its truth, over the other half."""
    files = pictures(data / "clean")
    synthetic, real = runs / "synthetic", runs / "real"
    for number, file in enumerate(files):
        clean, rng = middle(read_image(file)), np.random.default_rng([11, number])
        name = f"{file.stem}.png"
        if number % 2:
            _write(real / name, to_bytes(add_rain(clean, real_rain(rng), rng).rainy))
        else:
            _write(synthetic / "clean" / name, clean)
            _write(synthetic / "rainy" / name, to_bytes(add_rain(clean, synthetic_rain(rng), rng).rainy))
    return synthetic, real


def held_out(data: Path, limit: int | None) -> list[Triple]:
    """Render real rain over pictures that are in neither half."""
    files = [file for folder in sorted((data / "pairs").glob("*/norain")) for file in pictures(folder)]
    triples: list[Triple] = []
    for number, file in enumerate(files[:: 1 if limit is None else 3][:limit]):
        clean, rng = middle(read_image(file)), np.random.default_rng([13, number])
        triples.append((to_bytes(add_rain(clean, real_rain(rng), rng).rainy), clean, None))
    return triples


def cases(share: float, real: Path) -> dict[str, Case]:
    """Return what is trained, by name."""
    first, second, third = (max(1, round(share * each)) for each in STEPS.values())
    total = first + second + third
    pairs = "data.kind=pairs"
    both = (pairs, f'data.unpaired_rainy=["{real.resolve().as_posix()}"]')
    steps = (f"stages.synthetic.steps={first}", f"stages.real.steps={second}", f"run.steps={third}")
    found = {
        # On pairs, what derains is trained by the stage "real"; what "synthetic" trains is only where that begins.
        "supervised": Case("jrgr-small", (pairs, f"stages.real.steps={total}"), ("real",)),
        "supervised, longer": Case(
            "jrgr-small", (pairs, f"stages.real.steps={first + second + COST * third}"), ("real",)
        ),
        "CycleGAN": Case("cyclegan-small", (*both, f"run.steps={total}")),
        "JRGR": Case("jrgr-small", (*both, *steps)),
    }
    for name, key in WITHOUT.items():
        found[name] = Case("jrgr-small", (*both, *steps, f"loss.{key}=0"))
    found["Init-1"] = Case("jrgr-small", (*both, f"run.steps={total}", "optimiser.rates={}"), ("joint",))
    fewer = (f"stages.synthetic.steps={first}", f"run.steps={second + third}")
    slow = "optimiser.rates={'network.removal_synthetic' = 0.01}"
    found["Init-2"] = Case("jrgr-small", (*both, *fewer, slow), ("synthetic", "joint"))
    return found


def score(run: Path | None, tested: Sequence[Triple]) -> dict[str, float]:
    """Return PSNR and SSIM of a training, or of the input."""
    found: dict[str, float] = scored({"": _method(run)}, tested)["methods"][""]
    return found


def _method(run: Path | None) -> Method:
    if run is None:
        return lambda rainy: rainy
    network = load(run)
    return lambda rainy: derain(network, rainy, device="cpu").background


def report(found: Mapping[str, Sequence[Mapping[str, float]]], count: int) -> None:
    """Print the table."""
    rows = []
    base = statistics.fmean(one["psnr"] for one in found["supervised"])
    for name, scores in found.items():
        mean = {key: statistics.fmean(one[key] for one in scores) for key in scores[0]}
        each = ", ".join(f"{one['psnr']:.2f}" for one in scores)
        published = f"{PUBLISHED[name]:.2f}" if name in PUBLISHED else ""
        rows.append((name, cell(mean), each, f"{mean['psnr'] - base:+.2f}", published))
    columns = ("trained", "mean", "each seed", "over supervised", "published, other rain")
    print_table(f"real rain, {count} pictures; PSNR / SSIM on Y (MATLAB)", columns, rows)


def rows_of(folders: Mapping[str, Path], tested: Sequence[Triple]) -> list[Row]:
    """Return rows of pictures: rainy, of each training, and clean."""
    methods = {name: _method(folder) for name, folder in folders.items()}
    rows = []
    for rainy, clean, _ in tested[:SHOWN]:
        made = [np.asarray(method(rainy)) for method in methods.values()]
        rows.append(Row([rainy, *made, clean], ["real rain", *methods, "clean"]))
    return rows


def _write(file: Path, picture: np.ndarray) -> None:
    """Write a picture that is not there yet."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_image(file, picture)


if __name__ == "__main__":
    main()
