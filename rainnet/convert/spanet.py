"""SPANet parameters of the authors' program, which name every weight: strictly, name by name."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from rainnet.convert.base import Foreign, UnlikeError, by_name
from rainnet.convert.ports import giving, taking
from rainnet.convert.strict import ADVICE, require_names
from rainnet.models.irnn import DIRECTIONS
from rainnet.models.spanet import AFTER, BEFORE

FEATURES, STAGES, BLOCKS = 32, 4, 3  # that the authors' program has, whatever the weights say
BLOCK = {"first": "conv1", "second": "conv2", "third": "conv3"}
SAM = {
    "head": "conv_in",
    "middle": "conv2",
    "tail": "conv3",
    "last": "conv_out",
    "directions.first": "attention_layer.conv1",
    "directions.second": "attention_layer.conv2",
    "directions.last": "attention_layer.conv3",
}
ROUNDS = {"first": "irnn1", "second": "irnn2"}
WHAT = "a SPANet of the authors"


@by_name
def map_spanet(state: dict[str, Tensor]) -> Foreign:
    """Map the parameters of the authors' SPANet to ours.

    Theirs take blue, green and red. Direction attention is left out as their program leaves it out.

    Raises
    ------
    UnlikeError
        If parameters are missing or left over, or of another shape; they are named.

    Notes
    -----
    Source: Wang et al. 2019, and the names in the parameters of the authors' program.
    """
    names = dict(_names())
    require_names(state, [theirs for found in names.values() for theirs in found], WHAT)
    mapped = {}
    for ours, theirs in names.items():
        parts = [state[key] for key in theirs]
        if ours.endswith((".alpha", ".beta")):
            if wrong := next((key for key in theirs if state[key].numel() != FEATURES), None):
                raise UnlikeError(f"has '{wrong}' of {state[wrong].numel()} numbers instead of {FEATURES}", ADVICE)
            mapped[ours] = torch.stack([part.reshape(-1) for part in parts])  # (4, F)
        else:
            (mapped[ours],) = parts
    config = {
        "channels": 3,
        "features": FEATURES,
        "stages": STAGES,
        "blocks": BLOCKS,
        "attention": True,
        "shared_sam": True,
        "direction_attention": "released",
        "residual": False,
    }
    # Another shape than that of a convolution is named later, when the network is made.
    ports = [*taking("head"), *giving("last", bias=False)]
    return Foreign(config, mapped, [], ports=ports, channels="bgr")


def _names() -> Iterator[tuple[str, list[str]]]:
    """Yield each of our names, and those of the authors' that it is made of."""
    yield "head.weight", ["conv_in.0.weight"]
    yield "last.weight", ["conv_out.0.weight"]
    inner = [f"stages.{stage}.{k}" for stage in range(STAGES) for k in range(BLOCKS)]
    blocks = [*(f"before.{k}" for k in range(BEFORE)), *inner, *(f"after.{k}" for k in range(AFTER))]
    for number, block in enumerate(blocks, 1):
        for ours, theirs in BLOCK.items():
            yield f"{block}.{ours}.weight", [f"res_block{number}.group1.{theirs}.weight"]
    for ours, theirs in SAM.items():
        kinds = ("weight", "bias") if ours.startswith("directions") else ("weight",)
        for kind in kinds:
            yield f"sams.0.{ours}.{kind}", [f"SAM1.{theirs}.{kind}"]
    for ours, theirs in ROUNDS.items():
        for parameter, kind in (("alpha", "weight"), ("beta", "bias")):
            yield f"sams.0.{ours}.{parameter}", [f"SAM1.{theirs}.{way}_weight.{kind}" for way in DIRECTIONS]
