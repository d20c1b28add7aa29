"""How fast networks derain and are trained on a CPU, and the memory they hold.

Inference: a picture of 1024 × 2048 by `rainnet.derain`, told its angle, in two threads; median of --repeat warm runs,
for the small preset and the paper's network, and the peak memory of a process that does nothing else. Training: the
recipe "udgnet-small" at 128 × 128, images a second and the share of the time spent waiting for data, means over --steps
steps without the first ten.

  python -m benchmarks.networks.speed --json results.json
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.command import run_command
from benchmarks.common import finish, photograph, print_table, rainy_photograph, timed
from benchmarks.options import Json, Repeat, Steps, benchmark
from rainnet.data.batches import RecipeBatches, dataset_for
from rainnet.programs.udgnet import UDGNetLoss, UDGNetProgram
from rainnet.recipes.recipe import read_recipe
from rainnet.train.loop import train
from rainnet.train.meters import Silent, Step
from rainnet.train.run_folder import RunFolder
from rainopt import write_image

HEIGHT, WIDTH = 1024, 2048
THREADS = 2
SKIPPED = 10

_ONE_RUN = """
import sys, torch
torch.set_num_threads({threads})
from rainnet import create, derain
from rainopt import read_image
derain(create("udgnet", preset=sys.argv[1]), read_image(sys.argv[2]), angle=10.0, device="cpu")
"""


class Speeds(Silent):
    """Keeps every report of the speed."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def step(self, step: Step) -> None:
        """Keep a report."""
        self.steps.append(step)


def inference(preset: str, repeat: int, photo: Path) -> dict[str, Any]:
    """Return seconds and peak memory of one picture."""
    import torch

    from rainnet import create, derain
    from rainopt import read_image

    torch.set_num_threads(THREADS)
    image, net = read_image(photo), create("udgnet", preset=preset)
    clock, _ = timed(lambda: derain(net, image, angle=10.0, device="cpu"), repeat)
    alone = run_command([sys.executable, "-c", _ONE_RUN.format(threads=THREADS), preset, str(photo)])
    parameters = sum(p.numel() for p in net.parameters())
    return {**clock.as_dict(), "peak_bytes": alone.peak_bytes, "parameters": parameters}


def training(steps: int, folder: Path) -> dict[str, Any]:
    """Return images a second and the share of waiting."""
    clean = folder / "clean"
    clean.mkdir()
    for number, size in enumerate(((512, 768), (480, 640), (600, 400))):
        write_image(clean / f"{number}.png", photograph(*size))
    changes = [f"run.steps={steps + SKIPPED}", f"run.log_every={SKIPPED}", "data.size=128", "run.picture_every=0"]
    recipe = read_recipe("udgnet-small", changes, data={"train": [clean]})
    batches = RecipeBatches(
        recipe, dataset_for(recipe.data, 0, UDGNetProgram.needs(UDGNetLoss.model_validate(recipe.loss)))
    )
    watcher = Speeds()
    train(recipe, RunFolder(folder / "run"), batches, watcher, device="cpu")
    told = watcher.steps[1:]
    return {
        "images_per_second": statistics.fmean(step.images_per_second for step in told),
        "waiting": statistics.fmean(step.waiting for step in told),
        "batch": recipe.run.batch,
        "precision": recipe.run.precision,
    }


@benchmark(__doc__)
def main(repeat: Repeat = 5, steps: Steps = 40, target: Json = None) -> None:
    """Measure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = write_image(folder / "photo.png", rainy_photograph(HEIGHT, WIDTH, angle=10.0))
        runs = {preset: inference(preset, repeat, photo) for preset in ("small", "paper")}
        trained = training(steps, folder)
    rows = [
        (preset, f"{r['parameters'] / 1e6:.2f}", f"{r['median_s']:.2f}", f"{r['peak_bytes'] / 2**20:.0f}")
        for preset, r in runs.items()
    ]
    header = ("preset", "parameters, M", "seconds", "peak memory, MiB")
    print_table(f"Inference, {HEIGHT} x {WIDTH}, CPU, {THREADS} threads", header, rows)
    row = (f"{trained['images_per_second']:.1f}", f"{100 * trained['waiting']:.1f} %")
    print_table("Training, small preset, 128 x 128, CPU", ("images a second", "waiting for data"), [row])
    finish({"benchmark": "net_speed", "inference": runs, "training": trained}, target)


if __name__ == "__main__":
    main()
