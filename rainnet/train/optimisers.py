"""Optimisers by the names that recipes have for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from rainnet.recipes.sections import OptimiserSection

Parameters = list[nn.Parameter] | list[dict[str, Any]]
"""Parameters, or groups of them as `torch.optim` takes them."""

OPTIMISERS: dict[str, Callable[[Parameters, OptimiserSection], Optimizer]] = {
    "adam": lambda them, its: torch.optim.Adam(them, its.lr, its.betas, weight_decay=its.weight_decay),
    "adamw": lambda them, its: torch.optim.AdamW(them, its.lr, its.betas, weight_decay=its.weight_decay),
    "sgd": lambda them, its: torch.optim.SGD(them, its.lr, its.momentum, weight_decay=its.weight_decay),
}
"""What makes each of parameters and its section of a recipe."""
