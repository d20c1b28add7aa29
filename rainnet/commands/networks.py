"""The network of a command's run, and how it is asked to work."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rainnet.models.base import Network


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """A network, and how it derains; see `rainnet.derain`.

    ``background`` says whether the frames around one of a video bound what is taken off.
    """

    model: Path
    device: str = "cpu"
    angle: float | str | tuple[float, ...] | None = None
    tile: int | None = None
    batch: int = 1
    polish: int = 0
    ensemble: int = 1
    precision: str = "float32"
    background: bool = True

    @property
    def network(self) -> Network:
        """The network, read once in each process."""
        return _network(self.model, self.device, self.model.absolute())

    def options(self) -> dict[str, Any]:
        """Return keyword arguments of `rainnet.derain` besides the angle."""
        names = ("device", "tile", "batch", "polish", "ensemble", "precision")
        return {name: getattr(self, name) for name in names}


@lru_cache(maxsize=1)
def _network(model: Path, device: str, whole: Path) -> Network:
    """Return the network; ``whole`` tells a relative path in one folder from that in another."""
    import torch

    from rainnet.weights.checkpoint import load
    from rainopt.parallel.threads import num_threads

    # As many threads as `rainopt` may use.
    torch.set_num_threads(num_threads())
    return load(model, device=device)
