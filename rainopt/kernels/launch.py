"""The one way in which CUDA kernels are started: on the device of their arrays, in the stream of their owner.

Arrays are cupy's or torch's, and nothing of them is copied: a kernel sees their memory through
``__cuda_array_interface__``, and results are allocated by the caller's library. With ``NUMBA_ENABLE_CUDASIM=1`` the
arrays are numpy's, and numba's simulator runs the same code on the host.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import import_module
from typing import Any

import array_api_compat
import numba.cuda
import numpy as np
from numba.core.errors import NumbaPerformanceWarning

from rainopt.kernels.again import Again
from rainopt.kernels.announce import announce

logger = logging.getLogger(__name__)

# Its stubs say little of what stands in kernels.
cuda: Any = numba.cuda
SIMULATED = "simulator" in cuda.jit.__module__
FORMER = "row_stack"  # of numpy, now vstack
MOST_BLOCKS = 65535  # along the second and third axis of a grid
MISSING = "numba cannot use the CUDA device ({}); operations run on the array library, which is slower; {}"
ADVICE = "install the package `numba-cuda` that fits the driver, see docs/gpu.md"


@cache
def usable() -> bool:
    """Tell whether kernels can be compiled and started here; why not is said once."""
    if SIMULATED:
        return True
    try:
        # Without a driver, some versions tell it by an exception; and what does not fit numpy fails when it compiles.
        if cuda.is_available():
            with _former_names_of_numpy():
                cuda.jit("void()")(_nothing)
            return True
        reason = "no driver, or no compiler for it"
    except Exception as error:
        reason = str(error)
    found = importlib.util.find_spec("numba_cuda") is not None
    logger.warning(MISSING.format(reason, "run `numba -s` to see what it finds" if found else ADVICE))
    return False


def _nothing() -> None:
    """Do nothing, as a kernel that shows whether any can be compiled."""


@contextmanager
def _former_names_of_numpy() -> Iterator[None]:
    """Give numpy the name that numba-cuda up to 0.30 asks for when it first compiles, and numpy 2.5 has no more."""
    missing = not hasattr(np, FORMER)
    if missing:
        setattr(np, FORMER, np.vstack)
    try:
        yield
    finally:
        if missing:
            delattr(np, FORMER)


@dataclass
class Record:
    """What kernels were started, see `recording`."""

    launches: int = 0
    """Kernels, those of a replayed graph included."""
    calls: int = 0
    """Calls of the driver for them: one a graph, one a kernel otherwise."""
    moved: int = 0
    """Bytes that they must read and write, halos included."""
    uploads: int = 0
    """Bytes of tables that came from the host."""
    names: dict[str, int] = field(default_factory=dict)
    """Launches by name of the kernel."""


_records: list[Record] = []
_lock = threading.Lock()


@contextmanager
def recording() -> Iterator[Record]:
    """Count what is started in all threads of this process until the end of the block."""
    record = Record()
    with _lock:
        _records.append(record)
    try:
        yield record
    finally:
        with _lock:
            _records[:] = [other for other in _records if other is not record]


def count(name: str, launches: int, moved: int, calls: int = 1) -> None:
    """Tell those who record of kernels that were started."""
    if _records:
        with _lock:
            for record in _records:
                record.launches += launches
                record.calls += calls
                record.moved += moved
                record.names[name] = record.names.get(name, 0) + launches


class Place:
    """The device and the stream of a caller's array: what kernels are started on, and where results are allocated.

    It is a context manager; inside, its device is the current one of this thread, for numba and for the caller's
    library.
    """

    def __init__(self, array: Any) -> None:
        self.xp = array_api_compat.array_namespace(array)
        self.device = array_api_compat.device(array)
        self.index, self.pointer = _stream_of(array)
        self._entered: list[ExitStack] = []

    def __enter__(self) -> Place:
        stack = ExitStack()
        if not SIMULATED:
            # cupy's first: on leaving, it changes the top of the driver's stack of contexts, and numba looks there.
            if hasattr(self.device, "use"):
                stack.enter_context(self.device)
            stack.enter_context(cuda.gpus[self.index])
        self._entered.append(stack)
        return self

    def __exit__(self, *exception: Any) -> None:
        self._entered.pop().__exit__(*exception)

    @property
    def stream(self) -> Any:
        """The stream as numba's."""
        return 0 if SIMULATED else _stream(self.index, self.pointer)

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """Allocate an array of the caller's library; ``dtype`` is numpy's."""
        return self.xp.empty(shape, dtype=getattr(self.xp, np.dtype(dtype).name), device=self.device)

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """Allocate an array of zeros of the caller's library; ``dtype`` is numpy's."""
        return self.xp.zeros(shape, dtype=getattr(self.xp, np.dtype(dtype).name), device=self.device)

    def upload(self, table: np.ndarray) -> Any:
        """Bring a small table of the host to the device."""
        for record in _records:
            record.uploads += table.nbytes
        return self.xp.asarray(np.ascontiguousarray(table), device=self.device)

    def start(self, kernel: Kernel, grid: Any, block: Any, *arguments: Any, moved: int = 0, shared: int = 0) -> None:
        """Start a kernel; arrays among the arguments are those of `view`."""
        kernel.start(kernel.configured(grid, block, self.stream, shared), arguments)
        self.count(kernel.name, moved)

    def count(self, name: str, moved: int) -> None:
        """Tell those who record of a kernel that was started."""
        count(name, 1, moved)


