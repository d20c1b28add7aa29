"""Where the commands of `rainopt` compute: the CPU, or a CUDA device through cupy."""

from __future__ import annotations

from functools import cache

import numpy as np

from rainopt import arrays
from rainopt.arrays import CPU, Array
from rainopt.kernels import cuda
from rainopt.parallel.elsewhere import Elsewhere, here


def resolve_device(name: str) -> str:
    """Turn ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` into ``cpu`` or ``cuda:N``, as `rainopt.arrays.resolve_device`.

    Raises
    ------
    DeviceError
        If the name is none of these, cupy is not installed, or there is no such device.
    """
    installed = cuda.is_installed()
    missing = "it cannot be imported" if installed else "it is not installed: pip install 'rainopt[gpu]'"
    return arrays.resolve_device(name, cuda.device_count if installed else lambda: None, "cupy", missing)


def to_device(image: np.ndarray, device: str) -> Array:
    """Return a host array on a device named by `resolve_device`."""
    return image if device == CPU else cuda.on_device(image, _index(device))


@cache
def elsewhere(device: str) -> Elsewhere:
    """Return where the frames of videos are computed on a device named by `resolve_device`, the same at each call."""
    return here if device == CPU else cuda.Lanes(_index(device))


def _index(device: str) -> int:
    return int(device.split(":")[1])
