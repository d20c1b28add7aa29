"""Checkpoints of other programs, read as weights and nothing else, and turned into networks of ours."""

from __future__ import annotations

import hashlib
import logging
import pickle
import re
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rainnet.convert.base import UnlikeError
from rainnet.models.base import Network
from rainnet.weights.checkpoint import FORMAT, SUFFIX, facts_of, load, metadata_of, tensors_of
from rainnet.weights.fitting import CheckpointError, fitting, listed, outlined, restore, unlike_weights
from rainnet.zoo import create, entry_of, names

WRAPPERS = ("net", "state_dict", "model", "params")  # under which programs keep the weights beside other things
PREFIXES = ("module.", "_orig_mod.")  # of networks on several GPUs, and of compiled ones

logger = logging.getLogger(__name__)


class ConversionError(ValueError):
    """A file that cannot be turned into a network; one sentence names it, what is wrong, and what to do."""


class Converted(NamedTuple):
    """A network from another program's file.

    Attributes
    ----------
    network
        With the weights of the file, in eval mode.
    facts
        Where it comes from, for `rainnet.save`: name and SHA-256 of the file, and the notes.
    notes
        What a user has to know, a sentence each; empty if everything was mapped and nothing assumed.
    """

    network: Network
    facts: dict[str, Any]
    notes: list[str]


def convert_official(name: str, path: str | Path, *, config: dict[str, Any] | None = None) -> Network:
    """Return the network in a checkpoint of another program; see `convert`. Notes are logged as warnings."""
    converted = convert(name, path, config=config)
    for note in converted.notes:
        logger.warning("%s: %s", path, note)
    return converted.network


def convert(name: str, path: str | Path, *, config: dict[str, Any] | None = None) -> Converted:
    """Turn a checkpoint of another program, or weights of ours that `torch.save` wrote, into a network.

    Only weights are read: a file that holds code is refused, and nothing of it is run.

    Parameters
    ----------
    name
        Of the network, as `rainnet.create` knows it.
    path
        What `torch.save` wrote of a state dict, alone or among other things, or a safetensors file.
    config
        Fields of our config that the weights do not tell.

    Raises
    ------
    ConversionError
        If the file cannot be read as weights, or they are not those of such a network.
    """
    path = Path(path)
    if name not in names():
        raise ConversionError(_no_mapping(f"there is no network '{name}'"))
    if not path.is_file():
        raise ConversionError(f"there is no file '{path}'")
    try:
        return _convert(name, path, config or {})
    except (CheckpointError, OSError) as error:
        raise ConversionError(str(error)) from None


def _convert(name: str, path: Path, config: dict[str, Any]) -> Converted:
    if path.suffix == SUFFIX and metadata_of(path).get("format") == FORMAT:
        net = load(path)
        if net.name != name:
            raise ConversionError(f"'{path}' holds a network '{net.name}', not '{name}'")
        if config:
            raise ConversionError(f"'{path}' holds its config, which is not to be changed; leave out `config` (--set)")
        return Converted(net, facts_of(path), [])
    state, written = _read(path)
    if _is_ours(name, state):
        net, notes = _own(name, state, {**written, **config}, path)
    elif (mapping := entry_of(name).foreign) is None:
        raise ConversionError(_no_mapping(f"'{path}' does not hold weights of our {name}"))
    elif path.suffix == SUFFIX:
        raise ConversionError(
            f"'{path}' keeps no order of its weights, and other programs' are told by it; convert the file that "
            "torch.save wrote (.pth)"
        )
    else:
        try:
            foreign = mapping(state)
        except UnlikeError as error:
            raise ConversionError(f"'{path}' {error}") from None
        net = _fresh(name, path, {**foreign.config, **config}, foreign.state, partial=True)
        restore(net, net.state_dict() | foreign.state, path)
        notes = foreign.notes
    facts: dict[str, Any] = {"converted_from": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    return Converted(net.eval(), facts | ({"notes": notes} if notes else {}), notes)


def _fresh(
    name: str, path: Path, config: dict[str, Any], state: dict[str, Tensor], *, partial: bool = False
) -> Network:
    """Make the network of some weights, or of a part of them; fresh weights are the same each time, and random numbers
    are left as they were.
    """
    own = {field.name for field in fields(next(iter(entry_of(name).presets.values())))}
    if unknown := [str(key) for key in config if key not in own]:
        raise ConversionError(
            f"no network can be built for '{path}': the config of {name} has no {listed(unknown)}, but "
            f"{', '.join(sorted(own))}"
        )
    shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            return fitting(name, config, shapes, f"'{path}'", partial=partial)
        except CheckpointError:
            raise
        except (TypeError, ValueError) as error:
            raise ConversionError(f"no network can be built for '{path}': {error}") from None


def _is_ours(name: str, state: dict[str, Tensor]) -> bool:
    """Whether the weights belong to modules called as those of our network are."""
    own = outlined(name, {})
    return {key.partition(".")[0] for key in state} == {key.partition(".")[0] for key in own}


def _own(name: str, state: dict[str, Tensor], config: dict[str, Any], path: Path) -> tuple[Network, list[str]]:
    """Rebuild one of our networks from weights alone; with no config, one of the presets must fit."""
    if config:
        net = _fresh(name, path, config, state)
        restore(net, state, path)
        return net, []
    shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
    for preset in entry_of(name).presets:
        if outlined(name, {}, preset) == shapes:
            with torch.random.fork_rng(devices=[]):
                net = create(name, preset=preset)
            restore(net, state, path)
            return net, [f"the file holds no config; its weights fit the preset '{preset}', whose config was taken"]
    raise ConversionError(
        f"'{path}' holds weights of our {name} without its config, and they fit no preset; give the config that it "
        "was made with (`config`, or --set NAME=VALUE)"
    )


def _no_mapping(what: str) -> str:
    mapped = [name for name in names() if entry_of(name).maps_foreign]
    return f"{what}; checkpoints of other programs can be converted for: {', '.join(mapped)}"


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the weights of a file in their order, and what it calls its config."""
    config: dict[str, Any] = {}
    loaded: Any = tensors_of(path) if path.suffix == SUFFIX else _unpickle(path)
    # Wrappers are few deep, and a dict may hold itself.
    for _ in range(len(WRAPPERS) + 1):
        if not isinstance(loaded, dict):
            break
        if isinstance(loaded.get("config"), dict):
            config = loaded["config"]
        inner = next((loaded[key] for key in WRAPPERS if isinstance(loaded.get(key), dict)), None)
        if inner is None:
            break
        loaded = inner
    if not isinstance(loaded, dict) or not loaded or not all(isinstance(key, str) for key in loaded):
        what = f"a {type(loaded).__name__}" if not isinstance(loaded, dict) else "no names of weights"
        raise ConversionError(f"'{path}' must hold a state dict, names and weights; it holds {what}")
    if wrong := [key for key, value in loaded.items() if not isinstance(value, Tensor)]:
        raise ConversionError(
            f"'{path}' must hold a state dict, alone or under one of {', '.join(WRAPPERS)}; what it has under "
            f"{listed(wrong)} are no weights"
        )
    if unlike := unlike_weights(loaded):
        raise ConversionError(f"'{path}' {unlike}")
    state = dict(loaded)
    while prefix := next((each for each in PREFIXES if all(key.startswith(each) for key in state)), None):
        state = {key.removeprefix(prefix): tensor for key, tensor in state.items()}
    return state, config


def _unpickle(path: Path) -> Any:
    """Read what torch.save wrote, weights and plain values only; anything else in the file is not run."""
    try:
        with warnings.catch_warnings():
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
