"""Small networks that begin where the solver ends."""

import torch

import rainnet
from rainnet.models.refine import Refine

TINY = {"features": 4, "before": 1, "after": 1, "coarse_features": 6, "coarse_blocks": 2}


def random_refine(scale: float = 1.0, **config) -> Refine:
    """Return a small Refine in evaluation mode whose last layer corrects something."""
    torch.manual_seed(0)
    net = rainnet.create("refine", **TINY | config).eval()
    torch.nn.init.normal_(net.last.weight, std=0.1 * scale)
    return net
