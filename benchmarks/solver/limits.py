"""What the hardware allows: memory bandwidth and arithmetic, measured, and what the solver asks of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.common import timed
from rainopt.kernels.compiler import compiled
from rainopt.optim.fused import fused_primal_dual
from rainopt.optim.objectives import UDGWeights
from rainopt.optim.udg import CHECK_EVERY

# Additions, multiplications, comparisons of one iteration at one pixel, counted in `rainopt.kernels.udg_rows_cpu`:
# descent of B and R 2 × 5, proximal point 16, relaxation 2 × 4, ascent along 2 × 8, across 8 + 10.
FLOPS = 10 + 16 + 8 + 16 + 18
# One pass over memory reads the seven fields of a pixel and writes back all but O.
PASS_FIELDS = 7 + 6
CHECK_FIELDS = 7
TRIAD_SIZE = 32 * 2**20  # numbers in each of three arrays: far more than any cache
BLOCK = 2048  # numbers that stay in the first-level cache
POLYNOMIAL_FLOPS = 32


@compiled
def _triad(a, b, c, s):
    for j in range(a.size):
        a[j] = b[j] + s * c[j]


@compiled
def _polynomials(y, x, s, t, times):
    """Evaluate a polynomial of degree 16 in place of each number, over and over: arithmetic with hardly any memory."""
    for _ in range(times):
        for j in range(x.size):
            v = x[j]
            p = s * v + t
            p = p * v + s
            p = p * v + t
            p = p * v + s
            p = p * v + t
            p = p * v + s
            p = p * v + t
            p = p * v + s
            p = p * v + t
            p = p * v + s
            p = p * v + t
            p = p * v + s
            p = p * v + t
            p = p * v + s
            p = p * v + t
            y[j] += p * v


@dataclass(frozen=True)
class Limits:
    """Measured limits of the hardware."""

    bytes_per_second: float
    flops_per_second: float


def measure(threads: int, repeat: int = 5) -> Limits:
    """Measure bandwidth by a triad ``a = b + s c`` and float32 arithmetic by polynomials, on ``threads`` threads."""
    from concurrent.futures import ThreadPoolExecutor

    share = TRIAD_SIZE // threads
    arrays = [[np.full(share, k, np.float32) for k in range(3)] for _ in range(threads)]
    blocks = [[np.zeros(BLOCK, np.float32), np.full(BLOCK, 0.5, np.float32)] for _ in range(threads)]
    s, t, times = np.float32(0.5), np.float32(0.25), 5000

    def move(k: int) -> None:
        a, b, c = arrays[k]
        _triad(a, b, c, s)

    def compute(k: int) -> None:
        y, x = blocks[k]
        _polynomials(y, x, s, t, times)

    with ThreadPoolExecutor(threads) as pool:
        moved, _ = timed(lambda: list(pool.map(move, range(threads))), repeat)
        computed, _ = timed(lambda: list(pool.map(compute, range(threads))), repeat)
    # The best run, not the median: a limit is what can be reached. A store also reads its cache line, hence four.
    triad_bytes = 4 * share * threads * 4
    flops = POLYNOMIAL_FLOPS * BLOCK * threads * times
    return Limits(triad_bytes / min(moved.seconds), flops / min(computed.seconds))


def floor(O: np.ndarray, iterations: int, limits: Limits) -> dict[str, float]:
    """Return what ``iterations`` of the fused solver ask for on ``O``, and the least seconds that this can take.

    Returns
    -------
    dict
        ``gigabytes``: moved with several iterations to a pass, as the solver does, and its checks;
        ``gigabytes_unfused``: with a pass for every iteration; ``gigaflops``: of the iterations;
        ``seconds``: the larger of bytes over bandwidth and operations over arithmetic; both as ``seconds_memory`` and
        ``seconds_arithmetic``, and ``seconds_memory_unfused``.
    """
    solver = fused_primal_dual(O, UDGWeights())
    item, pixels = O.dtype.itemsize, O.size
    # The solver stops every CHECK_EVERY iterations to look, and so cuts its last pass short.
    passes = -(-CHECK_EVERY // solver.together) * iterations / CHECK_EVERY
    checks = CHECK_FIELDS * iterations / CHECK_EVERY
    moved = (PASS_FIELDS * passes + checks) * pixels * item
    unfused = (PASS_FIELDS * iterations + checks) * pixels * item
    flops = float(FLOPS) * iterations * pixels
    memory, arithmetic = moved / limits.bytes_per_second, flops / limits.flops_per_second
    return {
        "iterations_per_pass": solver.together,
        "gigabytes": moved / 1e9,
        "gigabytes_unfused": unfused / 1e9,
        "gigaflops": flops / 1e9,
        "seconds_memory": memory,
        "seconds_memory_unfused": unfused / limits.bytes_per_second,
        "seconds_arithmetic": arithmetic,
        "seconds": max(memory, arithmetic),
    }
