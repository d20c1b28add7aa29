"""Where networks run."""

from __future__ import annotations

import torch

from rainopt import arrays


def resolve_device(name: str) -> torch.device:
    """Turn "auto", "cpu", "cuda" or "cuda:N" into a device, as `rainopt.arrays.resolve_device`.

    Raises
    ------
    DeviceError
        If the name is none of these, or there is no such device: one that was named is never replaced by another.
    """

    def count() -> int:
        return torch.cuda.device_count() if torch.cuda.is_available() else 0

    return torch.device(arrays.resolve_device(name, count, f"torch {torch.__version__}"))
