"""The network that somebody gives: one that is loaded, or the name or file of one that is not."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from rainnet.models.base import Network
from rainnet.weights.checkpoint import load, resolve


def network_of(given: Network | str | Path) -> Network:
    """Return a network; one that is named is loaded at its first use and kept while its file is the same.

    Raises
    ------
    CheckpointError
        As `rainnet.load`.
    TypeError
        For anything else.
    """
    if isinstance(given, Network):
        return given
    if not isinstance(given, str | os.PathLike):
        raise TypeError(
            f"`net` must be a network, or the name or file of one that `rainnet.load` takes, got {type(given).__name__}"
        )
    path = resolve(given if isinstance(given, str) else Path(given))
    stat = path.stat()
    return _loaded(path, path.absolute(), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=2)
def _loaded(path: Path, whole: Path, changed: int, size: int) -> Network:
    """Return the network; what else is told of its file tells it from another of the same name."""
    return load(path)
