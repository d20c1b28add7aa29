"""That weights are those of a network: as many, of the same shapes, and plain numbers; asked before it is built."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rainnet.models.base import Network
from rainnet.zoo import create

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
WHOLE = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


class CheckpointError(ValueError):
    """A file that is no network of ours; one sentence names the file, what is wrong, and what to do."""


def fitting(
    name: str,
    config: Mapping[str, Any],
    shapes: Mapping[str, tuple[int, ...]],
    where: str,
    *,
    partial: bool = False,
) -> Network:
    """Make a network with fresh weights that is as large as the weights that are there for it.

    What a config asks for is compared with them before anything is built, on torch's device without memory: a small
    file cannot ask for a large network. Random numbers are left as they were.

    Parameters
    ----------
    name, config
        As `rainnet.zoo.create`.
    shapes
        Of the weights, by name.
    where
        What holds them, for messages.
    partial
        Whether some may be missing, which keep fresh weights.

    Raises
    ------
    CheckpointError
        If weights are missing, left over, or of another shape; the first few of them are named.
    ValueError, TypeError
        As `rainnet.zoo.create`.
    """
    own = outlined(name, config)
    require_shapes({key: own[key] for key in own if key in shapes} if partial else own, shapes, where)
    # Fresh weights are drawn and thrown away.
    with torch.random.fork_rng(devices=[]):
        return create(name, **config)


def outlined(name: str, config: Mapping[str, Any], preset: str | None = None) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the weights that a network would have, without building it; as `rainnet.zoo.create`."""
    with torch.random.fork_rng(devices=[]):
        try:
            with torch.device("meta"):
                outline = create(name, preset=preset, **config)
        except (NotImplementedError, RuntimeError):
            # A network that computes with tensors while it is made, which only real ones can.
            outline = create(name, preset=preset, **config)
    return {key: tuple(tensor.shape) for key, tensor in outline.state_dict().items()}


def require_shapes(own: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]], where: str) -> None:
    """Require weights of the names and shapes that a network has.

    Raises
    ------
    CheckpointError
        If some are missing, left over, or of another shape; the first few of them are named.
    """
    missing, left_over = [key for key in own if key not in found], [key for key in found if key not in own]
    shapes = [
        f"{key} is {found[key]} instead of {shape}" for key, shape in own.items() if found.get(key, shape) != shape
    ]
    for what, names in (("has no", missing), ("has more than the network:", left_over), ("does not fit:", shapes)):
        if names:
            raise CheckpointError(f"{where} {what} {listed(names)}; it is not of the network and config it names")


def restore(net: Network, state: dict[str, Tensor], path: Path) -> None:
    """Give a network the weights that a file holds.

    Raises
    ------
    CheckpointError
        If weights are missing, left over, of another shape or kind, or not finite; the first few of them are named.
    """
    own = net.state_dict()
    if wrong := unlike_weights(state):
        raise CheckpointError(f"'{path}' {wrong}")
    sizes, found = ({key: tuple(tensor.shape) for key, tensor in some.items()} for some in (own, state))
    require_shapes(sizes, found, f"'{path}'")
    # Whole numbers are counters where they belong, and weights that somebody has quantised where not.
    if whole := [key for key, tensor in own.items() if tensor.is_floating_point() and state[key].dtype in WHOLE]:
        raise CheckpointError(
            f"'{path}' holds whole numbers for weights ({listed(whole)}); save them as plain float32 tensors where "
            "they come from"
        )
    if wrong := not_finite(state):
        raise CheckpointError(f"'{path}' holds weights that are NaN or infinite ({wrong}); use an earlier one")
    net.load_state_dict(state)


def unlike_weights(state: Mapping[str, Tensor]) -> str:
    """Return what is wrong with tensors that are no plain numbers in memory, to go on with after a name; else ""."""
    kinds: dict[str, list[str]] = {}
    for key, tensor in state.items():
        if kind := _unlike(tensor):
            kinds.setdefault(kind, []).append(key)
    if not kinds:
        return ""
    kind, keys = next(iter(kinds.items()))
    return f"holds weights that are {kind} ({listed(keys)}); save them as plain float32 tensors where they come from"


def _unlike(tensor: Tensor) -> str:
    if tensor.is_nested or tensor.layout != torch.strided:
        return "sparse or nested"
    if tensor.is_meta:
        return "on the device 'meta', and so have no values"
    if tensor.is_quantized or tensor.is_complex():
        return f"of type {str(tensor.dtype).removeprefix('torch.')}"
    return "" if tensor.dtype in FLOATS + WHOLE else f"of type {str(tensor.dtype).removeprefix('torch.')}"


def listed(names: list[str], most: int = 3) -> str:
    """Return the first few of many names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def not_finite(state: dict[str, Tensor]) -> str:
    """Return the first few names of tensors that hold NaN or infinities; "" where none does."""
    return listed([key for key, tensor in state.items() if not bool(torch.isfinite(tensor).all())])
