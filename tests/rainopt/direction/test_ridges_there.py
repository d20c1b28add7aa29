"""The angle of a picture of a device is found there, and votes alone come to the host."""

import array_api_strict as strict
import numpy as np
import pytest

from benchmarks.common import rainy_photograph
from rainopt import estimate_angle, host_steps
from rainopt.direction import evidence, ridges_there
from rainopt.kernels import launch, ridge_cpu
from rainopt.kernels.ridge_table_cuda import Table
from rainopt.kernels.ridge_thresholds_cuda import thresholds

AWAY = strict.Device("device1")
PHOTO = rainy_photograph(60, 64, angle=14.0)[8:38, 12:44]


def there(result):
    """Bring what a kernel gave to the device."""
    if isinstance(result, tuple):
        return tuple(map(there, result))
    return strict.asarray(result, device=AWAY)


def here(argument):
    return getattr(argument, "_array", argument)


def on(function):
    """A kernel of the device, which is the simulator's or the host's."""
    return lambda *arguments: there(function(*map(here, arguments)))


class TableThere:
    def __init__(self, *arguments):
        self._table = Table(*map(here, arguments))
        self.join = lambda *given: self._table.join(*map(here, given))
        self.votes = on(self._table.votes)

    @property
    def counts(self):
        return there(self._table.counts)


@pytest.mark.skipif(not launch.SIMULATED, reason="NUMBA_ENABLE_CUDASIM decides between the simulator and a card")
def test_a_picture_of_a_device_stays_there_but_for_its_votes(monkeypatch):
    def beside(function):
        return lambda *arguments: function(*map(here, arguments))

    kernels = {
        "ridge_curvature": beside(ridge_cpu.curvature),
        "ridge_thresholds": on(thresholds),
        "ridge_crests": beside(ridge_cpu.crests),
        "ridge_table": TableThere,
    }
    monkeypatch.setattr(ridges_there, "kernel", lambda operation, array: kernels[operation])
    monkeypatch.setattr(evidence, "SMALL_PIXELS", 0)
    monkeypatch.setattr(host_steps, "to_numpy", lambda array: np.array(here(array)))
    with host_steps.fetched() as record:
        found = estimate_angle(strict.asarray(PHOTO, device=AWAY))
    wanted = estimate_angle(PHOTO)
    assert (found.angle, found.confidence) == pytest.approx((wanted.angle, wanted.confidence), abs=1e-4)
    assert [step for step, _ in record] == ["exposure", "ridges", "ridges"]
    assert record[1][1] <= 6 * 8
    assert 0 < record[2][1] < 5000


def test_without_one_of_the_kernels_there_are_none(monkeypatch):
    monkeypatch.setattr(ridges_there, "kernel", lambda operation, array: None if "table" in operation else print)
    assert ridges_there.kernels_for(strict.asarray(PHOTO)) is None
