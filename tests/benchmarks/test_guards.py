"""Kernels guarded against becoming slow: their time over that of a fixed calibration loop.

Other work on the computer must not make them fail, so both are timed by the processor time of this thread, which
stands still while others have the core; they take turns, and the least time of each counts. What is left is what others
take of caches and of the clock of a core: beside ten times as much work as there are cores, ratios differed by a tenth
from run to run. Other processors do one kind of work faster than another, so a bound is three times what was measured.
A kernel that falls back to the reference is seen by it, as the last test shows; one that is slower by a tenth is not,
and is a matter for `benchmarks.speed`.
"""

import time

import numpy as np
import pytest

from benchmarks.common import photograph, rainy_photograph
from benchmarks.solver.kernels import field_kernels
from rainopt import solve_udg
from rainopt.arrays import CPU, KERNELS
from rainopt.direction.ridges import find_ridges
from rainopt.geometry.warp import Upright
from rainopt.image import luminance, split_channels
from rainopt.parallel.threads import set_num_threads
from rainopt.video.percentiles import percentile_layers, vote

SHAPE = (256, 384)
ROUNDS = 12
FACTOR = 3.0
# Time over that of the calibration loop, as the tests print it with `-rP`.
MEASURED = {
    "solver": 6.4,
    "shear": 0.22,
    "ridges": 3.5,
    "doubt": 0.52,
    "remove_layer": 0.47,
    "vote": 0.82,
    "percentile": 0.89,
}


FIELD = np.linspace(0, 1, SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(SHAPE)


def calibration():
    """Arithmetic and passes over memory, in numpy, on a field as large as those of the kernels."""
    for _ in range(10):
        y = np.maximum(FIELD[:, 1:] - FIELD[:, :-1], 0)
        y = np.sqrt(y * y + np.float32(0.5)) + np.abs(y)
    return y


def kernels():
    """Return what is guarded, by name."""
    image = rainy_photograph(*SHAPE)
    colour = split_channels(image).colour
    grey = np.ascontiguousarray(luminance(colour), np.float32)
    fields = field_kernels(*SHAPE)
    upright = Upright(12.0, *SHAPE)
    frames = np.stack([np.roll(photograph(96, 128), k, axis=1) for k in range(24)])
    return {
        "solver": lambda: solve_udg(grey, max_iter=50, tol=0.0),
        "shear": lambda: upright.forward(grey),
        "ridges": lambda: find_ridges(colour, grey, 1.5),
        "doubt": fields["doubt"],
        "remove_layer": fields["remove_layer"],
        "vote": lambda: vote(frames),
        "percentile": lambda: percentile_layers(frames, 30),
    }


@pytest.fixture(scope="module")
def guarded():
    """The kernels, on one thread: processor time is this thread's own."""
    set_num_threads(1)
    yield kernels()
    set_num_threads(None)


def least(*runs):
    """Return the least processor time of each, run in turns after one run that is not counted."""
    times = [[] for _ in runs]
    for k in range(ROUNDS + 1):
        for run, spent in zip(runs, times, strict=True):
            start = time.thread_time()
            run()
            if k:
                spent.append(time.thread_time() - start)
    return [min(spent) for spent in times]


@pytest.mark.parametrize("name", MEASURED)
def test_a_kernel_is_as_fast_as_it_was(name, guarded, benchmark):
    loop, spent = least(calibration, guarded[name])
    print(f"{name}: {spent / loop:.2f} of the calibration loop, which took {1e3 * loop:.2f} ms")
    benchmark.extra_info["ratio"] = spent / loop
    benchmark.pedantic(guarded[name], rounds=3)
    assert spent / loop < FACTOR * MEASURED[name]


def test_the_guards_see_a_kernel_that_falls_back(guarded, monkeypatch):
    loop, fast = least(calibration, guarded["doubt"])
    monkeypatch.delitem(KERNELS, ("doubt", CPU))
    _, slow = least(calibration, guarded["doubt"])
    assert fast / loop < FACTOR * MEASURED["doubt"] < slow / loop
