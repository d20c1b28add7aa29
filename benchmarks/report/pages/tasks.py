"""What deraining does to those who look at the pictures next: detectors and readers."""

from __future__ import annotations

from typing import Any

from benchmarks.report.blocks import Page, Plot, Section, Table, page_of
from benchmarks.report.figures import SPACE, places, plain
from benchmarks.report.names import heading, of_method
from benchmarks.report.plots.detections import draw
from benchmarks.report.reading import Result, Results, items, number, pairs, word

QUESTION = "Do programs that look at pictures see more after deraining?"
FIRST = ("precision", "recall", "f1")
INPUT, RAINY, CLEAN = "input", "rainy", "clean"
HEADLINES = ("f1", "words_right")  # of each task the one that it has: more is better
SHARES = 1.0  # what no share is above


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
    sections: list[Section | None] = [_section(task, result, plot if k == 0 else None) for k, task in enumerate(tasks)]
    text = (
        "Programs that were made for dry pictures, shown photographs in the rain and derained, and without rain "
        "where there is such a picture. Precision is the share of what is reported that is there, recall the share "
        "of what is there that is reported, and F1 their harmonic mean; 1 is the best of each. Brackets hold 95 % of "
        "drawings of as many scenes; a star marks what differs from the rainy pictures in 95 % of the drawings, "
        "scene by scene."
    )
    return page_of("tasks", "Detectors and readers in the rain", QUESTION, text, sections)


def headline(task: Any) -> tuple[str, dict[str, float]]:
    """Return the figure of a task that says most, and what it is by what is shown."""
    for key in HEADLINES:
        found = {word(row, INPUT): value for row in items(task, "rows") if (value := number(row, key)) is not None}
        if found:
            return key, found
    return "", {}


def _points(task: Any) -> dict[str, Any]:
    points = {}
    for row in items(task, "rows"):
        recall, precision = number(row, "recall"), number(row, "precision")
        if recall is not None and precision is not None:
            points[word(row, INPUT)] = [recall, precision]
    return {"task": word(task, "task"), "points": points}


def _section(task: Any, result: Result, plot: Plot | None) -> Section:
    rows = items(task, "rows")
    keys = list(dict.fromkeys(key for row in rows for key, value in pairs(row) if number(value) is not None))
    keys.sort(key=lambda key: FIRST.index(key) if key in FIRST else len(FIRST))
    table = Table.of(
        ("shown", *(heading(key) for key in keys)),
        ((of_method(word(row, INPUT)), *(_cell(row, key) for key in keys)) for row in rows),
    )
    counts = [f"{plain(value)} {key}" for key in ("pictures", "people", "words") if (value := number(task, key))]
    truth = word(task, "truth")
    title = word(task, "task") or "a task"
    key, found = headline(task)
    worse = [
        of_method(name)
        for name, value in found.items()
        if name not in (RAINY, CLEAN) and RAINY in found and value <= found[RAINY]
    ]
    return Section(
        title[:1].upper() + title[1:],
        f"Over {', '.join(counts) or 'some pictures'}{f'; the truth is {truth}' if truth else ''}.",
        table,
        (result,),
        plot,
        limits=f"Not better than the rainy pictures by {heading(key)}: {', '.join(worse)}." if worse else "",
    )


def _cell(row: Any, key: str) -> str:
    value, ends = number(row, key), [number(end) for end in items(row, "intervals", key)]
    if value is None:
        return ""
    whole = value > SHARES and value == int(value) and not ends
    told = plain(value) if whole else places(value, 2)
    if len(ends) == 2 and None not in ends:
        told += f" [{places(ends[0], 2)},{SPACE}{places(ends[1], 2)}]"
    gains = [number(end) for end in items(row, "gains", key)]
    sure = len(gains) == 3 and ((gains[1] or 0.0) > 0 or (gains[2] or 0.0) < 0)
    return f"{told} \\*" if sure else told
