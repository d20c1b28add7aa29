"""The same energy, minimised by rainopt and by a general toolbox.

Both sides get the same rainy photograph, the same weights, the same boundary (differences that would leave the image
are 0) and the same box 0 <= R <= O. rainopt runs with its defaults, as `rainopt derain` does. The toolbox, pyproximal,
runs until its energy is within 0.1 % of the energy that rainopt reached:

  1. On a small photograph every method is tried with every step length of a list, counting the iterations it needs.
  2. On the large one the best of each method is counted again and timed, since iterations do not cost the same.
  3. The quickest is run for that number of iterations and nothing else, so that evaluating energies costs it no time.

rainopt's time includes its own optimality checks. pyproximal runs on numpy, which uses one core for this; so rainopt is
also timed on one thread. Last, a tiny problem is given to cvxpy (Clarabel, an interior-point method) to see that all
three have the same minimum.

  python -m benchmarks.solver.peers --json results.json
  python -m benchmarks.solver.peers --size 512x1024        quicker
"""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import Timing, finish, print_table, rainy_luminance, timed
from benchmarks.options import Json, Repeat, benchmark
from benchmarks.solver.toolbox import METHODS, MOST_ITERATIONS, Method, Peer, methods
from rainopt import UDGSolution, UDGWeights, solve_udg
from rainopt.parallel.threads import num_threads, set_num_threads

SLACK = 1e-3
TUNING_SHAPE = (256, 512)


def tune(O: np.ndarray, weights: UDGWeights) -> list[tuple[Method, int | None]]:
    """Count the iterations of every method on ``O``, best first, those that do not arrive last."""
    peer, target = Peer(O, weights), (1 + SLACK) * float(solve_udg(O, weights=weights).energy)
    counted: list[tuple[Method, int | None]] = []
    best = MOST_ITERATIONS
    for method in methods():
        # What needs thrice the iterations of the best so far is not worth waiting for.
        count = peer.count(method, target, min(MOST_ITERATIONS, 3 * best))
        best = min(best, count or best)
        counted.append((method, count))
    return sorted(counted, key=lambda entry: entry[1] or MOST_ITERATIONS + 1)


def with_cvxpy(O: np.ndarray, weights: UDGWeights) -> float:
    """Return the least energy of a tiny bounded problem by an interior-point method."""
    import cvxpy as cp

    B, R = cp.Variable(O.shape), cp.Variable(O.shape)

    def variation(field: Any, axis: int) -> Any:
        return cp.norm1(cp.vec(cp.diff(field, axis=axis), order="C"))

    energy = (
        0.5 * cp.sum_squares(B + R - O)
        + weights.tau * (variation(B, 0) + variation(B, 1))
        + weights.lambda_x * variation(R, 0)
        + weights.lambda_y * variation(O - R, 1)
        + weights.sparsity * cp.sum(cp.abs(R))
    )
    problem = cp.Problem(cp.Minimize(energy), [R >= 0, R <= O] if weights.bounded else [])
    return float(problem.solve(solver=cp.CLARABEL))


def check_minimum(weights: UDGWeights, shape: tuple[int, int] = (16, 24)) -> dict[str, float]:
    """Return the least energy of a tiny image by three routes, and how far they are apart, relative to the energy."""
    O = rainy_luminance(*shape, dtype=np.float64)
    peer = Peer(O, weights)
    energies = {
        "rainopt": float(solve_udg(O, weights=weights, tol=0, max_iter=5000).energy),
        "pyproximal": peer.energy(Method("PrimalDual", 0.3).run(peer, 20_000)),
        "cvxpy": with_cvxpy(O, weights),
    }
    return {**energies, "relative_spread": (max(energies.values()) - min(energies.values())) / energies["cvxpy"]}


def ours_on(O: np.ndarray, weights: UDGWeights, repeat: int) -> tuple[UDGSolution, dict[int, Timing]]:
    """Solve with the defaults on one thread and on all, and return the solution and the times by threads."""
    clocks = {}
    try:
        for threads in sorted({1, num_threads()}):
            set_num_threads(threads)
            clocks[threads], solution = timed(lambda: solve_udg(O, weights=weights), repeat)
    finally:
        set_num_threads(None)
    return solution, clocks


