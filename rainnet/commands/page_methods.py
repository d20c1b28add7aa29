"""The networks whose weights ship, as methods of the page for photographs: `rainopt studio`.

The entry point ``rainopt.methods`` leads here, so that `rainopt` need not know of networks. torch is imported by the
task, in the process where it runs.
"""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rainnet.zoo import entry_of, names
from rainopt.app.methods import Method, Wish

if TYPE_CHECKING:
    from rainopt.app.derain import DerainTask
    from rainopt.app.results import OutputSettings

MISSING = "This needs torch: pip install 'rainopt[net]'"


def methods() -> list[Method]:
    """Return one method for each weights of ``rainnet list``."""
    installed = all(importlib.util.find_spec(module) is not None for module in ("torch", "safetensors"))
    found = {weights: (network, path) for network in names() for weights, path in entry_of(network).weights.items()}
    return [
        Method(
            name=f"rainnet:{weights}",
            title=f"Network {weights}",
            about=f"A trained {network}, run by torch on the CPU; the whole picture takes some seconds.",
            task=partial(_task, path),
            command=partial(_command, weights),
            directions=1,
            missing=None if installed else MISSING,
        )
        for weights, (network, path) in found.items()
    ]


def _task(path: Path, source: Path, wish: Wish, output: OutputSettings) -> DerainTask:
    from rainnet.commands.derain import Derain
    from rainnet.commands.networks import NetworkSettings

    return Derain(output=output, settings=NetworkSettings(model=path, device="cpu", angle=_angle(wish)))


def _command(weights: str, wish: Wish) -> list[str]:
    angle = _angle(wish)
    options = [] if angle is None else ["--angle", f"{angle:g}"]
    return ["rainnet", "derain", "--model", weights, "--device", "cpu", *options]


def _angle(wish: Wish) -> float | None:
    """Return the angle of the strongest rain, which is the one that a network is told."""
    return wish.angles[0] if wish.angles else None
