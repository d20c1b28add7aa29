"""Anisotropic total variation of a noisy photograph, ``½‖u - O‖² + w (‖∇x u‖₁ + ‖∇y u‖₁)``, until an energy is reached.

rainopt has no denoiser of its own. Its solver has the same energy where the rain layer is forbidden: an enormous
sparsity keeps R at 0, λy is 0, and λx, which costs an absent layer nothing, is left to choose the step lengths.

Each side may choose among its methods or step lengths, by the seconds to the energy on a small picture; then the
fewest iterations that reach the energy on the large one are counted, and a run of so many is timed, without looking at
energies. Isotropic total variation, all that `denoise_tv_chambolle` knows, is another energy and is not compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.common import photograph
from benchmarks.peers.rows import Outcome, Peer, clocked, task
from benchmarks.pictures import grey
from rainopt import UDGWeights, solve_udg
from rainopt.optim.objectives import MOST_WEIGHT

WEIGHT, NOISE = 0.1, 0.1
SLACK = 1e-3  # an energy within this share of the least is reached
MOST_ITERATIONS = 512
SIZE, QUICK_SIZE = 512, 192
SMALL = 96  # of the picture that methods are chosen on
OUR_STEPS = (1.0, 3.0, 10.0, 20.0)  # λx
ISOTROPIC = "isotropic total variation, another energy"
PROX_TV = ("dr", "pd", "kolmogorov", "yang", "condat", "chambolle-pock")
PYPROXIMAL_STEPS = (0.05, 0.1, 0.2, 0.4, 0.8)

Run = Callable[[np.ndarray, int], np.ndarray]


@dataclass(frozen=True)
class Route:
    """A method with its settings: ``run(O, iterations)`` returns u."""

    name: str
    run: Run


def energy(u: np.ndarray, O: np.ndarray) -> float:
    """Return the energy of u."""
    variation = sum(np.abs(np.diff(u, axis=axis)).sum(dtype=np.float64) for axis in (0, 1))
    return float(0.5 * np.sum((u - O) ** 2, dtype=np.float64) + WEIGHT * variation)


def noisy(size: int) -> np.ndarray:
    """Return the luminance of a photograph with noise, (size, size) float64 in [0, 1]."""
    clean = grey(photograph(size, size)).astype(np.float64)
    return np.clip(clean + np.random.default_rng(0).normal(0, NOISE, clean.shape), 0, 1)


def least_energy(O: np.ndarray) -> float:
    """Return the least energy to four digits beyond `SLACK`, as the solver's certificate proves it."""
    solution = solve_udg(O, weights=our_weights(OUR_STEPS[-1]), tol=1e-4 * SLACK, max_iter=20_000)
    return float(solution.energy)


def our_weights(step: float) -> UDGWeights:
    """Return the weights that leave no term but those of B."""
    return UDGWeights(WEIGHT, step, 0.0, MOST_WEIGHT)


def our_routes() -> Iterator[Route]:
    """Yield the solver with several step lengths."""

    def run(O: np.ndarray, iterations: int, step: float) -> np.ndarray:
        return np.asarray(solve_udg(O, weights=our_weights(step), tol=0, max_iter=iterations).background)

    for step in OUR_STEPS:
        yield Route(f"λx {step:g}", partial(run, step=step))


def prox_tv_routes() -> Iterator[Route]:
    """Yield the methods of prox_tv."""
    import prox_tv

    def run(O: np.ndarray, iterations: int, method: str) -> np.ndarray:
        return np.asarray(prox_tv.tv1_2d(O, WEIGHT, max_iters=iterations, method=method))

    for method in PROX_TV:
        yield Route(method, partial(run, method=method))


def skimage_routes() -> Iterator[Route]:
    """Yield the split Bregman method of scikit-image, whose weight is the inverse of ours."""
    from skimage.restoration import denoise_tv_bregman

    def run(O: np.ndarray, iterations: int) -> np.ndarray:
        never = np.finfo(float).tiny  # a change that ends it earlier
        return np.asarray(denoise_tv_bregman(O, 1 / WEIGHT, iterations, never, isotropic=False))

    yield Route("split Bregman", run)


