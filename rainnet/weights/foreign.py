"""Checkpoints of other programs, read as weights and nothing else, and turned into networks of ours."""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rainnet.convert.base import Foreign, UnlikeError, goes_by_name, mapped
from rainnet.convert.ports import Channels, ported, require_channels, require_range
from rainnet.models.base import Network
from rainnet.weights.checkpoint import FORMAT, SUFFIX, facts_of, load, metadata_of
from rainnet.weights.fitting import CheckpointError, fitting, listed, not_finite, outlined, restore
from rainnet.weights.wrapped import ConversionError, read, without_prefixes
from rainnet.zoo import create, entry_of, names

__all__ = ["ConversionError", "Converted", "convert", "convert_official"]

logger = logging.getLogger(__name__)


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


class Pictures(NamedTuple):
    """What a user says of the pictures that weights were trained for; None: what is known of the network.

    Attributes
    ----------
    channels
        "rgb" or "bgr".
    range
        Their greatest value.
    """

    channels: Channels | None
    range: float | None


def convert_official(
    name: str,
    path: str | Path,
    *,
    config: dict[str, Any] | None = None,
    channels: str | None = None,
    range: float | None = None,
) -> Network:
    """Return the network in a checkpoint of another program; what is to be known of it is logged as warnings.

    Only weights are read: a file that holds code is refused, and nothing of it is run. The network takes red, green and
    blue in [0, 1], whatever the other program does.

    Parameters
    ----------
    name
        Of the network, as `rainnet.create` knows it.
    path
        What `torch.save` wrote of a state dict, alone or among other things, or a safetensors file.
    config
        Fields of our config that the weights do not tell, in our units.
    channels
        Order of the channels that the other program works on, "rgb" or "bgr"; None: that of the authors' program.
    range
        Greatest value of its pictures, such as 1 or 255; None: that of the authors' program.

    Returns
    -------
    Network
        With the weights of the file, in eval mode.

    Raises
    ------
    ConversionError
        As `convert`, which returns the notes instead of logging them.
    """
    converted = convert(name, path, config=config, channels=channels, range=range)
    for note in converted.notes:
        logger.warning("%s: %s", path, note)
    return converted.network


def convert(
    name: str,
    path: str | Path,
    *,
    config: dict[str, Any] | None = None,
    channels: str | None = None,
    range: float | None = None,
) -> Converted:
    """Turn a checkpoint of another program, or weights of ours that `torch.save` wrote, into a network.

    Only weights are read: a file that holds code is refused, and nothing of it is run. The network takes red, green and
    blue in [0, 1], whatever the other program does.

    Parameters
    ----------
    name
        Of the network, as `rainnet.create` knows it.
    path
        What `torch.save` wrote of a state dict, alone or among other things, or a safetensors file.
    config
        Fields of our config that the weights do not tell, in our units.
    channels
        Order of the channels that the other program works on, "rgb" or "bgr"; None: that of the authors' program.
    range
        Greatest value of its pictures, such as 1 or 255; None: that of the authors' program.

    Raises
    ------
    ConversionError
        If the file cannot be read as weights, or they are not those of such a network; for an order or a range that
        there is not, or that is given for weights of ours.
    """
    path = Path(path)
    if name not in names():
        raise ConversionError(_no_mapping(f"there is no network '{name}'"))
    if not path.is_file():
        raise ConversionError(f"there is no file '{path}'")
    try:
        given = Pictures(
            None if channels is None else require_channels(channels), None if range is None else require_range(range)
        )
    except ValueError as error:
        raise ConversionError(str(error)) from None
    try:
        return _convert(name, path, config or {}, given)
    except (CheckpointError, OSError) as error:
        raise ConversionError(str(error)) from None


