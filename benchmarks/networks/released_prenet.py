"""The released PReNet, PRN and VRGNet's background network step by step: plain functions of their parameters.

What our network is compared with, here and in the tests; it is slow, and meant to be read.

Source: Ren et al. 2019, Wang et al. 2021, and the authors' programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

STAGES, BLOCKS = 6, 5


class Kind(NamedTuple):
    """What tells the versions apart."""

    lstm: bool
    blocks: int = BLOCKS
    within: str = ""
    variance: str = "none"


KINDS = {
    "prenet": Kind(True),
    "prn": Kind(False),
    "prenet_r": Kind(True, 1),
    "prn_r": Kind(False, 1),
    "vrgnet": Kind(True, within="derainet.", variance="last"),
    "every": Kind(True, variance="every"),
}
"""Versions by name; "vrgnet" has a head for mean and log-variance in the last stage, "every" one in all stages."""


def released_parameters(kind: str = "prenet", seed: int = 0, features: int = 32) -> dict[str, Tensor]:
    """Return random parameters with the names and shapes of the authors' programs.

    Parameters
    ----------
    kind
        One of `KINDS`.
    seed
        Of the numbers, which are such that nothing saturates or vanishes.
    features
        Of all convolutions; the authors' have 32.
    """
    lstm, blocks, within, variance = KINDS[kind]
    generator = torch.Generator().manual_seed(seed)
    state: dict[str, Tensor] = {}

    def add(name: str, inputs: int, outputs: int, scale: float = 1.0) -> None:
        weight = torch.randn(outputs, inputs, 3, 3, generator=generator)
        state[f"{within}{name}.weight"] = scale * (2 / (9 * inputs)) ** 0.5 * weight
        state[f"{within}{name}.bias"] = 0.1 * torch.randn(outputs, generator=generator)

    add("conv0.0", 6, features)
    for block in range(1, blocks + 1):
        add(f"res_conv{block}.0", features, features, 0.5)
        add(f"res_conv{block}.2", features, features, 0.5)
    for gate in ("i", "f", "g", "o") if lstm else ():
        add(f"conv_{gate}.0", 2 * features, features)
    add("conv.0", features, 6 if variance == "every" else 3, 0.1)
    if variance == "last":
        add("convfinal.0", features, 6, 0.1)
    return state


def released_forward(kind: str, state: Mapping[str, Tensor], rainy: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return the background of red, green and blue pictures (N, 3, H, W), and the logarithm of its variance, if any."""
    lstm, blocks, within, variance = KINDS[kind]

    def conv(name: str, x: Tensor) -> Tensor:
        return F.conv2d(x, state[f"{within}{name}.weight"], state[f"{within}{name}.bias"], padding=1)

    x = found = rainy
    h = c = torch.zeros(len(rainy), len(state[f"{within}conv0.0.bias"]), *rainy.shape[-2:], dtype=rainy.dtype)
    for stage in range(1, STAGES + 1):
        x = F.relu(conv("conv0.0", torch.cat((rainy, x), 1)))
        if lstm:
            both = torch.cat((x, h), 1)
            i, f = torch.sigmoid(conv("conv_i.0", both)), torch.sigmoid(conv("conv_f.0", both))
            g, o = torch.tanh(conv("conv_g.0", both)), torch.sigmoid(conv("conv_o.0", both))
            c = f * c + i * g
            h = o * torch.tanh(c)
            x = h
        for step in range(1, BLOCKS + 1):
            block = f"res_conv{min(step, blocks)}"
            before = x
            x = F.relu(conv(f"{block}.0", x))
            x = F.relu(conv(f"{block}.2", x))
            x = F.relu(x + before)
        found = conv("convfinal.0" if variance == "last" and stage == STAGES else "conv.0", x)
        x = found[:, :3] + rainy
    return x, None if variance == "none" else found[:, 3:]
