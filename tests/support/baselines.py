"""Small networks of the baselines that everyone compares with, every weight of which counts."""

import torch
from torch import nn

import rainnet

TINY = {
    "prenet": {"features": 4, "stages": 2, "blocks": 1},
    "ddn": {"features": 4, "blocks": 1, "radius": 2},
    "jorder": {"features": 4, "blocks": 1},
}
VARIANTS = [
    ("prenet", {}),
    ("prenet", {"recurrent": "none", "blocks": 2}),
    ("prenet", {"shared_blocks": True, "blocks": 2}),
    ("prenet", {"shared_blocks": True, "recurrent": "none", "blocks": 2}),
    ("prenet", {"residual": False}),
    ("prenet", {"variance": "last"}),
    ("prenet", {"variance": "every"}),
    ("ddn", {}),
    ("ddn", {"normalised": False, "blocks": 2}),
    ("jorder", {}),
    ("jorder", {"attention": False, "blocks": 2}),
    ("jorder", {"passes": 1}),
    ("jorder", {"passes": 3}),
]
"""A config of each kind that there is."""


def random_baseline(name, seed=0, **config):
    """A tiny network whose every weight counts: some begin with zeros, and running means do."""
    torch.manual_seed(seed)
    net = rainnet.create(name, **(TINY[name] | config)).eval()
    for parameter in net.parameters():
        if not bool(parameter.detach().any()):
            nn.init.normal_(parameter, std=0.1)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.02)
            nn.init.uniform_(module.running_var, 0.005, 0.02)
    return net
