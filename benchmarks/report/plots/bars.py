"""How many times longer peers take: bars from 1, on a logarithmic axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from benchmarks.report.plots.style import BLUE, FAINT, INK, ORANGE, RED, only_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW = 0.34  # inches a bar
SLOWER, FASTER, PLAIN = BLUE, RED, ORANGE
EDGE = 0.012  # of the width of the figure
TICKS = 6  # at most
ROOM = 0.35  # of the axis, on top of its range
GROUND = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
HEAD = 0.75  # rows that the name of a task takes


def draw(bars: list[dict[str, Any]]) -> Figure:
    """Draw a bar for each peer, under the names of their tasks."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
    from matplotlib.transforms import blended_transform_factory

    tasks = list(dict.fromkeys(bar["task"] for bar in bars))
    height = ROW * (len(bars) + (HEAD + 0.5) * len(tasks)) + 1.1
    figure = Figure(figsize=(8, height))
    axes = figure.add_subplot()
    axes.set_xscale("log")
    across = blended_transform_factory(figure.transFigure, axes.transData)
    places, names, at = [], [], 0.0
    for task in tasks:
        # From the left edge of the figure, over the line at 1, which is not to be seen through the words.
        head = axes.text(EDGE, at, task, transform=across, weight="bold", va="center", color=INK, bbox=GROUND, zorder=3)
        head.set_in_layout(False)
        at += HEAD + 0.1
        for bar in (bar for bar in bars if bar["task"] == task):
            colour = FASTER if bar["ratio"] < 1 else PLAIN if bar["plain"] else SLOWER
            axes.barh(at, bar["ratio"] - 1, left=1, height=0.7, color=colour)
            end = max(bar["ratio"], 1)
            axes.annotate(
                bar["label"], (end, at), xytext=(5, 0), textcoords="offset points", va="center", fontsize=9, bbox=GROUND
            )
            places.append(at)
            names.append(bar["name"])
            at += 1
        at += 0.4
    ratios = [bar["ratio"] for bar in bars]
    least, most = min(1.0, *ratios), max(2.0, *ratios)
    # Room for the labels to the right of the longest bar.
    axes.set_xlim(least / 1.3, most * 10 ** (ROOM * max(math.log10(most / least), 0.5)))
    axes.set_ylim(at - 0.3, -0.8)
    axes.set_yticks(places, names)
    axes.axvline(1, color=INK, linewidth=1)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if most / least > 30 else (1.0, 2.0, 5.0), numticks=TICKS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,g}×"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("median time over that of rainopt, logarithmic; the line at 1× is rainopt")
    only_rows(axes)
    axes.tick_params(axis="x", colors=FAINT, labelcolor=INK)
    shown = [
        (SLOWER, "slower than rainopt", any(bar["ratio"] >= 1 and not bar["plain"] for bar in bars)),
        (PLAIN, "slower, a plain re-implementation", any(bar["ratio"] >= 1 and bar["plain"] for bar in bars)),
        (FASTER, "faster than rainopt", any(bar["ratio"] < 1 for bar in bars)),
    ]
    handles = [Patch(color=colour, label=label) for colour, label, there in shown if there]
    if len(handles) > 1:
        figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), fontsize=9)
    return figure
