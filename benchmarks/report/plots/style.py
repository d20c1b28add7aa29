"""How plots look, and how they become bytes that are the same each time.

Colours are those of Okabe and Ito, which colour-blind people can tell apart; shapes differ as well. The ground is
white, so that a plot reads the same on light and on dark pages.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MISSING = "plots need matplotlib, which is not installed: pip install 'rainopt[docs]'"
INK, FAINT, GRID = "#222222", "#777777", "#dddddd"
GREY, BLUE, ORANGE, GREEN, PURPLE, SKY, RED = (
    "#777777",
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
)
# What is always drawn alike; others take what is left, in turn.
KNOWN = {
    "input": (GREY, "o"),
    "rainy": (GREY, "o"),
    "clean": (INK, "*"),
    "rainopt": (BLUE, "s"),
    "refine": (GREEN, "D"),
    "udgnet-small": (ORANGE, "^"),
    "network, rainopt's angle": (ORANGE, "^"),
}
OTHERS = ((PURPLE, "v"), (RED, "P"), (SKY, "X"), (INK, "<"), (PURPLE, ">"), (RED, "h"), (SKY, "p"))
SETTINGS: dict[str, Any] = {
    "svg.fonttype": "path",
    "svg.hashsalt": "rainopt",
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "figure.constrained_layout.use": True,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in our style, whatever the user's own settings of matplotlib are.

    Raises
    ------
    ImportError
        If matplotlib is not installed; the message says how to install it.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError(MISSING) from error
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        settings: Any = matplotlib.rcParams
        settings.update(SETTINGS)
        yield


def svg(draw: Callable[[Any], Figure], data: Any, description: str) -> bytes:
    """Return a plot as SVG that holds no date and no version, with a description."""
    with styled():
        from matplotlib.backends.backend_svg import FigureCanvasSVG

        figure = draw(data)
        FigureCanvasSVG(figure)
        file = io.BytesIO()
        metadata = {"Date": None, "Creator": None, "Description": description}
        figure.savefig(file, format="svg", metadata=metadata)
    return b"\n".join(line.rstrip() for line in file.getvalue().splitlines()) + b"\n"


def looks(names: list[str]) -> dict[str, tuple[str, str]]:
    """Return colour and shape of each method."""
    others = [name for name in names if name not in KNOWN]
    return {name: KNOWN.get(name) or OTHERS[others.index(name) % len(OTHERS)] for name in names}


def only_rows(axes: Axes) -> None:
    """Take away what a plot of rows does not need: ticks and lines of the rows."""
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
