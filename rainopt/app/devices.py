"""Where arrays are computed: the CPU, or a CUDA device through cupy."""

from __future__ import annotations

import re

import numpy as np

from rainopt.arrays import Array
from rainopt.kernels import cuda


class DeviceError(ValueError):
    """The device that was asked for is not there."""


def resolve_device(name: str) -> str:
    """Turn ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` into ``cpu`` or ``cuda:N``.

    ``auto`` takes the first CUDA device where cupy finds one, else the CPU. A device that was named is never
    replaced by another.

    Raises
    ------
    DeviceError
        If the name is none of these, cupy is not installed, or there is no such device.
    """
    if name == "cpu":
        return name
    if name == "auto":
        return "cuda:0" if cuda.is_installed() and (cuda.device_count() or 0) > 0 else "cpu"
    match = re.fullmatch(r"cuda(?::(\d+))?", name)
    if not match:
        raise DeviceError(f"`device` must be auto, cpu or cuda:N, got '{name}'")
    if not cuda.is_installed():
        raise DeviceError(f"device '{name}' needs cupy, which is not installed: pip install 'rainopt[gpu]'")
    index, count = int(match[1] or 0), cuda.device_count()
    if count is None:
        raise DeviceError(f"device '{name}' needs cupy, which is installed but cannot be imported")
    if index >= count:
        raise DeviceError(f"there is no device '{name}': cupy finds {count} CUDA devices")
    return f"cuda:{index}"


def to_device(image: np.ndarray, device: str) -> Array:
    """Return a host array on a device named by `resolve_device`."""
    return image if device == "cpu" else cuda.on_device(image, int(device.split(":")[1]))