def _stream_of(array: Any) -> tuple[int, int]:
    """Return the number of the device of an array, and the address of the stream that its library works in there."""
    if SIMULATED:
        return 0, 0
    if array_api_compat.is_torch_array(array):
        index = int(array.device.index)
        return index, int(sys.modules["torch"].cuda.current_stream(index).cuda_stream)
    import cupy

    with array.device:
        return int(array.device.id), int(cupy.cuda.get_current_stream().ptr)


@lru_cache(maxsize=64)
def _stream(index: int, pointer: int) -> Any:
    return cuda.external_stream(pointer)


def view(array: Any) -> Any:
    """Return what a kernel takes for an array: its memory, without a copy.

    The caller's stream orders what happens to it, so that nothing waits here for what the array's library has queued.
    """
    return _simulated(array) if SIMULATED else cuda.as_cuda_array(array, sync=False)


def _simulated(array: np.ndarray) -> Any:
    """Return what the simulator has for an array on a device, around the same memory."""
    return import_module(f"{cuda.jit.__module__.rpartition('.')[0]}.cudadrv.devicearray").FakeCUDAArray(array)


def flat(array: Any) -> Any:
    """Return `view` of all elements in a row; of an array with gaps, those of a copy on its device."""
    return view(array_api_compat.array_namespace(array).reshape(array, (-1,)))


def address(array: Any) -> int:
    """Return where the elements of an array begin."""
    return int((array.__array_interface__ if SIMULATED else array.__cuda_array_interface__)["data"][0])


def numpy_dtype(array: Any) -> np.dtype:
    """Return numpy's name for the dtype of an array."""
    return np.dtype(str(array.dtype).rpartition(".")[2])


class Kernel:
    """A function of numba.cuda, compiled when it is first started with arguments of some types; announced before.

    ``registers`` is the most that a thread may use; None leaves it to the compiler.
    """

    def __init__(self, function: Callable[..., Any], registers: int | None = None) -> None:
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        self.function = function
        # No ``fastmath``: NaN and the order of additions matter. The simulator knows no registers.
        self._compiled = cuda.jit(function) if SIMULATED else cuda.jit(max_registers=registers)(function)
        self._announced = False
        self._again: Again | None = None if SIMULATED else Again(self._compiled)

    def start(self, configured: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        """Start what `configured` returned, by the short way where there is one."""
        if self._again is not None:
            try:
                if self._again.start(configured, arguments):
                    return
            # Internals of numba may be other ones; its own way always works.
            except Exception as error:
                self._again = None
                logger.info("kernel %s is started by numba, which takes longer: %s", self.name, error)
        configured(*arguments)

    def configured(self, grid: Any, block: Any, stream: Any, shared: int = 0) -> Callable[..., None]:
        """Return the kernel for a grid of blocks, a stream, and so many bytes of shared memory a block."""
        if not self._announced:
            # The first of all kernels needs help beside some versions of numpy, which asking brings.
            usable()
            self._announced = True
            announce(self.name)
        return _configured(self._compiled, grid, block, stream, shared)


def _configured_now(kernel: Any, grid: Any, block: Any, stream: Any, shared: int) -> Callable[..., None]:
    with warnings.catch_warnings():
        # Small pictures make small grids, about which users can do nothing.
        warnings.simplefilter("ignore", NumbaPerformanceWarning)
        return kernel[grid, block, stream, shared]


# The simulator has one configuration a kernel, the last.
_configured = _configured_now if SIMULATED else lru_cache(maxsize=1024)(_configured_now)


def threads(card: int, simulator: int) -> int:
    """Return the threads along a side of a block: many on a card, and few where each is one of the host."""
    return simulator if SIMULATED else card


def blocks(size: int, block: int) -> int:
    """Return how many blocks cover so many elements."""
    return -(-size // block)


def portions(size: int, most: int = MOST_BLOCKS) -> Iterator[tuple[int, int]]:
    """Divide an axis of a grid into portions that one launch may have: yields the first block and the number."""
    for first in range(0, size, most):
        yield first, min(most, size - first)
