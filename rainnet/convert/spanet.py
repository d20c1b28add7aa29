"""SPANet parameters of the authors' program, which name every weight: strictly, name by name."""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch
from torch import Tensor

from rainnet.convert.base import Foreign, UnlikeError
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
NAMED = 6  # in a message


def map_spanet(state: dict[str, Tensor]) -> Foreign:
    """Map the parameters of the authors' SPANet to ours.

    Theirs take blue, green and red; the channels of the first and the last convolution are turned round, so that ours
    take red, green and blue. Direction attention is left out as their program leaves it out.

    Raises
    ------
    UnlikeError
        If parameters are missing or left over, or of another shape; they are named.

    Notes
    -----
    Source: Wang et al. 2019, and the names in the parameters of the authors' program.
    """
    names = dict(_names())
    known = {theirs for found in names.values() for theirs in found}
    missing, left_over = [key for key in known if key not in state], [key for key in state if key not in known]
    for what, keys in (("lacks", missing), ("has", left_over)):
        if keys:
            shown = ", ".join(sorted(keys, key=_natural)[:NAMED])
            more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
            why = "which a SPANet of the authors has" if what == "lacks" else "which a SPANet of the authors has not"
            raise UnlikeError(f"{what} {shown}{more}, {why}; convert the file that their program saved, as it is")
    mapped = {}
    for ours, theirs in names.items():
        parts = [state[key] for key in theirs]
        if ours.endswith((".alpha", ".beta")):
            if wrong := next((key for key in theirs if state[key].numel() != FEATURES), None):
                raise UnlikeError(f"has '{wrong}' of {state[wrong].numel()} numbers instead of {FEATURES}")
            mapped[ours] = torch.stack([part.reshape(-1) for part in parts])  # (4, F)
        else:
            (mapped[ours],) = parts
    # Another shape than that of a convolution is named later, when the network is made.
    for name, axis in (("head.weight", 1), ("last.weight", 0)):
        mapped[name] = mapped[name].flip(axis) if mapped[name].ndim == 4 else mapped[name]
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
    return Foreign(config, mapped, [])


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


def _natural(key: str) -> list[tuple[int, str]]:
    """Sort 'block2' before 'block10'."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", key)]
