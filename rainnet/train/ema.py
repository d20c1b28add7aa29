"""A moving average of the weights: what is validated and kept, because the last step is one of many."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)


class Average(Generic[M]):
    """An exponential moving average of a module's parameters; buffers are copied.

    Parameters
    ----------
    module
        What is averaged.
    decay
        In [0, 1): 0 follows the module itself. In the first steps it is smaller, so that the beginning is forgotten.
    """

    def __init__(self, module: M, decay: float) -> None:
        self.module: M = copy.deepcopy(module).requires_grad_(False).eval()
        self.decay = decay

    @torch.no_grad()
    def update(self, module: M, step: int) -> None:
        """Take the weights after a step, counted from 0, into the average."""
        decay = min(self.decay, (1 + step) / (10 + step))
        ours = [p.detach() for p in self.module.parameters()]
        theirs = [p.detach() for p in module.parameters()]
        torch._foreach_lerp_(ours, theirs, 1 - decay)
        for kept, now in zip(self.module.buffers(), module.buffers(), strict=True):
            kept.copy_(now)
