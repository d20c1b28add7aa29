"""A moving average of the weights: what is validated and kept, because the last step is one of many."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Tensors = tuple[Tensor, ...] | list[Tensor]


def averaged(module: nn.Module, decay: float) -> AveragedModel:
    """Return an exponential moving average of a module's parameters; buffers are copied.

    It begins as the module is. Its `update_parameters` takes in what the module has become.

    Parameters
    ----------
    module
        What is averaged.
    decay
        In [0, 1): 0 follows the module itself. The k-th update uses no more than k / (9 + k), so that the beginning is
        forgotten.
    """

    def mix(ours: Tensors, theirs: Tensors, count: Tensor | int) -> None:
        torch._foreach_lerp_(ours, theirs, 1 - min(decay, int(count) / (9 + int(count))))

    average = AveragedModel(module, multi_avg_fn=mix)
    average.requires_grad_(False).eval()
    # Torch would begin with the first update; here, what the module was before it counts as one.
    average.n_averaged.fill_(1)
    return average
