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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import finish, parser, positive, print_table
from benchmarks.layer_angle import angle_error, layer_angle
from data_tools import RainSpec, add_rain
from data_tools.rain.presets import draw_fields
from rainopt import Decomposition, derain, psnr, read_image, ssim
from rainopt.app.sheet import Row, write_sheet
from rainopt.image import luminance, split_channels
from rainopt.io import READABLE_SUFFIXES

PROTOCOL = "y_matlab"
INF_DB = 100.0  # what a picture that is left alone counts as, so that means stay finite
CLOSE = (3.0, 5.0)  # degrees
VARIANTS = ("input", "known_angle", "estimated_angle")
RENDERED = ("light", "medium", "heavy", "multi")
RENDERED_SEED = 20  # of the rain, with the preset's and the photograph's number
MIDDLE = (320, 480)  # pixels that rain is rendered over, at most
CHOSEN_ON, HELD_OUT = 0, 1  # halves of the clean photographs: the first of which parameters were chosen on


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


def pairs(folder: Path, limit: int | None) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, rainy and clean picture of a set.

    Raises
    ------
    FileNotFoundError
        If a rainy picture has no clean one.
    """
    for path in pictures(folder / "rain", limit):
        truth = folder / "norain" / path.name
        if not truth.exists():
            raise FileNotFoundError(f"set '{folder.name}': rain/{path.name} has no norain/{path.name}")
        yield path.name, read_image(path), read_image(truth)


def pictures(folder: Path, limit: int | None = None) -> list[Path]:
    """Return the image files of a folder by name, at most ``limit``."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in READABLE_SUFFIXES)
    return found[:limit]


