"""The one table of networks: how each is built, trained, read from another program's files, and what ships of it.

Entries name what they are made of as "module:object", which is imported when it is asked for: to list names, no torch
is needed. Other distributions add networks by entry points of the group ``rainnet.networks``, each of which leads to an
`Entry`; scripts and tests by `add` or `added`.
"""

from __future__ import annotations

import importlib
import logging
import reprlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from rainnet.models.names import known

if TYPE_CHECKING:
    from rainnet.models.base import Network
    from rainnet.programs.base import Program

__all__ = ["GROUP", "NETWORKS", "Entry", "add", "added", "create", "entry_of", "known", "names", "remove", "shipped"]

_log = logging.getLogger(__name__)

GROUP = "rainnet.networks"
"""Of the entry points by which other distributions add networks."""
WEIGHTS = Path(__file__).parent / "weights"
"""Folder of the weights that ship with the package."""


class Entry:
    """Everything that there is of one network.

    Parameters
    ----------
    model
        Its class, a `rainnet.models.base.Network`; or "module:object", as with all the others.
    presets
        Configs by name, of which the first is the default.
    program
        How it is trained, a class of `rainnet.programs.base.Program`; None for a part of another network's program.
    foreign
        What maps the weights of another program to ours, see `rainnet.convert.base.Foreign`; None: nothing does.
    weights
        Files that ship, by the names that `rainnet.load` knows; relative ones lie in ``rainnet/weights``.
    """

    def __init__(
        self,
        model: str | type[Network],
        presets: str | Mapping[str, Any],
        program: str | type[Program] | None = None,
        foreign: str | Callable[..., Any] | None = None,
        weights: Mapping[str, str | Path] | None = None,
    ) -> None:
        self._model, self._presets, self._program, self._foreign = model, presets, program, foreign
        self.weights = {name: WEIGHTS / file for name, file in (weights or {}).items()}

    @cached_property
    def model(self) -> type[Network]:
        """The class of the network."""
        return _loaded(self._model)

    @cached_property
    def presets(self) -> Mapping[str, Any]:
        """Configs by name, of which the first is the default."""
        return _loaded(self._presets)

    @cached_property
    def program(self) -> type[Program] | None:
        """The class of its training program, if it has one of its own."""
        return _loaded(self._program)

    @cached_property
    def foreign(self) -> Callable[..., Any] | None:
        """What maps another program's weights, if anything does."""
        return _loaded(self._foreign)

    @property
    def maps_foreign(self) -> bool:
        """Whether another program's weights can be mapped; nothing is imported for that."""
        return self._foreign is not None


NETWORKS: dict[str, Entry] = {
    "udgnet": Entry(
        "rainnet.models.udgnet:UDGNet",
        "rainnet.models.udgnet:PRESETS",
        "rainnet.programs.udgnet:UDGNetProgram",
        "rainnet.convert.udgnet:map_udgnet",
        {"udgnet-small": "udgnet_small.safetensors"},
    ),
    "refine": Entry(
        "rainnet.models.refine:Refine",
        "rainnet.models.refine:PRESETS",
        "rainnet.programs.refine:RefineProgram",
        weights={"refine": "refine.safetensors"},
    ),
    "spanet": Entry(
        "rainnet.models.spanet:SPANet",
        "rainnet.models.spanet:PRESETS",
        "rainnet.programs.spanet:SPANetProgram",
        "rainnet.convert.spanet:map_spanet",
    ),
    "prenet": Entry(
        "rainnet.models.prenet:PReNet",
        "rainnet.models.prenet:PRESETS",
        "rainnet.programs.prenet:PReNetProgram",
        "rainnet.convert.prenet:map_prenet",
    ),
    "ddn": Entry(
        "rainnet.models.ddn:DDN",
        "rainnet.models.ddn:PRESETS",
        "rainnet.programs.ddn:DDNProgram",
        "rainnet.convert.ddn:map_ddn",
    ),
    "jorder": Entry(
        "rainnet.models.jorder:JORDER",
        "rainnet.models.jorder:PRESETS",
        "rainnet.programs.jorder:JORDERProgram",
        "rainnet.convert.jorder:map_jorder",
    ),
    "vrgnet": Entry(
        "rainnet.models.vrgnet:VRGNet",
        "rainnet.models.vrgnet:PRESETS",
        "rainnet.programs.vrgnet:VRGNetProgram",
    ),
    "rainfield": Entry(
        "rainnet.models.rainfield:RainField",
        "rainnet.models.rainfield:PRESETS",
        "rainnet.programs.vrgnet:RainFieldProgram",
    ),
    "timelapsenet": Entry(
        "rainnet.models.timelapsenet:TimeLapseNet",
        "rainnet.models.timelapsenet:PRESETS",
        "rainnet.programs.timelapse:TimeLapseProgram",
        "rainnet.convert.timelapsenet:map_vgg",
    ),
    "jrgr": Entry(
        "rainnet.models.jrgr:JRGR",
        "rainnet.models.jrgr:PRESETS",
        "rainnet.programs.jrgr:JRGRProgram",
    ),
    "cyclegan": Entry(
        "rainnet.models.cyclegan:CycleGAN",
        "rainnet.models.cyclegan:PRESETS",
        "rainnet.programs.cyclegan:CycleGANProgram",
    ),
}
"""The networks of this package, and those that were added, by name."""


