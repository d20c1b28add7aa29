"""DDN parameters of programs in torch, which name them as each likes: by order and shape."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rainnet.convert.base import Foreign, UnlikeError
from rainnet.convert.layers import Layer, layers_of, shapes_of
from rainnet.convert.ports import Port, giving, taking
from rainnet.models.ddn import DDNConfig

NORM = ("weight", "bias", "running_mean", "running_var")
COUNTER = "num_batches_tracked"  # that old versions of torch do not write
NORM_EPSILON = 1e-5  # torch's own
PAPER = DDNConfig()
LEFT_OPEN = (
    f"weights do not tell the guided filter (radius {PAPER.radius} and epsilon {PAPER.epsilon:g} are assumed, as in "
    "the paper), nor what is between convolutions: compare a picture with the other program"
)
NORM_OPEN = (
    f"weights do not tell what normalisations add to a variance; {NORM_EPSILON:g}, torch's default, is assumed: "
    "--set norm_epsilon=0.001 for a network that comes from TensorFlow"
)

Norm = dict[str, Tensor]
"""Parameters and statistics of a batch normalisation."""


def map_ddn(state: dict[str, Tensor]) -> Foreign:
    """Map the weights of a DDN to ours.

    It is one run of 3×3 convolutions: from C channels to F, an even number of them from F to F, and back to C. Each has
    a batch normalisation, the first one the first and so on, or none has.

    Raises
    ------
    UnlikeError
        If there is no such run, or anything else is among the parameters; it is named.

    Notes
    -----
    Source: Fu et al. 2017, Section 3. The authors' own programs are for MATLAB and TensorFlow.
    """
    layers, others = layers_of(state)
    norms, strange = _norms(state, others)
    strange = [*(f"{layer.name}.weight" for layer in layers if not layer.is_small), *strange]
    if not _is_run(layers):
        raise UnlikeError(
            "holds no DDN: expected 3x3 convolutions from C channels to F, an even number of them from F to F, and "
            f"back to C; found {shapes_of(layers) or 'none'}"
        )
    if strange:
        raise UnlikeError(
            f"has '{strange[0]}', which is neither of a 3x3 convolution nor of a batch normalisation, as all of a DDN "
            "is",
            "constants of the other program, as of its guided filter, are to be left out of the file",
        )
    if norms and len(norms) != len(layers):
        raise UnlikeError(
            f"has {len(norms)} batch normalisations for {len(layers)} convolutions, where a DDN has one behind each or "
            f"none at all; the first is '{next(iter(norms))}'"
        )
    mapped: dict[str, Tensor] = {}
    for place, layer in zip(_places(len(layers)), layers, strict=True):
        mapped |= layer.named(f"{place}.conv")
    for place, layer, (name, norm) in zip(_places(len(layers)), layers, norms.items(), strict=False):
        if wrong := [kind for kind in NORM if tuple(norm[kind].shape) != (layer.outputs,)]:
            raise UnlikeError(
                f"has '{name}.{wrong[0]}' of shape {tuple(norm[wrong[0]].shape)} behind '{layer.name}', which gives "
                f"{layer.outputs} channels"
            )
        mapped |= {f"{place}.norm.{kind}": tensor for kind, tensor in norm.items()}
    config: dict[str, Any] = {
        "channels": layers[0].inputs,
        "features": layers[0].outputs,
        "blocks": (len(layers) - 2) // 2,
        "radius": PAPER.radius,
        "epsilon": PAPER.epsilon,
        "normalised": bool(norms),
        "norm_epsilon": NORM_EPSILON if norms else PAPER.norm_epsilon,
    }
    assumed = {"norm_epsilon": NORM_OPEN} if norms else {}
    ports = [*taking("head.conv"), *_end(bool(norms))]
    return Foreign(config, mapped, [LEFT_OPEN], assumed, ports, squares=("epsilon",))


def _norms(state: dict[str, Tensor], names: list[str]) -> tuple[dict[str, Norm], list[str]]:
    """Return the batch normalisations in order, by name, and the names of what else there is."""
    groups: dict[str, Norm] = {}
    for key in names:
        module, _, kind = key.rpartition(".")
        groups.setdefault(module, {})[kind] = state[key]
    norms, strange = {}, []
    for module, group in groups.items():
        if set(NORM) <= set(group) <= {*NORM, COUNTER}:
            norms[module] = {COUNTER: torch.tensor(0)} | group
        else:
            strange += [f"{module}.{kind}" if module else kind for kind in group]
    return norms, strange


def _is_run(layers: list[Layer]) -> bool:
    """Whether small convolutions are such as a DDN has; others, that are named elsewhere, do not count."""
    small = [layer for layer in layers if layer.is_small]
    if len(small) < 4 or len(small) % 2:
        return False
    channels, features = small[0].inputs, small[0].outputs
    inner = all(layer.fits(features, features) for layer in small[1:-1])
    return inner and small[-1].fits(features, channels) and small[0].weight.numel() > 0


def _places(count: int) -> list[str]:
    """Return our names of so many convolutions."""
    return ["head", *(f"blocks.{k // 2}.{k % 2}" for k in range(count - 2)), "last"]


def _end(normalised: bool) -> list[Port]:
    """Return the ports of the last convolution; its normalisation, if there is one, gives the unit."""
    if not normalised:
        return giving("last.conv")
    ordered = ["conv.weight", "conv.bias", "norm.running_mean", "norm.running_var"]
    return [*giving("last.norm"), *(Port(f"last.{key}", 0, ("none",)) for key in ordered)]
