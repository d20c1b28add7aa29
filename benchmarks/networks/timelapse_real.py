"""Whether TimeLapseNet learns real rain that no renderer drew, from a still camera and without any truth.

The first half of DIR/video/rain_yard.mp4 becomes a sequence (`raindata build --sequences`), and --model, which rendered
rain has taught, is trained on it further by `rainnet train` (FOLDER keeps that) in two ways:

  absolute      By the distances of the recipe, whose least is at the median of what a place may be.
  rounded       By distances whose corner stays round, whose least is near the mean.

What is compared, before and after:

  other frames  The second half of that video: pairs that `raindata build` makes of it, over their valid pixels.
  other camera  The same of DIR/video/ntu_ra1, one frame at a time; its camera moves, and nothing of it was trained on.
  rendered      Rendered rain over the truths of DIR/pairs, which tells what is forgotten, and the truths themselves,
                which tell what is taken off where no rain is (100 dB where nothing is).

PSNR / SSIM under the protocol y_matlab, beside the input, `rainopt` and the UDGNet that ships. Of real rain also what
is left of it, in percent of its light where it is 10 levels or more above the background, and what is taken off where
there is none, in levels (within 2 of the background).

  python -m benchmarks.networks.timelapse_real --data DIR --model runs/timelapse --runs FOLDER --json results.json
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
from benchmarks.networks.scenes import scenes
from benchmarks.networks.scores import Method, Triple, cell, scored
from benchmarks.networks.timing import THREADS
from benchmarks.networks.trainings import trained
from benchmarks.options import MODEL, Data, Json, Limit, Steps, benchmark
from benchmarks.pictures import PROTOCOL, to_bytes
from benchmarks.video.judged import MOST, REAL, built
from rainnet import load
from rainnet.infer.derain import derain
from rainnet.models.base import Network
from rainopt import derain as solve
from rainopt import open_video, write_image

PRESET = "light"
RAINY, DRY = 10, 2  # levels of 255 above the background from which there is rain, and within which there is none
STEPS = 600
CHANGES = ("data.kind=rainy", "optimiser.lr=2e-4", "run.seed=0")
ROUND = ("loss.corner=0.1", "loss.corner_last=0.1")
WAYS = {"absolute": (), "rounded": ROUND}

Model = Annotated[Path, typer.Option("--model", help="A TimeLapseNet that rendered rain has taught.")]
Runs = Annotated[Path, typer.Option("--runs", metavar="FOLDER", help="Folder of the sequence and of the training.")]


@benchmark(__doc__)
def main(data: Data, model: Model, runs: Runs, steps: Steps = STEPS, limit: Limit = None, target: Json = None) -> None:
    """Train further and compare."""
    torch.set_num_threads(THREADS)
    clip = data / REAL[0]
    learned, tested = halves(clip, runs)
    started = [*CHANGES, f"run.steps={steps}", f'network.start="{model.resolve().as_posix()}"']
    frames = sequence(learned, runs / "sequence")
    for way, changes in WAYS.items():
        trained("timelapsenet-small", [*started, *changes], frames, folder_of(runs, way))
    methods: dict[str, Method] = {
        "input": lambda rainy: rainy,
        "rainopt": lambda rainy: solve(rainy).background,
        MODEL: lambda rainy: derain(MODEL, rainy, device="cpu").background,
        "timelapsenet": by(load(model)),
        **{f"further, {way}": by(load(folder_of(runs, way))) for way in WAYS},
    }
    triples = {"other frames": pairs_of(tested, limit), "other camera": pairs_of(data / REAL[1], limit)}
    of_scenes = scenes(data, PRESET, limit)
    triples[f"rendered, {PRESET}"] = [(scene.rainy, scene.clean, None) for scene in of_scenes]
    triples["truths"] = [(scene.clean, scene.clean, None) for scene in of_scenes]
    found = {name: scored(methods, each) for name, each in triples.items()}
    for name in ("other frames", "other camera"):
        found[name]["rain"] = {method: rain_left(of, triples[name]) for method, of in methods.items()}
    report(found)
    finish({"benchmark": "net_timelapse_real", "protocol": PROTOCOL, "steps": steps, "found": found}, target)


def by(network: Network) -> Method:
    """Return what a network makes of a picture."""
    return lambda rainy: derain(network, rainy, device="cpu").background


def folder_of(runs: Path, way: str) -> Path:
    """Return where a training is kept."""
    return runs / f"further-{way.replace(' ', '-')}"


def halves(clip: Path, runs: Path) -> tuple[Path, Path]:
    """Write both halves of a video as folders of frames."""
    count = sum(1 for _ in open_video(clip).frames())
    folders = runs / "first", runs / "second"
    for folder, (first, last) in zip(folders, ((0, count // 2), (count // 2, count)), strict=True):
        folder.mkdir(parents=True, exist_ok=True)
        for frame in open_video(clip).frames(first, last):
            if not (file := folder / f"{frame.index:04}.png").exists():
                write_image(file, frame.pixels)
    return folders


def sequence(video: Path, folder: Path) -> Path:
    """Return the dataset of the frames of a video that stands still."""
    command = [sys.executable, "-m", "data_tools", "build", str(video), "-o", str(folder), "--sequences"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return folder


def pairs_of(video: Path, limit: int | None) -> list[Triple]:
    """Return the pairs that are built of a video, with their valid pixels."""
    made, reasons = built(video, accept=30.0, most=MOST)
    if not made:
        print(f"{video}: {'; '.join(reasons)}", file=sys.stderr, flush=True)
    return [(pair.rainy, pair.clean, pair.valid) for pair in made[:limit]]


def rain_left(method: Method, triples: Sequence[Triple]) -> dict[str, float]:
    """Return the share of the rain's light that is left, and levels that are taken off where there is no rain."""
    had, left, taken, dry = 0.0, 0.0, 0.0, 0
    for rainy, clean, valid in triples:
        result = np.asarray(method(rainy))
        result = (result if result.dtype == np.uint8 else to_bytes(result)).astype(np.float64)
        above = rainy.astype(np.float64) - clean
        where = np.ones(above.shape[:2], bool) if valid is None else valid
        rain = where & (above.mean(-1) >= RAINY)
        none = where & (np.abs(above).max(-1) <= DRY)
        had, left = had + float(above[rain].sum()), left + float((result - clean)[rain].sum())
        taken, dry = taken + float(np.abs(result - rainy)[none].sum()), dry + 3 * int(none.sum())
    return {"left": left / max(had, 1e-9), "taken": taken / max(dry, 1)}


def report(found: dict[str, Any]) -> None:
    """Print the tables."""
    names = next(iter(found.values()))["methods"]
    rows = [(name, *(cell(part["methods"].get(name)) for part in found.values())) for name in names]
    print_table("PSNR / SSIM on Y (MATLAB)", ("method", *(f"{n} ({p['pairs']})" for n, p in found.items())), rows)
    real = {name: part["rain"] for name, part in found.items() if "rain" in part}
    rows = [
        (name, *(f"{100 * each[name]['left']:.0f} % / {each[name]['taken']:.2f}" for each in real.values()))
        for name in names
    ]
    print_table("Real rain: light that is left / levels taken off where there is none", ("method", *real), rows)


if __name__ == "__main__":
    main()
