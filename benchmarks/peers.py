"""The same energy, minimised by rainopt and by a general toolbox.

Both sides get the same rainy photograph, the same weights, the same boundary (differences that would leave the image are 0)
and the same box 0 <= R <= O. rainopt runs with its defaults, as `rainopt derain` does. The toolbox, pyproximal, runs until its energy
is within 0.1 % of the energy that rainopt reached:

  1. On a small photograph every method is tried with every step length of a list, counting the iterations it needs.
  2. On the large one the best few are counted again, since the best step may depend on the picture.
  3. The best is run for that number of iterations and nothing else, so that evaluating energies costs it no time.

rainopt's time includes its own optimality checks. pyproximal runs on numpy, which uses one core for this; so rainopt is also timed on
one thread. Last, a tiny problem is given to cvxpy (Clarabel, an interior-point method) to see that all three have the
same minimum.

  python -m benchmarks.peers --json results.json
  python -m benchmarks.peers --size 512x1024        quicker
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pylops
import pyproximal
from pyproximal.optimization.primal import LinearizedADMM
from pyproximal.optimization.primaldual import AdaptivePrimalDual, PrimalDual

from benchmarks.common import finish, parser, positive, print_table, rainy_luminance, timed
from rainopt import UDGSolution, UDGWeights, solve_udg
from rainopt.objectives import energy_terms
from rainopt.operators import NORM_SQUARED_BOUND, diff_across
from rainopt.threads import num_threads, set_num_threads

SLACK = 1e-3
# ‖A‖² of the stacked differences; a little below 1 over it keeps every method strictly inside its condition.
NORM_SQUARED = 2 * NORM_SQUARED_BOUND
SAFETY = 0.99
STEPS = (0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 8.0)
TUNING_SHAPE = (256, 512)
MOST_ITERATIONS = 2000
FINALISTS = 3


class DataTerm(pyproximal.ProxOperator):
    """``½‖B + R - O‖² + λs‖R‖₁ + box(R)`` of x = (B, R), with its proximal point in closed form.

    pyproximal asks its users to write such classes. This one serves both layers in one pass, which saves it the inner solves
    that assembling the term from the toolbox's own parts would cost.
    """

    def __init__(self, O: np.ndarray, weights: UDGWeights) -> None:
        super().__init__(None, False)
        self.O, self.weights = O.ravel(), weights

    def __call__(self, x: np.ndarray) -> float:
        """Return the value for x inside the box."""
        B, R = x.reshape(2, -1)
        return 0.5 * float(np.sum((B + R - self.O) ** 2)) + self.weights.sparsity * float(np.sum(np.abs(R)))

    def prox(self, x: np.ndarray, tau: float, **_: Any) -> np.ndarray:
        """Return the proximal point with step ``tau``: minimise over B, which leaves a shrinkage for R."""
        out = np.empty_like(x)
        (b_hat, r_hat), (B, R) = x.reshape(2, -1), out.reshape(2, -1)
        curvature = 1 / (1 + tau) + 1 / tau
        np.subtract(self.O, b_hat, out=R)
        R *= 1 / ((1 + tau) * curvature)
        np.multiply(r_hat, 1 / (tau * curvature), out=B)
        R += B
        threshold = self.weights.sparsity / curvature
        if self.weights.bounded:
            R -= threshold
            np.clip(R, 0, self.O, out=R)
        else:
            R -= np.clip(R, -threshold, threshold)
        np.subtract(self.O, R, out=B)
        B *= tau
        B += b_hat
        B *= 1 / (1 + tau)
        return out


class Variations(pyproximal.ProxOperator):
    """``τ‖p₁‖₁ + λx‖p₂‖₁ + τ‖p₃‖₁ + λy‖p₄ - ∇y O‖₁`` of the stacked differences (∇x B, ∇x R, ∇y B, ∇y R)."""

    def __init__(self, O: np.ndarray, weights: UDGWeights) -> None:
        super().__init__(None, False)
        self.radii = (weights.tau, weights.lambda_x, weights.tau, weights.lambda_y)
        self.shift = np.ascontiguousarray(diff_across(O)).ravel()

    def __call__(self, p: np.ndarray) -> float:
        """Return the weighted sum of absolute values."""
        fields = p.reshape(4, -1)
        shifts = (0, 0, 0, self.shift)
        return sum(r * float(np.sum(np.abs(field - s))) for r, field, s in zip(self.radii, fields, shifts, strict=True))

    def proxdual(self, p: np.ndarray, tau: float, **_: Any) -> np.ndarray:
        """Project every field on its ball, the last one shifted."""
        out = np.empty_like(p)
        fields = p.reshape(4, -1)
        for k, (radius, target) in enumerate(zip(self.radii, out.reshape(4, -1), strict=True)):
            if k == 3:
                np.multiply(self.shift, -tau, out=target)
                target += fields[3]
                np.clip(target, -radius, radius, out=target)
            else:
                np.clip(fields[k], -radius, radius, out=target)
        return out

    def prox(self, p: np.ndarray, tau: float, **_: Any) -> np.ndarray:
        """Shrink every field, the last one towards its shift: ``p - clip(p - s, ±tau r)``."""
        out = np.empty_like(p)
        for k, (radius, field, target) in enumerate(zip(self.radii, p.reshape(4, -1), out.reshape(4, -1), strict=True)):
            np.clip(field - self.shift if k == 3 else field, -tau * radius, tau * radius, out=target)
            np.subtract(field, target, out=target)
        return out


class Peer:
    """The UDG problem of one image in pyproximal's terms; x is B and R one after the other."""

    def __init__(self, O: np.ndarray, weights: UDGWeights) -> None:
        self.O, self.weights = O, weights
        self.f, self.g = DataTerm(O, weights), Variations(O, weights)
        self.A = differences(O.shape, O.dtype)
        self.x0 = np.concatenate([O.ravel(), np.zeros(O.size, O.dtype)])

    def layers(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (B, R) of x."""
        B, R = x.reshape(2, *self.O.shape)
        return B, R

    def energy(self, x: np.ndarray) -> float:
        """Return rainopt's own energy of x: one definition for both sides."""
        return float(energy_terms(self.O, *self.layers(x), self.weights))

    def count(self, method: Method, target: float, most: int = MOST_ITERATIONS) -> int | None:
        """Return the iterations until the energy is first at most ``target``, or None if ``most`` do not suffice."""
        done = 0

        def look(x: np.ndarray) -> None:
            nonlocal done
            done += 1
            if self.energy(x) <= target:
                raise _ReachedError

        try:
            method.run(self, most, look)
        except _ReachedError:
            return done
        return None


class _ReachedError(Exception):
    """The energy is low enough."""


@dataclass(frozen=True)
class Method:
    """One of pyproximal's algorithms with its step length."""

    name: str
    step: float

    def run(self, peer: Peer, iterations: int, callback: Callable[[np.ndarray], None] | None = None) -> np.ndarray:
        """Run ``iterations`` iterations and return x."""
        problem = (peer.f, peer.g, peer.A, peer.x0)
        dual = SAFETY / (NORM_SQUARED * self.step)
        if self.name == "PrimalDual":
            return PrimalDual(*problem, tau=self.step, mu=dual, niter=iterations, callback=callback)
        if self.name == "AdaptivePrimalDual":
            return AdaptivePrimalDual(*problem, tau=self.step, mu=dual, niter=iterations, callback=callback)[0]
        if self.name == "LinearizedADMM":
            mu = self.step * SAFETY / NORM_SQUARED
            return LinearizedADMM(*problem, tau=self.step, mu=mu, niter=iterations, callback=callback)[0]
        raise ValueError(f"`name` must be one of {', '.join(METHODS)}, got {self.name!r}")


METHODS = ("PrimalDual", "AdaptivePrimalDual", "LinearizedADMM")


def methods() -> Iterator[Method]:
    """Yield everything that is tried; the steps of LinearizedADMM live on the scale of the others' over ‖A‖²."""
    for name in METHODS:
        for step in STEPS:
            yield Method(name, step * (NORM_SQUARED if name == "LinearizedADMM" else 1))


def differences(shape: tuple[int, ...], dtype: Any) -> pylops.LinearOperator:
    """Return the operator (B, R) to (∇x B, ∇x R, ∇y B, ∇y R), equal to `rainopt.operators` with their zero last row and column."""
    dims = (2, *shape)
    # Without `edge`, which serves centred stencils only, the last difference is 0.
    return pylops.VStack(
        [pylops.FirstDerivative(dims, axis=axis, kind="forward", dtype=dtype) for axis in (1, 2)], dtype=dtype
    )


def tune(O: np.ndarray, weights: UDGWeights) -> list[tuple[Method, int | None]]:
    """Count the iterations of every method on ``O``, best first, those that do not arrive last."""
    peer, target = Peer(O, weights), (1 + SLACK) * _energy(solve_udg(O, weights=weights))
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
        "rainopt": _energy(solve_udg(O, weights=weights, tol=0, max_iter=5000)),
        "pyproximal": peer.energy(Method("PrimalDual", 0.7).run(peer, 5000)),
        "cvxpy": with_cvxpy(O, weights),
    }
    return {**energies, "relative_spread": (max(energies.values()) - min(energies.values())) / energies["cvxpy"]}