def pyproximal_routes() -> Iterator[Route]:
    """Yield the primal-dual method of pyproximal with several step lengths."""
    import pylops
    import pyproximal
    from pyproximal.optimization.primaldual import PrimalDual

    def run(O: np.ndarray, iterations: int, step: float) -> np.ndarray:
        gradient = pylops.VStack(
            [pylops.FirstDerivative(O.shape, axis=a, kind="forward", dtype=O.dtype) for a in (0, 1)]
        )
        problem = (pyproximal.L2(b=O.ravel()), pyproximal.L1(sigma=WEIGHT), gradient, O.ravel())
        return np.asarray(PrimalDual(*problem, tau=step, mu=0.99 / (8 * step), niter=iterations)).reshape(O.shape)

    for step in PYPROXIMAL_STEPS:
        yield Route(f"PrimalDual, step {step:g}", partial(run, step=step))


def fewest(reaches: Callable[[int], bool], most: int = MOST_ITERATIONS) -> int | None:
    """Return the least number for which ``reaches`` is true, as it is for all larger ones; None beyond ``most``."""
    high = 1
    while not reaches(high):
        if high >= most:
            return None
        high = min(2 * high, most)
    low = high // 2  # the last that failed, or 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high


def iterations_to(route: Route, O: np.ndarray, least: float) -> tuple[int, bool]:
    """Return the fewest iterations to the energy, and True; or to what the method ends at, and False."""

    def within(limit: float, iterations: int) -> bool:
        return energy(route.run(O, iterations), O) <= (1 + SLACK) * limit

    count = fewest(partial(within, least))
    if count is not None:
        return count, True
    own = energy(route.run(O, MOST_ITERATIONS), O)
    return fewest(partial(within, own)) or MOST_ITERATIONS, False


def quickest(routes: Iterator[Route], O: np.ndarray) -> Route:
    """Return the route that is first at the energy on a small picture."""
    least, seconds = least_energy(O), {}
    every = list(routes)
    if len(every) == 1:
        return every[0]
    for route in every:
        count, reached = iterations_to(route, O, least)
        start = time.perf_counter()
        route.run(O, count)
        seconds[route.name] = time.perf_counter() - start if reached else np.inf
    return min(every, key=lambda route: seconds[route.name])


def outcome(routes: Callable[[], Iterator[Route]], O: np.ndarray, least: float, repeat: int) -> Outcome:
    """Time the quickest route to the energy."""
    route = quickest(routes(), np.ascontiguousarray(O[:SMALL, :SMALL]))
    count, reached = iterations_to(route, O, least)
    clock, u = clocked(partial(route.run, O, count), repeat)
    relative = energy(u, O) / least
    return clock, {"relative_energy": relative, "reached": reached, "iterations": count, "method": route.name}


def total_variation(repeat: int, quick: bool) -> list[dict[str, Any]]:
    """Compare denoisers on one photograph."""
    size = QUICK_SIZE if quick else SIZE
    O = noisy(size)
    least = least_energy(O)

    def peer(name: str, module: str, routes: Callable[[], Iterator[Route]]) -> Peer:
        return Peer(name, partial(outcome, routes, O, least, repeat), module)

    ours = "rainopt solve_udg, R = 0", partial(outcome, our_routes, O, least, repeat)
    peers = [
        peer("prox_tv tv1_2d", "prox_tv", prox_tv_routes),
        peer("scikit-image denoise_tv_bregman", "skimage", skimage_routes),
        peer("pyproximal PrimalDual", "pyproximal", pyproximal_routes),
        Peer("scikit-image denoise_tv_chambolle", None, "skimage", why_not=ISOTROPIC),
    ]
    work = f"{size} x {size} float64, to within {100 * SLACK:g} % of the least energy"
    return [task("anisotropic total variation, 2-D", work, ours, peers)]
