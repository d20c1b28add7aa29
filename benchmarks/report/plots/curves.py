"""Times against the size of the work, on logarithmic axes, with fitted exponents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.report.figures import places
from benchmarks.report.plots.style import BLUE, GREEN, INK, ORANGE, PURPLE, RED, SKY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED, SKY, INK)
MARKERS = "os^DvPX"
COLUMNS = 2
FEW = 50  # times from the least to the most: below it, powers of ten alone would be too few ticks
PANEL = 4.0  # inches, of width and of height


def draw(curves: list[dict[str, Any]]) -> Figure:
    """Draw a panel for each thing that is scaled, with the curves of what was timed."""
    from matplotlib.figure import Figure

    kinds = list(dict.fromkeys(curve["against"] for curve in curves))
    columns = min(COLUMNS, len(kinds))
    lines = -(-len(kinds) // columns)
    figure = Figure(figsize=(8 if columns > 1 else 6.5, PANEL * lines))
    for k, kind in enumerate(kinds):
        axes = figure.add_subplot(lines, columns, k + 1)
        _panel(axes, kind, [curve for curve in curves if curve["against"] == kind])
    return figure


def _panel(axes: Axes, kind: str, curves: list[dict[str, Any]]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

    axes.set_xscale("log")
    axes.set_yscale("log")
    for k, curve in enumerate(curves):
        xs, ys = zip(*curve["points"], strict=True)
        exponent = places(curve["exponent"], 2)
        label = f"{curve['what']}: exponent {exponent}" if exponent else curve["what"]
        colour = COLOURS[k % len(COLOURS)]
        axes.plot(xs, ys, color=colour, marker=MARKERS[k % len(MARKERS)], markersize=5, linewidth=1.5, label=label)
    axes.set_xlabel(kind)
    axes.set_ylabel("median time, s")
    axes.margins(y=0.08)
    sizes = sorted({x for curve in curves for x, _ in curve["points"]})
    if sizes[-1] < 1000 and len(sizes) <= 8:  # threads and frames: those that were measured
        axes.xaxis.set_major_locator(FixedLocator(sizes))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    else:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _short(x)))
        axes.xaxis.set_minor_formatter(NullFormatter())
    times = [y for curve in curves for _, y in curve["points"]]
    few = max(times) < FEW * min(times)
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.0 + 0.075 * len(curves) + 0.02), fontsize=8)


def _short(x: float) -> str:
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if x >= unit:
            return f"{x / unit:g}{name}"
    return f"{x:g}"
