"""How well rainopt removes rain without training, and how well it leaves clean photographs alone.

DIR holds pictures that are no part of the project (either folder may be missing):

  DIR/pairs/SET/rain/NAME      rainy pictures, one folder for each set
  DIR/pairs/SET/norain/NAME    the same pictures without rain, under the same names
  DIR/clean/NAME               clean photographs

For each set: PSNR and SSIM on the 16-235 luma of MATLAB (protocol y_matlab), means over the pictures, of the rainy
picture, of `derain` told the angle, and of `derain` that estimates it, everything else at its default. The angle it is
told is the dominant direction of the true rain layer, luminance of rainy minus clean. Results are rounded to 8 bits
first, as in a file. For clean photographs: PSNR of derain(x) against x, which is what a photograph without rain loses.

"rendered" is rain of the presets light, medium, heavy and multi over every second clean photograph by name, at most
320 x 480 pixels cut from the middle. It is the second, fourth, ... photograph: the first, third, ... were used for
choosing parameters (`benchmarks.solver.ablation` measures on those), these were not.

  python -m benchmarks.solver.quality --data DIR --json results.json --sheet sheet.png
  python -m benchmarks.solver.quality --data DIR --limit 3        a quick look
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import typer

from benchmarks.common import finish
from benchmarks.layer_angle import angle_error, layer_angle
from benchmarks.options import Data, Json, Limit, Sheet, benchmark
from benchmarks.pictures import HELD_OUT, PROTOCOL, RENDERED, grey, pairs, pictures, rendered, sets_of_pairs, to_bytes
from benchmarks.solver.quality_tables import CLOSE, INF_DB, print_clean, print_rendered, print_sets
from rainopt import Decomposition, derain, psnr, read_image, ssim
from rainopt.app.sheet import Row, write_sheet

VARIANTS = ("input", "known_angle", "estimated_angle")


@dataclass(frozen=True)
class PairResult:
    """Numbers of one rainy picture; dictionaries are keyed by `VARIANTS`."""

    name: str
    psnr: dict[str, float]
    ssim: dict[str, float]
    true_angle: float
    angle: float
    confidence: float
    iterations: dict[str, int]
    seconds: dict[str, float]

    @property
    def angle_error(self) -> float:
        """Degrees between the estimated and the true angle."""
        return angle_error(self.angle, self.true_angle)


def run(image: np.ndarray, angle: float | None = None) -> tuple[Decomposition, np.ndarray, float]:
    """Derain an image; returns the result, its background rounded as in a file of 8 bits, and the seconds it took."""
    start = time.perf_counter()
    result = derain(image, angle=angle)
    seconds = time.perf_counter() - start
    return result, to_bytes(result.background), seconds


def measure_pair(name: str, rainy: np.ndarray, clean: np.ndarray) -> tuple[PairResult, Row]:
    """Derain one picture twice and compare; returns the numbers and a row of the contact sheet."""
    truth = layer_angle(grey(rainy) - grey(clean))
    known, with_known, seconds_known = run(rainy, truth if np.isfinite(truth) else 0.0)
    estimated, with_estimate, seconds_estimated = run(rainy)
    shown = dict(zip(VARIANTS, (rainy, with_known, with_estimate), strict=True))
    result = PairResult(
        name,
        {key: decibels(image, clean) for key, image in shown.items()},
        {key: ssim(image, clean, PROTOCOL) for key, image in shown.items()},
        truth,
        estimated.angle,
        estimated.confidence or 0.0,
        dict(zip(VARIANTS[1:], (known.solution.iterations, estimated.solution.iterations), strict=True)),
        dict(zip(VARIANTS[1:], (seconds_known, seconds_estimated), strict=True)),
    )
    p = result.psnr
    row = Row(
        [rainy, with_known, with_estimate, clean],
        [
            f"{name}  rainy {p['input']:.2f} dB",
            f"angle {truth:.1f} known  {p['known_angle']:.2f} dB",
            f"angle {estimated.angle:.1f} estimated  {p['estimated_angle']:.2f} dB",
            "truth",
        ],
    )
    return result, row


def decibels(a: np.ndarray, b: np.ndarray, protocol: str = PROTOCOL) -> float:
    """Return the PSNR, at most `INF_DB`."""
    return min(psnr(a, b, protocol), INF_DB)


def summarise(results: list[PairResult]) -> dict[str, Any]:
    """Return the means of a set and every picture's numbers."""
    errors = [r.angle_error for r in results if np.isfinite(r.true_angle)]
    return {
        "pictures": len(results),
        "psnr": {key: _mean(r.psnr[key] for r in results) for key in VARIANTS},
        "ssim": {key: _mean(r.ssim[key] for r in results) for key in VARIANTS},
        "iterations": {key: _mean(r.iterations[key] for r in results) for key in VARIANTS[1:]},
        "seconds": {key: _mean(r.seconds[key] for r in results) for key in VARIANTS[1:]},
        "angle_error": {
            "mean": _mean(errors),
            "median": statistics.median(errors) if errors else None,
            "worst": max(errors, default=None),
            **{f"within_{limit:g}": _mean(e <= limit for e in errors) for limit in CLOSE},
        },
        "each": [
            {
                "name": r.name,
                "psnr": r.psnr,
                "ssim": r.ssim,
                "true_angle": r.true_angle if np.isfinite(r.true_angle) else None,
                "angle": r.angle,
                "confidence": r.confidence,
                "iterations": r.iterations,
                "seconds": r.seconds,
            }
            for r in results
        ],
    }


