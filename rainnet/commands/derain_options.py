"""The settings of a run of ``rainnet derain``, and its network, read once in each process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rainnet.models.base import Network


@dataclass(frozen=True)
class Options:
    """What is done with every file of a run; see `rainnet.derain`."""

    model: Path
    angle: float | str | None = None
    device: str = "cpu"
    tile: int | None = None
    batch: int = 1
    polish: int = 0
    ensemble: int = 1
    save_rain: bool = False
    compare: bool = False
    overwrite: bool = False
    quality: int = 95
    crf: int = 18  # of videos


@lru_cache(maxsize=1)
def network(model: Path, device: str) -> Network:
    """Return the network of a file, read once in each process, and let torch use as many threads as `rainopt` may."""
    import torch

    from rainnet.weights.checkpoint import load
    from rainopt.parallel.threads import num_threads

    torch.set_num_threads(num_threads())
    return load(model, device=device)
