"""How fast rainopt is: the solver against the limits of the hardware, the stages of derain, and the whole command.

Times are medians of repeated runs after a first one that is not counted. Pictures are sample photographs of
scikit-image with synthetic rain, see benchmarks/README.md. In turn:

  solver   solve_udg on 1024 x 2048 float32, defaults, 1 thread and all. The floor below it is the larger of two times:
           the bytes that the iterations move, over the bandwidth that a triad a = b + s c reaches here, and their
           operations, over the float32 arithmetic that polynomials reach here.
  kernels  what a photograph passes besides the solver on 1024 x 2048, by kernels and as it is written on arrays.
  derain   the stages of derain on a 481 x 321 and a 12-megapixel colour image.
  angle    estimate_angle on 512 x 512 and 12 megapixels.
  command  `rainopt derain` on a 12-megapixel JPEG, file to file, as a process of its own with kernels compiled before,
           and `rainopt --help`: wall time and the most memory held.
  start    how long commands take to begin, beside `python -c pass`, see benchmarks.starts.
  video    the background of 100 frames 1920 x 1080 against numpy, of a file against FFmpeg's tmedian, the memory for
           300 frames 4K, and `rainopt derain` of clips from a still and a panning camera; some five minutes.
  build    `raindata build` of one clip of 100 frames 1920 x 1080, for light and heavy rain.

  python -m benchmarks.speed --json results.json
  python -m benchmarks.speed --only solver --repeat 20
  python -m benchmarks.speed --quick             the same rows from two runs of each, and video of a few frames
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.command import CommandRun, rainopt_command, run_command
from benchmarks.common import finish, print_table, rainy_luminance, rainy_photograph, timed
from benchmarks.options import Json, Quick, Repeat, benchmark
from benchmarks.solver.kernels import time_kernels
from benchmarks.solver.limits import FLOPS, floor, measure
from benchmarks.solver.stages import stage_times
from benchmarks.starts import bench_starts
from benchmarks.video.speed import FULL, QUICK, Amount, bench_build, bench_video
from rainopt import derain, estimate_angle, solve_udg, write_image
from rainopt.parallel.threads import num_threads, set_num_threads

SOLVER_SHAPE = (1024, 2048)
SMALL = (321, 481)
LARGE = (3000, 4000)
ANGLE = 10.0


def bench_solver(repeat: int) -> dict[str, Any]:
    """Time `solve_udg` on one thread and on all, beside what the hardware allows."""
    O = rainy_luminance(*SOLVER_SHAPE)
    results: dict[str, Any] = {"shape": list(SOLVER_SHAPE), "dtype": "float32", "flops_per_pixel_iteration": FLOPS}
    rows = []
    try:
        for threads in sorted({1, num_threads()}):
            set_num_threads(threads)
            clock, solution = timed(lambda: solve_udg(O), repeat)
            n, energy, gap = solution.iterations, float(solution.energy), float(solution.gap)
            limits = measure(threads)
            least = floor(O, n, limits)
            results[f"threads_{threads}"] = {
                **clock.as_dict(),
                "iterations": n,
                "ms_per_iteration": 1e3 * clock.median / n,
                "energy": energy,
                "relative_gap": gap / energy,
                "bandwidth_gb_per_s": limits.bytes_per_second / 1e9,
                "arithmetic_gflop_per_s": limits.flops_per_second / 1e9,
                "floor": least,
                "times_floor": clock.median / least["seconds"],
            }
            name, per = f"solve_udg, threads: {threads}", f"{1e3 * clock.median / n:.2f}"
            rows.append(
                (name, _s(clock.median), n, per, f"{gap / energy:.4f}", f"{clock.median / least['seconds']:.2f}")
            )
            rows.append(("  floor, arithmetic", _s(least["seconds_arithmetic"]), "", "", "", ""))
            rows.append(("  floor, memory", _s(least["seconds_memory"]), "", "", "", ""))
            rows.append(("  memory, a pass an iteration", _s(least["seconds_memory_unfused"]), "", "", "", ""))
    finally:
        set_num_threads(None)
    header = ("1024 x 2048 float32", "seconds", "iterations", "ms/iteration", "relative gap", "times floor")
    print_table("Solver", header, rows)
    return results


def bench_kernels(repeat: int) -> dict[str, Any]:
    """Time the kernels that work on fields, and the operations as they are written."""
    results: dict[str, Any] = {"shape": list(SOLVER_SHAPE)}
    rows = []
    for name, (fast, written) in time_kernels(*SOLVER_SHAPE, repeat).items():
        results[name] = {**fast.as_dict(), "as_written_s": written.median}
        rows.append((name, _s(fast.median), _s(written.median), f"{written.median / fast.median:.1f}"))
    print_table("Kernels on 1024 x 2048", ("operation", "seconds", "as written", "times"), rows)
    return results


def bench_derain(repeat: int) -> dict[str, Any]:
    """Time the stages of `derain`, angle estimated, on a small and a large colour image."""
    results: dict[str, Any] = {}
    for name, shape, scale in (("481x321", SMALL, 1.0), ("12_megapixel", LARGE, 2.0)):
        image = rainy_photograph(*shape, angle=ANGLE, scale=scale)
        clock, found = timed(partial(derain, image), repeat)
        runs = [stage_times(partial(derain, image)) for _ in range(repeat)]
        stages = {stage: statistics.median(run.get(stage, 0.0) for run in runs) for stage in runs[0]}
        results[name] = {
            "shape": list(image.shape),
            **clock.as_dict(),
            "iterations": found.solution.iterations,
            "angle": found.angle,
            "true_angle": ANGLE,
            "stages_s": stages,
        }
        rows = [(stage, _s(seconds)) for stage, seconds in stages.items()]
        print_table(f"derain, {name.replace('_', ' ')}, uint8 colour, {scale:g}x", ("stage", "seconds"), rows)
    return results


def bench_angle(repeat: int) -> dict[str, Any]:
    """Time `estimate_angle`."""
    results: dict[str, Any] = {}
    rows = []
    for name, shape, scale in (("512x512", (512, 512), 1.0), ("12_megapixel", LARGE, 2.0)):
        image = rainy_photograph(*shape, angle=ANGLE, scale=scale)
        clock, found = timed(partial(estimate_angle, image), repeat)
        results[name] = {**clock.as_dict(), "angle": found.angle, "confidence": found.confidence, "true_angle": ANGLE}
        rows.append((name.replace("_", " "), _s(clock.median), f"{found.angle:.2f}", f"{found.confidence:.2f}"))
    print_table(f"estimate_angle, true angle {ANGLE:g}", ("image", "seconds", "angle", "confidence"), rows)
    return results


def bench_command(repeat: int) -> dict[str, Any]:
    """Time ``rainopt derain`` on a large JPEG, and ``rainopt --help``, as processes."""
    command = rainopt_command()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "rainy.jpg", Path(folder) / "derained.jpg"
        write_image(source, rainy_photograph(*LARGE, angle=ANGLE, scale=2.0))
        tasks: dict[str, list[str]] = {
            "derain_12_megapixel_jpeg": [*command, "derain", str(source), "-o", str(target), "--overwrite"],
            "help": [*command, "--help"],
        }
        results: dict[str, Any] = {}
        rows = []
        for name, words in tasks.items():
            clock, runs = _processes(words, repeat)
            peak = max(run.peak_bytes for run in runs)
            cpu = statistics.median(run.cpu_seconds for run in runs)
            results[name] = {"median_s": clock, "repeats": repeat, "cpu_s": cpu, "peak_rss_mb": peak / 1e6}
            rows.append((name.replace("_", " "), _s(clock), _s(cpu), f"{peak / 1e6:.0f}"))
    print_table("The command rainopt", ("command", "seconds", "cpu seconds", "peak MB"), rows)
    return results


def _processes(words: list[str], repeat: int) -> tuple[float, list[CommandRun]]:
    """Run a command once for its caches and ``repeat`` times more; return the median wall time and all runs."""
    run_command(words)
    runs = [run_command(words) for _ in range(repeat)]
    return statistics.median(run.seconds for run in runs), runs


def _s(seconds: float) -> str:
    return f"{seconds:.4f}"


class Part(StrEnum):
    """What can be asked for alone."""

    SOLVER = "solver"
    KERNELS = "kernels"
    DERAIN = "derain"
    ANGLE = "angle"
    COMMAND = "command"
    START = "start"
    VIDEO = "video"
    BUILD = "build"


QUICK_REPEAT = 2
PARTS: dict[Part, Callable[[int, Amount], dict[str, Any]]] = {
    Part.SOLVER: lambda repeat, _: bench_solver(repeat),
    Part.KERNELS: lambda repeat, _: bench_kernels(repeat),
    Part.DERAIN: lambda repeat, _: bench_derain(repeat),
    Part.ANGLE: lambda repeat, _: bench_angle(repeat),
    Part.COMMAND: lambda repeat, _: bench_command(repeat),
    Part.START: lambda repeat, _: bench_starts(repeat),
    Part.VIDEO: bench_video,
    Part.BUILD: bench_build,
}


@benchmark(__doc__)
def main(
    repeat: Repeat = 7,
    only: Annotated[
        list[Part] | None, typer.Option(metavar="|".join(Part), help="This part alone; may be given again.")
    ] = None,
    quick: Quick = False,
    target: Json = None,
) -> None:
    """Run the parts that were asked for."""
    often, amount = (min(repeat, QUICK_REPEAT), QUICK) if quick else (repeat, FULL)
    results = {str(name): part(often, amount) for name, part in PARTS.items() if name in (only or PARTS)}
    finish({"benchmark": "speed", **results}, target)


if __name__ == "__main__":
    main()
