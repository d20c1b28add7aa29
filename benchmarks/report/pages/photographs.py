"""How much rain goes from photographs, and how much of a photograph without rain is lost."""

from __future__ import annotations

from typing import Any

from benchmarks.report.blocks import Page, Plot, Section, Table, page_of
from benchmarks.report.figures import decibels, duration, gain, places, plain, score
from benchmarks.report.names import of_method, of_set, words
from benchmarks.report.plots.dots import draw
from benchmarks.report.reading import Result, Results, items, number, pairs

QUESTION = "How much rain goes, and how much of a photograph without rain is lost?"


def page(found: Results) -> Page | None:
    """Return the page."""
    sections: list[Section | None] = []
    quality, ablation, darker = (found.get(name) for name in ("solver_quality", "ablation", "darker"))
    if quality is not None:
        sections += [_rendered(quality), _sets(quality), _clean(quality)]
    if ablation is not None:
        sections += [_ablation(ablation), _strength(ablation)]
    if darker is not None:
        sections.append(_darker(darker))
    text = (
        "PSNR in decibels and SSIM against the truth, on the luma of MATLAB (`y_matlab`) as the papers measure, of "
        "results rounded to 8 bits. Nothing is set by hand: `rainopt` finds direction and weights from each picture. "
        "Higher is better; a gain is the PSNR of the result less that of the rainy picture."
    )
    return page_of("photographs", "Photographs", QUESTION, text, sections)


def gains(quality: Any) -> dict[str, tuple[float, float]]:
    """Return by preset of rendered rain the PSNR of the rainy pictures and of the derained ones."""
    found = {}
    for preset, one in pairs(quality, "rendered"):
        before, after = number(one, "psnr", "input"), number(one, "psnr", "derained")
        if before is not None and after is not None:
            found[preset] = (before, after)
    return found


