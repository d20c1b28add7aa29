"""Scores of methods by set: a row for each set, a shape for each method."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.report.names import of_method, of_set
from benchmarks.report.plots.style import GRID, looks, only_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LANE = 0.14  # inches: more than two methods of a set lie beneath each other, so that none hides another
GAP = 0.25  # inches between sets
COLUMNS = 3  # of the legend


def draw(data: dict[str, Any]) -> Figure:
    """Draw the dots of each set, on a band from its least to its greatest."""
    from matplotlib.figure import Figure

    rows = data["dots"]
    names = list(dict.fromkeys(name for row in rows for name in row["values"]))
    styles = looks(names)
    lines = -(-len(names) // COLUMNS)
    count = len(names) if len(names) > 2 else 1
    figure = Figure(figsize=(8, (LANE * count + GAP) * len(rows) + 0.25 * lines + 0.9))
    axes = figure.add_subplot()
    step = LANE / (LANE * count + GAP)
    lanes = {name: step * (k % count - (count - 1) / 2) for k, name in enumerate(names)}
    for at, row in enumerate(rows):
        values, ends = (
            row["values"].values(),
            [at + min(lanes.values()) - step / 2, at + max(lanes.values()) + step / 2],
        )
        axes.fill_betweenx(ends, min(values), max(values), color=GRID, alpha=0.45, linewidth=0, zorder=1)
    for name in names:
        colour, marker = styles[name]
        points = [(row["values"][name], at + lanes[name]) for at, row in enumerate(rows) if name in row["values"]]
        xs, ys = zip(*points, strict=True)
        axes.scatter(
            xs,
            ys,
            s=48,
            color=colour,
            marker=marker,
            label=of_method(name),
            zorder=2,
            edgecolors="white",
            linewidths=0.6,
        )
    axes.set_yticks(range(len(rows)), [of_set(row["row"]).replace("`", "") for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.margins(x=0.06)
    axes.set_xlabel(data["axis"])
    only_rows(axes)
    figure.legend(loc="outside upper center", ncols=min(COLUMNS, len(names)), fontsize=9)
    return figure
