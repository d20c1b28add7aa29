"""How time grows with pixels, frames and threads, each curve with the exponent that fits it.

  solve_udg against pixels               float32 luminance, defaults
  derain, estimate_angle against pixels  a colour photograph, uint8, the angle estimated
  solve_udg against threads              on one picture; an exponent of -1 would be twice as fast on two threads
  percentile_background against frames   480 x 640 RGB uint8, in memory
  derain video against frames            240 x 320 RGB uint8, in memory, as the command does it

Pictures are parts of one photograph with medium rain, at its own resolution, so more pixels are more scene. The solver
stops by its own criterion; its iterations are told beside the seconds. Each time is the median of repeated runs after
a first one; short work is repeated for half a second. The exponent is the slope of the least-squares line through the
logarithms of x and of the least seconds, which other work on the computer disturbs least; its error is the standard
error of that slope, 0 for two points. Work that does not grow, such as starting threads or the reduced size that an
angle is looked for on, flattens a curve: then the slope is of the range that was measured.

  python -m benchmarks.scaling --json scaling.json
  python -m benchmarks.scaling --quick
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import Timing, finish, print_table, rainy_luminance, rainy_photograph, timed
from benchmarks.options import Json, Quick, Repeat, benchmark
from benchmarks.video.clips import rainy_frames
from benchmarks.video.program import derained_by_rainopt
from rainopt import derain, estimate_angle, percentile_background, solve_udg
from rainopt.parallel.threads import num_threads, set_num_threads

SIDES = ((200, 300), (410, 610), (820, 1220), (1640, 2440), (2830, 4240))  # 0.06, 0.25, 1, 4, 12 megapixels
QUICK_SIDES = SIDES[:3]
FRAMES, QUICK_FRAMES = (10, 20, 40, 80, 160), (10, 20, 40)
CLIP, QUICK_CLIP = (15, 30, 60, 120), (4, 8, 16)
HELD = (480, 640)
FILMED, QUICK_FILMED = (240, 320), (160, 240)
QUICK_REPEAT = 2
AT_LEAST = 0.5  # seconds that short work is repeated for
MOST = 30  # repeats of it
ANGLE = 10.0
THREADED = 2  # of the sides: one megapixel


class What(StrEnum):
    """The curves, by what is timed and what it is timed against."""

    SOLVE = "solve_udg/pixels"
    DERAIN = "derain/pixels"
    ANGLE = "estimate_angle/pixels"
    THREADS = "solve_udg/threads"
    BACKGROUND = "percentile_background/frames"
    VIDEO = "derain video/frames"


@dataclass(frozen=True)
class Point:
    """Work of one size: how large it is, what is timed, and what is told of its result."""

    x: int
    run: Callable[[], Any]
    told: Callable[[Any], dict[str, Any]] = lambda result: {}


def exponent(x: Sequence[float], seconds: Sequence[float]) -> tuple[float, float]:
    """Return the slope of the line through log x and log seconds, and its standard error.

    Parameters
    ----------
    x, seconds
        At least two values each, above 0, the x not all the same.

    Raises
    ------
    ValueError
        If no line can be laid through them.
    """
    if len(x) != len(seconds) or len(set(x)) < 2:
        raise ValueError(f"`x` must hold at least two sizes, and `seconds` a time for each, got {x} and {seconds}")
    across, up = np.log(x), np.log(seconds)
    across = across - across.mean()
    slope = float(across @ up / (across @ across))
    rest = up - up.mean() - slope * across
    free = len(x) - 2
    return slope, float(np.sqrt(rest @ rest / free / (across @ across))) if free else 0.0


def curve(what: str, against: str, points: Iterable[Point], repeat: int) -> dict[str, Any]:
    """Time the points one after another and fit the exponent."""
    found = []
    for point in points:
        first, result = timed(point.run, 1)
        often = max(repeat, min(MOST, int(AT_LEAST / first.median)))
        clock = Timing(first.seconds + timed(point.run, often - 1, warm=0)[0].seconds)
        found.append({"x": point.x, **clock.as_dict(), **point.told(result)})
    slope, error = exponent([one["x"] for one in found], [one["min_s"] for one in found])
    return {"what": what, "against": against, "points": found, "exponent": slope, "exponent_error": error}


def solver_points(quick: bool) -> Iterable[Point]:
    """Yield the solver on larger and larger pictures."""
    for height, width in QUICK_SIDES if quick else SIDES:
        O = rainy_luminance(height, width)
        yield Point(O.size, partial(solve_udg, O), _iterations)


def _iterations(solution: Any) -> dict[str, Any]:
    return {"iterations": solution.iterations}


def picture_points(run: Callable[[np.ndarray], Any], quick: bool) -> Iterable[Point]:
    """Yield a function of a colour picture on larger and larger ones."""
    for height, width in QUICK_SIDES if quick else SIDES:
        yield Point(height * width, partial(run, rainy_photograph(height, width, angle=ANGLE)))


def thread_points(quick: bool) -> Iterable[Point]:
    """Yield the solver on more and more threads, up to those that there are."""
    O = rainy_luminance(*(QUICK_SIDES if quick else SIDES)[1 if quick else THREADED])
    for threads in sorted({1, *(2**k for k in range(1, num_threads().bit_length())), num_threads()}):

        def run(threads: int = threads) -> Any:
            set_num_threads(threads)
            try:
                return solve_udg(O)
            finally:
                set_num_threads(None)

        if threads <= num_threads():
            yield Point(threads, run, _iterations)


def background_points(quick: bool) -> Iterable[Point]:
    """Yield the background of more and more frames."""
    counts = QUICK_FRAMES if quick else FRAMES
    frames = np.stack(list(rainy_frames(*HELD, counts[-1])))
    for count in counts:
        yield Point(count, partial(percentile_background, frames[:count]))


def video_points(quick: bool) -> Iterable[Point]:
    """Yield longer and longer clips of a still camera."""
    counts = QUICK_CLIP if quick else CLIP
    frames = np.stack(list(rainy_frames(*(QUICK_FILMED if quick else FILMED), counts[-1])))
    for count in counts:
        yield Point(count, partial(derained_by_rainopt, frames[:count]))


CURVES: dict[What, Callable[[bool], Iterable[Point]]] = {
    What.SOLVE: solver_points,
    What.DERAIN: partial(picture_points, derain),
    What.ANGLE: partial(picture_points, estimate_angle),
    What.THREADS: thread_points,
    What.BACKGROUND: background_points,
    What.VIDEO: video_points,
}


@benchmark(__doc__)
def main(
    repeat: Repeat = 3,
    only: Annotated[
        list[What] | None, typer.Option(metavar="CURVE", help=f"This alone: {', '.join(What)}; may be given again.")
    ] = None,
    quick: Quick = False,
    target: Json = None,
) -> None:
    """Measure the curves that were asked for."""
    curves = []
    for what in [one for one in CURVES if one in (only or CURVES)]:
        name, _, against = what.partition("/")
        if what == What.THREADS and num_threads() < 2:
            print(f"left out: {what}, because there is one thread")
            continue
        found = curve(name, against, CURVES[what](quick), min(repeat, QUICK_REPEAT) if quick else repeat)
        curves.append(found)
        rows = [
            (one["x"], f"{one['median_s']:.4f}", f"{one['min_s']:.4f}", one.get("iterations", ""))
            for one in found["points"]
        ]
        print_table(f"{name} against {against}", (against, "seconds", "least", "iterations"), rows)
    told = [
        (f"{one['what']} against {one['against']}", f"{one['exponent']:.2f}", f"{one['exponent_error']:.2f}")
        for one in curves
    ]
    print_table("Exponents: seconds grow as x to the power of this", ("curve", "exponent", "± standard error"), told)
    finish({"benchmark": "scaling", "curves": curves}, target)


if __name__ == "__main__":
    main()
