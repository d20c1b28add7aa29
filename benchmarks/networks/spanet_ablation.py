"""What the parts of SPANet are worth: Wang et al. 2019, Table 4, on a short run of rendered rain.

Small SPANets are trained on the same rendered crops (preset medium, over DIR/clean) in the same order, each from
several seeds of the weights: with attention and without, with one module for the maps of all stages or one for each,
with the loss that teaches where rain is and without. They are tested on rendered rain over the truths of DIR/pairs,
which they have not seen. A run this short tells what helps at the beginning, and no more than that; the spread over
seeds says how much of it is chance.

  python -m benchmarks.networks.spanet_ablation --data DIR --json results.json --steps 800
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.common import finish, print_table
from benchmarks.networks.scenes import scenes
from benchmarks.networks.short_runs import Pool, score, train_case
from benchmarks.options import Data, Json, Limit, Steps, benchmark
from benchmarks.pictures import PROTOCOL
from rainnet.recipes.recipe import Recipe, read_recipe
from rainopt.metrics.fidelity import psnr

CASES: dict[str, dict[str, Any]] = {
    "attention, shared, with its loss": {},
    "attention, shared, without its loss": {"loss.attention": 0.0},
    "attention, a module a stage": {"network.config.shared_sam": False},
    "no attention": {"network.config.attention": False},
}
PRESET = "medium"
SEEDS = (0, 1, 2)
PICTURES = 6


def recipe_of(case: str, seed: int, clean: Path, steps: int) -> Recipe:
    """Return the recipe of a case."""
    changes = [f"{key}={str(value).lower()}" for key, value in CASES[case].items()]
    changes += [f"run.steps={steps}", f"run.seed={seed}", "run.picture_every=0", "run.save_every=0", "run.ema=0.98"]
    changes += ["run.workers=0", "run.batch=4", "run.log_every=50", "data.size=64", "data.dry=0", "optimiser.warmup=20"]
    return read_recipe("spanet-small", changes, data={"train": [clean], "presets": {PRESET: 1.0}})


@benchmark(__doc__)
def main(data: Data, limit: Limit = PICTURES, steps: Steps = 800, target: Json = None) -> None:
    """Train and test all cases."""
    torch.set_num_threads(1)
    each = scenes(data, PRESET, limit)
    base = statistics.fmean(psnr(scene.rainy, scene.clean, PROTOCOL) for scene in each)
    found: dict[str, list[float]] = {case: [] for case in CASES}
    batches = Pool(recipe_of(next(iter(CASES)), 0, data / "clean", steps))
    for seed in SEEDS:
        for case in CASES:
            network = train_case(recipe_of(case, seed, data / "clean", steps), batches)
            found[case].append(score(network, each))
            print(f"seed {seed}, {case}: {found[case][-1]:.2f} dB", file=sys.stderr, flush=True)
    rows = [
        (case, f"{statistics.fmean(values):.2f}", f"{min(values):.2f} … {max(values):.2f}")
        for case, values in found.items()
    ]
    title = f"Rendered rain, {len(each)} pictures, input {base:.2f} dB; PSNR on Y (MATLAB), {len(SEEDS)} seeds"
    print_table(title, ("case", "mean", "least … most"), rows)
    results = {"benchmark": "net_spanet_ablation", "protocol": PROTOCOL, "preset": PRESET, "steps": steps}
    finish({**results, "seeds": list(SEEDS), "pictures": len(each), "input": base, "cases": found}, target)


if __name__ == "__main__":
    main()
