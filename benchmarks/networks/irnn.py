"""How fast the recurrence of SPANet is on a CPU: forward, and forward and backward.

The operator and plain torch, a line at a time, in turn on 1 × 32 × 512 × 512, least of --repeat runs, CPU seconds
beside wall seconds. The floor is the memory that must be read and written once (forward: x and four results; backward:
their gradients and the results again, and the gradient in x), at the speed of a copy into memory that is there already.
Then 256² to 1024² pixels, and the slope of log time over log pixels.

  python -m benchmarks.networks.irnn --json results.json
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from benchmarks.common import finish, print_table
from benchmarks.options import Json, Repeat, benchmark

CHANNELS, SIDE, SIDES = 32, 512, (256, 384, 512, 768, 1024)
PASSES = {"forward": 5, "forward and backward": 5 + 9}
"""Planes of the size of x that must go through memory."""


def least(functions: dict[str, Callable[[], Any]], repeat: int) -> dict[str, dict[str, float]]:
    """Return the least wall and CPU seconds of each function, called in turn, after one call that does not count."""
    found = {name: {"wall_s": math.inf, "cpu_s": math.inf} for name in functions}
    for turn in range(repeat + 1):
        for name, function in functions.items():
            wall, cpu = time.perf_counter(), time.process_time()
            function()
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
            if turn:
                best = found[name]
                best["wall_s"], best["cpu_s"] = min(best["wall_s"], wall), min(best["cpu_s"], cpu)
    return found


def calls(side: int, reference: bool) -> dict[str, Callable[[], Any]]:
    """Return what is timed on pictures of this side, by name."""
    import torch

    from rainnet.models.irnn import recurrence, recurrence_reference

    x = torch.randn(1, CHANNELS, side, side, generator=torch.Generator().manual_seed(0))
    alpha, beta = torch.full((4, CHANNELS), 0.2), torch.zeros(4, CHANNELS)
    grad = torch.ones(1, 4 * CHANNELS, side, side)

    def learn(function: Callable[..., Any]) -> None:
        leaves = [tensor.detach().requires_grad_() for tensor in (x, alpha, beta)]
        function(*leaves).backward(grad)

    made: dict[str, Callable[[], Any]] = {
        "forward": lambda: recurrence(x, alpha, beta),
        "forward and backward": lambda: learn(recurrence),
    }
    if reference:
        made["forward, reference"] = lambda: recurrence_reference(x, alpha, beta)
        made["forward and backward, reference"] = lambda: learn(recurrence_reference)
        target = torch.zeros_like(grad)
        made["copy"] = lambda: target.copy_(grad)
    return made


def slope(pixels: list[int], seconds: list[float]) -> float:
    """Return the slope of log time over log pixels, by least squares."""
    import numpy as np

    return float(np.polyfit(np.log(pixels), np.log(seconds), 1)[0])


@benchmark(__doc__)
def main(repeat: Repeat = 5, target: Json = None) -> None:
    """Measure."""
    import torch

    from rainnet.infer.heap import kept

    torch.set_num_threads(2)
    # Memory is used again, as when a network derains; fresh pages would cost more than the recurrence.
    with kept():
        found = least(calls(SIDE, reference=True), repeat)
        sizes = {side: least(calls(side, reference=False), repeat) for side in SIDES}
    plane = CHANNELS * SIDE * SIDE * 4
    bandwidth = 8 * plane / found["copy"]["wall_s"]
    summary = {}
    for name, passes in PASSES.items():
        own, other, floor = found[name], found[f"{name}, reference"], passes * plane / bandwidth
        summary[name] = {
            **own,
            "reference_wall_s": other["wall_s"],
            "reference_cpu_s": other["cpu_s"],
            "faster": other["wall_s"] / own["wall_s"],
            "floor_bytes": passes * plane,
            "floor_s": floor,
            "times_floor": own["wall_s"] / floor,
        }
    pixels = [side * side for side in SIDES]
    slopes = {name: slope(pixels, [sizes[side][name]["cpu_s"] for side in SIDES]) for name in PASSES}
    rows = [
        (
            name,
            *(f"{1e3 * s[key]:.0f}" for key in ("wall_s", "cpu_s", "reference_wall_s", "floor_s")),
            f"{s['faster']:.1f}",
            f"{s['times_floor']:.1f}",
            f"{slopes[name]:.2f}",
        )
        for name, s in summary.items()
    ]
    header = ("", "ms", "CPU ms", "reference, ms", "floor, ms", "times faster", "times the floor", "slope")
    print_table(f"1 x {CHANNELS} x {SIDE} x {SIDE}, copy {bandwidth / 1e9:.1f} GB/s", header, rows)
    results = {"benchmark": "net_irnn", "bandwidth": bandwidth, "runs": summary, "sizes": sizes, "slopes": slopes}
    finish(results, target)


if __name__ == "__main__":
    main()
