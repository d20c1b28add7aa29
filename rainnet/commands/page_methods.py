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
from rainopt.app.methods import MOST_DIRECTIONS, Method, Wish

if TYPE_CHECKING:
    from collections.abc import Callable

    from rainopt.app.derain import DerainTask
    from rainopt.app.excerpt import Excerpt, Seen
    from rainopt.app.results import OutputSettings

MISSING = "This needs torch: pip install 'rainopt[net]'"

STARTS = frozenset({"refine"})
"""Networks that begin with the solver's layer, and so with all directions that it finds."""


def methods() -> list[Method]:
    """Return one method for each weights of ``rainnet list``."""
    installed = all(importlib.util.find_spec(module) is not None for module in ("torch", "safetensors"))
    found = {weights: (network, path) for network in names() for weights, path in entry_of(network).weights.items()}
    return [
        Method(
            name=f"rainnet:{weights}",
            title=f"Network {weights}",
            about=_about(network),
            task=partial(_task, path),
            command=partial(_command, weights),
            part=partial(_part, path),
            # All that ship work on upright streaks.
            directions=MOST_DIRECTIONS,
            found=MOST_DIRECTIONS if network in STARTS else 1,
            missing=None if installed else MISSING,
        )
        for weights, (network, path) in found.items()
    ]


def _about(network: str) -> str:
    """Return what a person is told of a network."""
    if network in STARTS:
        return "The network of 'Solver, refined', run by PyTorch as `rainnet derain` does; without marks and veil."
    return f"A trained {network}, which takes the place of the solver; the whole picture takes a while."


def _task(path: Path, source: Path, wish: Wish, output: OutputSettings) -> DerainTask:
    from rainnet.commands.derain import Derain
    from rainnet.commands.networks import NetworkSettings

    return Derain(output=output, settings=NetworkSettings(model=path, device="cpu", angle=wish.angles or None))


def _part(path: Path, excerpt: Excerpt, progress: Callable[[float], None]) -> Seen:
    from rainnet.commands.networks import NetworkSettings
    from rainnet.infer.derain import derain
    from rainnet.infer.streaks import Streaks
    from rainopt.app.excerpt import Seen

    settings = NetworkSettings(model=path, device="cpu", angle=excerpt.angles or None)
    network = settings.network
    wide, inside = excerpt.widened(network.multiple, network.directional)
    streaks = Streaks(wide.pixels, unit=wide.unit, whole=(wide.evidence, wide.within))
    result = derain(
        network,
        wide.pixels,
        angle=settings.angle,
        unit=wide.unit,
        streaks=streaks,
        progress=progress,
        **settings.options(),
    )
    return Seen(result.background[inside], result.rain[inside])


def _command(weights: str, wish: Wish) -> list[str]:
    options = [word for angle in wish.angles or () for word in ("--angle", f"{angle:g}")]
    return ["rainnet", "derain", "--model", weights, "--device", "cpu", *options]
