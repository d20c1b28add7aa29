"""How the rain of the presets compares with published pairs: brightness, input PSNR and direction.

Presets are drawn over the colour photographs of scikit-image (astronaut, chelsea, coffee), each with a spec of its own.
The specs are not scaled to the pictures: their streaks are as long as in pictures of about 480 x 320 pixels. Published
pairs are no part of the project; where DIR is given they are read from DIR/pairs/SET/rain/NAME and
DIR/pairs/SET/norain/NAME.

L is the luminance of the rainy picture minus that of the clean one, and the direction is the one that most of its
structure tensor votes for. PSNR is of the rainy picture, on the 16-235 luma of MATLAB (protocol y_matlab).

  python -m benchmarks.rain.presets --data DIR --json results.json
  python -m benchmarks.rain.presets --sheet FOLDER            and a PNG of each preset to look at
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import finish, print_table
from benchmarks.layer_angle import layer_angle
from benchmarks.options import Json, OptionalData, benchmark
from benchmarks.pictures import PROTOCOL, grey, pairs, sets_of_pairs, to_bytes
from data_tools import PRESETS, RainSpec, add_rain
from rainopt import psnr, write_image

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee")
MARKED = 5 / 255  # brightness from which a pixel counts as rainy
SHOWN = 3  # columns of a sheet
ONE_DIRECTION = ("light", "medium", "heavy")
SHAPES = ((320, 480), (640, 640))


@dataclass(frozen=True)
class RainStatistics:
    """Statistics of the rain over one picture."""

    mean: float
    bright: float
    covered: float
    psnr: float
    angle: float


def rain_statistics(rainy: np.ndarray, clean: np.ndarray) -> RainStatistics:
    """Measure the rain between two pictures: mean and 99th percentile of L, part above 5/255, PSNR, direction."""
    layer = grey(rainy).astype(np.float64) - grey(clean)
    return RainStatistics(
        float(layer.mean()),
        float(np.percentile(layer, 99)),
        float(np.mean(layer > MARKED)),
        psnr(rainy, clean, PROTOCOL),
        layer_angle(layer),
    )


def over_photographs(preset: str, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Return ``count`` pairs (rainy, clean) with rain of a preset, rounded to 8 bits as in a file."""
    from skimage import data

    for k in range(count):
        rng = np.random.default_rng(k)
        clean = getattr(data, PHOTOGRAPHS[k % len(PHOTOGRAPHS)])()
        yield to_bytes(add_rain(clean, RainSpec.sample(preset, rng), rng).rainy), clean


def summary(measured: Iterable[tuple[np.ndarray, np.ndarray]]) -> dict[str, Any]:
    """Return means over pairs (rainy, clean), and the least and the most of PSNR, mean and direction."""
    rows = [rain_statistics(*pair) for pair in measured]
    return {
        "pictures": len(rows),
        "mean": statistics.mean(row.mean for row in rows),
        "mean_range": [min(row.mean for row in rows), max(row.mean for row in rows)],
        "bright": statistics.mean(row.bright for row in rows),
        "covered": statistics.mean(row.covered for row in rows),
        "psnr": statistics.mean(row.psnr for row in rows),
        "psnr_range": [min(row.psnr for row in rows), max(row.psnr for row in rows)],
        "angle_range": [min(row.angle for row in rows), max(row.angle for row in rows)],
    }


def row_of(name: str, values: dict[str, Any]) -> list[str]:
    """Return one row of the table."""
    return [
        name,
        str(values["pictures"]),
        f"{values['mean']:.3f}",
        "{:.3f} to {:.3f}".format(*values["mean_range"]),
        f"{values['bright']:.2f}",
        f"{100 * values['covered']:.0f} %",
        f"{values['psnr']:.1f}",
        "{:.1f} to {:.1f}".format(*values["psnr_range"]),
        "{:+.0f} to {:+.0f}".format(*values["angle_range"]),
    ]


def angle_errors(preset: str, count: int, shape: tuple[int, int]) -> list[float]:
    """Return by how many degrees the dominant direction of each rendered layer misses the angle of its spec."""
    errors = []
    for k in range(count):
        rng = np.random.default_rng([1, k])
        spec = RainSpec.sample(preset, rng)
        layer = add_rain(np.zeros(shape, np.float32), spec, rng).rain
        errors.append(abs(layer_angle(layer) - spec.angle))
    return errors


def write_sheets(folder: Path) -> None:
    """Write one PNG for each preset: three photographs, three specs of each."""
    for preset in PRESETS:
        pictures = [rainy[:300, :400] for rainy, _ in over_photographs(preset, SHOWN * SHOWN)]
        rows = [np.concatenate(pictures[i : i + SHOWN], axis=1) for i in range(0, len(pictures), SHOWN)]
        write_image(folder / f"{preset}.png", np.concatenate(rows), overwrite=True)


@benchmark(__doc__)
def main(
    data: OptionalData = None,
    count: Annotated[int, typer.Option(min=1, metavar="N", help="Pictures for each preset.")] = 60,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write a PNG of each preset into this folder.")
    ] = None,
    target: Json = None,
) -> None:
    """Measure, print the table, write what was asked for."""
    sets = [] if data is None else sets_of_pairs(data)
    if data is not None and not sets:
        raise typer.BadParameter("--data must hold sets of pairs in a folder 'pairs'; see --help")
    results = {f"preset {preset}": summary(over_photographs(preset, count)) for preset in PRESETS}
    for folder in sets:
        results[f"pairs {folder.name}"] = summary((rainy, clean) for _, rainy, clean in pairs(folder))

    header = ["rain", "n", "mean L", "range", "99 % of L", "covered", f"PSNR {PROTOCOL}", "range", "angle"]
    print_table("Rain of presets and of published pairs", header, [row_of(*item) for item in results.items()])
    truth = {}
    for preset in ONE_DIRECTION:
        for shape in SHAPES:
            errors = angle_errors(preset, count, shape)
            truth[f"{preset} {shape[1]}x{shape[0]}"] = {"worst": max(errors), "mean": statistics.mean(errors)}
    rows = [[name, f"{values['worst']:.2f}", f"{values['mean']:.2f}"] for name, values in truth.items()]
    print_table("Dominant direction of the layer against its spec, degrees", ["rain", "worst", "mean"], rows)
    if sheet is not None:
        sheet.mkdir(parents=True, exist_ok=True)
        write_sheets(sheet)
    if target is not None:
        finish({"benchmark": "presets", "presets": results, "angle_truth": truth}, target)


if __name__ == "__main__":
    main()
