"""The released SPANet step by step: plain functions of the parameters as the authors' program names them.

What our network is compared with, here and in the tests; it is slow, and meant to be read.

Source: Wang et al. 2019, and the authors' program.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

WAYS = ("up", "right", "down", "left")


def released_parameters(seed: int = 0) -> dict[str, Tensor]:
    """Return random parameters with the names and shapes of the authors' program."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        fan = max(torch.Size(shape[1:]).numel(), 1)
        return torch.randn(shape, generator=generator) * (2 / fan) ** 0.5

    state = {"conv_in.0.weight": draw(32, 3, 3, 3)}
    for name in ("irnn1", "irnn2"):
        for way in WAYS:
            state[f"SAM1.{name}.{way}_weight.weight"] = torch.rand(32, 1, 1, 1, generator=generator) - 0.3
            state[f"SAM1.{name}.{way}_weight.bias"] = torch.randn(32, generator=generator) / 10
    for name, inputs in (("conv_in", 32), ("conv2", 128), ("conv3", 128)):
        state[f"SAM1.{name}.weight"] = draw(32, inputs, 3, 3)
    for name, inputs, outputs, side in (("conv1", 32, 16, 3), ("conv2", 16, 16, 3), ("conv3", 16, 4, 1)):
        state[f"SAM1.attention_layer.{name}.weight"] = draw(outputs, inputs, side, side)
        state[f"SAM1.attention_layer.{name}.bias"] = draw(outputs)
    state["SAM1.conv_out.weight"] = draw(1, 32, 1, 1)
    for block in range(1, 18):
        for name, side in (("conv1", 1), ("conv2", 3), ("conv3", 1)):
            state[f"res_block{block}.group1.{name}.weight"] = 0.6 * draw(32, 32, side, side)
    return state | {"conv_out.0.weight": draw(3, 32, 3, 3) / 10}


def released_forward(state: Mapping[str, Tensor], bgr: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first attention map and the background of blue, green and red pictures (N, 3, H, W)."""
    out = F.relu(F.conv2d(bgr, state["conv_in.0.weight"], padding=1))
    where = first = bgr[:, :1]
    for block in range(1, 18):
        if block in (4, 7, 10, 13):
            where = released_sam(state, out)
            first = where if block == 4 else first
        found = released_block(state, block, out)
        out = F.relu((found * where if 4 <= block <= 15 else found) + out)
    return first, F.conv2d(out, state["conv_out.0.weight"], padding=1)


def released_block(state: Mapping[str, Tensor], block: int, x: Tensor) -> Tensor:
    """Return what a block finds, before it is added."""
    weight = [state[f"res_block{block}.group1.conv{k}.weight"] for k in (1, 2, 3)]
    x = F.relu(F.conv2d(x, weight[0]))
    x = F.relu(F.conv2d(x, weight[1], padding=2, dilation=2))
    return F.conv2d(x, weight[2])


def released_sam(state: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Return an attention map (N, 1, H, W)."""
    # Their program finds weights of the four directions here, and drops the products.
    out = F.conv2d(x, state["SAM1.conv_in.weight"], padding=1)
    out = F.conv2d(released_irnn(state, "irnn1", out), state["SAM1.conv2.weight"], padding=1)
    out = F.conv2d(released_irnn(state, "irnn2", out), state["SAM1.conv3.weight"], padding=1)
    return torch.sigmoid(F.conv2d(F.relu(out), state["SAM1.conv_out.weight"]))


def released_irnn(state: Mapping[str, Tensor], name: str, x: Tensor) -> Tensor:
    """Return what travels up, right, down and left: each line begins at the side that it comes from."""
    height, width = x.shape[-2:]
    orders = {
        "up": (2, range(height - 1, -1, -1)),
        "right": (3, range(width)),
        "down": (2, range(height)),
        "left": (3, range(width - 1, -1, -1)),
    }
    outputs = []
    for way in WAYS:
        axis, order = orders[way]
        alpha = state[f"SAM1.{name}.{way}_weight.weight"].view(1, -1, 1)
        beta = state[f"SAM1.{name}.{way}_weight.bias"].view(1, -1, 1)
        output, before = torch.empty_like(x), None
        for place in order:
            line = x.select(axis, place)
            before = F.relu(line if before is None else alpha * before + beta + line)
            output.select(axis, place).copy_(before)
        outputs.append(output)
    return torch.cat(outputs, dim=1)