def theirs_on(
    peer: Peer, candidates: list[Method], target: float, repeat: int
) -> tuple[Method, int, Timing, list[dict[str, Any]]]:
    """Return the candidate that is first at the energy ``target``, its iterations and times, and all trials."""
    arrived: list[tuple[Method, int, Timing]] = []
    trials: list[dict[str, Any]] = []
    for method in candidates:
        count, seconds = peer.count(method, target), None
        if count is not None:
            clock, _ = timed(partial(method.run, peer, count), 1, warm=0)
            arrived.append((method, count, clock))
            seconds = clock.median
        trials.append({"method": method.name, "step": method.step, "iterations": count, "seconds": seconds})
    if not arrived:
        raise RuntimeError("none of pyproximal's methods reached the energy; raise MOST_ITERATIONS")
    method, count, _ = min(arrived, key=lambda entry: entry[2].median)
    clock, _ = timed(partial(method.run, peer, count), repeat, warm=0)
    return method, count, clock, trials


def compare(O: np.ndarray, weights: UDGWeights, repeat: int) -> dict[str, Any]:
    """Run both sides on ``O``; see the module's description."""
    solution, clocks = ours_on(O, weights, max(repeat, 5))
    energy = float(solution.energy)

    tuned = tune(np.ascontiguousarray(O[: TUNING_SHAPE[0], : TUNING_SHAPE[1]]), weights)
    # Iterations of different methods cost different times, so the best of each goes on.
    finalists = [next(m for m, count in tuned if m.name == name) for name in METHODS]
    peer = Peer(O, weights)
    method, count, clock, trials = theirs_on(peer, finalists, (1 + SLACK) * energy, repeat)
    reached = peer.energy(method.run(peer, count))
    return {
        "shape": list(O.shape),
        "dtype": str(O.dtype),
        "rainopt": {
            "energy": energy,
            "relative_gap": float(solution.gap) / energy,
            "iterations": solution.iterations,
            "threads": {str(threads): own.as_dict() for threads, own in clocks.items()},
        },
        "pyproximal": {
            "method": method.name,
            "step": method.step,
            "energy": reached,
            "relative_excess": reached / energy - 1,
            "iterations": count,
            **clock.as_dict(),
        },
        "ratio": {str(threads): clock.median / ours.median for threads, ours in clocks.items()},
        "tuned_on": list(TUNING_SHAPE),
        "tried": [{"method": m.name, "step": m.step, "iterations": c} for m, c in tuned],
        "finalists": trials,
    }


def shape_of(text: str) -> tuple[int, int]:
    """Parse ``1024x2048``."""
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text.lower())
    if not found:
        raise typer.BadParameter(f"--size must be HEIGHTxWIDTH, such as 1024x2048, got '{text}'")
    return int(found[1]), int(found[2])


@benchmark(__doc__)
def main(
    size: Annotated[str, typer.Option(metavar="HxW", help="Of the large photograph.")] = "1024x2048",
    repeat: Repeat = 3,
    target: Json = None,
) -> None:
    """Run the comparison and print it."""
    shape, weights = shape_of(size), UDGWeights()
    minimum = check_minimum(weights)
    result = compare(rainy_luminance(*shape), weights, repeat)
    ours, theirs, ratio = result["rainopt"], result["pyproximal"], result["ratio"]
    energy, took = f"{ours['energy']:.3f}", ours["threads"]
    rows: list[tuple[object, ...]] = [
        (f"rainopt, threads: {t}", ours["iterations"], energy, f"{took[t]['median_s']:.3f}", f"{ratio[t]:.1f}")
        for t in ratio
    ]
    name, seconds = f"pyproximal {theirs['method']}, step {theirs['step']:g}", f"{theirs['median_s']:.3f}"
    rows.append((name, theirs["iterations"], f"{theirs['energy']:.3f}", seconds, "1.0"))
    height, width = result["shape"]
    print_table(
        f"UDG energy, {height} x {width}, float32", ("solver", "iterations", "energy", "seconds", "faster by"), rows
    )
    print_table(
        "pyproximal, the best of each method to that energy",
        ("method", "step", "iterations", "seconds"),
        [
            (t["method"], f"{t['step']:g}", t["iterations"] or "not reached", f"{t['seconds'] or float('nan'):.3f}")
            for t in result["finalists"]
        ],
    )
    print_table(
        f"Iterations of pyproximal to that energy on {TUNING_SHAPE[0]} x {TUNING_SHAPE[1]}, best first",
        ("method", "step", "iterations"),
        [(t["method"], f"{t['step']:g}", t["iterations"] or "not reached") for t in result["tried"]],
    )
    print_table("Least energy of a 16 x 24 image", ("route", "value"), [(k, f"{v:.9g}") for k, v in minimum.items()])
    finish({"benchmark": "solver_peers", **result, "minimum": minimum}, target)


if __name__ == "__main__":
    main()
