import sys

import numpy as np
import pytest

from benchmarks import speed
from benchmarks.command import run_command
from benchmarks.common import large_photograph, photograph, rainy_luminance, rainy_photograph, timed
from benchmarks.solver.kernels import time_kernels
from benchmarks.solver.limits import FLOPS, Limits, floor
from benchmarks.solver.stages import stage_times
from rainopt import derain
from rainopt.arrays import CPU, KERNELS
from rainopt.still import rain_layer
from tests.support.processes import call


@pytest.mark.parametrize("shape", [(60, 70), (321, 481), (700, 1100)])
def test_photographs_have_the_size_asked_for_and_look_natural(shape):
    image = photograph(*shape)
    assert image.shape == (*shape, 3)
    assert image.dtype == np.uint8
    assert image.std() > 20
    assert large_photograph(101, 203).shape == (101, 203, 3)


def test_rain_is_light_added():
    rainy = rainy_luminance(128, 160)
    assert rainy.dtype == np.float32
    assert 0 <= rainy.min() <= rainy.max() <= 1
    assert rainy.mean() > photograph(128, 160).mean() / 255 - 0.05


def test_timed_leaves_the_warm_runs_out():
    calls = []
    clock, last = timed(lambda: calls.append(0) or len(calls), 3, warm=2)
    assert (len(calls), len(clock.seconds), last) == (5, 3, 5)
    assert min(clock.seconds) <= clock.median <= max(clock.seconds)


def test_floor_is_the_larger_of_memory_and_arithmetic():
    O = np.zeros((64, 64), np.float32)
    slow_memory, slow_core = floor(O, 50, Limits(1e6, 1e12)), floor(O, 50, Limits(1e12, 1e6))
    assert slow_memory["seconds"] == slow_memory["seconds_memory"]
    assert slow_core["seconds"] == pytest.approx(FLOPS * 50 * O.size / 1e6)
    assert slow_memory["gigabytes"] <= slow_memory["gigabytes_unfused"]


def test_kernels_and_what_they_stand_for_are_timed():
    times = time_kernels(64, 96, 1)
    assert {"doubt", "raise_layer", "colour_votes", "remove_layer"} == times.keys()
    assert all((name, CPU) in KERNELS for name in times)


def test_stages_add_up_and_leave_the_pipeline_as_it_was():
    image = rainy_photograph(128, 160)
    derain(image)
    before = rain_layer.minimise
    stages = stage_times(lambda: derain(image))
    assert rain_layer.minimise is before
    assert {"solve", "angle", "shear and back", "remove layer"} <= stages.keys()
    assert sum(v for k, v in stages.items() if k != "total") == pytest.approx(stages["total"], rel=0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="os.wait4")
@pytest.mark.slow
def test_commands_are_measured_without_the_memory_of_this_process():
    ballast = np.ones(60_000_000)
    light = run_command([sys.executable, "-S", "-c", "print('hello')"])
    heavy = run_command([sys.executable, "-S", "-c", "x = bytearray(b'1' * 10**8); import time; time.sleep(0.2)"])
    assert light.output.strip() == "hello"
    assert light.peak_bytes < 60e6 < ballast.nbytes
    assert heavy.peak_bytes > 1e8
    assert heavy.seconds >= 0.2


@pytest.mark.skipif(sys.platform == "win32", reason="os.wait4")
def test_a_command_that_fails_is_an_error_with_its_words():
    with pytest.raises(RuntimeError, match=r"status 3.*no rain today"):
        run_command([sys.executable, "-S", "-c", "import sys; sys.stderr.write('no rain today'); sys.exit(3)"])


def test_quick_is_less_of_the_same_parts(tmp_path, monkeypatch):
    given = []
    parts = {name: lambda repeat, amount: given.append((repeat, amount)) or {"seconds": 1.0} for name in speed.PARTS}
    monkeypatch.setattr(speed, "PARTS", parts)
    for words in ([], ["--quick"]):
        assert call(speed.main, *words, "--json", tmp_path / "speed.json")[0] == 0
    (often, whole), (seldom, few) = given[0], given[-1]
    assert len(given) == 2 * len(parts)
    assert (often, seldom) == (7, 2)
    assert few.held < whole.held
    assert few.derained < whole.derained
