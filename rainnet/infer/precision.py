"""The numbers that a network computes with when it derains."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from rainnet.models.names import known

PRECISIONS = ("float32", "bfloat16")
"""bfloat16: convolutions of numbers of 16 bits, whose products are summed in 32."""


def checked_precision(precision: str) -> str:
    """Return one of `PRECISIONS`; ValueError for another word, with the likeliest one that is."""
    return known(precision, PRECISIONS, "precision")


def computing_in(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Return a context in which networks compute with such numbers on a device."""
    if precision == PRECISIONS[0]:
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)
