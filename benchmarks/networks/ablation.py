"""What each loss of UDGNet is worth without any truth: Yu et al. 2021, Table 5, the same seven cases.

Small UDGNets are trained from the same seed on the same rendered rain (preset light, over DIR/clean), never shown its
truth, by different parts of the loss; they are tested on rendered rain over the truths of DIR/pairs, which they have
not seen, upright by the true angle. Where a case trains only one stream, that stream's result counts: the background
of the image stream, or the rainy picture minus the layer of the rain stream. Weights are those of `rainopt`'s energy.

  python -m benchmarks.networks.ablation --data DIR --json results.json --steps 500
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

from benchmarks.common import finish, print_table
from benchmarks.networks.scenes import Scene, scenes
from benchmarks.options import Data, Json, Limit, Steps, benchmark
from benchmarks.pictures import PROTOCOL, to_bytes
from rainnet.data.batches import RecipeBatches, dataset_for
from rainnet.infer.derain import derain
from rainnet.models.udgnet import UDGNet
from rainnet.programs.udgnet import UDGNetLoss, UDGNetProgram
from rainnet.recipes.recipe import Recipe, read_recipe
from rainnet.train.loop import train
from rainnet.train.meters import Silent
from rainnet.train.run_folder import RunFolder
from rainopt.metrics.fidelity import psnr, ssim

# Number of the case in the paper's table: parts of the energy, whether there is an adversary.
CASES: dict[int, tuple[tuple[str, ...], bool]] = {
    1: (("image",), False),
    2: ((), True),
    3: (("image",), True),
    4: (("rain",), False),
    5: (("rain", "self"), False),
    6: (("image", "rain", "self"), False),
    7: (("image", "rain", "self"), True),
}
PAPER = {1: 22.63, 2: 30.09, 3: 30.08, 4: 32.44, 5: 33.01, 6: 34.64, 7: 34.65}
ADVERSARIAL = 0.02
PRESET = "light"


def recipe_of(case: int, clean: Path, steps: int) -> Recipe:
    """Return the recipe of a case."""
    terms, adversary = CASES[case]
    loss: dict[str, Any] = {
        "energy": 100.0 if terms else 0.0,
        "tau": 0.005,
        "lambda_x": 0.05,
        "lambda_y": 0.02,
        "sparsity": 0.005,
        # The bounds are the rain's; without them its terms alone can be made small by any layer.
        "bounds": 1.0 if "rain" in terms else 0.0,
        "adversarial": ADVERSARIAL if adversary else 0.0,
        "truth": 0.0,
        "angle": 0.0,
    }
    if terms:
        loss["terms"] = terms
    changes = [f"run.steps={steps}", "run.picture_every=0", "run.save_every=0", "run.ema=0.98", "data.angle_error=0"]
    changes += ["data.dry=0", "data.haze=0", "run.log_every=50"]
    recipe = read_recipe(
        "udgnet-small", changes, data={"train": [clean], "unpaired": [clean], "presets": {PRESET: 1.0}}
    )
    return recipe.model_copy(update={"loss": loss})


def train_case(case: int, clean: Path, steps: int) -> UDGNet:
    """Return the network of a case."""
    recipe = recipe_of(case, clean, steps)
    needs = UDGNetProgram.needs(UDGNetLoss.model_validate(recipe.loss))
    batches = RecipeBatches(recipe, dataset_for(recipe.data, recipe.run.seed, needs))
    with tempfile.TemporaryDirectory() as folder:
        network = train(recipe, RunFolder(Path(folder) / "run"), batches, Silent(), device="cpu")
    if not isinstance(network, UDGNet):
        raise TypeError(f"a UDGNet was expected, got {type(network).__name__}")
    return network


def by_rain(network: UDGNet) -> UDGNet:
    """Make a network remove its rain layer instead of what its image stream wants removed."""
    network.image_stream = network.rain_stream
    return network


def score(network: UDGNet, each: list[Scene]) -> dict[str, float]:
    """Return mean PSNR and SSIM with the true angle."""
    results = [to_bytes(derain(network, s.rainy, angle=s.angle, bounded=False, device="cpu").background) for s in each]
    pairs = list(zip(results, each, strict=True))
    return {
        "psnr": statistics.fmean(psnr(a, s.clean, PROTOCOL) for a, s in pairs),
        "ssim": statistics.fmean(ssim(a, s.clean, PROTOCOL) for a, s in pairs),
    }


@benchmark(__doc__)
def main(data: Data, limit: Limit = None, steps: Steps = 500, target: Json = None) -> None:
    """Train and test all cases."""
    torch.manual_seed(0)
    each = scenes(data, PRESET, limit)
    base = statistics.fmean(psnr(s.rainy, s.clean, PROTOCOL) for s in each)
    cases: dict[str, Any] = {}
    for case, (terms, adversary) in CASES.items():
        network = train_case(case, data / "clean", steps)
        image_trained = "image" in terms or "self" in terms or adversary
        cases[str(case)] = score(network if image_trained else by_rain(network), each) | {
            "terms": list(terms),
            "adversarial": adversary,
            "paper": PAPER[case],
        }
        print(f"case {case}: {cases[str(case)]['psnr']:.2f} dB", file=sys.stderr)
    marks = {name: lambda c, name=name: "x" if name in c["terms"] else "" for name in ("image", "rain", "self")}
    rows = [
        (
            case,
            *(mark(c) for mark in marks.values()),
            "x" if c["adversarial"] else "",
            f"{c['psnr']:.2f} / {c['ssim']:.4f}",
            f"{c['paper']:.2f}",
        )
        for case, c in cases.items()
    ]
    title = f"Rendered rain, {len(each)} pictures, input {base:.2f} dB; PSNR / SSIM on Y (MATLAB)"
    print_table(title, ("case", "image TV", "rain", "self", "adversarial", "here", "paper"), rows)
    results = {"benchmark": "net_ablation", "protocol": PROTOCOL, "steps": steps, "pictures": len(each)}
    finish({**results, "input": base, "cases": cases}, target)


if __name__ == "__main__":
    main()