def measure_clean(folder: Path, limit: int | None) -> dict[str, Any]:
    """Derain clean photographs, angle estimated, and return what they lose."""
    each = []
    for path in pictures(folder, limit):
        image = read_image(path)
        result, derained, seconds = run(image)
        db = {key: decibels(derained, image, protocol) for key, protocol in (("rgb", "rgb"), ("y", PROTOCOL))}
        each.append({"name": path.name, **db, "seconds": seconds, "confidence": result.confidence})
    return {
        "pictures": len(each),
        "left_alone": sum(e["rgb"] == INF_DB for e in each),
        **{key: _loss(each, key) for key in ("rgb", "y")},
        "seconds": _mean(e["seconds"] for e in each),
        "each": each,
    }


def measure_rendered(folder: Path, preset: str, limit: int | None) -> dict[str, Any]:
    """Derain rain of a preset over the photographs that no parameter was chosen on, angle estimated."""
    each: list[dict[str, Any]] = []
    for name, rainy, clean in rendered(folder, preset, HELD_OUT, limit):
        result, derained, seconds = run(rainy)
        shown = {"input": rainy, "derained": derained}
        each.append(
            {
                "name": name,
                "psnr": {key: decibels(image, clean) for key, image in shown.items()},
                "ssim": {key: ssim(image, clean, PROTOCOL) for key, image in shown.items()},
                "confidence": result.confidence,
                "directions": len(result.directions),
                "seconds": seconds,
            }
        )
    means = {
        kind: {key: _mean(e[kind][key] for e in each) for key in ("input", "derained")} for kind in ("psnr", "ssim")
    }
    gains = [e["psnr"]["derained"] - e["psnr"]["input"] for e in each]
    return {
        "pictures": len(each),
        "left_alone": sum(e["directions"] == 0 for e in each),
        **means,
        "gain": _mean(gains),
        "seconds": _mean(e["seconds"] for e in each),
        "each": each,
    }


def _loss(each: list[dict[str, Any]], key: str) -> dict[str, Any]:
    """Return the mean over all, over those that were changed, and the worst."""
    changed = [e[key] for e in each if e[key] < INF_DB]
    return {"mean": _mean(e[key] for e in each), "mean_of_changed": _mean(changed), "worst": _worst(each, key)}


def _worst(each: list[dict[str, Any]], key: str, count: int = 5) -> list[dict[str, Any]]:
    return [{"name": e["name"], "psnr": e[key]} for e in sorted(each, key=lambda e: e[key])[:count]]


def _mean(values: Any) -> float | None:
    values = [float(v) for v in values]
    return statistics.fmean(values) if values else None


def figures(data: Path, limit: int | None) -> tuple[dict[str, Any], list[Row]]:
    """Measure the sets of a folder and print them; return what was found, and a row of pictures for each pair."""
    # Loads the kernels, so that the first picture is timed as the others are.
    derain(np.zeros((64, 64, 3), np.uint8), angle=0.0)
    sets, rows = {}, []
    for folder in sets_of_pairs(data):
        measured = [measure_pair(*pair) for pair in pairs(folder, limit)]
        if measured:
            sets[folder.name] = summarise([result for result, _ in measured])
            rows += [Row(row.images, [f"{folder.name}/{row.captions[0]}", *row.captions[1:]]) for _, row in measured]
    results: dict[str, Any] = {"sets": sets}
    if sets:
        print_sets(sets)
    clean_folder = data / "clean"
    if clean_folder.is_dir() and pictures(clean_folder):
        results["clean"] = measure_clean(clean_folder, limit)
        print_clean(results["clean"])
        measured_presets = {preset: measure_rendered(clean_folder, preset, limit) for preset in RENDERED}
        results["rendered"] = {preset: s for preset, s in measured_presets.items() if s["pictures"]}
        if results["rendered"]:
            print_rendered(results["rendered"])
    return results, rows


@benchmark(__doc__)
def main(data: Data, sheet: Sheet = None, limit: Limit = None, target: Json = None) -> None:
    """Measure the sets in a folder."""
    if not (data / "pairs").is_dir() and not (data / "clean").is_dir():
        raise typer.BadParameter("--data must hold a folder 'pairs' or a folder 'clean'; see --help")
    results, rows = figures(data, limit)
    if sheet and rows:
        write_sheet(sheet, rows)
    finish({"benchmark": "solver_quality", "protocol": PROTOCOL, **results}, target)


if __name__ == "__main__":
    main()
