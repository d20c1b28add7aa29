"""The only file that knows which array library an array belongs to, and which kernels there are for its device.

Every operation is written once on the array namespace of its input. Where `KERNELS` has a faster one for the device
that the input lies on, `kernel` returns it; where it has none, the operation runs as it is written, on that device.
Nothing is copied between devices here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import array_api_compat
import numpy as np

CPU, CUDA = "cpu", "cuda"
KERNELS: dict[tuple[str, str], str] = {
    ("block_mean", CPU): "rainopt.kernels.block_mean_cpu:block_mean",
    ("block_mean", CUDA): "rainopt.kernels.block_mean_cuda:block_mean",
    ("box_mean", CPU): "rainopt.kernels.box_mean_cpu:box_mean",
    ("box_mean", CUDA): "rainopt.kernels.box_mean_cuda:box_mean",
    ("colour_votes", CPU): "rainopt.kernels.colour_votes_cpu:colour_votes",
    ("colour_votes", CUDA): "rainopt.kernels.colour_votes_cuda:colour_votes",
    ("dct2", CPU): "rainopt.kernels.dct_cpu:dct2",
    ("doubt", CPU): "rainopt.kernels.doubt_cpu:doubt",
    ("idct2", CPU): "rainopt.kernels.dct_cpu:idct2",
    ("irnn", CPU): "rainopt.kernels.irnn_cpu:irnn",
    ("irnn", CUDA): "rainopt.kernels.irnn_cuda:irnn",
    ("irnn_backward", CPU): "rainopt.kernels.irnn_cpu:irnn_backward",
    ("irnn_backward", CUDA): "rainopt.kernels.irnn_cuda:irnn_backward",
    ("irnn_last", CPU): "rainopt.kernels.irnn_last_cpu:irnn_last",
    ("luminance", CUDA): "rainopt.kernels.luminance_cuda:luminance",
    ("off_centre", CPU): "rainopt.kernels.percentile_cpu:off_centre",
    ("off_centre", CUDA): "rainopt.kernels.percentile_cuda:off_centre",
    ("percentile", CPU): "rainopt.kernels.percentile_cpu:percentile",
    ("percentile", CUDA): "rainopt.kernels.percentile_cuda:percentile",
    ("percentile_vote", CPU): "rainopt.kernels.percentile_cpu:vote",
    ("percentile_vote", CUDA): "rainopt.kernels.percentile_cuda:vote",
    ("raise_layer", CPU): "rainopt.kernels.raise_layer_cpu:raise_layer",
    ("remove_layer", CPU): "rainopt.kernels.remove_layer_cpu:remove_layer",
    ("remove_layer", CUDA): "rainopt.kernels.remove_layer_cuda:remove_layer",
    ("ridge_crests", CUDA): "rainopt.kernels.ridge_cuda:crests",
    ("ridge_curvature", CUDA): "rainopt.kernels.ridge_cuda:curvature",
    ("ridge_table", CUDA): "rainopt.kernels.ridge_table_cuda:Table",
    ("ridge_thresholds", CUDA): "rainopt.kernels.ridge_thresholds_cuda:thresholds",
    ("shear", CPU): "rainopt.kernels.shear_cpu:shift_rows",
    ("shear", CUDA): "rainopt.kernels.shear_cuda:shift_rows",
    ("streak_doubt", CUDA): "rainopt.kernels.doubt_cuda:doubt",
    ("udg", CPU): "rainopt.kernels.udg_cpu:Bands",
    ("udg", CUDA): "rainopt.kernels.udg_cuda:Tiles",
}
"""All kernels, by operation and kind of device, as "module:name".

