"""The UDG energy of a rainy photograph: a general toolbox, and the paper's algorithm written plainly, until the energy
of `solve_udg` is reached.

`python -m benchmarks.solver.peers` makes the same comparison at greater length.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from benchmarks.common import rainy_luminance, timed
from benchmarks.peers.plain_admm import PlainAdmm
from benchmarks.peers.rows import Outcome, Peer, clocked, task
from rainopt import UDGWeights, solve_udg, udg_energy

SHAPE, QUICK_SHAPE = (512, 512), (128, 192)
TUNED_ON = (96, 128)
SLACK = 1e-3
PENALTIES = (0.1, 0.3, 1.0, 3.0)
MOST_ITERATIONS = 1500


def udg(repeat: int, quick: bool) -> list[dict[str, Any]]:
    """Compare minimisers of the UDG energy on one photograph."""
    shape = QUICK_SHAPE if quick else SHAPE
    O, weights = rainy_luminance(*shape), UDGWeights()
    solution = solve_udg(O, weights=weights)
    energy = float(solution.energy)

    def our_run() -> Outcome:
        clock, _ = clocked(partial(solve_udg, O, weights=weights), repeat)
        return clock, {"relative_energy": 1.0, "iterations": solution.iterations}

    target = (1 + SLACK) * energy
    peers = [
        Peer("pyproximal, its best method", partial(_pyproximal, O, weights, energy, repeat), "pyproximal"),
        Peer("the paper's ADMM in numpy", partial(_plain, O, weights, energy, target, repeat), "scipy", plain=True),
    ]
    work = f"{shape[0]} x {shape[1]} float32, to within {100 * SLACK:g} % of the energy that the defaults reach"
    return [task("UDG energy", work, ("rainopt solve_udg", our_run), peers)]


def _pyproximal(O: np.ndarray, weights: UDGWeights, energy: float, repeat: int) -> Outcome:
    from benchmarks.solver.peers import tune
    from benchmarks.solver.toolbox import Peer as Problem

    method, _ = tune(_corner(O), weights)[0]
    problem = Problem(O, weights)
    count = problem.count(method, (1 + SLACK) * energy)
    if count is None:
        raise RuntimeError("pyproximal does not reach the energy; raise MOST_ITERATIONS of benchmarks.solver.toolbox")
    clock, x = timed(partial(method.run, problem, count), min(repeat, 3), warm=0)
    reached = problem.energy(x) / energy
    return clock, {"relative_energy": reached, "iterations": count, "method": f"{method.name}, step {method.step:g}"}


def _plain(O: np.ndarray, weights: UDGWeights, energy: float, target: float, repeat: int) -> Outcome:
    small = _corner(O)
    goal = (1 + SLACK) * float(solve_udg(small, weights=weights).energy)
    counts = {penalty: iterations_to(small, weights, penalty, goal) for penalty in PENALTIES}
    penalty = min(counts, key=lambda p: counts[p] or MOST_ITERATIONS + 1)
    count = iterations_to(O, weights, penalty, target)
    if count is None:
        raise RuntimeError("the plain ADMM does not reach the energy; raise MOST_ITERATIONS")

    def run() -> tuple[np.ndarray, np.ndarray]:
        solver = PlainAdmm(O, weights, penalty)
        solver.advance(count)
        return solver.result()

    clock, layers = clocked(run, repeat)
    reached = energy_of(O, layers, weights) / energy
    return clock, {"relative_energy": reached, "iterations": count, "method": f"penalty {penalty:g}"}


def iterations_to(O: np.ndarray, weights: UDGWeights, penalty: float, target: float) -> int | None:
    """Return the iterations of the plain ADMM until its energy is at most ``target``; None beyond the most."""
    solver = PlainAdmm(O, weights, penalty)
    for iteration in range(1, MOST_ITERATIONS + 1):
        solver.advance(1)
        if energy_of(O, solver.result(), weights) <= target:
            return iteration
    return None


def energy_of(O: np.ndarray, layers: tuple[np.ndarray, np.ndarray], weights: UDGWeights) -> float:
    """Return the energy of (B, R), by rainopt's definition for both sides."""
    B, R = layers
    return float(udg_energy(O, B, R, weights))


def _corner(O: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(O[: TUNED_ON[0], : TUNED_ON[1]])