def halved(folder: Path, half: int, limit: int | None = None) -> Iterator[tuple[int, str, np.ndarray]]:
    """Yield number, name and middle, without alpha, of every second photograph of a folder, from number ``half`` on."""
    for index, path in list(enumerate(pictures(folder)))[half::2][:limit]:
        image = read_image(path)
        if image.ndim == 3:
            image = image[:, :, : 3 if image.shape[2] > 2 else 1]
        top, left = (max(have - want, 0) // 2 for have, want in zip(image.shape, MIDDLE, strict=False))
        yield index, path.name, np.ascontiguousarray(image[top : top + MIDDLE[0], left : left + MIDDLE[1]])


def rendered(folder: Path, preset: str, half: int, limit: int | None) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, rainy picture (rounded to 8 bits) and clean one, with rain of a preset over one half.

    The rain over a photograph is always the same, whatever the limit.
    """
    for index, name, clean in halved(folder, half, limit):
        rng = np.random.default_rng([RENDERED_SEED, RENDERED.index(preset), index])
        rainy = add_rain(clean, RainSpec(**draw_fields(preset, rng)), rng).rainy
        yield name, np.rint(rainy * 255).astype(np.uint8), clean


def run(image: np.ndarray, angle: float | None = None) -> tuple[Decomposition, np.ndarray, float]:
    """Derain an image; returns the result, its background rounded as in a file of 8 bits, and the seconds it took."""
    start = time.perf_counter()
    result = derain(image, angle=angle)
    seconds = time.perf_counter() - start
    return result, np.rint(np.asarray(result.background) * 255).astype(np.uint8), seconds


def grey(image: np.ndarray) -> np.ndarray:
    """Return the luminance of an image, (H, W) in [0, 1]."""
    return np.asarray(luminance(split_channels(image).colour))


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


def print_sets(sets: dict[str, dict[str, Any]]) -> None:
    """Print the tables of the paired sets."""
    rows = []
    for name, s in sets.items():
        dry = zip(s["psnr"].values(), s["ssim"].values(), strict=True)
        cells = [f"{db:.2f} / {similar:.4f}" for db, similar in dry]
        cost = s["seconds"]["estimated_angle"], s["iterations"]["estimated_angle"]
        rows.append((name, s["pictures"], *cells, f"{cost[0]:.3f}", f"{cost[1]:.0f}"))
    header = ("set", "pictures", "input", "angle known", "angle estimated", "s / picture", "iterations")
    print_table("PSNR / SSIM on Y (MATLAB)", header, rows)
    rows = []
    for name, s in sets.items():
        e = s["angle_error"]
        if e["mean"] is not None:
            within = [f"{100 * e[f'within_{limit:g}']:.0f} %" for limit in CLOSE]
            rows.append((name, f"{e['mean']:.2f}", f"{e['median']:.2f}", f"{e['worst']:.1f}", *within))
    shares = (f"within {limit:g}" for limit in CLOSE)
    print_table("Error of the estimated angle, degrees", ("set", "mean", "median", "worst", *shares), rows)


def print_rendered(sets: dict[str, dict[str, Any]]) -> None:
    """Print the table of the rendered rain."""
    rows = [
        (
            name,
            s["pictures"],
            s["left_alone"],
            *(f"{s['psnr'][key]:.2f} / {s['ssim'][key]:.4f}" for key in ("input", "derained")),
            f"{s['gain']:+.2f}",
            f"{s['seconds']:.3f}",
        )
        for name, s in sets.items()
    ]
    header = ("preset", "pictures", "left alone", "input", "angle estimated", "gain, dB", "s / picture")
    print_table("Rain rendered over every second clean photograph: PSNR / SSIM on Y (MATLAB)", header, rows)


def print_clean(clean: dict[str, Any]) -> None:
    """Print the table of the clean photographs."""
    rows = [
        (
            name,
            clean["pictures"],
            clean["left_alone"],
            f"{c['mean']:.2f}",
            "" if c["mean_of_changed"] is None else f"{c['mean_of_changed']:.2f}",
            ", ".join(f"{w['psnr']:.1f} ({w['name']})" for w in c["worst"]),
        )
        for name, c in (("RGB", clean["rgb"]), ("Y", clean["y"]))
    ]
    header = ("on", "pictures", "left alone", "mean", "mean of changed", "worst")
    print_table(f"Clean photographs: PSNR of derain(x) against x, {INF_DB:g} where left alone", header, rows)


def main(arguments: list[str] | None = None) -> None:
    """Measure the sets in a folder."""
    options = parser(__doc__, "quality")
    options.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder as described above")
    options.add_argument("--sheet", type=Path, metavar="FILE.png", help="write a contact sheet of all paired pictures")
    options.add_argument("--limit", type=positive, metavar="N", help="the first N pictures of each set only")
    chosen = options.parse_args(arguments)
    sets_folder, clean_folder = chosen.data / "pairs", chosen.data / "clean"
    if not sets_folder.is_dir() and not clean_folder.is_dir():
        options.error("--data must hold a folder 'pairs' or a folder 'clean'; see --help")

    derain(
        np.zeros((64, 64, 3), np.uint8), angle=0.0
    )  # loads the kernels, so that the first picture is timed as the others
    sets, rows = {}, []
    for folder in sorted(path for path in sets_folder.iterdir() if path.is_dir()) if sets_folder.is_dir() else ():
        measured = [measure_pair(*pair) for pair in pairs(folder, chosen.limit)]
        if measured:
            sets[folder.name] = summarise([result for result, _ in measured])
            rows += [Row(row.images, [f"{folder.name}/{row.captions[0]}", *row.captions[1:]]) for _, row in measured]
    results: dict[str, Any] = {"benchmark": "quality", "protocol": PROTOCOL, "sets": sets}
    if sets:
        print_sets(sets)
    if clean_folder.is_dir() and pictures(clean_folder):
        results["clean"] = measure_clean(clean_folder, chosen.limit)
        print_clean(results["clean"])
        measured_presets = {preset: measure_rendered(clean_folder, preset, chosen.limit) for preset in RENDERED}
        results["rendered"] = {preset: s for preset, s in measured_presets.items() if s["pictures"]}
        if results["rendered"]:
            print_rendered(results["rendered"])
    if chosen.sheet and rows:
        write_sheet(chosen.sheet, rows)
    finish(results, chosen.json)


if __name__ == "__main__":
    main()
