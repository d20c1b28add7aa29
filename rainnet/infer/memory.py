"""How much memory a network needs for a picture, and how much there is."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from rainnet.infer.device import parameter_of
from rainnet.models.base import Network

PROBE = 64  # pixels, about, of the side of the picture that memory is measured on
SLACK = 1.5  # convolutions work in buffers that no tensor shows


def bytes_per_pixel(net: Network) -> float:
    """Return the most bytes that `Network.layers` holds at a time, for each pixel: measured on a small picture."""
    side, like = net.multiple * -(-PROBE // net.multiple), parameter_of(net)
    picture = torch.zeros((1, net.planes, side, side), dtype=like.dtype, device=like.device)
    with torch.inference_mode(), _Meter() as meter:
        net.layers(picture)
    return SLACK * meter.most / side**2


def free_bytes(device: torch.device) -> int | None:
    """Return the memory that is free on a device; None where that cannot be told."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + unused
    if device.type != "cpu":
        return None
    free = [number for number in (_machine(), _container()) if number is not None]
    return min(free, default=None)


def _machine() -> int | None:
    """Return the bytes that Linux says are available."""
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return None


def _container() -> int | None:
    """Return the bytes that are left to the container that this runs in, if it has a limit."""
    limit, used = (_text(f"/sys/fs/cgroup/memory.{name}").strip() for name in ("max", "current"))
    return int(limit) - int(used) if limit.isdigit() and used.isdigit() else None


def _text(file: str) -> str:
    try:
        return Path(file).read_text()
    except OSError:
        return ""


class _Meter(TorchDispatchMode):
    """While entered, notes how many bytes the tensors that are made hold together, at most."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 0
        self._held: dict[int, int] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Torch would import its compiler, which takes seconds, only to keep it away from this.
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                key = storage._cdata
                if key not in self._held:
                    self._held[key] = storage.nbytes()
                    weakref.finalize(storage, self._held.pop, key)
        self.most = max(self.most, sum(self._held.values()))
        return out
