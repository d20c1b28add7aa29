"""Weights in files of other programs, which wrap them in this and that; read as weights and nothing else."""

from __future__ import annotations

import pickle
import re
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rainnet.weights.checkpoint import SUFFIX, tensors_of
from rainnet.weights.fitting import listed, unlike_weights

# Under which programs keep the weights beside other things, the likeliest first; an average before what it is one of.
WRAPPERS = (
    "net",
    "state_dict",
    "model_state_dict",
    "model",
    "params_ema",
    "params",
    "netDerain",
    "derainnet",
)
PREFIXES = ("module.", "_orig_mod.", "model.")  # of networks on several GPUs, of compiled ones, and of those in a shell
# What numpy's plain numbers, such as a best score, and arrays of them are made of in a file. They are data: no object.
NUMPY: tuple[Any, ...] = (np.dtype, np.ndarray, *{type(np.dtype(code)) for code in "?bhilqBHILQefd"})
NUMPY_MADE_BY: tuple[Any, ...] = tuple(value.__reduce__()[0] for value in (np.float64(), np.zeros(0)))
NUMPY_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")  # before numpy 2, and since


class ConversionError(ValueError):
    """A file that cannot be turned into a network; one sentence names it, what is wrong, and what to do."""


class Wrapped(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    state
        Weights in their order, by the names that the file has.
    config
        What it calls its config; empty if nothing.
    notes
        What had to be chosen, a sentence each.
    """

    state: dict[str, Tensor]
    config: dict[str, Any]
    notes: list[str]


def read(path: Path) -> Wrapped:
    """Return the weights of a file, and what is beside them.

    Raises
    ------
    ConversionError, CheckpointError
        If it cannot be read, or holds something else.
    """
    config: dict[str, Any] = {}
    notes: list[str] = []
    loaded: Any = tensors_of(path) if path.suffix == SUFFIX else _unpickle(path)
    if isinstance(loaded, list | tuple) and _under(numbered := {str(k): each for k, each in enumerate(loaded)}):
        loaded = numbered
    # Wrappers are few deep, and a dict may hold itself.
    for _ in range(len(WRAPPERS) + 1):
        if not isinstance(loaded, dict):
            break
        if isinstance(loaded.get("config"), dict):
            config = loaded["config"]
        under = _under(loaded)
        key = next((key for key in WRAPPERS if isinstance(loaded.get(key), dict)), None)
        # Whatever a program calls the weights, they are meant if there are no others.
        key = under[0] if key is None and len(under) == 1 else key
        if key is None and under:
            raise ConversionError(
                f"'{path}' holds several networks, under {listed(under)}; save the one you mean alone"
            )
        if key is None:
            break
        others = [other for other in under if other != key]
        if key == "params_ema" and "params" in others:
            others.remove("params")
            notes.append("the file holds weights, params, and their average, params_ema, which was taken")
        if others:
            notes.append(f"the weights under {key} were taken; for those under {listed(others)}, save them alone")
        loaded = loaded[key]
    if not isinstance(loaded, dict) or not loaded or not all(isinstance(key, str) for key in loaded):
        what = f"a {type(loaded).__name__}" if not isinstance(loaded, dict) else "no names of weights"
        raise ConversionError(f"'{path}' must hold a state dict, names and weights; it holds {what}")
    loaded = {key: _tensor(value) if isinstance(value, np.ndarray) else value for key, value in loaded.items()}
    if wrong := [key for key, value in loaded.items() if not isinstance(value, Tensor)]:
        raise ConversionError(
            f"'{path}' must hold a state dict, alone or under one of {', '.join(WRAPPERS)}; what it has under "
            f"{listed(wrong)} are no weights"
        )
    if unlike := unlike_weights(loaded):
        raise ConversionError(f"'{path}' {unlike}")
    return Wrapped(dict(loaded), config, notes)


def without_prefixes(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights without the prefixes that all of their names have of what was around the network."""
    while prefix := next((each for each in PREFIXES if state and all(key.startswith(each) for key in state)), None):
        state = {key.removeprefix(prefix): tensor for key, tensor in state.items()}
    return state


def _under(loaded: dict[Any, Any]) -> list[Any]:
    """Return under which keys there are weights by name."""
    return [
        key
        for key, value in loaded.items()
        if isinstance(value, dict)
        and value
        and all(isinstance(name, str) and isinstance(each, Tensor | np.ndarray) for name, each in value.items())
    ]


def _tensor(array: np.ndarray[Any, Any]) -> Tensor:
    """Return an array as a tensor, in the byte order of this machine, which is the only one that torch takes."""
    return torch.tensor(array.astype(array.dtype.newbyteorder("=")))


def _unpickle(path: Path) -> Any:
    """Read what torch.save wrote, weights and plain values only; anything else in the file is not run."""
    made_by = [(make, f"{module}.{make.__name__}") for make in NUMPY_MADE_BY for module in NUMPY_MODULES]
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals([*NUMPY, *made_by]):
            warnings.simplefilter("ignore")  # about old formats
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = f"'{found[1]}', which is code" if found else "something else than weights"
        raise ConversionError(
            f"'{path}' is refused, and nothing of it was run: it holds {what}. In the program that it comes from, save "
            "the weights alone: torch.save(net.state_dict(), path)"
        ) from None
    # Whatever is in the file: zip, tar and torch each have errors of their own.
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ConversionError(f"'{path}' cannot be read as a checkpoint of torch ({reason}); is it whole?") from None
