"""What is left of rain in real photographs, which have no truth: traces where the clear streaks were.

DIR/photos holds rainy photographs. Clear streaks are found in each rainy picture alone, with `rainopt`'s own eyes (see
benchmarks/rain/clear_streaks.py); where no rain is seen, or fewer than 8 streaks are clear, the picture is left out and
counted. Across the same streaks, with 8 bits a channel as in a file, in the input and in each result, as shares in
[0, 1] of the luminance contrast that the streaks of the picture had, over what is 4 to 6 pixels to either side (see
benchmarks/rain/streak_profiles.py):

left     contrast that is still bright: 1 in the input, 0 where rain is gone
dark     what is darker than both sides
chroma   contrast of the channels less luminance, root mean square over the channels; beside it the same over that of
         the input: above 1, streaks have got a colour that the rain had not

Streaks that are 5 pixels wide and more, near the camera, are measured by themselves, at half the size (see
benchmarks/rain/wide_streaks.py), in photographs that show at least 4.

All are means over photographs. Even a perfect result is not at 0: the scene under a streak has a contrast of its own.
The truths of DIR/pairs, where these are there, tell how much that is. And they are fooled: a black picture has no
traces, a blurred one few, a smeared one fewer than a truthful one. What is kept more than 8 pixels away from all that
may be rain is told beside them:

detail   of the gradients of the input's luminance, 1 for the same picture, 0 for a flat one
PSNR     against the input in dB, 100 for the same picture; removing rain that was not found costs some

  python -m benchmarks.traces --data DIR --json results.json --sheet worst.png
  python -m benchmarks.traces --data DIR --model runs/mine --folder theirs=results/
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import finish, print_table
from benchmarks.options import MODEL, Data, Json, Limit, Sheet, benchmark
from benchmarks.pictures import pairs, pictures, sets_of_pairs, to_bytes
from benchmarks.rain.clear_streaks import FEWEST, Found, find_streaks
from benchmarks.rain.kept import away_from, kept_of
from benchmarks.rain.streak_profiles import Amounts, amounts_of, shares, traces_of
from benchmarks.rain.wide_streaks import FEWEST as FEWEST_WIDE
from benchmarks.rain.wide_streaks import find_wide, halved
from rainnet.evaluate.methods import Results, find_methods
from rainopt import read_image
from rainopt.app.sheet import Row, write_sheet
from rainopt.direction.planes import reduction

INPUT = "input"
SHOWN = 24  # crops of the sheet
CROP = (80, 120)  # pixels, shown at 200 %
TRACES = ("left", "dark", "chroma")

Models = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="NAME", help="A file, or a network that ships; may be given several times."),
]
Folders = Annotated[
    list[str] | None,
    typer.Option("--folder", metavar="[NAME=]DIR", help="Results under the same names; may be given several times."),
]


@benchmark(__doc__)
def main(
    data: Data,
    model: Models = None,
    folder: Folders = None,
    limit: Limit = None,
    sheet: Sheet = None,
    target: Json = None,
) -> None:
    """Measure all photographs."""
    photos = pictures(data / "photos", limit) if (data / "photos").is_dir() else []
    if not photos:
        raise typer.BadParameter("--data must hold photographs in a folder 'photos'; see --help")
    if sheet and sheet.suffix.lower() != ".png":
        raise typer.BadParameter(f"--sheet must end in .png, got '{sheet}'")
    methods = methods_of(model or [MODEL])
    folders: dict[str, dict[str, Path]] = {}
    for one in folder or ():
        name, files = results_in(one, photos)
        if name in methods or name in folders:
            raise typer.BadParameter(f"--folder must have a name of its own, and there is a '{name}': NAME=DIR")
        folders[name] = files
    each: dict[str, Any] = {}
    wide: dict[str, Any] = {}
    left_out: dict[str, list[str]] = {"no rain seen": [], f"fewer than {FEWEST} clear streaks": []}
    worst: list[tuple[float, Row]] = []
    failed: list[str] = []
    for photo in photos:
        try:
            rainy = read_image(photo)
            others = {name: result_of(files[photo.stem], rainy) for name, files in folders.items()}
        except ValueError as error:
            failed.append(photo.name)
            print(f"{photo.name}: failed, {error}", file=sys.stderr, flush=True)
            continue
        found = find_streaks(rainy)
        if not found.directions or len(found.clear.row) < FEWEST:
            list(left_out.values())[bool(found.directions)].append(photo.name)
            continue
        results = {name: rounded(method(rainy)) for name, method in methods.items()} | others
        each[photo.name], amounts = measured(rainy, results, found)
        worst.append(crops(photo.name, results, found, amounts))
        near = of_wide(rainy, results)
        if near is not None:
            wide[photo.name] = near
        left = ", ".join(f"{name} {value['left']:.2f}" for name, value in each[photo.name]["methods"].items())
        print(f"{photo.name}: {len(found.clear.row)} streaks; left: {left}", file=sys.stderr, flush=True)
    if not each:
        why = ", ".join(f"{len(names)} with {reason}" for reason, names in (left_out | {"failures": failed}).items())
        raise typer.BadParameter(f"--data must hold photographs with clear streaks; 'photos' has none: {why}")
    means, truths = means_of(each), of_truths(data, limit)
    report(means, len(each), {why: len(names) for why, names in left_out.items()}, truths)
    of_near = means_of(wide) if wide else {}
    if wide:
        print_table(
            f"Wide streaks of {len(wide)} photographs", ("method", *TRACES, "over input's"), trace_cells(of_near)
        )
    if sheet:
        shown = [row for _, row in sorted(worst, key=lambda one: -one[0])[:SHOWN]]
        write_sheet(sheet, shown, cell=(2 * CROP[1], 2 * CROP[0]))
    found_in = {"photographs": len(each), "means": means, "truths": truths, "left_out": left_out, "each": each}
    found_in |= {"wide": {"photographs": len(wide), "means": of_near, "each": wide}}
    finish({"benchmark": "traces", **found_in, "failed": failed}, target)
    if failed:
        raise typer.Exit(1)


def methods_of(networks: Sequence[str]) -> dict[str, Callable[[np.ndarray], Any]]:
    """Return what derains: the input as it is, `rainopt`, and networks.

    Raises
    ------
    typer.BadParameter
        If a word is no network.
    """
    try:
        found = find_methods([INPUT, "rainopt", *networks], device="cpu")
    except ValueError as error:  # no network of that name, or a file that is none
        raise typer.BadParameter(f"--model: {error}") from None
    methods: dict[str, Callable[[np.ndarray], Any]] = {}
    for one in found:
        if isinstance(one, Results):
            raise typer.BadParameter(f"--model must be a network, '{one.name}' is a folder of pictures: use --folder")
        methods[one.name] = one
    return methods


def results_in(word: str, photos: list[Path]) -> tuple[str, dict[str, Path]]:
    """Return the name of a folder of results, and its files by stem.

    Raises
    ------
    typer.BadParameter
        If there is no such folder, or a photograph has no result in it.
    """
    name, _, place = word.rpartition("=")
    folder = Path(place)
    if not folder.is_dir():
        raise typer.BadParameter(f"--folder must name a folder of results, got '{place}'")
    files = {file.stem: file for file in pictures(folder)}
    missing = [photo.name for photo in photos if photo.stem not in files]
    if missing:
        raise typer.BadParameter(f"--folder must hold a result of each photograph; '{place}' has none of {missing[0]}")
    return name or folder.name, files


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


if __name__ == "__main__":
    main()
