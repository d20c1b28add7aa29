"""Which devices and precision a run is trained with, through Lightning Fabric."""

from __future__ import annotations

import gc
import itertools
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import MixedPrecision, Precision
from lightning_fabric.strategies import DDPStrategy

from rainnet.infer.devices import resolve_device
from rainnet.recipes.recipe import Recipe

_runs = itertools.count()


@contextmanager
def launched(recipe: Recipe, device: str) -> Iterator[Fabric]:
    """Have Fabric, its processes joined, within a ``with`` block.

    All modules that were set up by it are to be let go of within the block. Then the process group ends with it: left
    to the end of Python, the threads of gloo would free their last work while there is no Python any more, and abort.

    Raises
    ------
    ValueError
        As `make_fabric`.
    """
    fabric = make_fabric(recipe, device)
    ours = _join(fabric)
    try:
        fabric.launch()
        yield fabric
    except BaseException as error:
        if ours:
            # What was being computed holds on to the group as well.
            traceback.clear_frames(error.__traceback__)
        raise
    finally:
        if ours:
            gc.collect()
            torch.distributed.destroy_process_group()


def _join(fabric: Fabric) -> bool:
    """Join the processes that torchrun has started, unless somebody has; tells whether this has."""
    if fabric.world_size == 1 or torch.distributed.is_initialized():
        return False
    store, rank, world = next(torch.distributed.rendezvous("env://"))
    # Each run of a process under a name of its own: it would find the addresses of the one before.
    store = torch.distributed.PrefixStore(f"rainnet/{next(_runs)}", store)
    backend = "nccl" if fabric.device.type == "cuda" else "gloo"
    torch.distributed.init_process_group(backend, store=store, rank=rank, world_size=world)
    return True


class _ExactInputs(MixedPrecision):
    """Mixed precision inside the network alone: pictures of 16 bits would not be those that a loss compares with."""

    def convert_input(self, data: Any) -> Any:
        return data


def make_fabric(recipe: Recipe, device: str) -> Fabric:
    """Return Fabric for one device, or for all processes that torchrun has started.

    Raises
    ------
    ValueError
        If a device is asked for that is not there.
    """
    chosen = resolve_device(device)
    kind = "cuda" if chosen.type == "cuda" else "cpu"
    name = recipe.run.precision
    plugins: list[Any] = [Precision() if name == "32-true" else _ExactInputs(name, device=kind)]
    world, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if kind == "cuda":
        # So that a run that goes on is the run that was not stopped.
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
    if world > 1:
        # A turn leaves the other turns' parameters without gradients.
        strategy = DDPStrategy(find_unused_parameters=True)
        nodes = world // local
        return Fabric(accelerator=kind, devices=local, num_nodes=nodes, strategy=strategy, plugins=plugins)
    devices: Any = [chosen.index or 0] if kind == "cuda" else 1
    return Fabric(accelerator=kind, devices=devices, plugins=plugins)
