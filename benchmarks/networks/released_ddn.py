"""A DDN as programs in torch write it, step by step: plain functions of its parameters.

The authors publish parameters for MATLAB and TensorFlow only; the names here are one of many ways. What our network is
compared with, here and in the tests; it is slow, and meant to be read.

Source: Fu et al. 2017, Section 3; the guided filter is He, Sun, Tang 2010, Algorithm 1.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

CONVOLUTIONS, FEATURES = 26, 16
RADIUS, EPSILON, NORM_EPSILON = 15, 1.0, 1e-5
KINDS = ("normalised", "plain")


def released_parameters(kind: str = "normalised", seed: int = 0) -> dict[str, Tensor]:
    """Return random parameters.

    Parameters
    ----------
    kind
        "normalised", convolutions without bias with batch normalisations behind them; "plain", with bias and without.
    seed
        Of the numbers, which are such that nothing saturates or vanishes.
    """
    generator = torch.Generator().manual_seed(seed)
    widths = [3, *[FEATURES] * (CONVOLUTIONS - 1), 3]
    state: dict[str, Tensor] = {}
    for k in range(CONVOLUTIONS):
        inputs, outputs = widths[k], widths[k + 1]
        scale = 5 if k == 0 else 0.1 if k == CONVOLUTIONS - 1 and kind == "plain" else 0.5
        weight = torch.randn(outputs, inputs, 3, 3, generator=generator)
        state[f"conv{k}.weight"] = scale * (2 / (9 * inputs)) ** 0.5 * weight
        if kind == "plain":
            state[f"conv{k}.bias"] = 0.1 * torch.randn(outputs, generator=generator)
            continue
        draws = torch.rand(4, outputs, generator=generator)
        state[f"norm{k}.weight"], state[f"norm{k}.bias"] = 0.1 + 0.3 * draws[0], 0.3 * draws[1] - 0.1
        state[f"norm{k}.running_mean"], state[f"norm{k}.running_var"] = draws[2] - 0.5, 0.5 + draws[3]
        state[f"norm{k}.num_batches_tracked"] = torch.tensor(100)
    return state


def released_forward(state: Mapping[str, Tensor], rainy: Tensor) -> Tensor:
    """Return the background of red, green and blue pictures (N, 3, H, W)."""
    x = F.relu(released_layer(state, 0, rainy - released_filter(rainy)))
    for k in range(1, CONVOLUTIONS - 1, 2):
        x = x + F.relu(released_layer(state, k + 1, F.relu(released_layer(state, k, x))))
    return rainy + released_layer(state, CONVOLUTIONS - 1, x)


def released_layer(state: Mapping[str, Tensor], k: int, x: Tensor) -> Tensor:
    """Return what a convolution gives, normalised by what was seen in training."""
    x = F.conv2d(x, state[f"conv{k}.weight"], state.get(f"conv{k}.bias"), padding=1)
    if f"norm{k}.weight" not in state:
        return x
    weight, bias, mean, variance = (
        state[f"norm{k}.{kind}"].view(1, -1, 1, 1) for kind in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / (variance + NORM_EPSILON).sqrt() * weight + bias


def released_filter(image: Tensor) -> Tensor:
    """Return pictures (N, C, H, W) smoothed under their own guidance."""
    mean = box_mean(image)
    variance = box_mean(image * image) - mean * mean
    a = variance / (variance + EPSILON)
    b = mean - a * mean
    return box_mean(a) * image + box_mean(b)


def box_mean(image: Tensor) -> Tensor:
    """Return the mean over each window, as far as the picture reaches."""
    kernel = torch.ones(1, 1, 2 * RADIUS + 1, 2 * RADIUS + 1, dtype=image.dtype)
    planes = image.flatten(0, 1)[:, None]
    total, count = (F.conv2d(each, kernel, padding=RADIUS) for each in (planes, torch.ones_like(planes)))
    return (total / count)[:, 0].view_as(image)
