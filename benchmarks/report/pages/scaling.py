"""How time grows with the size of the work: measured points and fitted exponents."""

from __future__ import annotations

import math
from typing import Any

from benchmarks.report.blocks import Page, Plot, Section, Table, page_of
from benchmarks.report.figures import duration, places, plain
from benchmarks.report.names import words
from benchmarks.report.plots.curves import draw
from benchmarks.report.reading import Result, Results, items, number, pairs, word

QUESTION = "How do times grow with pixels, frames and threads?"
Curve = dict[str, Any]


def page(found: Results) -> Page | None:
    """Return the page."""
    scaling, irnn = found.get("scaling"), found.get("net_irnn")
    sections: list[Section | None] = []
    curves = ([] if scaling is None else _curves(scaling)) + ([] if irnn is None else _recurrence(irnn))
    plot = Plot("scaling", "Time against the size of the work, with fitted exponents", curves, draw) if curves else None
    if scaling is not None:
        sections.append(_section(scaling, _curves(scaling), "What grows how", plot))
    if irnn is not None:
        own = plot if scaling is None or not _curves(scaling) else None
        sections.append(_section(irnn, _recurrence(irnn), "The recurrence of SPANet", own))
    text = (
        "An exponent of 1 means twice the time for twice the work, 2 four times. Against threads, −1 would be half "
        "the time for twice the threads, and 0 no use of them. Exponents are fitted to the logarithms of all points "
        "of a curve."
    )
    return page_of("scaling", "Scaling", QUESTION, text, sections)


def _curves(scaling: Result) -> list[Curve]:
    curves = []
    for one in items(scaling.values, "curves"):
        points = [
            [x, y]
            for point in items(one, "points")
            if (x := number(point, "x") or 0.0) > 0 and (y := number(point, "median_s") or 0.0) > 0
        ]
        curves.append(_curve(word(one, "what"), word(one, "against"), points, number(one, "exponent")))
        curves[-1]["error"] = number(one, "exponent_error")
    return [curve for curve in curves if curve["points"]]


def _recurrence(irnn: Result) -> list[Curve]:
    found: dict[str, list[list[float]]] = {}
    for side, one in pairs(irnn.values, "sizes"):
        for name, measured in pairs(one):
            seconds = number(measured, "wall_s")
            if side.isdecimal() and int(side) > 0 and seconds is not None and seconds > 0:
                found.setdefault(name, []).append([float(side) ** 2, seconds])
    slopes = irnn.at("slopes")
    return [
        _curve(f"recurrence of SPANet, {name}", "pixels", points, number(slopes, name))
        for name, points in found.items()
    ]


def _curve(what: str, against: str, points: list[list[float]], exponent: float | None) -> Curve:
    return {"what": words(what), "against": against or "size", "points": sorted(points), "exponent": exponent}


def _section(result: Result, curves: list[Curve], title: str, plot: Plot | None) -> Section:
    rows = []
    for curve in curves:
        (first, least), (last, most) = curve["points"][0], curve["points"][-1]
        exponent, error = places(curve["exponent"], 2), places(curve.get("error"), 2)
        rows.append(
            (
                curve["what"],
                curve["against"],
                f"{exponent} ± {error}" if exponent and error else exponent,
                f"{duration(least)} at {plain(first, max(3, _digits(first)))}",
                f"{duration(most)} at {plain(last, max(3, _digits(last)))}",
                plain(float(len(curve["points"]))),
            )
        )
    header = ("what", "against", "exponent", "least", "most", "points")
    limits = (
        "An exponent that is fitted to a few points of one machine says how times grow between them, and not beyond."
    )
    return Section(
        title,
        "Median times over the range that was measured.",
        Table.of(header, rows, names=2),
        (result,),
        plot,
        limits,
    )


def _digits(value: float) -> int:
    return 0 if value < 1 else math.floor(math.log10(value)) + 1
