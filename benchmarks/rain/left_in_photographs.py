"""What is left of rain in photographs without truth, streak by streak, and means of it; see `benchmarks.traces`."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import print_table
from benchmarks.pictures import pairs, sets_of_pairs, to_bytes
from benchmarks.rain.clear_streaks import FEWEST, Found, find_streaks
from benchmarks.rain.kept import away_from, kept_of
from benchmarks.rain.streak_profiles import Amounts, amounts_of, shares, traces_of
from benchmarks.rain.wide_streaks import FEWEST as FEWEST_WIDE
from benchmarks.rain.wide_streaks import find_wide, halved
from rainopt import read_image
from rainopt.app.sheet import Row
from rainopt.direction.planes import reduction

INPUT = "input"
CROP = (80, 120)  # pixels, shown at 200 %
TRACES = ("left", "dark", "chroma")


@dataclass(frozen=True)
class LookedAt:
    """Photographs that were looked at.

    Attributes
    ----------
    each, wide
        The numbers of each photograph with clear streaks, and of each with wide ones, by name.
    left_out
        Names of those without, by why.
    failed
        Names of those that could not be read, or whose result could not.
    worst
        How much trace the worst streak of each has, and a row of pictures of it.
    """

    each: dict[str, Any] = field(default_factory=dict)
    wide: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(
        default_factory=lambda: {"no rain seen": [], f"fewer than {FEWEST} clear streaks": []}
    )
    failed: list[str] = field(default_factory=list)
    worst: list[tuple[float, Row]] = field(default_factory=list)


def look_at(
    photos: Sequence[Path],
    methods: Mapping[str, Callable[[np.ndarray], Any]],
    folders: Mapping[str, Mapping[str, Path]] | None = None,
) -> LookedAt:
    """Measure photographs, one line of progress for each.

    Parameters
    ----------
    photos
        Rainy photographs.
    methods
        What derains them, by name; `INPUT` among them.
    folders
        Results that are there, by name and by the photograph's stem.
    """
    looked = LookedAt()
    for photo in photos:
        try:
            rainy = read_image(photo)
            others = {name: result_of(files[photo.stem], rainy) for name, files in (folders or {}).items()}
        except ValueError as error:
            looked.failed.append(photo.name)
            print(f"{photo.name}: failed, {error}", file=sys.stderr, flush=True)
            continue
        found = find_streaks(rainy)
        if not found.directions or len(found.clear.row) < FEWEST:
            list(looked.left_out.values())[bool(found.directions)].append(photo.name)
            continue
        results = {name: rounded(method(rainy)) for name, method in methods.items()} | others
        looked.each[photo.name], amounts = measured(rainy, results, found)
        looked.worst.append(crops(photo.name, results, found, amounts))
        near = of_wide(rainy, results)
        if near is not None:
            looked.wide[photo.name] = near
        left = ", ".join(f"{name} {value['left']:.2f}" for name, value in looked.each[photo.name]["methods"].items())
        print(f"{photo.name}: {len(found.clear.row)} streaks; left: {left}", file=sys.stderr, flush=True)
    return looked


def result_of(file: Path, rainy: np.ndarray) -> np.ndarray:
    """Return a result of a photograph.

    Raises
    ------
    ValueError
        If it cannot be read, or is of another size.
    """
    result = rounded(read_image(file))
    if result.shape[:2] != rainy.shape[:2]:
        raise ValueError(
            f"'{file}' is {result.shape[:2]} pixels and the photograph {rainy.shape[:2]}; name its results"
        )
    return result


def rounded(image: Any) -> np.ndarray:
    """Return a picture as a file would hold it."""
    image = np.asarray(image)
    return to_bytes(image) if image.dtype.kind == "f" else image


def measured(
    rainy: np.ndarray, results: Mapping[str, np.ndarray], found: Found
) -> tuple[dict[str, Any], dict[str, Amounts]]:
    """Return the numbers of one photograph, and the contrasts of its streaks, by method."""
    away = away_from(found.shape, found.likely)
    amounts = {name: amounts_of(rainy, result, found.clear) for name, result in results.items()}
    numbers = {}
    for name, result in results.items():
        kept = kept_of(rainy, result, away)
        numbers[name] = shares(amounts[name])._asdict() | ({} if kept is None else kept._asdict())
    return {"streaks": len(found.clear.row), "away": float(away.mean()), "methods": numbers}, amounts


def of_wide(rainy: np.ndarray, results: Mapping[str, np.ndarray]) -> dict[str, Any] | None:
    """Return the numbers of the wide streaks of one photograph; None where there are too few."""
    half = halved(rainy)
    streaks = find_wide(half)
    if len(streaks.row) < FEWEST_WIDE:
        return None
    found = {name: traces_of(half, halved(result), streaks)._asdict() for name, result in results.items()}
    return {"streaks": len(streaks.row), "methods": found}


def of_truths(data: Path, limit: int | None) -> dict[str, dict[str, float]]:
    """Return by set of pairs the means of what a perfect result scores, and of how many pictures."""
    truths = {}
    for folder in sets_of_pairs(data):
        scores = []
        for _, rainy, clean in pairs(folder, limit):
            streaks = find_streaks(rainy).clear
            if len(streaks.row) >= FEWEST:
                scores.append(traces_of(rainy, clean, streaks))
        if scores:
            means = np.mean(scores, axis=0).tolist()
            truths[folder.name] = {"pictures": len(scores), **dict(zip(TRACES, means, strict=True))}
    return truths


def means_of(each: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return by method the means over photographs, and chroma after over before."""
    names = next(iter(each.values()))["methods"]
    means: dict[str, dict[str, float]] = {}
    for name in names:
        rows = [one["methods"][name] for one in each.values()]
        keys = dict.fromkeys(key for row in rows for key in row)
        means[name] = {key: statistics.fmean(row[key] for row in rows if key in row) for key in keys}
    for mean in means.values():
        before = means[INPUT]["chroma"]
        mean["chroma_ratio"] = mean["chroma"] / before if before > 0 else 1.0
    return means


