"""A device that was named is that device or an error, never another one."""

import importlib.util
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from rainopt.app.devices import DeviceError, resolve_device, to_device
from rainopt.kernels import cuda


class CUDARuntimeError(RuntimeError):
    pass


@pytest.fixture
def cupy(monkeypatch):
    """Pretend that cupy is installed and finds two devices; return the switch of their number."""
    found = SimpleNamespace(count=2)

    def count():
        if found.count is None:
            raise CUDARuntimeError("cudaErrorNoDevice")
        return found.count

    runtime = SimpleNamespace(getDeviceCount=count, CUDARuntimeError=CUDARuntimeError)
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    _installed(monkeypatch, True)
    return found


def _installed(monkeypatch, yes):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        cuda.importlib.util,
        "find_spec",
        lambda name, *a: (object() if yes else None) if name == "cupy" else find(name, *a),
    )


def test_the_cpu_is_always_there():
    assert resolve_device("cpu") == "cpu"


def test_without_cupy_auto_is_the_cpu_and_cuda_an_error_that_says_what_to_install(monkeypatch):
    _installed(monkeypatch, False)
    assert resolve_device("auto") == "cpu"
    for name in ("cuda", "cuda:0", "cuda:3"):
        with pytest.raises(DeviceError, match=rf"'{name}' needs cupy.*pip install"):
            resolve_device(name)


@pytest.mark.parametrize("count", [0, None])
def test_cupy_without_a_device(cupy, count):
    cupy.count = count
    assert resolve_device("auto") == "cpu"
    with pytest.raises(DeviceError, match="no device 'cuda:0'"):
        resolve_device("cuda:0")


@pytest.mark.parametrize(
    ("name", "device"), [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:0", "cuda:0"), ("cuda:1", "cuda:1")]
)
def test_devices_that_are_there(cupy, name, device):
    assert resolve_device(name) == device


def test_a_number_too_high_is_an_error_that_says_how_many_there_are(cupy):
    with pytest.raises(DeviceError, match=r"'cuda:2'.* 2 "):
        resolve_device("cuda:2")


@pytest.mark.parametrize("name", ["gpu", "", "CPU", "cuda:", "cuda:-1", "cuda:x", "cuda:0:1", "cuda0", " cpu"])
def test_other_names_are_errors_that_list_the_good_ones(name):
    with pytest.raises(DeviceError, match=f"auto, cpu or cuda:N, got '{name}'"):
        resolve_device(name)


def test_on_the_cpu_the_array_itself_is_used():
    image = np.zeros((4, 4))
    assert to_device(image, "cpu") is image
