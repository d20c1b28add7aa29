"""Where networks run."""

from __future__ import annotations

import re

import torch


def resolve_device(name: str) -> torch.device:
    """Turn "auto", "cpu", "cuda" or "cuda:N" into a device; auto is the first CUDA device where there is one.

    Raises
    ------
    ValueError
        If the name is none of these, or there is no such device: one that was named is never replaced by another.
    """
    if name == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    match = re.fullmatch(r"cuda(?::(\d+))?", name)
    if not match:
        raise ValueError(f"`device` must be auto, cpu or cuda:N, got '{name}'")
    index, count = int(match[1] or 0), torch.cuda.device_count()
    if not torch.cuda.is_available():
        raise ValueError(
            f"there is no device '{name}': this torch ({torch.__version__}) finds no CUDA; use cpu or auto"
        )
    if index >= count:
        raise ValueError(f"there is no device '{name}': torch finds {count} CUDA devices")
    return torch.device(f"cuda:{index}")
