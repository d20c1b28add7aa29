"""Clocks for networks on a CPU, and how fast they could be."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from rainnet.infer.heap import kept
from rainnet.infer.precision import computing_in
from rainnet.models.base import Network

THREADS = 2
SIDE = 2048  # of the matrices that are multiplied


def seconds(name: str, times: int, function: Callable[[], Any]) -> dict[str, float]:
    """Return the least seconds of a call, and those of processors, after one that does not count."""
    walls, busy = [], []
    with torch.inference_mode(), kept():
        function()
        for _ in range(times):
            wall, cpu = time.perf_counter(), time.process_time()
            function()
            walls.append(time.perf_counter() - wall)
            busy.append(time.process_time() - cpu)
    return {f"{name}_seconds": min(walls), f"{name}_cpu_seconds": min(busy)}


def halved() -> AbstractContextManager[object]:
    """Return what has convolutions done in bfloat16 within a ``with`` block, as ``--precision bfloat16`` does."""
    return computing_in("bfloat16", torch.device("cpu"))


@torch.inference_mode()
def bfloat16_decibels(net: Network, picture: Tensor) -> float:
    """Return how far bfloat16 is from float32: PSNR of what is removed from a picture (1, C, H, W),
    at most 100 dB.
    """
    exact = net.split(picture).removed
    with halved():
        rounded = net.split(picture).removed.float()
    return float(-10 * torch.log10((exact - rounded).square().mean().clamp(min=1e-10)))


def floor(net: Network, picture: Tensor, repeat: int) -> dict[str, float]:
    """Return what a network computes for a picture, and its seconds if all of that went as fast as products of large
    matrices of float32 do on this machine.
    """
    with torch.inference_mode(), FlopCounterMode(display=False) as counted:
        net.split(picture)
    gflop, work, matrix = counted.get_total_flops() / 1e9, 2e-9 * SIDE**3, torch.rand(SIDE, SIDE)
    took = seconds("matrix", repeat, lambda: matrix @ matrix)
    return {
        "gflop": gflop,
        "gflop_per_second": work / took["matrix_seconds"],
        "floor_seconds": gflop / work * took["matrix_seconds"],
        "floor_cpu_seconds": gflop / work * took["matrix_cpu_seconds"],
    }