def names() -> list[str]:
    """Return the names of all networks, those of other distributions last."""
    return [*NETWORKS, *(name for name in _installed() if name not in NETWORKS)]


def entry_of(name: str) -> Entry:
    """Return the entry of a network.

    Raises
    ------
    ValueError
        For a name that is not known, with the likeliest one that is; or an entry point that leads to no `Entry`.
    """
    if name in NETWORKS:
        return NETWORKS[name]
    point = _installed()[known(name, names(), "network")]
    found = point.load()
    if not isinstance(found, Entry):
        raise ValueError(f"network '{name}' of the entry point '{point.value}' must be an Entry, got {found!r}")
    return found


def create(name: str, *, preset: str | None = None, **config: Any) -> Network:
    """Make a network with fresh weights.

    Parameters
    ----------
    name
        One of `names`.
    preset
        Name of a config of the network; None: the first, which is the paper's.
    **config
        Fields of the config that differ from the preset.

    Raises
    ------
    ValueError
        For names that are not known, with the likeliest one that is; for a value that is not of the kind that the
        field of the config says, or that the network does not take.

    Examples
    --------
    >>> import torch
    >>> import rainnet
    >>> net = rainnet.create("udgnet", preset="small", blocks=2)
    >>> rainy = torch.rand(1, 3, 32, 48)
    >>> net(rainy, torch.zeros(1)).background.shape
    torch.Size([1, 3, 32, 48])
    """
    entry = entry_of(name)
    chosen = next(iter(entry.presets)) if preset is None else known(preset, entry.presets, f"preset of {name}")
    base = entry.presets[chosen]
    own = [field.name for field in fields(base)]
    for field in config:
        known(field, own, f"field of the config of {name}")
    return entry.model(replace(base, **_of_their_kinds(name, type(base), config)))


def _of_their_kinds(name: str, config: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values for fields of a config, a list as the tuple that JSON and TOML do not have."""
    from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

    try:
        hints = get_type_hints(config)
    except NameError:  # of another distribution, which names types that only type checkers import
        hints = {}
    result: dict[str, Any] = {}
    for field, value in values.items():
        result[field] = given = tuple(value) if isinstance(value, list) else value
        try:
            result[field] = TypeAdapter(hints.get(field, Any), config=ConfigDict(strict=True)).validate_python(given)
        except PydanticUserError:
            continue  # a kind that it knows nothing of
        except ValidationError as error:
            shown = reprlib.repr(value)
            said = error.errors()[0]["msg"]
            raise ValueError(f"field '{field}' of the config of {name} cannot be {shown}: {said}") from None
    return result


def shipped() -> dict[str, Path]:
    """Return the files of the weights that ship, by the names under which `rainnet.load` knows them."""
    files: dict[str, Path] = {}
    for name in names():
        try:
            files |= entry_of(name).weights
        # Whatever is wrong with another distribution, ours can be used.
        except Exception as error:
            _log.warning("network '%s' cannot be had: %s", name, error)
    return files


def add(name: str, entry: Entry) -> None:
    """Add a network to the table, until this process ends or `remove` takes it away.

    Raises
    ------
    ValueError
        If there is one of that name.
    """
    if name in names():
        raise ValueError(f"there is a network '{name}' already; choose another name")
    NETWORKS[name] = entry


def remove(name: str) -> None:
    """Take away a network that `add` has added."""
    del NETWORKS[name]


@contextmanager
def added(name: str, entry: Entry) -> Iterator[Entry]:
    """Have a network in the table within a ``with`` block."""
    add(name, entry)
    try:
        yield entry
    finally:
        remove(name)


def _installed() -> dict[str, EntryPoint]:
    """Return the entry points of other distributions by name; nothing of theirs is imported for that."""
    return {point.name: point for point in entry_points(group=GROUP)}


def _loaded(reference: Any) -> Any:
    """Import "module:object"; return anything else as it is."""
    if not isinstance(reference, str):
        return reference
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)
