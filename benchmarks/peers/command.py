"""What others offer for the same work: packages, and papers' algorithms written plainly, in one process and one run.

Each task is done by rainopt and by its peers on the same pictures in the same number format, to the same quality or
with the quality told beside the time. Times are medians after an uncounted run; all use one thread, linear algebra of
numpy those that its environment gives it (OMP_NUM_THREADS). A package that is missing is a row that says how to
install it. In turn:

  tv          anisotropic total variation of a noisy photograph until the same energy: prox_tv, scikit-image, and
              pyproximal.
  udg         the UDG energy until the same value: pyproximal, and the paper's ADMM in numpy.
  background  the background of frames in memory, against the truth: FFmpeg's tmedian, numpy, OpenCV's MOG2, and the
              percentile of SPANet pixel by pixel.
  angle       the angle of rendered rain: TILT as in its paper, the structure tensor of scikit-image.
  stills      rain of photographs: a median across the streaks, bilateral and guided filters, UDG as it is printed.
              With --data also the first pairs of each set of DIR/pairs.

  python -m benchmarks.peers --json results.json
  python -m benchmarks.peers --only tv --only udg --repeat 9
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer

from benchmarks.common import finish, print_table
from benchmarks.options import Json, OptionalData, Repeat, benchmark
from benchmarks.peers.angle import angle
from benchmarks.peers.background import background
from benchmarks.peers.rows import one_thread
from benchmarks.peers.stills import stills
from benchmarks.peers.total_variation import total_variation
from benchmarks.peers.udg import udg


class Task(StrEnum):
    """What can be asked for alone."""

    TV = "tv"
    UDG = "udg"
    BACKGROUND = "background"
    ANGLE = "angle"
    STILLS = "stills"


@benchmark(__doc__)
def main(
    repeat: Repeat = 5,
    only: Annotated[
        list[Task] | None, typer.Option(metavar="|".join(Task), help="This task alone; may be given again.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small pictures, about a minute.")] = False,
    data: OptionalData = None,
    target: Json = None,
) -> None:
    """Run the tasks that were asked for."""
    tasks: dict[Task, Callable[[int, bool], list[dict[str, Any]]]] = {
        Task.TV: total_variation,
        Task.UDG: udg,
        Task.BACKGROUND: background,
        Task.ANGLE: angle,
        Task.STILLS: partial(stills, data=data),
    }
    done: list[dict[str, Any]] = []
    with one_thread():
        for name, run in tasks.items():
            if name in (only or tasks):
                found = run(repeat, quick)
                for one in found:
                    show(one)
                done += found
    finish({"benchmark": "peers", "quick": quick, "tasks": done}, target)


def show(task: dict[str, Any]) -> None:
    """Print the table of a task."""
    rows: list[tuple[object, ...]] = []
    for row in (task["ours"], *task["peers"]):
        if row.get("missing"):
            rows.append((row["name"], "", "", "", row["missing"]))
            continue
        name = f"{row['name']} (plain)" if row.get("plain") else row["name"]
        spread = f"{row['min_s']:.4f} to {row['max_s']:.4f}"
        rows.append((name, f"{row['median_s']:.4f}", spread, f"{row.get('times_ours', 1.0):.2f}", told(row["result"])))
    print_table(f"{task['task']}: {task['work']}", ("", "seconds", "from, to", "times ours", "result"), rows)


def told(result: dict[str, Any]) -> str:
    """Return a result in words."""
    parts = []
    for name, value in result.items():
        if isinstance(value, dict):
            parts += [f"{key} {number:.2f}" for key, number in value.items()]
        else:
            parts.append(f"{name} {value:.5g}" if isinstance(value, float) else f"{name} {value}")
    return ", ".join(parts).replace("_", " ")
