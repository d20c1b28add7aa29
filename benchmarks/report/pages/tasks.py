"""What deraining does to those who look at the pictures next: detectors and readers."""

from __future__ import annotations

from typing import Any

from benchmarks.report.blocks import Page, Plot, Section, Table, page_of
from benchmarks.report.figures import places, plain
from benchmarks.report.names import of_method, words
from benchmarks.report.plots.detections import draw
from benchmarks.report.reading import Result, Results, at, items, number, pairs, word

QUESTION = "Do programs that look at pictures see more after deraining?"
MEASURES = ("precision", "recall", "f1")
INPUT = "input"


def page(found: Results) -> Page | None:
    """Return the page."""
    result = found.get("tasks")
    if result is None:
        return None
    tasks = items(result.values, "tasks")
    points = [one for task in tasks if (one := _points(task))["points"]]
    plot = (
        Plot("tasks", "Precision against recall of detectors, by what they are shown", points, draw) if points else None
    )
    sections: list[Section | None] = []
    for k, task in enumerate(tasks):
        sections.append(_section(task, result, plot if k == 0 else None))
    text = (
        "Programs that were made for dry pictures, shown photographs without rain, with rendered rain, and derained. "
        "Precision is the share of what is reported that is there, recall the share of what is there that is "
        "reported, and F1 their harmonic mean; 1 is the best of each."
    )
    return page_of("tasks", "Detectors and readers in the rain", QUESTION, text, sections)


def _points(task: Any) -> dict[str, Any]:
    points = {}
    for row in items(task, "rows"):
        recall, precision = number(row, "recall"), number(row, "precision")
        if recall is not None and precision is not None:
            points[word(row, INPUT)] = [recall, precision]
    return {"task": word(task, "task"), "points": points}


def _section(task: Any, result: Result, plot: Plot | None) -> Section:
    rows = items(task, "rows")
    keys = list(dict.fromkeys(key for row in rows for key, value in pairs(row) if key != INPUT and not _nested(value)))
    keys.sort(key=lambda key: MEASURES.index(key) if key in MEASURES else len(MEASURES))
    table = Table.of(
        ("shown", *(words(key).replace("f1", "F1") for key in keys)),
        ((of_method(word(row, INPUT)), *(_cell(at(row, key), key) for key in keys)) for row in rows),
    )
    count = plain(number(task, "pictures"))
    title = word(task, "task") or "a task"
    better = {word(row, INPUT): number(row, "f1") for row in rows}
    worse = _worse(better)
    return Section(
        title[:1].upper() + title[1:],
        f"Over {count} pictures." if count else "",
        table,
        (result,),
        plot,
        limits=f"Not better than the rainy pictures themselves: {', '.join(of_method(one) for one in worse)}."
        if worse
        else "",
    )


def _worse(scores: dict[str, float | None]) -> list[str]:
    """Return what is no better than the rainy pictures."""
    rainy = scores.get("rainy")
    if rainy is None:
        return []
    return [name for name, f1 in scores.items() if name not in ("rainy", "clean") and f1 is not None and f1 <= rainy]


def _nested(value: Any) -> bool:
    return isinstance(value, (dict, list))


def _cell(value: Any, key: str) -> str:
    if isinstance(value, str):
        return value
    return places(number(value), 3) if key in MEASURES else plain(number(value))