A kernel takes arrays that lie on its device, numpy arrays on the CPU and those of cupy or torch on a CUDA device, and
returns such arrays. It is imported when it is first asked for, because compiling it is no business of a user of another
device. To add one: a file in `rainopt.kernels` named after operation and device, a line here, a test that it agrees
with the operation as written, and a row in ``benchmarks.speed``.
"""

# An array of any library of the Python array API standard: numpy, cupy, torch, array-api-strict, ...

Array = Any


def namespace(*arrays: Array, names: str = "input") -> Any:
    """Return the array-API namespace that all ``arrays`` share.

    Raises
    ------
    TypeError
        If an argument is not an array, two belong to different libraries, or one is of a kind that computes otherwise.
    """
    for array in arrays:
        if type(array) is not np.ndarray:
            _refuse_other_arithmetic(array, names)
    try:
        return array_api_compat.array_namespace(*arrays)
    except TypeError as error:
        kinds = ", ".join(type(a).__name__ for a in arrays)
        raise TypeError(f"`{names}` must be arrays of one library (numpy, cupy or torch), got {kinds}") from error


def _refuse_other_arithmetic(array: Any, name: str) -> None:
    """Refuse what is an array by its class and not by its numbers."""
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(
            f"`{name}` must not be a masked array: what is masked has no value; fill it first, as by `.filled(0)`"
        )
    if isinstance(array, np.matrix):
        raise TypeError(f"`{name}` must not be a numpy.matrix, whose product is another; give `np.asarray` of it")


def require_dense(array: Array, name: str) -> None:
    """Require an array whose numbers all lie in memory.

    Raises
    ------
    TypeError
        For something that is no array, and for tensors that are sparse, nested, quantised or without values.
    """
    namespace(array, names=name)
    if array_api_compat.is_torch_array(array) and (
        str(array.layout) != "torch.strided" or array.is_meta or array.is_quantized or array.is_nested
    ):
        raise TypeError(f"`{name}` must be a dense tensor with values, got one of {array.layout} on {array.device}")


def is_floating(array: Array) -> bool:
    """Tell whether ``array`` holds real floating-point numbers of at least 16 bits."""
    return bool(namespace(array).isdtype(array.dtype, "real floating")) and getattr(array.dtype, "itemsize", 2) > 1


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


def kernel(operation: str, *arrays: Array | None) -> Callable[..., Any] | None:
    """Return the kernel of an operation for the device that all ``arrays`` lie on, or None where it runs as written.

    What is returned takes arrays of the caller's library and gives results in that library; arguments that are no
    arrays, and results that are none, pass as they are. None arrays do not count.
    """
    there = [array for array in arrays if array is not None]
    if not there:
        return None
    plain = all(isinstance(array, np.ndarray) for array in there)
    device = CPU if plain else _shared_device(there)
    entry = None if device is None else KERNELS.get((operation, device))
    if device is None or entry is None or (device == CUDA and not _compiles_for_cuda()):
        return None
    function = _loaded(entry)
    if plain or device != CPU:
        return function

    def call(*arguments: Any, **options: Any) -> Any:
        result = function(*map(_seen, arguments), **{name: _seen(option) for name, option in options.items()})
        return _returned(result, there[0])

    return call


@cache
def _loaded(entry: str) -> Callable[..., Any]:
    module, name = entry.split(":")
    return getattr(import_module(module), name)


def _compiles_for_cuda() -> bool:
    """Tell whether there is what kernels for CUDA are compiled with."""
    return import_module("rainopt.kernels.launch").usable()


def _shared_device(arrays: list[Array]) -> str | None:
    """Return the kind of device that all arrays lie on; None for several of a kind or of libraries, and where one is
    part of a gradient.
    """
    if all(host_view(array) is not None for array in arrays):
        return CPU
    if len({(array_api_compat.is_torch_array(array), str(getattr(array, "device", ""))) for array in arrays}) > 1:
        return None
    for array in arrays:
        if array_api_compat.is_torch_array(array):
            if array.device.type != CUDA or array.requires_grad:
                return None
        elif not array_api_compat.is_cupy_array(array):
            return None
    return CUDA


def _seen(argument: Any) -> Any:
    return host_view(argument) if array_api_compat.is_torch_array(argument) else argument


def _returned(result: Any, reference: Array) -> Any:
    if isinstance(result, tuple):
        return tuple(_returned(part, reference) for part in result)
    return like(result, reference) if isinstance(result, np.ndarray) else result


def host_view(array: Array) -> np.ndarray | None:
    """Return ``array`` as a numpy array that shares its memory, or None where that is impossible.

    It is possible for a numpy array, and for a torch tensor on the CPU of a dtype that numpy knows and that is not
    part of a gradient: a kernel would cut the graph silently.
    """
    if isinstance(array, np.ndarray):
        return array
    if array_api_compat.is_torch_array(array) and array.device.type == CPU and not array.requires_grad:
        try:
            return array.numpy()
        except TypeError:  # bfloat16, which numpy does not know
            return None
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


class DeviceError(ValueError):
    """The device that was asked for is not there."""


def resolve_device(name: str, count: Callable[[], int | None], library: str, missing: str = "") -> str:
    """Turn ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` into ``cpu`` or ``cuda:N``.

    ``auto`` takes the first CUDA device where there is one, else the CPU. A device that was named is never replaced by
    another.

    Parameters
    ----------
    name
        What the user says.
    count
        Returns how many CUDA devices ``library`` finds; None where it cannot look for any.
    library
        What works on the device, "cupy" or "torch", for the messages.
    missing
        Why, and what to do, where ``count`` returns None.

    Raises
    ------
    DeviceError
        If the name is none of these, or there is no such device.
    """
    if name == CPU:
        return name
    if name == "auto":
        return f"{CUDA}:0" if (count() or 0) > 0 else CPU
    match = re.fullmatch(r"cuda(?::(\d+))?", name)
    if not match:
        raise DeviceError(f"`device` must be auto, cpu or cuda:N, got '{name}'")
    index, found = int(match[1] or 0), count()
    if found is None:
        raise DeviceError(f"there is no device '{name}' for {library}{': ' + missing if missing else ''}")
    if index >= found:
        raise DeviceError(f"there is no device '{name}': {library} finds {found} CUDA devices; use cpu or auto")
    return f"{CUDA}:{index}"
