"""The CUDA devices of this computer, how an array gets onto one, and how many frames in a row get there and back."""

from __future__ import annotations

import importlib.util
import queue
from collections.abc import Callable
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


LANES = 2
"""Frames that are on a device at a time: while one is computed, the next one travels."""


class Lanes:
    """Computes functions of host arrays on a device, a few at a time; a `rainopt.parallel.elsewhere.Elsewhere`.

    Each lane has a stream and page-locked memory of its own, so that what one copies is beside what another computes.
    Who finds no lane free waits for one.

    Parameters
    ----------
    index
        Number of the device.
    count
        How many lanes.
    """

    def __init__(self, index: int, count: int = LANES) -> None:
        self._free: queue.Queue[_Lane] = queue.Queue()
        for _ in range(count):
            self._free.put(_Lane(index))

    def __call__(self, function: Callable[..., Any], *arrays: np.ndarray | None) -> Any:
        """Return what ``function`` makes of cupy arrays that hold the same; arrays and tuples of them on the host."""
        lane = self._free.get()
        try:
            return lane.compute(function, arrays)
        finally:
            self._free.put(lane)


class _Lane:
    """A stream of a device, and page-locked memory for what goes there and for what comes back."""

    def __init__(self, index: int) -> None:
        import cupy

        self._cupy, self._device = cupy, cupy.cuda.Device(index)
        with self._device:
            self._stream = cupy.cuda.Stream(non_blocking=True)
        self._locked: dict[int, Any] = {}

    def compute(self, function: Callable[..., Any], arrays: tuple[np.ndarray | None, ...]) -> Any:
        with self._device, self._stream:
            there = [None if array is None else self._up(place, array) for place, array in enumerate(arrays)]
            result = self._down(function(*there))
            # What was locked is written over by the next call.
            self._stream.synchronize()
        return result

    def _up(self, place: int, array: np.ndarray) -> Any:
        locked = self._memory(place, array.shape, array.dtype)
        locked[...] = array
        there = self._cupy.empty(array.shape, array.dtype)
        there.set(locked, stream=self._stream)
        return there

    def _down(self, result: Any) -> Any:
        if isinstance(result, tuple):
            parts = [self._down(part) for part in result]
            return type(result)(*parts) if hasattr(result, "_fields") else tuple(parts)
        if not isinstance(result, self._cupy.ndarray):
            return result
        result = self._cupy.ascontiguousarray(result)
        locked = self._memory(-1, result.shape, result.dtype)
        result.get(stream=self._stream, out=locked)
        self._stream.synchronize()
        return locked.copy()

    def _memory(self, place: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Return page-locked memory of this lane as an array; the same for the same place, where it is large enough."""
        count = int(np.prod(shape, dtype=np.int64))
        size = max(count * np.dtype(dtype).itemsize, 1)
        if place not in self._locked or self._locked[place][0] < size:
            self._locked[place] = (size, self._cupy.cuda.alloc_pinned_memory(size))
        return np.frombuffer(self._locked[place][1], dtype, count).reshape(shape)
