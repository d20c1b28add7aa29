"""Where commands compute, as far as cupy is concerned; names of devices are tested with `rainopt.arrays`."""

import importlib.util
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from rainopt.app.devices import resolve_device, to_device
from rainopt.arrays import DeviceError
from rainopt.kernels import cuda


class CUDARuntimeError(RuntimeError):
    pass


@pytest.fixture
def installed(monkeypatch):
    """Pretend that cupy is installed, finding so many devices (none: raising), or that it is not."""
    find = importlib.util.find_spec

    def pretend(yes, count=None):
        def counted():
            if count is None:
                raise CUDARuntimeError("cudaErrorNoDevice")
            return count

        runtime = SimpleNamespace(getDeviceCount=counted, CUDARuntimeError=CUDARuntimeError)
        monkeypatch.setitem(
            sys.modules, "cupy", SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)) if yes else None
        )
        spec = object() if yes else None
        monkeypatch.setattr(
            cuda.importlib.util, "find_spec", lambda name, *a: spec if name == "cupy" else find(name, *a)
        )

    return pretend


def test_without_cupy_auto_is_the_cpu_and_cuda_an_error_that_says_what_to_install(installed):
    installed(False)
    assert resolve_device("auto") == "cpu"
    for name in ("cuda", "cuda:0", "cuda:3"):
        with pytest.raises(DeviceError, match=rf"no device '{name}' for cupy: .*pip install 'rainopt\[gpu\]'"):
            resolve_device(name)


def test_a_cupy_that_cannot_be_imported_is_said_to_be_so(installed, monkeypatch):
    installed(True)
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert resolve_device("auto") == "cpu"
    with pytest.raises(DeviceError, match="no device 'cuda' for cupy: it cannot be imported"):
        resolve_device("cuda")


@pytest.mark.parametrize("count", [0, None])
def test_cupy_without_a_device(installed, count):
    installed(True, count)
    assert resolve_device("auto") == resolve_device("cpu") == "cpu"
    with pytest.raises(DeviceError, match="no device 'cuda:0': cupy finds 0"):
        resolve_device("cuda:0")


def test_devices_that_are_there(installed):
    installed(True, 2)
    assert [resolve_device(name) for name in ("auto", "cuda", "cuda:1")] == ["cuda:0", "cuda:0", "cuda:1"]


def test_on_the_cpu_the_array_itself_is_used():
    image = np.zeros((4, 4))
    assert to_device(image, "cpu") is image