def compare(O: np.ndarray, weights: UDGWeights, repeat: int) -> dict[str, Any]:
    """Run both sides on ``O``; see the module's description."""
    ours: dict[str, Any] = {}
    counts = sorted({1, num_threads()})
    solution: UDGSolution | None = None
    for threads in counts:
        set_num_threads(threads)
        clock, solution = timed(lambda: solve_udg(O, weights=weights), max(repeat, 3))
        ours[f"{threads}_threads"] = clock.as_dict()
    set_num_threads(None)
    final = solution if solution is not None else solve_udg(O, weights=weights)
    energy = _energy(final)

    tuned = tune(np.ascontiguousarray(O[: TUNING_SHAPE[0], : TUNING_SHAPE[1]]), weights)
    peer = Peer(O, weights)
    finals = [(m, peer.count(m, (1 + SLACK) * energy)) for m, count in tuned[:FINALISTS] if count]
    trials = []
    for method, count in finals:
        if count is not None:
            start = time.perf_counter()
            x = method.run(peer, count)
            trials.append((time.perf_counter() - start, method, count, peer.energy(x)))
    if not trials:
        raise RuntimeError("none of pyproximal's methods reached the energy; raise MOST_ITERATIONS")
    _, method, count, reached = min(trials, key=lambda trial: trial[0])
    clock, _ = timed(lambda: method.run(peer, count), repeat, warm=0)
    return {
        "shape": list(O.shape),
        "dtype": str(O.dtype),
        "rainopt": {
            "energy": energy,
            "relative_gap": float(final.gap) / energy,
            "iterations": final.iterations,
            **ours,
        },
        "pyproximal": {
            "method": method.name,
            "step": method.step,
            "energy": reached,
            "relative_excess": reached / energy - 1,
            "iterations": count,
            **clock.as_dict(),
        },
        "ratio": {f"{t}_threads": clock.median / ours[f"{t}_threads"]["median_s"] for t in counts},
        "tried": [{"method": m.name, "step": m.step, "iterations": c} for m, c in tuned],
        "finalists": [{"method": m.name, "step": m.step, "iterations": c} for m, c in finals],
    }


