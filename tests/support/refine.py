"""Small networks that begin where the solver ends."""

from pathlib import Path

import numpy as np
import onnx
import torch

import rainnet
from rainnet.models.refine import Refine
from rainopt.refine.session import PACKAGED

TINY = {"features": 4, "before": 1, "after": 1, "coarse_features": 6, "coarse_blocks": 2}


def random_refine(scale: float = 1.0, **config) -> Refine:
    """Return a small Refine in evaluation mode whose last layer corrects something."""
    torch.manual_seed(0)
    net = rainnet.create("refine", **TINY | config).eval()
    torch.nn.init.normal_(net.last.weight, std=0.1 * scale)
    return net


def altered_pair(folder: Path, scale: float = 0.02) -> tuple[Refine, Path]:
    """Return the network that ships, and its ONNX file, with one and the same last layer that nobody has trained."""
    net = rainnet.load("refine").eval()
    weight = np.random.default_rng(3).normal(0, scale, tuple(net.last.weight.shape)).astype(np.float32)
    with torch.no_grad():
        net.last.weight.copy_(torch.from_numpy(weight))
    model = onnx.load(PACKAGED)
    (there,) = (each for each in model.graph.initializer if tuple(each.dims) == weight.shape)
    there.CopyFrom(onnx.numpy_helper.from_array(weight, there.name))
    path = folder / "altered.onnx"
    onnx.save(model, path)
    return net, path
