"""Networks, one file each, and the table that names them."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, NamedTuple

from rainnet.models.base import Network
from rainnet.models.udgnet import PRESETS as UDGNET_PRESETS
from rainnet.models.udgnet import UDGNet


class Entry(NamedTuple):
    """How a network is made: its class, and configs by name, of which the first is the default."""

    build: Callable[[Any], Network]
    presets: dict[str, Any]


NETWORKS: dict[str, Entry] = {
    "udgnet": Entry(UDGNet, UDGNET_PRESETS),
}
"""All networks by name."""


def create(name: str, *, preset: str | None = None, **config: Any) -> Network:
    """Make a network with fresh weights.

    Parameters
    ----------
    name
        One of `NETWORKS`.
    preset
        Name of a config of the network; None: the paper's.
    **config
        Fields of the config that differ from the preset.

    Raises
    ------
    ValueError
        For names that are not known, with the likeliest one that is.
    """
    entry = NETWORKS[known(name, NETWORKS, "network")]
    chosen = next(iter(entry.presets)) if preset is None else known(preset, entry.presets, f"preset of {name}")
    base = entry.presets[chosen]
    names = [field.name for field in fields(base)]
    for field in config:
        known(field, names, f"field of the config of {name}")
    return entry.build(replace(base, **config))


def known(name: str, names: Any, what: str) -> str:
    """Return ``name`` if it is among ``names``.

    Raises
    ------
    ValueError
        If it is not; the message says what a name like it would be.
    """
    if name in names:
        return name
    close = difflib.get_close_matches(str(name), list(names), 1)
    hint = f"did you mean '{close[0]}'?" if close else f"one of {', '.join(names)} is"
    raise ValueError(f"'{name}' is no {what}; {hint}")