def _energy(solution: UDGSolution) -> float:
    return float(solution.energy)


def shape_of(text: str) -> tuple[int, int]:
    """Parse ``1024x2048``."""
    height, width = (positive(part) for part in text.lower().split("x"))
    return height, width


def main(arguments: list[str] | None = None) -> None:
    """Run the comparison and print it."""
    options = parser(__doc__, "peers")
    options.add_argument("--size", type=shape_of, default=(1024, 2048), metavar="HxW", help="default 1024x2048")
    options.add_argument("--repeat", type=positive, default=3, help="timed runs of each side, default 3")
    chosen = options.parse_args(arguments)

    weights = UDGWeights()
    minimum = check_minimum(weights)
    result = compare(rainy_luminance(*chosen.size), weights, chosen.repeat)
    ours, theirs, ratio = result["rainopt"], result["pyproximal"], result["ratio"]
    rows: list[tuple[object, ...]] = [
        (
            f"rainopt, {key.replace('_', ' ')}",
            ours["iterations"],
            f"{ours['energy']:.3f}",
            f"{ours[key]['median_s']:.3f}",
            f"{r:.1f}",
        )
        for key, r in ratio.items()
    ]
    rows.append(
        (f"pyproximal {theirs['method']}, step {theirs['step']:g}", theirs["iterations"], f"{theirs['energy']:.3f}", f"{theirs['median_s']:.3f}", "1.0")
    )  # fmt: skip
    height, width = result["shape"]
    print_table(
        f"UDG energy, {height} x {width}, float32", ("solver", "iterations", "energy", "seconds", "faster by"), rows
    )
    print_table(
        f"Iterations of pyproximal to that energy on {TUNING_SHAPE[0]} x {TUNING_SHAPE[1]}, best first",
        ("method", "step", "iterations"),
        [(t["method"], f"{t['step']:g}", t["iterations"] or "not reached") for t in result["tried"]],
    )
    print_table("Least energy of a 16 x 24 image", ("route", "value"), [(k, f"{v:.9g}") for k, v in minimum.items()])
    finish({"benchmark": "peers", **result, "minimum": minimum}, chosen.json)


if __name__ == "__main__":
    main()
