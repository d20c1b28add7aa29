"""Times of networks on the device, with random weights: SPANet on one picture of 512 × 512."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

from benchmarks.gpu.notes import Notes
from benchmarks.gpu.place import Place, milliseconds

SIDE, REHEARSED = 512, 32
SECONDS = 3.0  # of each


def time_networks(place: Place, notes: Notes, rehearse: bool) -> None:
    """Note the times of SPANet in float32, TF32 off, and under autocast to bfloat16; of torch on a device alone."""
    if place.name == "torch" or rehearse:
        for kind in ("float32", "bf16"):
            notes.attempt(f"spanet, {kind}, torch", partial(_spanet, place, kind, rehearse))


def _spanet(place: Place, kind: str, rehearse: bool) -> dict[str, Any]:
    import torch

    from rainnet import create

    device = torch.device("cpu" if rehearse else "cuda")
    side = REHEARSED if rehearse else SIDE
    torch.manual_seed(0)
    net = create("spanet", preset="released").eval().to(device)
    picture = torch.rand(1, 3, side, side, device=device).contiguous(memory_format=torch.channels_last)
    halved = torch.autocast(device.type, torch.bfloat16) if kind == "bf16" else nullcontext()
    with _exact(), torch.inference_mode(), halved:
        return dict(milliseconds(place, partial(net.layers, picture), 15, 3, SECONDS))


@contextmanager
def _exact() -> Iterator[None]:
    """Compute float32 as float32, by the quickest algorithm for the size."""
    import torch

    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark
    cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark = False, False, True
    try:
        yield
    finally:
        cudnn.allow_tf32, matmul.allow_tf32, cudnn.benchmark = before
