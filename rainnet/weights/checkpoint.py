"""Networks in files: safetensors whose metadata hold the config, so that the file alone rebuilds the network."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from rainnet.models.base import Network
from rainnet.models.names import known
from rainnet.weights.fitting import CheckpointError, fitting, not_finite, restore, unlike_weights
from rainnet.zoo import shipped
from rainopt.io.atomic import replacing

FORMAT, VERSION, SUFFIX = "rainnet", "1", ".safetensors"
FOREIGN = (".pt", ".pth", ".ckpt", ".bin", ".pkl")  # suffixes of what torch.save writes


class ModelHeader(NamedTuple):
    """What a file says about its network before the weights are read.

    Attributes
    ----------
    network
        Name that `rainnet.create` knows.
    config
        Fields of the network's config.
    facts
        How it was trained: steps, recipe, scores, data, licence; whatever `save` was told.
    """

    network: str
    config: dict[str, Any]
    facts: dict[str, Any]


def save(net: Network, path: str | Path, *, facts: dict[str, Any] | None = None, overwrite: bool = False) -> Path:
    """Write a network to a file from which `load` rebuilds it.

    Parameters
    ----------
    net
        On any device; floating-point weights are written as float32.
    path
        Ends in ``.safetensors``. The file is written beside its place and renamed.
    facts
        What else is to be known of the network, anything that JSON holds.
    overwrite
        Whether a file that is there is replaced.

    Raises
    ------
    TypeError
        If ``net`` is a wrapper around a network (of `torch.compile`, of several GPUs), or ``facts`` do not fit JSON.
    ValueError
        For another suffix, or weights that are not finite.
    OSError
        If the file is there already or cannot be written.
    """
    path = Path(path)
    if not isinstance(net, Network):
        raise TypeError(f"`net` must be a network of rainnet, got {type(net).__name__}; pass the one that it wraps")
    if path.suffix != SUFFIX:
        raise CheckpointError(f"`path` must end in {SUFFIX}, got '{path}'")
    if wrong := unlike_weights(net.state_dict()):
        raise CheckpointError(f"`net` {wrong}; '{path}' was not written")
    state = {key: _as_written(tensor) for key, tensor in net.state_dict().items()}
    if wrong := not_finite(state):
        raise CheckpointError(f"`net` holds weights that are NaN or infinite ({wrong}); '{path}' was not written")
    metadata = described(net, {} if facts is None else facts)
    with replacing(path, overwrite) as file:
        file.write(_in_order(serialise(state, metadata)))
    return path


def described(net: Network, facts: dict[str, Any]) -> dict[str, str]:
    """Return what a file says about its network; TypeError if the facts do not fit JSON."""
    try:
        text = json.dumps(facts, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TypeError(f"`facts` must be what JSON can hold ({error})") from None
    config = json.dumps(net.config_dict())
    return {"format": FORMAT, "version": VERSION, "network": net.name, "config": config, "facts": text}


def load(source: str | Path, *, device: str | torch.device = "cpu") -> Network:
    """Rebuild a network from its file, ready to be used (in eval mode).

    Parameters
    ----------
    source
        A file, a folder or a name, see `resolve`.
    device
        Where the weights go: "cpu", "cuda:0".

    Raises
    ------
    CheckpointError
        For files that are missing, damaged, not written by `save`, or of a network that this version does not know.
    ValueError
        If there is no such device.

    Examples
    --------
    >>> import rainnet
    >>> net = rainnet.load("refine")
    >>> net.name, net.training
    ('refine', False)
    """
    path = resolve(source)
    header = header_of(path)
    try:
        net = fitting(header.network, header.config, shapes_of(path), f"'{path}'")
    except CheckpointError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"the network in '{path}' cannot be built: {error}") from None
    restore(net, tensors_of(path), path)
    try:
        return net.to(device).eval()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"`device` '{device}' cannot be used here ({reason}); 'cpu' can") from None


def facts_of(source: str | Path) -> dict[str, Any]:
    """Return the facts that `save` was told, without reading the weights; raises as `load` does."""
    return header_of(resolve(source)).facts


def resolve(source: str | Path) -> Path:
    """Return the file of a network.

    Parameters
    ----------
    source
        The name of a network that ships (before a file or folder of that name, which is ``./NAME``); a file; or a
        folder: ``model.safetensors`` in it, or the only such file that it holds.

    Raises
    ------
    CheckpointError
        If there is none, or a folder leaves the choice open.
    """
    ours, path = shipped(), Path(source)
    if isinstance(source, str) and source in ours:
        return ours[source]
    if path.is_dir():
        return _in_folder(path)
    if not path.exists():
        try:
            known(str(source), ours, "network that comes with rainnet")
        except ValueError as error:
            raise CheckpointError(f"there is no file '{source}', and {error}") from None
    if path.exists() and not path.is_file():
        raise CheckpointError(
            f"'{path}' is a pipe or a device where a file with a network is expected; save it as a file"
        )
    if path.suffix.lower() in FOREIGN:
        # A training run leaves both, and the one to be used is the other.
        beside = path.with_name(f"model{SUFFIX}")
        if beside.is_file():
            raise CheckpointError(f"'{path}' is no network to be used; the one beside it is: '{beside}'")
        raise CheckpointError(
            f"'{path}' is a checkpoint of another program, which can hold code and is not loaded; convert it once: "
            f"rainnet convert NETWORK {path} -o {path.with_suffix(SUFFIX).name}"
        )
    return path


def _in_folder(folder: Path) -> Path:
    if (folder / f"model{SUFFIX}").is_file():
        return folder / f"model{SUFFIX}"
    files = sorted(folder.glob(f"*{SUFFIX}"))
    if len(files) == 1:
        return files[0]
    found = f"several ({', '.join(file.name for file in files)}); name one" if files else "none; name another folder"
    raise CheckpointError(f"'{folder}' is a folder and must hold model{SUFFIX} or one {SUFFIX} file, it holds {found}")


def header_of(path: Path) -> ModelHeader:
    """Read what a file says about its network.

    Raises
    ------
    CheckpointError
        If the file is damaged or was not written by `save`.
    """
    metadata = metadata_of(path)
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"'{path}' holds weights, but does not say of which network of rainnet; convert it: "
            f"rainnet convert NETWORK {path} -o OUTPUT{SUFFIX}"
        )
    if metadata.get("version") != VERSION:
        raise CheckpointError(
            f"'{path}' has version {metadata.get('version')} of the format, this rainnet reads {VERSION}; update it"
        )
    parts = []
    for name in ("config", "facts"):
        try:
            part = json.loads(metadata.get(name, ""))
        except (ValueError, RecursionError):
            part = None
        if not isinstance(part, dict):
            raise CheckpointError(f"'{path}' is damaged: its {name} is no JSON object; copy or download it again")
        parts.append(part)
    # JSON has no tuples, and configs are to be hashable.
    config = {field: tuple(value) if isinstance(value, list) else value for field, value in parts[0].items()}
    return ModelHeader(metadata.get("network", ""), config, parts[1])


def metadata_of(path: Path) -> dict[str, str]:
    """Return the metadata of a safetensors file, whoever wrote it; raises CheckpointError if it is none."""
    try:
        with safe_open(os.fspath(path), framework="pt") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from None


def shapes_of(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors of a safetensors file without reading them; raises as `tensors_of`."""
    try:
        with safe_open(os.fspath(path), framework="pt") as file:
            return {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118 - no dict
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from None


def tensors_of(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file; raises CheckpointError if it is none, or has some that torch lacks."""
    try:
        with safe_open(os.fspath(path), framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - the file is no dict
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from None
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise CheckpointError(
            f"'{path}' holds weights of a type that torch {torch.__version__} cannot read ({reason}); save them as "
            "float32 where they come from"
        ) from None


def _unreadable(path: Path, error: Exception) -> CheckpointError:
    if isinstance(error, OSError) and error.strerror:
        return CheckpointError(f"'{path}' cannot be read ({error.strerror}); check its name and the rights on it")
    return CheckpointError(
        f"'{path}' is no whole safetensors file ({error}); it is damaged or something else: copy or download it again"
    )


def _as_written(tensor: Tensor) -> Tensor:
    # Counters of normalisations stay whole numbers. A copy, as tensors that share memory cannot be written.
    dtype = torch.float32 if tensor.is_floating_point() else tensor.dtype
    return tensor.detach().to("cpu", dtype, copy=True, memory_format=torch.contiguous_format)


def _in_order(data: bytes) -> bytes:
    """Sort the metadata of a file, which are written in any order: a network is the same file each time."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps({"__metadata__": header.pop("__metadata__"), **header}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # the tensors begin at a multiple of eight bytes
    return len(text).to_bytes(8, "little") + text + data[start:]
