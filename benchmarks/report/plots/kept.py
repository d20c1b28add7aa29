"""What is left of rain against what is kept of the scene: photographs as faint points, means as large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.report.names import of_method
from benchmarks.report.plots.style import GREEN, looks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INPUT = "input"


def draw(data: dict[str, Any]) -> Figure:
    """Draw methods in the plane of both shares, in percent."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5))
    axes = figure.add_subplot()
    names = [name for name in data["means"] if name != INPUT]  # which is at 100 % of both, and far away
    styles = looks(names)
    if data["perfect"]:
        least, most = (100 * limit for limit in (min(data["perfect"]), max(data["perfect"])))
        axes.axvspan(least, most, color=GREEN, alpha=0.13, linewidth=0, label="what truths of pairs score", zorder=0)
    for name in names:
        colour, marker = styles[name]
        each = data["each"].get(name, [])
        if each:
            xs, ys = ([100 * point[k] for point in each] for k in (0, 1))
            axes.scatter(xs, ys, s=16, color=colour, marker=marker, alpha=0.35, linewidths=0, zorder=1)
    for name in names:
        colour, marker = styles[name]
        left, detail = (100 * share for share in data["means"][name])
        label = f"{of_method(name)}, mean"
        axes.scatter(
            [left],
            [detail],
            s=150,
            color=colour,
            marker=marker,
            edgecolors="white",
            linewidths=1.2,
            label=label,
            zorder=3,
        )
    axes.set_xlabel("left of the contrast of clear streaks, % (lower is better; the rainy picture: 100)")
    axes.set_ylabel("detail kept elsewhere, % (higher is better; the rainy picture: 100)")
    axes.set_xlim(left=0)
    figure.legend(loc="outside upper center", ncols=3, fontsize=9)
    return figure
