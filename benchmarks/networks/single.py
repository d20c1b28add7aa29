"""Training on one photograph alone (Yu et al. 2021, Fig. 9): three rendered with truth, three real to look at.

Each is trained from scratch by `rainnet train udgnet --single`, as a process of its own, on no other data. The rendered
ones are photographs of DIR/clean with rain of the presets light, medium and heavy (without the veil, which no direction
tells from the scene); the real ones are the first, middle and last of DIR/photos, or those named by --photo.

  python -m benchmarks.networks.single --data DIR --json results.json --sheet sheet.png
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.command import run_command
from benchmarks.common import finish, print_table
from benchmarks.options import Data, Json, Sheet, benchmark
from benchmarks.pictures import PROTOCOL, middle, pictures, to_bytes
from data_tools import RainSpec, add_rain
from rainopt import derain, psnr, read_image, ssim, write_image
from rainopt.app.sheet import Row, write_sheet

PRESETS = ("light", "medium", "heavy")


def rendered(clean: Path, number: int, preset: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a rainy picture and its truth, uint8."""
    files = pictures(clean)
    truth = middle(read_image(files[(number + 1) * len(files) // (len(PRESETS) + 1)]))
    rng = np.random.default_rng([11, number])
    spec = replace(RainSpec.sample(preset, rng), veil=0.0)
    return to_bytes(add_rain(truth, spec, rng).rainy), truth


def trained(photo: Path, folder: Path, steps: int | None) -> tuple[np.ndarray, float]:
    """Return a photograph derained by a network that was trained on it, and the seconds that took."""
    command = [sys.executable, "-m", "rainnet", "train", "udgnet", "--single", str(photo), "-o", str(folder)]
    start = time.perf_counter()
    run_command([*command, "--device", "cpu", *(["--set", f"run.steps={steps}"] if steps else [])])
    return read_image(folder / f"{photo.stem}_derained.png"), time.perf_counter() - start


@benchmark(__doc__)
def main(
    data: Data,
    photo: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A real photograph; may be given again.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, metavar="N", help="Instead of those of the recipe.")] = None,
    sheet: Sheet = None,
    target: Json = None,
) -> None:
    """Train on each photograph."""
    photos = pictures(data / "photos")
    real = photo or [photos[0], photos[len(photos) // 2], photos[-1]]
    results: dict[str, Any] = {}
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, preset in enumerate(PRESETS):
            rainy, truth = rendered(data / "clean", number, preset)
            file = write_image(folder / f"{preset}.png", rainy)
            clean, seconds = trained(file, folder / f"run_{preset}", steps)
            solver = to_bytes(derain(rainy).background)
            scores = {
                key: {"psnr": psnr(image, truth, PROTOCOL), "ssim": ssim(image, truth, PROTOCOL)}
                for key, image in (("input", rainy), ("single", clean), ("rainopt", solver))
            }
            results[preset] = {**scores, "seconds": seconds}
            captions = [f"{preset} {key} {value['psnr']:.1f} dB" for key, value in scores.items()]
            rows.append(Row([rainy, clean, solver, truth], [*captions, "truth"]))
        for file in real:
            clean, seconds = trained(file, folder / f"run_{file.stem}", steps)
            rainy = read_image(file)
            results[file.stem] = {"seconds": seconds}
            solver = to_bytes(derain(rainy).background)
            taken = np.abs(rainy.astype(np.int16) - clean.astype(np.int16)).clip(0, 85).astype(np.uint8) * 3
            rows.append(Row([rainy, clean, solver, taken], [file.name, "single", "rainopt", "|difference| x3"]))
    table = [
        (
            name,
            *(
                f"{r[key]['psnr']:.2f} / {r[key]['ssim']:.4f}" if key in r else ""
                for key in ("input", "single", "rainopt")
            ),
            f"{r['single']['psnr'] - r['input']['psnr']:+.2f}" if "single" in r else "",
            f"{r['seconds']:.0f}",
        )
        for name, r in results.items()
    ]
    print_table("PSNR / SSIM on Y (MATLAB)", ("picture", "input", "single", "rainopt", "gain, dB", "seconds"), table)
    if sheet:
        write_sheet(sheet, rows)
    finish({"benchmark": "net_single", "protocol": PROTOCOL, "pictures": results}, target)


if __name__ == "__main__":
    main()
