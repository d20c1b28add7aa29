"""What cupy finds; the names of devices are tested with `rainopt.arrays`."""

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
def pretend(monkeypatch):
    """Pretend that cupy is installed or not, and what stands for it when it is imported; None cannot be."""
    find = importlib.util.find_spec

    def pretend(spec, module):
        monkeypatch.setitem(sys.modules, "cupy", module)
        monkeypatch.setattr(
            cuda.importlib.util, "find_spec", lambda name, *a: spec if name == "cupy" else find(name, *a)
        )

    return pretend


@pytest.mark.parametrize(
    ("spec", "said"),
    [(None, r"it is not installed: pip install 'rainopt\[gpu\]'"), (object(), "it cannot be imported")],
)
def test_without_cupy_auto_is_the_cpu_and_cuda_an_error_that_says_what_to_do(pretend, spec, said):
    pretend(spec, None)
    assert resolve_device("auto") == resolve_device("cpu") == "cpu"
    with pytest.raises(DeviceError, match=f"no device 'cuda:3' for cupy: {said}"):
        resolve_device("cuda:3")


@pytest.mark.parametrize("count", [0, 2, None])
def test_devices_are_those_that_cupy_counts(pretend, count):
    def counted():
        if count is None:
            raise CUDARuntimeError("cudaErrorNoDevice")
        return count

    runtime = SimpleNamespace(getDeviceCount=counted, CUDARuntimeError=CUDARuntimeError)
    pretend(object(), SimpleNamespace(cuda=SimpleNamespace(runtime=runtime)))
    assert resolve_device("auto") == ("cuda:0" if count else "cpu")
    with pytest.raises(DeviceError, match=f"no device 'cuda:2': cupy finds {count or 0}"):
        resolve_device("cuda:2")


def test_on_the_cpu_the_array_itself_is_used():
    image = np.zeros((4, 4))
    assert to_device(image, "cpu") is image
