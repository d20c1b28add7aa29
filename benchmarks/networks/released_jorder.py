"""The released JORDER-E step by step: plain functions of the parameters as the authors' program names them.

What our network is compared with, here and in the tests; it is slow, and meant to be read.

Source: Yang et al. 2019, and the authors' program.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

KINDS = {"full": (64, 9), "small": (32, 3)}
"""Features and blocks of what the authors have published."""
DILATIONS = {1: 1, 2: 1, 3: 2, 4: 2, 5: 2, 6: 4}


class Step(NamedTuple):
    """What a pass finds: in [0, 255] the background and what they call the level of the rain."""

    background: Tensor
    mask: Tensor
    level: Tensor
    features: list[Tensor]


def released_parameters(kind: str = "full", seed: int = 0) -> dict[str, Tensor]:
    """Return random parameters with the names and shapes of the authors' program.

    Parameters
    ----------
    kind
        One of `KINDS`.
    seed
        Of the numbers, which are such that nothing saturates or vanishes for pictures in [0, 255].
    """
    features, blocks = KINDS[kind]
    generator = torch.Generator().manual_seed(seed)
    state: dict[str, Tensor] = {}

    def add(name: str, inputs: int, outputs: int, scale: float = 1.0, bias: float = 0.1) -> None:
        weight = torch.randn(outputs, inputs, 3, 3, generator=generator)
        state[f"{name}.weight"] = scale * (1 / (9 * inputs)) ** 0.5 * weight
        state[f"{name}.bias"] = bias * torch.randn(outputs, generator=generator)

    for one in ("jorder1", "jorder2"):
        add(f"{one}.encoder", 6, features, 1 / 128)
        for block in range(1, blocks + 1):
            for number in DILATIONS:
                add(f"{one}.updater.res{block}.conv{number}", features, features, 0.5)
        for name, channels, scale in (("mask", 2, 1.0), ("level", 3, 30.0)):
            add(f"{one}.{name}_estimator1", features, 8)
            add(f"{one}.{name}_estimator2", 8, channels, scale, 0.1 * scale)
            for what, factor in (("w", 0.15), ("b", 0.5)):
                add(f"{one}.{name}_F_{what}_encoder1", channels, 16, 1 / scale)
                add(f"{one}.{name}_F_{what}_encoder2", 16, features, factor)
        add(f"{one}.decoder.0", features, features)
        add(f"{one}.decoder.1", features, 3, 10.0, 5.0)
    return state


def released_forward(state: Mapping[str, Tensor], rainy: Tensor) -> list[Step]:
    """Return what each pass finds in red, green and blue pictures (N, 3, H, W) in [0, 255]."""
    first = released_pass(state, "jorder1", rainy, None)
    return [first, released_pass(state, "jorder2", rainy, first)]


def released_pass(state: Mapping[str, Tensor], name: str, rainy: Tensor, before: Step | None) -> Step:
    """Return what one pass finds."""

    def conv(layer: str, x: Tensor, dilation: int = 1) -> Tensor:
        weight, bias = state[f"{name}.{layer}.weight"], state[f"{name}.{layer}.bias"]
        return F.conv2d(x, weight, bias, padding=dilation, dilation=dilation)

    def encoded(layer: str, x: Tensor) -> Tensor:
        return conv(f"{layer}2", F.relu(conv(f"{layer}1", x)))

    x = conv("encoder", torch.cat((rainy, rainy if before is None else before.background), 1))
    blocks = sum(key.startswith(f"{name}.updater") and key.endswith("conv1.bias") for key in state)
    features = []
    for block in range(blocks):
        paths = []
        for number in (1, 3, 5):
            path = x
            for each in (number, number + 1):
                path = F.relu(conv(f"updater.res{block + 1}.conv{each}", path, DILATIONS[each]))
            paths.append(path)
        x = x + paths[0] + 0.1 * paths[1] + 0.1 * paths[2]
        if before is not None:
            x = x + before.features[block]
        features.append(x)
    mask = conv("mask_estimator2", conv("mask_estimator1", x))
    level = conv("level_estimator2", conv("level_estimator1", x))
    if before is not None:
        mask, level = mask + before.mask, level + before.level
    shifted = encoded("mask_F_b_encoder", mask) + x + encoded("level_F_b_encoder", level)
    scaled = encoded("mask_F_w_encoder", mask) * x * encoded("level_F_w_encoder", level)
    background = conv("decoder.1", conv("decoder.0", shifted + scaled)) + rainy
    return Step(background, mask, level, features)
