"""Whether rain that a generator makes improves a derainer that has few pairs, as in Table 1 of VRGNet's paper.

For each of --seeds seeds, N pictures of DIR/clean get rain of the preset light (`raindata synth`), and prenet-small is
trained on them by `rainnet train`, as many steps in each case:

  N pairs               on these alone.
  N pairs + made        half of the crops have rain of the generator --model over the same clean pictures (ratio 1).
  N pairs + own         the same, of a generator that saw nothing but these N pairs (--own; the recipe rainfield).
  2N pairs              on as many pairs again, instead of made rain (--more).

PSNR / SSIM on Y (MATLAB) of 8 bits, over rain of the same preset on the truths of DIR/pairs, none of which was trained
on. FOLDER keeps pairs and trainings; a training that is there and finished is taken as it is, and one that was stopped
goes on.

  python -m benchmarks.networks.augmentation --data DIR --model runs/rain --runs FOLDER --json results.json
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from benchmarks.common import finish, print_table
from benchmarks.networks.scenes import Scene, scenes
from benchmarks.networks.scores import cell, scored
from benchmarks.networks.timing import THREADS
from benchmarks.networks.trainings import trained
from benchmarks.options import Data, Json, Limit, benchmark
from benchmarks.pictures import PROTOCOL, middle, pictures
from rainnet import load
from rainnet.infer.derain import derain
from rainopt import read_image, write_image

PRESET, SPREAD = "light", 30.0  # its directions
RECIPE, STEPS = "prenet-small", 1500

Model = Annotated[Path, typer.Option("--model", help="The generator, a rainfield.")]
Runs = Annotated[Path, typer.Option("--runs", metavar="FOLDER", help="Folder of pairs and trainings.")]
Pairs = Annotated[int, typer.Option("--pairs", min=1, metavar="N", help="Pairs of the small sample.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="How often all of it is done, with other pairs each time.")]
Steps = Annotated[int, typer.Option("--steps", min=1, metavar="N", help="Steps of each derainer.")]
Own = Annotated[bool, typer.Option("--own", help="Train a generator on each small sample, too.")]
More = Annotated[bool, typer.Option("--more", help="Train on twice as many pairs, too.")]


@benchmark(__doc__)
def main(
    data: Data,
    model: Model,
    runs: Runs,
    pairs: Pairs = 8,
    seeds: Seeds = 3,
    steps: Steps = STEPS,
    own: Own = False,
    more: More = False,
    limit: Limit = None,
    target: Json = None,
) -> None:
    """Train and compare."""
    alone = f"{pairs} pairs"
    cases = [alone, f"{alone} + made", *[f"{alone} + own"] * own, *[f"{2 * pairs} pairs"] * more]
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ["input", *cases]}
    torch.set_num_threads(THREADS)
    tested = scenes(data, PRESET, limit, SPREAD)
    for seed in range(seeds):
        folder = runs / f"seed{seed}"
        few = _pairs(data, folder / f"pairs{pairs}", pairs, seed)
        common = ["data.kind=pairs", f"run.steps={steps}", f"run.seed={seed}"]
        plans: dict[str, tuple[Path, list[str]]] = {
            alone: (few, common),
            f"{alone} + made": (few, [*common, _augment(model)]),
        }
        if own:
            trained("rainfield", ["data.kind=pairs", f"run.seed={seed}"], few, folder / "generator")
            plans[f"{alone} + own"] = few, [*common, _augment(folder / "generator")]
        if more:
            plans[f"{2 * pairs} pairs"] = _pairs(data, folder / f"pairs{2 * pairs}", 2 * pairs, seed), common
        for name, (seen, changes) in plans.items():
            run = folder / name.replace(" + ", "-").replace(" ", "-")
            trained(RECIPE, changes, seen, run)
            found[name].append(_score(run, tested))
        found["input"].append(_score(None, tested))
    report(found, cases)
    results = {"pairs": pairs, "steps": steps, "protocol": PROTOCOL, "found": found}
    finish({"benchmark": "net_augmentation", **results}, target)


def _augment(generator: Path) -> str:
    # A path of TOML: as JSON writes strings, but for none of the characters that it would write otherwise.
    return f'data.augment={{generator="{generator.resolve().as_posix()}", ratio=1.0}}'


def _pairs(data: Path, folder: Path, count: int, seed: int) -> Path:
    """Make pairs of so many pictures; those of a smaller count are among them."""
    files = pictures(data / "clean")
    chosen = np.random.default_rng(seed).permutation(len(files))[:count]
    clean = folder / "photographs"
    clean.mkdir(parents=True, exist_ok=True)
    for number in chosen:
        file = clean / f"{files[number].stem}.png"
        if not file.exists():
            write_image(file, middle(read_image(files[number])))
    command = [sys.executable, "-m", "data_tools", "synth", str(clean), "-o", str(folder / "pairs"), "-s", str(seed)]
    subprocess.run([*command, "--preset", PRESET], stdout=subprocess.DEVNULL, check=True)
    return folder / "pairs"


def _score(run: Path | None, tested: Sequence[Scene]) -> dict[str, float]:
    """Return PSNR and SSIM of a training, or of the input."""
    network = None if run is None else load(run)

    def method(rainy: np.ndarray) -> np.ndarray:
        return rainy if network is None else derain(network, rainy, device="cpu").background

    triples = [(scene.rainy, scene.clean, None) for scene in tested]
    score: dict[str, float] = scored({"": method}, triples)["methods"][""]
    return score


def report(found: dict[str, list[dict[str, float]]], cases: Sequence[str]) -> None:
    """Print the table."""
    first = np.array([one["psnr"] for one in found[cases[0]]])
    rows = []
    for name, scores in found.items():
        mean: dict[str, Any] = {key: float(np.mean([one[key] for one in scores])) for key in scores[0]}
        gains = np.array([one["psnr"] for one in scores]) - first
        each = ", ".join(f"{one['psnr']:.2f}" for one in scores)
        rows.append((name, cell(mean), each, f"{gains.mean():+.2f} ({', '.join(f'{gain:+.2f}' for gain in gains)})"))
    print_table("PSNR / SSIM on Y (MATLAB)", ("trained on", "mean", "each seed", f"over {cases[0]}"), rows)


if __name__ == "__main__":
    main()
