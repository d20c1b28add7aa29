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
from typing import Any

import numpy as np

from benchmarks.command import run_command
from benchmarks.common import finish, parser, print_table
from benchmarks.networks.scenes import PROTOCOL, middle, to_bytes
from data_tools import RainSpec, add_rain
from rainopt import derain, psnr, read_image, ssim, write_image
from rainopt.app.sheet import Row, write_sheet
from rainopt.io import READABLE_SUFFIXES

PRESETS = ("light", "medium", "heavy")


def rendered(clean: Path, number: int, preset: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a rainy picture and its truth, uint8."""
    files = sorted(file for file in clean.iterdir() if file.suffix.lower() in READABLE_SUFFIXES)
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


def main(arguments: list[str] | None = None) -> None:
    """Train on each photograph."""
    options = parser(__doc__, "net_single")
    options.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder as benchmarks/README.md says")
    options.add_argument("--photo", type=Path, action="append", metavar="FILE", help="a real photograph; repeatable")
    options.add_argument("--steps", type=int, metavar="N", help="instead of those of the recipe")
    options.add_argument("--sheet", type=Path, metavar="FILE.png", help="write a contact sheet")
    chosen = options.parse_args(arguments)
    photos = sorted(file for file in (chosen.data / "photos").iterdir() if file.suffix.lower() in READABLE_SUFFIXES)
    real = chosen.photo or [photos[0], photos[len(photos) // 2], photos[-1]]
    results: dict[str, Any] = {}
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, preset in enumerate(PRESETS):
            rainy, truth = rendered(chosen.data / "clean", number, preset)
            file = write_image(folder / f"{preset}.png", rainy)
            clean, seconds = trained(file, folder / f"run_{preset}", chosen.steps)
            solver = to_bytes(derain(rainy).background)
            scores = {
                key: {"psnr": psnr(image, truth, PROTOCOL), "ssim": ssim(image, truth, PROTOCOL)}
                for key, image in (("input", rainy), ("single", clean), ("rainopt", solver))
            }
            results[preset] = {**scores, "seconds": seconds}
            captions = [f"{preset} {key} {value['psnr']:.1f} dB" for key, value in scores.items()]
            rows.append(Row([rainy, clean, solver, truth], [*captions, "truth"]))
        for photo in real:
            clean, seconds = trained(photo, folder / f"run_{photo.stem}", chosen.steps)
            rainy = read_image(photo)
            results[photo.stem] = {"seconds": seconds}
            solver = to_bytes(derain(rainy).background)
            taken = np.abs(rainy.astype(np.int16) - clean.astype(np.int16)).clip(0, 85).astype(np.uint8) * 3
            rows.append(Row([rainy, clean, solver, taken], [f"{photo.name}", "single", "rainopt", "|difference| x3"]))
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
    if chosen.sheet:
        write_sheet(chosen.sheet, rows)
    finish({"benchmark": "net_single", "protocol": PROTOCOL, "pictures": results}, chosen.json)


if __name__ == "__main__":
    main()
