"""The CUDA devices of this computer, and how an array gets onto one."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np


def is_installed() -> bool:
    """Tell whether cupy is installed, without importing it."""
    return importlib.util.find_spec("cupy") is not None


def device_count() -> int | None:
    """Return the number of CUDA devices; None where cupy does not load, for example without a CUDA library."""
    try:
        import cupy
    except ImportError:
        return None
    try:
        return int(cupy.cuda.runtime.getDeviceCount())
    except cupy.cuda.runtime.CUDARuntimeError:
        return 0


def on_device(image: np.ndarray, index: int) -> Any:
    """Return a host array as a cupy array on the device with this number."""
    import cupy

    with cupy.cuda.Device(index):
        return cupy.asarray(image)
