"""Kernels of numba.cuda started again without what numba does at each start, which takes longer than small kernels run.

numba finds the types of all arguments anew and describes each array to the driver; here both are done once an array.
What is started, and by which call, is the same. Internals of numba-cuda are used, so whoever calls must be ready for
any exception, and for False.
"""

from __future__ import annotations

import ctypes
from importlib import import_module
from typing import Any

import numpy as np

NUMBERS: dict[type, Any] = {
    int: ctypes.c_int64,
    float: ctypes.c_double,
    np.float32: ctypes.c_float,
    np.float64: ctypes.c_double,
}
"""What the driver is given for a number of a type, as numba does."""


class Again:
    """The compiled forms of a kernel by the types of its arguments; ``dispatcher`` is numba's."""

    def __init__(self, dispatcher: Any) -> None:
        self._dispatcher = dispatcher
        self._types: dict[Any, Any] = {}
        self._compiled: dict[tuple[Any, ...], Any] = {}

    def start(self, configured: Any, arguments: tuple[Any, ...]) -> bool:
        """Start it as ``configured``, and tell whether this was done; not before numba has compiled it."""
        if self._dispatcher._launch_config_sensitive:
            return False
        packed: list[Any] = []
        kinds = tuple([self._pack(argument, packed) for argument in arguments])
        compiled = self._compiled.get(kinds)
        if compiled is None:
            types = tuple(self._type(kind, argument) for kind, argument in zip(kinds, arguments, strict=True))
            compiled = self._dispatcher.overloads.get(types)
            if compiled is None or compiled.debug:
                return False
            self._compiled[kinds] = compiled
        numba = import_module("numba.cuda.dispatcher")
        config = getattr(configured, "rainopt_config", None)
        if config is None:
            config = numba.LaunchConfig(
                grid=configured.griddim, block=configured.blockdim, shmem_size=configured.sharedmem
            )
            configured.rainopt_config = config
        numba.launch(configured.stream, config, compiled._codelibrary.get_cufunc().kernel, *packed)
        return True

    def _pack(self, argument: Any, packed: list[Any]) -> Any:
        """Append what the driver is given for an argument, and return what tells its type."""
        kind = type(argument)
        number = NUMBERS.get(kind)
        if number is not None:
            packed.append(number(argument))
            return kind
        if kind is tuple:
            return tuple([self._pack(part, packed) for part in argument])
        known = getattr(argument, "rainopt_packed", None)
        if known is None:
            numba_type = self._dispatcher.typeof_pyval(argument)
            shape, strides = tuple(argument.shape), tuple(argument.strides)
            pointer = int(argument.__cuda_array_interface__["data"][0])
            size, item = int(np.prod(shape, dtype=np.int64)), int(argument.dtype.itemsize)
            known = numba_type, (0, 0, size, item, pointer, *shape, *strides)
            argument.rainopt_packed = known
        packed.extend(known[1])
        return known[0]

    def _type(self, kind: Any, argument: Any) -> Any:
        return self._dispatcher.typeof_pyval(argument) if isinstance(kind, (type, tuple)) else kind
