"""The only file that knows which array library an array belongs to.

Everything else asks here for a namespace, or whether the fast CPU kernels may look at an array directly.
"""

from __future__ import annotations

from typing import Any

import array_api_compat
import numpy as np

# An array of any library of the Python array API standard: numpy, cupy, torch, array-api-strict, ...

Array = Any


def namespace(*arrays: Array, names: str = "input") -> Any:
    """Return the array-API namespace that all ``arrays`` share.

    Raises
    ------
    TypeError
        If an argument is not an array, or two belong to different libraries.
    """
    try:
        return array_api_compat.array_namespace(*arrays)
    except TypeError as error:
        kinds = ", ".join(type(a).__name__ for a in arrays)
        raise TypeError(f"`{names}` must be arrays of one library (numpy, cupy or torch), got {kinds}") from error


def is_floating(array: Array) -> bool:
    """Tell whether ``array`` holds real floating-point numbers."""
    return bool(namespace(array).isdtype(array.dtype, "real floating"))


def detached(array: Array) -> Array:
    """Return ``array`` without the history that a gradient would follow."""
    if array_api_compat.is_torch_array(array) and array.requires_grad:
        return array.detach()
    return array


def native(array: Array) -> Array:
    """Return ``array`` in the machine's own byte order, which is all that kernels know."""
    if isinstance(array, np.ndarray) and not array.dtype.isnative:
        return array.astype(array.dtype.newbyteorder("="))
    return array


def host_view(array: Array) -> np.ndarray | None:
    """Return ``array`` as a numpy array that shares its memory, or None where that is impossible.

    This is the test for the fast CPU paths: a numpy array, or a torch tensor on the CPU that is not part of a
    gradient. A tensor that requires a gradient is refused, because a kernel would cut the graph silently.
    """
    if isinstance(array, np.ndarray):
        return array
    if array_api_compat.is_torch_array(array) and array.device.type == "cpu" and not array.requires_grad:
        return array.numpy()
    return None


def like(array: np.ndarray, reference: Array) -> Array:
    """Return the numpy ``array`` in the library of ``reference`` (a host array in, a host array out)."""
    if isinstance(reference, np.ndarray):
        return array
    return namespace(reference).asarray(array)


def to_numpy(array: Array) -> np.ndarray:
    """Copy ``array`` to the host, whatever its library and device, detached from any gradient."""
    if isinstance(array, np.ndarray):
        return array
    if array_api_compat.is_torch_array(array):
        return array.detach().cpu().numpy()
    if array_api_compat.is_cupy_array(array):
        return array.get()
    return np.asarray(array)