def _convert(name: str, path: Path, config: dict[str, Any], given: Pictures) -> Converted:
    if path.suffix == SUFFIX and metadata_of(path).get("format") == FORMAT:
        net = load(path)
        if net.name != name:
            raise ConversionError(f"'{path}' holds a network '{net.name}', not '{name}'")
        if config:
            raise ConversionError(f"'{path}' holds its config, which is not to be changed; leave out `config` (--set)")
        _require_not_given(given, path)
        return Converted(net, facts_of(path), [])
    file = read(path)
    bare = without_prefixes(file.state)
    # A network of ours may have modules that are called like a prefix.
    as_they_are = [] if bare.keys() == file.state.keys() else [file.state]
    ours = next((state for state in (*as_they_are, bare) if _is_ours(name, state)), None)
    if ours is not None:
        _require_not_given(given, path)
        net, notes = _own(name, ours, {**file.config, **config}, path)
    else:
        foreign = _mapped(name, bare, path)
        net, notes = _unit_rgb(name, foreign, config, given, path)
    notes = [*file.notes, *notes]
    facts: dict[str, Any] = {"converted_from": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    return Converted(net.eval(), facts | ({"notes": notes} if notes else {}), notes)


def _mapped(name: str, state: dict[str, Tensor], path: Path) -> Foreign:
    """Return weights of another program by our names, or say what network they look like."""
    mapping = entry_of(name).foreign
    if mapping is None:
        like = _like(name, state, path)
        raise ConversionError(_no_mapping(f"'{path}' does not hold weights of our {name}{like}"))
    if path.suffix == SUFFIX and not goes_by_name(mapping):
        advice = _like(name, state, path) or "; convert the file that torch.save wrote (.pth)"
        raise ConversionError(f"'{path}' keeps no order of its weights, by which those of {name} are told{advice}")
    try:
        return mapped(mapping, state)
    except UnlikeError as error:
        like = _like(name, state, path)
        raise ConversionError(f"'{path}' {error.what}{like}" if like else f"'{path}' {error}") from None


def _like(name: str, state: dict[str, Tensor], path: Path) -> str:
    """Return what to go on with after a message if the weights are those of another network than ``name``; else ""."""
    for other in names():
        try:
            found = other != name and _takes(other, state, in_order=path.suffix != SUFFIX)
        # Whatever is wrong with another distribution, what the file lacks is to be told.
        except Exception as error:
            logger.debug("'%s' was not tried as %s: %s", path, other, error)
            continue
        if found:
            return f"; it looks like {other}: rainnet convert {other} {path} -o {other}{SUFFIX}"
    return ""


def _takes(name: str, state: dict[str, Tensor], *, in_order: bool) -> bool:
    """Whether weights are of ours, or can be mapped to ours."""
    if _is_ours(name, state):
        return True
    mapping = entry_of(name).foreign
    if mapping is None or not (in_order or goes_by_name(mapping)):
        return False
    try:
        mapped(mapping, state)
    except UnlikeError:
        return False
    return True


def _unit_rgb(
    name: str, foreign: Foreign, config: dict[str, Any], given: Pictures, path: Path
) -> tuple[Network, list[str]]:
    """Return the network that takes red, green and blue in [0, 1], and what has to be known of it."""
    channels = foreign.channels if given.channels is None else given.channels
    span = foreign.range if given.range is None else given.range
    notes = [*foreign.notes, *(note for field, note in foreign.assumed.items() if field not in config)]
    if (channels, span) != (foreign.channels, foreign.range):
        if not foreign.ports:
            raise ConversionError(
                f"'{path}' can be converted as it is only: what reads {name} does not tell where pictures enter; leave "
                "out `channels` and `range`"
            )
        if channels == "bgr" and (count := foreign.config.get("channels", 3)) != 3:
            raise ConversionError(f"'{path}' is for pictures of {count} channels, which have no order 'bgr'")
        notes.append(
            f"pictures of the other program are taken for {channels.upper()} in [0, {span:g}], as was said; those of "
            f"the program known for {name} are {foreign.channels.upper()} in [0, {foreign.range:g}]"
        )
    # Divided twice: the square of a very large or small range is no number.
    squares = {field: foreign.config[field] / span / span for field in foreign.squares}
    net = _fresh(name, path, {**foreign.config, **squares, **config}, foreign.state, partial=True)
    state = ported(foreign.state, foreign.ports, channels, span)
    if not not_finite(foreign.state) and (wrong := not_finite(state)):
        raise ConversionError(f"'{path}' cannot be for pictures in [0, {span:g}]: {wrong} would be infinite")
    restore(net, net.state_dict() | state, path)
    return net, notes


def _require_not_given(given: Pictures, path: Path) -> None:
    """Require that nothing is said of the pictures that weights of ours take."""
    if said := [field for field, value in given._asdict().items() if value is not None]:
        options = " and ".join(f"`{field}` (--{field})" for field in said)
        raise ConversionError(
            f"'{path}' holds weights of rainnet, which take red, green and blue in [0, 1]; leave out {options}"
        )


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
    """Whether the weights belong to modules called as those of our network are, whatever its config."""
    outlines = [outlined(name, {}, preset) for preset in entry_of(name).presets]
    tops = [{key.partition(".")[0] for key in outline} for outline in outlines]
    found = {key.partition(".")[0] for key in state}
    if not set.intersection(*tops) <= found <= set.union(*tops):
        return False
    # 'head' and 'last' are in many networks.
    return not {_unnumbered(key) for key in state}.isdisjoint(_unnumbered(key) for own in outlines for key in own)


def _unnumbered(key: str) -> str:
    return re.sub(r"\d+", "#", key)


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