def _difference(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before


def _rendered(quality: Result) -> Section:
    rows, dots = [], list[dict[str, Any]]()
    for preset, one in pairs(quality.values, "rendered"):
        before, after = number(one, "psnr", "input"), number(one, "psnr", "derained")
        scores = [score(number(one, "psnr", key), number(one, "ssim", key)) for key in ("input", "derained")]
        counts = [plain(number(one, key)) for key in ("pictures", "left_alone")]
        rows.append((preset, *scores, gain(_difference(after, before)), *counts, duration(number(one, "seconds"))))
        dots += _dot(f"rendered, {preset}", before, after)
    for name, one in pairs(quality.values, "sets"):
        dots += _dot(name, number(one, "psnr", "input"), number(one, "psnr", "estimated_angle"))
    plot = Plot(
        "photographs",
        "PSNR of rainy and of derained pictures, by set",
        {"dots": dots, "axis": "PSNR on luma, dB (higher is better)"},
        draw,
    )
    return Section(
        "Rendered rain",
        "Rain of the presets of `data_tools` over clean photographs that no parameter was chosen on. The truth is "
        "exact, and the rain is ours: pictures of other renderers are in the next table, and real rain is on the "
        "page of [traces](traces.md).",
        Table.of(("preset", "rainy", "derained", "gain, dB", "pictures", "left alone", "time a picture"), rows),
        (quality,),
        plot if dots else None,
    )


def _dot(row: str, before: float | None, after: float | None) -> list[dict[str, Any]]:
    """Return a row of the plot; none where a number is not there."""
    values = {"input": before, "rainopt": after}
    return [] if None in values.values() else [{"row": row, "values": values}]


def _sets(quality: Result) -> Section:
    rows, gained = [], []
    for name, one in pairs(quality.values, "sets"):
        keys = ("input", "known_angle", "estimated_angle")
        before, after = number(one, "psnr", "input"), number(one, "psnr", "estimated_angle")
        error = places(number(one, "angle_error", "median"), 2)
        if before is not None and after is not None:
            gained.append((after - before, name))
        rows.append(
            (
                of_set(name),
                *(score(number(one, "psnr", key), number(one, "ssim", key)) for key in keys),
                gain(_difference(after, before)),
                error,
                plain(number(one, "pictures")),
            )
        )
    least = f"Least is gained in {of_set(min(gained)[1])}. " if gained[1:] else ""
    header = (
        "set",
        "rainy",
        "told the angle",
        "finds the angle",
        "gain, dB",
        "median error of the angle, °",
        "pictures",
    )
    return Section(
        "Pairs of published datasets",
        "Pictures with rain that others rendered. What `rainopt` is told, in the second column of results, is the "
        "direction of the true rain layer.",
        Table.of(header, rows),
        (quality,),
        limits=f"{least}Where rain is a haze rather than streaks, little of it goes. These are means over few "
        "pictures.",
    )


def _clean(quality: Result) -> Section:
    clean = quality.at("clean")
    worst = [number(one, "psnr") for one in items(clean, "y", "worst")]
    rows = [
        ("pictures", plain(number(clean, "pictures"))),
        ("of these left as they are", plain(number(clean, "left_alone"))),
        ("PSNR of those that are changed, mean, dB", decibels(number(clean, "y", "mean_of_changed"))),
        ("PSNR of the worst, dB", decibels(min((one for one in worst if one is not None), default=None))),
        ("time a picture", duration(number(clean, "seconds"))),
    ]
    return Section(
        "Photographs without rain",
        "What deraining does to clean photographs. One in which no rain is seen comes back as it was.",
        Table.of(("what", "measured"), rows),
        (quality,),
        limits="The others lose something: thin bright upright structure of a scene looks like a streak.",
    )


def _ablation(ablation: Result) -> Section:
    sets = pairs(ablation.values, "sets")
    cases = list(dict.fromkeys(case for _, one in sets for case, _ in pairs(one, "psnr")))
    rows = [(words(case), *(decibels(number(one, "psnr", case)) for _, one in sets)) for case in cases]
    clean = [decibels(number(ablation.values, "clean", "psnr", case)) for case in cases]
    rows = [(*row, last) for row, last in zip(rows, clean, strict=True)]
    columns = [one for _, inner in [*sets, ("", ablation.at("clean"))] if (one := dict(pairs(inner, "psnr")))]
    best = sum(number(one, "full") == max(number(value) or 0.0 for value in one.values()) for one in columns)
    return Section(
        "What each ingredient is worth",
        "PSNR in dB with the ingredients of the rain prior taken away one at a time, on pictures that parameters "
        "were chosen on; the last column is what clean photographs keep when rain is said to be there.",
        Table.of(("variant", *(name for name, _ in sets), "clean"), rows),
        (ablation,),
        limits=f"`full` is the best of {best} of the {len(columns)} columns: what serves one kind of rain costs "
        "another, or pictures without rain.",
    )


def _strength(ablation: Result) -> Section:
    sets = [*pairs(ablation.values, "sets"), ("clean", ablation.at("clean"))]
    strengths = list(dict.fromkeys(key for _, one in sets for key, _ in pairs(one, "strength")))
    rows = [(key, *(decibels(number(one, "strength", key)) for _, one in sets)) for key in strengths]
    return Section(
        "The option `--strength`",
        "PSNR in dB when less or more is removed than by default, which is 1.",
        Table.of(("strength", *(name for name, _ in sets)), rows),
        (ablation,),
    )


def _darker(darker: Result) -> Section:
    rows = []
    for name, values in pairs(darker.values, "psnr"):
        found = [number(value) for value in (values if isinstance(values, list) else [])]
        known = [value for value in found if value is not None]
        if known:
            rows.append((of_method(name), decibels(known[0]), decibels(known[-1]), places(max(known) - min(known), 3)))
    return Section(
        "The same pictures, darker",
        "PSNR in dB of the same set at its own brightness and at ever darker exposures, brought back before it is "
        "measured. A method that learned or was tuned at one brightness would fall.",
        Table.of(("method", "as it is", "darkest", "largest difference"), rows),
        (darker,),
        limits=f"Over the set {of_set(str(darker.at('set')))}." if darker.at("set") else "",
    )
