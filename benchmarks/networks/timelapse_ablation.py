"""What the parts of TimeLapseNet are worth in short runs: Cho et al. 2020, Tables VI and VII and Fig. 14.

Small networks are trained without any clean picture on rendered rain (preset medium, over DIR/clean), from several
seeds, and tested on rendered rain over the truths of DIR/pairs, which they have not seen.

losses   Without and with structure similarity (s), directional gradients (v) and the dynamic filter (Table VI). The
         backgrounds' consistency (b) and the reconstruction (r) are in all of them.
fusion   Sum, product, concatenation and dynamic filter, with all losses (Table VII).
frames   Scenes of which there are 2, 10, 25, 50 or 100 frames: the network by its own losses, and supervised by the
         mean of the frames of a scene and by their percentile background; beside it, how far these two are from the
         truth (Fig. 14).

All cases of "losses" and "fusion" see the same crops in the same order, and a case that is in both is trained once. A
run this short tells what helps at the beginning, and no more than that; the spread over seeds says how much of it is
chance. PSNR / SSIM under the protocol y_matlab.

  python -m benchmarks.networks.timelapse_ablation --data DIR --part losses --part fusion --json results.json
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from benchmarks.common import finish, print_table
from benchmarks.networks.scenes import scenes
from benchmarks.networks.scores import Triple, cell, scored
from benchmarks.networks.short_runs import Pool, train_case
from benchmarks.options import Data, Json, Limit, Steps, benchmark
from benchmarks.pictures import PROTOCOL, middle, pictures, to_bytes
from rainnet.infer.derain import derain
from rainnet.recipes.recipe import Recipe, read_recipe
from rainopt import percentile_background, read_image, write_image

PRESET = "medium"
PICTURES = 6
SIDE, FEATURES = 64, 8  # of crops, and of the first maps
CONCAT, DYNAMIC = ({"network.config.fusion": f'"{name}"'} for name in ("concat", "dynamic"))
NO_SIMILARITY, NO_DIRECTIONS = {"loss.similarity": 0.0}, {"loss.directions": 0.0}
Cases = dict[str, dict[str, dict[str, Any]]]
Score = dict[str, float]
CASES: Cases = {
    "losses": {
        "r b": CONCAT | NO_SIMILARITY | NO_DIRECTIONS,
        "r b s": CONCAT | NO_DIRECTIONS,
        "r b v": CONCAT | NO_SIMILARITY,
        "r b s v": CONCAT,
        "r b s, dynamic": DYNAMIC | NO_DIRECTIONS,
        "r b v, dynamic": DYNAMIC | NO_SIMILARITY,
        "r b s v, dynamic": DYNAMIC,
    },
    "fusion": {name: {"network.config.fusion": f'"{name}"'} for name in ("sum", "product", "concat", "dynamic")},
}
PUBLISHED = {
    "losses": (37.68, 37.92, 38.01, 38.11, 38.29, 38.46, 38.54),
    "fusion": (37.98, 38.02, 38.11, 38.54),
}
FRAMES = (2, 10, 25, 50, 100)
SCENES = 16
TARGETS = ("own losses", "mean", "percentile")
SUPERVISED = ("loss.background=0", "loss.similarity=0", "loss.directions=0", "loss.truth=1")

Parts = Annotated[list[str] | None, typer.Option("--part", help="losses, fusion or frames; repeatable. [all]")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, metavar="N", help="Trainings of each case.")]


@benchmark(__doc__)
def main(
    data: Data, part: Parts = None, limit: Limit = PICTURES, steps: Steps = 600, seeds: Seeds = 2, target: Json = None
) -> None:
    """Train and test all cases."""
    torch.set_num_threads(1)
    parts = part or [*CASES, "frames"]
    if wrong := [name for name in parts if name not in (*CASES, "frames")]:
        raise typer.BadParameter(f"'{wrong[0]}' is no part; there are losses, fusion and frames", param_hint="--part")
    tested: list[Triple] = [(scene.rainy, scene.clean, None) for scene in scenes(data, PRESET, limit)]
    base = scored({"input": lambda rainy: rainy}, tested)["methods"]["input"]
    found: dict[str, Any] = {}
    if cases := {name: CASES[name] for name in parts if name != "frames"}:
        found |= by_cases(cases, data, tested, steps, range(seeds))
    if "frames" in parts:
        found["frames"] = by_frames(data, tested, steps, range(seeds))
    report(found, base, len(tested))
    results = {"benchmark": "net_timelapse_ablation", "protocol": PROTOCOL, "preset": PRESET, "steps": steps}
    finish({**results, "seeds": seeds, "pictures": len(tested), "input": base, "found": found}, target)


def recipe_of(data: Sequence[Path], steps: int, seed: int, changes: Sequence[str], **section: Any) -> Recipe:
    """Return the recipe of a case."""
    common = [f"run.steps={steps}", f"run.seed={seed}", "run.picture_every=0", "run.save_every=0", "run.ema=0.98"]
    common += [
        f"network.config={{features={FEATURES}}}",
        "run.workers=0",
        "run.log_every=50",
        f"data.size={SIDE}",
        "optimiser.warmup=20",
    ]
    return read_recipe("timelapsenet-small", [*common, *changes], data={"train": list(data), **section})


def trained_score(recipe: Recipe, batches: Pool, tested: Sequence[Triple]) -> Score:
    """Return PSNR and SSIM of what a recipe trains."""
    network = train_case(recipe, batches)
    found = scored({"": lambda rainy: derain(network, rainy, device="cpu").background}, tested)
    return dict(found["methods"][""])


def by_cases(
    parts: Cases, data: Path, tested: Sequence[Triple], steps: int, seeds: range
) -> dict[str, dict[str, list[Score]]]:
    """Return the scores of each case of each part, one of each seed."""
    rendered = {"presets": {PRESET: 1.0}}
    batches = Pool(recipe_of([data / "clean"], steps, 0, [], **rendered))
    found: dict[str, dict[str, list[Score]]] = {part: {case: [] for case in cases} for part, cases in parts.items()}
    for seed in seeds:
        known: dict[tuple[str, ...], Score] = {}
        for part, cases in parts.items():
            for case, changed in cases.items():
                changes = tuple(f"{key}={value}" for key, value in changed.items())
                if changes not in known:
                    recipe = recipe_of([data / "clean"], steps, seed, changes, **rendered)
                    known[changes] = trained_score(recipe, batches, tested)
                found[part][case].append(known[changes])
                _tell(f"{part}, seed {seed}, {case}: {cell(known[changes])}")
    return found


def by_frames(data: Path, tested: Sequence[Triple], steps: int, seeds: range) -> dict[str, dict[str, Any]]:
    """Return PSNR by the number of frames of a scene: of each target, and of the targets themselves."""
    found: dict[str, dict[str, Any]] = {}
    for count in FRAMES:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            own = rendered_scenes(data, root, count)
            row: dict[str, Any] = {name: [] for name in TARGETS}
            for kind in TARGETS[1:]:
                row[f"{kind} itself"] = taught_by(kind, own, root / kind)
            for seed in seeds:
                for name in TARGETS:
                    place, changes = (own, []) if name == TARGETS[0] else (root / name, [*SUPERVISED])
                    recipe = recipe_of([place], steps, seed, ["data.kind=pairs", *changes])
                    row[name].append(trained_score(recipe, Pool(recipe), tested))
                    _tell(f"{count} frames, seed {seed}, {name}: {cell(row[name][-1])}")
        found[str(count)] = row
    return found


def rendered_scenes(data: Path, root: Path, count: int) -> Path:
    """Render so many frames of each of `SCENES` scenes, as a dataset."""
    clean = root / "photographs"
    clean.mkdir()
    for file in pictures(data / "clean")[:: max(len(pictures(data / "clean")) // SCENES, 1)][:SCENES]:
        picture = middle(read_image(file))
        write_image(clean / f"{file.stem}.png", np.ascontiguousarray(picture[: 2 * SIDE, : 2 * SIDE]))
    total = count * len(pictures(clean))
    command = [sys.executable, "-m", "data_tools", "synth", str(clean), "-o", str(root / "scenes"), "-n", str(total)]
    subprocess.run([*command, "--preset", PRESET], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return root / "scenes"


def taught_by(kind: str, dataset: Path, folder: Path) -> Score:
    """Write a dataset whose clean pictures are made of the rainy ones, and return how far these are from the truth."""
    shutil.copytree(dataset, folder, copy_function=os.link)
    made_and_clean: list[Triple] = []
    for file in pictures(dataset / "train/clean"):
        frames = np.stack([read_image(each) for each in pictures(dataset / "train/rainy" / file.stem)])
        made = frames.mean(0) / 255 if kind == "mean" else percentile_background(frames).image
        made = made if np.asarray(made).dtype == np.uint8 else to_bytes(made)
        place = folder / "train/clean" / file.name
        place.unlink()  # a link: what is written must not reach the original
        write_image(place, made)
        made_and_clean.append((made, read_image(file), None))
    return dict(scored({"": lambda made: made}, made_and_clean)["methods"][""])


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def report(found: dict[str, Any], base: Score, count: int) -> None:
    """Print the tables."""
    about = f"rendered rain, {count} pictures, input {cell(base)}; Y (MATLAB)"
    for part in CASES:
        if part in found:
            rows = []
            for (case, scores), published in zip(found[part].items(), PUBLISHED[part], strict=True):
                decibels = [score["psnr"] for score in scores]
                spread = f"{min(decibels):.2f} … {max(decibels):.2f}"
                rows.append((case, cell(_mean(scores)), spread, f"{published:.2f}"))
            print_table(f"{part}: {about}", ("case", "mean", "PSNR, least … most", "published, real rain"), rows)
    if "frames" in found:
        rows = []
        for frames, row in found["frames"].items():
            spreads = [f"{np.ptp([score['psnr'] for score in row[name]]):.2f}" for name in TARGETS]
            means = [f"{cell(_mean(row[name]))} ({spread})" for name, spread in zip(TARGETS, spreads, strict=True)]
            rows.append((frames, *means, *(cell(row[f"{kind} itself"]) for kind in TARGETS[1:])))
        columns = (*(f"{name} (spread)" for name in TARGETS), *(f"{kind} itself" for kind in TARGETS[1:]))
        print_table(f"frames of a scene: {about}", ("frames", *columns), rows)


def _mean(scores: Sequence[Score]) -> Score:
    return {key: statistics.fmean(score[key] for score in scores) for key in scores[0]}


if __name__ == "__main__":
    main()