def crops(
    name: str, results: Mapping[str, np.ndarray], found: Found, amounts: Mapping[str, Amounts]
) -> tuple[float, Row]:
    """Return how much trace the worst streak of a photograph has a pixel, and what is around it at 200 %."""
    others = [one for method, one in amounts.items() if method != INPUT]
    traces = np.sum([one.left + one.dark + one.chroma for one in others], axis=0) / found.clear.length
    k = int(np.argmax(traces))
    height, width = results[INPUT].shape[:2]
    block = reduction(height, width)
    middle = (block * found.clear.row[k], block * found.clear.column[k])
    spans = []
    for at, size, side in zip(middle, (height, width), CROP, strict=True):
        first = int(np.clip(at - side // 2, 0, max(size - side, 0)))
        spans.append(slice(first, first + side))
    shown = [result[tuple(spans)].repeat(2, axis=0).repeat(2, axis=1) for result in results.values()]
    captions = [
        f"{method}: {one.left[k] / one.had[k]:.2f} {one.dark[k] / one.had[k]:.2f} {one.chroma[k] / one.had[k]:.2f}"
        for method, one in amounts.items()
    ]
    title = f"{name}, row {middle[0]:.0f}, column {middle[1]:.0f}; left, dark, chroma"
    return float(traces[k]), Row(shown, captions, title)


def trace_cells(means: Mapping[str, Mapping[str, float]]) -> list[tuple[str, ...]]:
    """Return the cells of each method that tell of traces."""
    return [
        (name, *(f"{mean[key]:.3f}" for key in TRACES), f"{mean['chroma_ratio']:.2f}") for name, mean in means.items()
    ]


def report(
    means: Mapping[str, Mapping[str, float]],
    count: int,
    left_out: Mapping[str, int],
    truths: Mapping[str, Mapping[str, float]],
) -> None:
    """Print the tables."""
    rows = [
        (
            *traces,
            f"{mean['detail']:.3f}" if "detail" in mean else "",
            f"{mean['psnr']:.1f}" if "psnr" in mean else "",
        )
        for traces, mean in zip(trace_cells(means), means.values(), strict=True)
    ]
    without = ", ".join(f"{number} with {why}" for why, number in left_out.items())
    title = f"Traces across clear streaks of {count} photographs, and what is kept elsewhere; left out: {without}"
    print_table(title, ("method", *TRACES, "over input's", "detail", "PSNR"), rows)
    if truths:
        told = [(name, one["pictures"], *(f"{one[key]:.3f}" for key in TRACES)) for name, one in truths.items()]
        print_table("The same of the truths of pairs", ("set", "pictures", *TRACES), told)
