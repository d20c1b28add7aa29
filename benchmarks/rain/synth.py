"""How fast synthetic rain is made: rendering alone, and datasets by the whole command.

Pictures are the photographs of `benchmarks.common.photograph`. In turn:

  render   add_rain on a colour picture of one megapixel (1000 x 1000), with specs of each preset scaled to it as
           `raindata synth` scales them: median over --repeat specs, each timed after an uncounted run.
  command  `raindata synth` as a process of its own, imports included, on 60 cuts of photographs, 512 x 640 to
           640 x 960, with the preset medium: median of --repeat runs into new folders, with 1 and 2 workers.

MP/s are megapixels of rainy pictures a second. The command reads, renders, writes four PNG files a pair and their
checksums.

  python -m benchmarks.rain.synth --json results.json
"""

from __future__ import annotations

import math
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.command import raindata_command, run_command
from benchmarks.common import finish, photograph, print_table, timed
from benchmarks.options import Json, Repeat, benchmark
from data_tools import PRESETS, RainSpec, add_rain
from data_tools.build.rendered import PRESET_PIXELS
from rainopt import write_image

SIDE = 1000
SHAPES = ((512, 640), (600, 800), (640, 960))
WORKERS = (1, 2)


def cuts(count: int) -> Iterator[np.ndarray]:
    """Yield pictures (H, W, 3) uint8, each another part of one large photograph."""
    whole = photograph(2048, 2048)
    for k in range(count):
        height, width = SHAPES[k % len(SHAPES)]
        top, left = 97 * k % (2048 - height), 211 * k % (2048 - width)
        yield np.ascontiguousarray(whole[top : top + height, left : left + width])


def bench_render(repeat: int) -> dict[str, Any]:
    """Time `add_rain` on one megapixel with each preset."""
    image = photograph(SIDE, SIDE)
    results: dict[str, Any] = {}
    rows = []
    for preset in PRESETS:
        seconds: list[float] = []
        for seed in range(repeat):
            spec = RainSpec.sample(preset, np.random.default_rng(seed)).scaled(
                math.sqrt(image[..., 0].size / PRESET_PIXELS)
            )
            clock, _ = timed(partial(_render, image, spec, seed), 1)
            seconds += clock.seconds
        median = statistics.median(seconds)
        rate = image[..., 0].size / 1e6 / median
        results[preset] = {"median_s": median, "min_s": min(seconds), "max_s": max(seconds), "mp_per_s": rate}
        rows.append((preset, f"{median:.4f}", f"{min(seconds):.4f}", f"{max(seconds):.4f}", f"{rate:.1f}"))
    print_table("add_rain, 1 megapixel, uint8 colour", ("preset", "seconds", "least", "most", "MP/s"), rows)
    return results


def _render(image: np.ndarray, spec: RainSpec, seed: int) -> None:
    add_rain(image, spec, np.random.default_rng(seed))


def bench_command(repeat: int, count: int) -> dict[str, Any]:
    """Time ``raindata synth`` on ``count`` pictures, as a process."""
    results: dict[str, Any] = {}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "clean", Path(folder) / "dataset"
        source.mkdir()
        pixels = 0
        for k, image in enumerate(cuts(count)):
            write_image(source / f"{k:03}.png", image)
            pixels += image[..., 0].size
        for workers in WORKERS:
            words = [*raindata_command(), "synth", str(source), "-o", str(target), "--jobs", str(workers)]
            runs = []
            for _ in range(repeat):
                runs.append(run_command(words))
                shutil.rmtree(target)
            clock = statistics.median(run.seconds for run in runs)
            cpu = statistics.median(run.cpu_seconds for run in runs)
            rate = pixels / 1e6 / clock
            results[f"workers_{workers}"] = {"median_s": clock, "repeats": repeat, "cpu_s": cpu, "mp_per_s": rate}
            rows.append((f"raindata synth --jobs {workers}", f"{clock:.2f}", f"{cpu:.2f}", f"{rate:.2f}"))
    title = f"The command raindata synth, {count} pictures, {pixels / 1e6:.1f} megapixels"
    print_table(title, ("command", "seconds", "cpu seconds", "MP/s"), rows)
    return {"pictures": count, "megapixels": pixels / 1e6, **results}


@benchmark(__doc__)
def main(
    repeat: Repeat = 3,
    pictures: Annotated[int, typer.Option(min=1, metavar="N", help="Pictures that the command is given.")] = 60,
    target: Json = None,
) -> None:
    """Run both parts."""
    results = {"render": bench_render(repeat), "command": bench_command(repeat, pictures)}
    finish({"benchmark": "synth", **results}, target)


if __name__ == "__main__":
    main()
