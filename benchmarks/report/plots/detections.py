"""Precision against recall of detectors, a panel for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.report.names import of_method
from benchmarks.report.plots.style import GRID, looks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL = 4.0  # inches
COLUMNS = 2
LEVELS = (0.2, 0.4, 0.6, 0.8)  # of F1, as lines


def draw(tasks: list[dict[str, Any]]) -> Figure:
    """Draw what each task finds by what it is shown, over lines of equal F1."""
    import numpy as np
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(name for task in tasks for name in task["points"]))
    styles = looks(names)
    columns = min(COLUMNS, len(tasks))
    lines = -(-len(tasks) // columns)
    figure = Figure(figsize=(PANEL * columns if columns > 1 else 5.5, PANEL * lines + 0.5))
    handles: dict[str, Any] = {}
    for k, task in enumerate(tasks):
        axes = figure.add_subplot(lines, columns, k + 1)
        for level in LEVELS:
            recall = np.linspace(level / (2 - level), 1, 100)
            precision = level * recall / (2 * recall - level)
            axes.plot(recall, precision, color=GRID, linewidth=1, zorder=0)
            axes.annotate(
                f"F1 {level:g}", (1, precision[-1]), xytext=(3, 0), textcoords="offset points", fontsize=8, va="center"
            )
        for name, (recall_of, precision_of) in task["points"].items():
            colour, marker = styles[name]
            handles[name] = axes.scatter(
                [recall_of],
                [precision_of],
                s=160 if marker == "*" else 70,
                color=colour,
                marker=marker,
                edgecolors="white",
                linewidths=0.8,
                zorder=2,
            )
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(-0.03, 1.03)
        axes.set_xlabel("recall")
        axes.set_ylabel("precision")
        axes.set_title(task["task"], fontsize=10)
        axes.grid(visible=False)
    figure.legend(
        list(handles.values()), [of_method(name) for name in handles], loc="outside upper center", ncols=4, fontsize=9
    )
    return figure
