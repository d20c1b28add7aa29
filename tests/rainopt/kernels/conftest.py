"""Where the kernels for CUDA are tested: on the host by numba's simulator, and on a card with the arrays of cupy and
torch (``pytest -m gpu``), where the simulator is not.
"""

import importlib

import numpy as np
import pytest

from rainopt.arrays import to_numpy
from rainopt.kernels import launch


class Device:
    """Bring arrays of numpy to where kernels for CUDA work, and back."""

    def __init__(self, library):
        self.simulated = library == "simulator"
        self._library = None if self.simulated else importlib.import_module(library)

    def __call__(self, array):
        if self.simulated or array is None:
            return array
        if self._library.__name__ == "torch":
            # Views keep their gaps: strides are part of what is tested.
            base = array if array.base is None or not isinstance(array.base, np.ndarray) else array.base
            there = self._library.as_tensor(np.ascontiguousarray(base), device="cuda")
            if base is array:
                return there
            item = array.itemsize
            offset = (array.__array_interface__["data"][0] - base.__array_interface__["data"][0]) // item
            return there.as_strided(array.shape, tuple(s // item for s in array.strides), offset)
        there = self._library.asarray(array)
        return there if array.flags.c_contiguous else self._library.asarray(array, order="A")

    def back(self, result):
        """Return what a kernel gave as arrays of numpy, and require that it came in the caller's library."""
        if isinstance(result, tuple):
            return tuple(map(self.back, result))
        if not self.simulated:
            assert type(result).__module__.partition(".")[0] == self._library.__name__
        return to_numpy(result)


@pytest.fixture(
    params=["simulator", pytest.param("cupy", marks=pytest.mark.gpu), pytest.param("torch", marks=pytest.mark.gpu)]
)
def cuda(request):
    """A `Device`."""
    if (request.param == "simulator") != launch.SIMULATED:
        pytest.skip("NUMBA_ENABLE_CUDASIM decides between the simulator and a card")
    return Device(request.param)
