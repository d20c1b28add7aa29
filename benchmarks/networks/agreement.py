"""Whether converted networks compute what the programs do that their parameters come from, step by step."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from benchmarks.networks import released_ddn, released_jorder, released_prenet
from rainnet import convert_official
from rainnet.models.base import Network
from rainnet.models.jorder import JORDER
from rainnet.models.prenet import PReNet

SHAPE = (1, 3, 48, 40)


class Apart(NamedTuple):
    """The largest difference of an output from the reference, beside the largest value of the reference."""

    difference: float
    largest: float


def agreement() -> dict[str, Apart]:
    """Return by network and output how far apart they are, for random parameters and a random picture in [0, 1]."""
    rgb = torch.rand(SHAPE, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        pairs = [*_prenets(rgb), *_jorders(rgb), *_ddns(rgb)]
    return {name: Apart(float((ours - theirs).abs().max()), float(theirs.abs().max())) for name, ours, theirs in pairs}


def _prenets(rgb: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
    for kind in released_prenet.KINDS:
        state = released_prenet.released_parameters(kind)
        net = _converted("prenet", state)
        if not isinstance(net, PReNet):
            raise TypeError(f"a PReNet is expected, got {type(net).__name__}")
        found = net.backgrounds(rgb)
        background, log_variance = released_prenet.released_forward(kind, state, rgb)
        yield f"{kind}: background", found.stages[-1], background
        if found.log_variance is not None and log_variance is not None:
            yield f"{kind}: log-variance", found.log_variance, log_variance


def _jorders(rgb: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
    for kind in released_jorder.KINDS:
        state = released_jorder.released_parameters(kind)
        net = _converted("jorder", state)
        if not isinstance(net, JORDER):
            raise TypeError(f"a JORDER is expected, got {type(net).__name__}")
        ours, theirs = net.found(rgb)[-1], released_jorder.released_forward(state, 255 * rgb)[-1]
        yield f"JORDER-E, {kind}: background", ours.background, theirs.background / 255
        yield f"JORDER-E, {kind}: streaks", ours.streaks, theirs.level / 255
        yield f"JORDER-E, {kind}: mask, logits", ours.mask, theirs.mask


def _ddns(rgb: Tensor) -> Iterator[tuple[str, Tensor, Tensor]]:
    for kind in released_ddn.KINDS:
        state = released_ddn.released_parameters(kind)
        net = _converted("ddn", state)
        yield f"DDN, {kind}: background", rgb - net.layers(rgb).removed, released_ddn.released_forward(state, rgb)


def _converted(name: str, state: dict[str, Tensor]) -> Network:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "net.pth"
        torch.save(state, file)
        return convert_official(name, file)
