"""How kernels for CUDA are started: streams, counts and graphs, on doubles of what a card's libraries have."""

import logging
import sys
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from rainopt.kernels import graphs, launch
from rainopt.kernels.graphs import Repeated
from rainopt.kernels.launch import Place, blocks, portions, recording, usable


def test_blocks_cover_all_elements_in_portions_that_a_grid_may_have():
    assert [blocks(n, 32) for n in (0, 1, 32, 33)] == [0, 1, 1, 2]
    assert list(portions(0)) == []
    assert list(portions(65535)) == [(0, 65535)]
    assert list(portions(70000)) == [(0, 65535), (65535, 4465)]


@pytest.mark.parametrize("answer", [lambda: False, lambda: 1 / 0])
def test_what_is_missing_is_said(monkeypatch, caplog, answer):
    monkeypatch.setattr(launch, "SIMULATED", False)
    monkeypatch.setattr(launch, "cuda", SimpleNamespace(is_available=answer))
    with caplog.at_level(logging.WARNING):
        assert not usable.__wrapped__()
    assert "numba cannot use the CUDA device" in caplog.text
    there = SimpleNamespace(is_available=lambda: True, jit=lambda signature: lambda kernel: None)
    monkeypatch.setattr(launch, "cuda", there)
    assert usable.__wrapped__()
    # A compiler that does not fit what is installed beside it.
    monkeypatch.setattr(there, "jit", lambda signature: lambda kernel: kernel.no_such_thing)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert not usable.__wrapped__()
    assert "no_such_thing" in caplog.text


def test_the_stream_is_that_of_the_library_on_the_device_of_the_array(monkeypatch):
    current = {1: 77}
    entered = []

    class Device(nullcontext):
        id = 1

        def __enter__(self):
            entered.append(self.id)

    class Elsewhere:
        device = Device()

    stream = SimpleNamespace(get_current_stream=lambda: SimpleNamespace(ptr=current[entered[-1]]))
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(ndarray=Elsewhere, cuda=stream))
    monkeypatch.setattr(launch, "SIMULATED", False)
    assert launch._stream_of(Elsewhere()) == (1, 77)


def test_numpy_names_the_dtypes_of_all_libraries(xp):
    for name in ("uint8", "uint16", "float32", "float64"):
        assert launch.numpy_dtype(xp.zeros(2, dtype=getattr(xp, name))) == np.dtype(name)


class Driver:
    """Stands for `cuda.bindings.driver`; ``refuses`` names the function that gives an error."""

    CUstreamCaptureMode = SimpleNamespace(CU_STREAM_CAPTURE_MODE_RELAXED=2)
    CUstream = int

    def __init__(self, refuses=""):
        self.calls, self.refuses = [], refuses

    def __getattr__(self, name):
        def call(*arguments):
            self.calls.append((name, *arguments))
            made = {"cuStreamEndCapture": ("graph",), "cuGraphInstantiate": ("executable",)}.get(name, ())
            return (int(name == self.refuses), *made)

        return call

    @property
    def names(self):
        return [name for name, *_ in self.calls]


@pytest.fixture
def driver(monkeypatch):
    """Put a `Driver` into place."""

    def put(**options):
        double = Driver(**options)
        monkeypatch.setitem(sys.modules, "cuda", SimpleNamespace())
        monkeypatch.setitem(sys.modules, "cuda.bindings", SimpleNamespace(driver=double))
        monkeypatch.setattr(graphs, "SIMULATED", False)
        monkeypatch.setattr(graphs, "cuda", SimpleNamespace(stream=lambda: SimpleNamespace(handle=55)))
        return double

    return put


def test_launches_are_recorded_aside_the_second_time_and_replayed_in_the_stream_of_the_caller(driver):
    double, streams = driver(), []

    def run(place):
        streams.append(place.pointer)
        for _ in range(3):
            place.count("toy", 10)

    place = Place(np.zeros(2))
    place.pointer = 7
    repeated = Repeated(run)
    with recording() as record:
        for _ in range(3):
            repeated(place)
    assert streams == [7, 55]
    assert double.calls[0] == ("cuStreamBeginCapture", 55, 2)
    assert [call for call in double.calls if call[0] == "cuGraphLaunch"] == 2 * [("cuGraphLaunch", "executable", 7)]
    assert (record.launches, record.calls, record.moved, record.names) == (9, 5, 90, {"toy": 9})
    del repeated
    assert double.names[-2:] == ["cuGraphExecDestroy", "cuGraphDestroy"]


@pytest.mark.parametrize("refuses", ["cuStreamBeginCapture", "cuStreamEndCapture", "cuGraphInstantiate"])
def test_what_cannot_be_recorded_is_started_one_by_one(driver, caplog, refuses):
    driver(refuses=refuses)
    runs = []
    repeated = Repeated(lambda place: runs.append(place.pointer))
    place = Place(np.zeros(2))
    for _ in range(3):
        repeated(place)
    assert runs.count(place.pointer) == 3
    assert "could not be kept as a CUDA graph" in caplog.text
