"""SPANet with the parameters of its authors: whether it is theirs, how fast, what tiles cost, and what it is worth.

DIR/weights/spanet_official.pt are the parameters; see benchmarks/README.md.

  agreement  The largest difference from a step-by-step reference of the released program, on real pairs.
  speed      A picture of 512 × 512 through the whole network on two threads, by our recurrence and by plain torch:
             least of --repeat runs, and seconds of processors, which other work on a machine disturbs less. The same
             under autocast to bfloat16, and how far that is from float32. The floor is the network's arithmetic at the
             rate at which this machine multiplies large matrices.
  tiles      Pairs in tiles: PSNR against the truth, and against what the whole picture gives.
  pairs      PSNR / SSIM on the sets of DIR/pairs, beside `rainopt` and the network that ships.
  real       The same on pairs that `raindata build` makes of real rain, over valid pixels: DIR/video/rain_yard.mp4 and
             DIR/video/ntu_ra1, one frame at a time.

  python -m benchmarks.networks.spanet --data DIR --json results.json
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

from benchmarks.common import finish, print_table
from benchmarks.networks.released_spanet import released_forward
from benchmarks.networks.scores import Method, Triple, cell, scored
from benchmarks.networks.timing import THREADS, bfloat16_decibels, floor, halved, seconds
from benchmarks.options import MODEL, Data, Json, Limit, Repeat, benchmark
from benchmarks.pictures import PROTOCOL, pairs, sets_of_pairs, to_bytes
from benchmarks.video.judged import MOST, REAL, built
from rainnet import convert_official
from rainnet.infer.derain import derain
from rainnet.models import irnn, spanet
from rainnet.models.base import Network
from rainopt import derain as solve
from rainopt.metrics.fidelity import psnr

WEIGHTS = Path("weights", "spanet_official.pt")
SIDE = 512
TILES = (256, 128, 64)
COMPARED = 4  # pictures of each set that tiles are tried on


@benchmark(__doc__)
def main(data: Data, limit: Limit = None, repeat: Repeat = 3, target: Json = None) -> None:
    """Measure all of it."""
    torch.set_num_threads(THREADS)
    net = convert_official("spanet", data / WEIGHTS)
    sets = {folder.name: folder for folder in sets_of_pairs(data)}
    found: dict[str, Any] = {"benchmark": "net_spanet", "protocol": PROTOCOL}
    found["agreement"] = agreement(net, data / WEIGHTS, sets)
    found["speed"] = speed(net, repeat)
    found["tiles"] = {name: tiles(net, folder, min(limit or COMPARED, COMPARED)) for name, folder in sets.items()}
    methods: dict[str, Method] = {
        "input": lambda rainy: rainy,
        "rainopt": lambda rainy: solve(rainy).background,
        MODEL: lambda rainy: derain(MODEL, rainy, device="cpu").background,
        "spanet, official": lambda rainy: derain(net, rainy, device="cpu").background,
    }
    found["pairs"] = {name: scored(methods, _of_folder(folder, limit)) for name, folder in sets.items()}
    found["real"] = {clip.stem: scored(methods, _of_clip(data / clip, limit)) for clip in REAL}
    report(found)
    finish(found, target)


def agreement(net: Network, weights: Path, sets: dict[str, Path]) -> dict[str, float]:
    """Return by set the largest difference from the reference, on a part of its first pair, before any clipping."""
    state, found = torch.load(weights, map_location="cpu", weights_only=True), {}
    for name, folder in sets.items():
        _, rainy, _ = next(pairs(folder, 1))
        rgb = torch.from_numpy(rainy[:96, :80].astype(np.float32) / 255).permute(2, 0, 1)[None]
        with torch.inference_mode():
            where, background = released_forward(state, rgb.flip(1))
            layers = net.layers(rgb)
        apart = (rgb - layers.removed - background.flip(1)).abs().max()
        map_apart = apart if layers.attention is None else (layers.attention - where).abs().max()
        found[name] = float(torch.maximum(apart, map_apart))
    return found


def speed(net: Network, repeat: int) -> dict[str, float]:
    """Return the seconds of one picture, and those of processors; what it computes, and how fast that could be done."""
    picture = torch.rand(1, net.channels, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    found = seconds("ours", repeat, lambda: net.layers(picture))
    with halved():
        found |= seconds("bfloat16", repeat, lambda: net.layers(picture))
    found["bfloat16_dB"] = bfloat16_decibels(net, picture)
    found |= floor(net, picture, repeat)
    # Without the kernel for channels that lie last, too.
    plain = mock.patch.object(irnn, "recurrence", irnn.recurrence_reference)
    with plain, mock.patch.object(spanet, "kernel", return_value=None):
        return found | seconds("plain", 1, lambda: net.layers(picture))


def tiles(net: Network, folder: Path, limit: int) -> dict[str, dict[str, float]]:
    """Return by the side of tiles what they lose, means over pictures."""
    found: dict[str, list[tuple[float, float]]] = {}
    for _, rainy, clean in pairs(folder, limit):
        whole = to_bytes(derain(net, rainy, tile=0, device="cpu").background)
        for side in TILES:
            tiled = to_bytes(derain(net, rainy, tile=side, device="cpu").background)
            lost = psnr(whole, clean, PROTOCOL) - psnr(tiled, clean, PROTOCOL)
            found.setdefault(str(side), []).append((lost, min(psnr(tiled, whole, PROTOCOL), 100.0)))
    return {
        side: dict(zip(("lost", "against_whole"), map(float, np.mean(v, axis=0)), strict=True))
        for side, v in found.items()
    }


def _of_folder(folder: Path, limit: int | None) -> list[Triple]:
    return [(rainy, clean, None) for _, rainy, clean in pairs(folder, limit)]


def _of_clip(clip: Path, limit: int | None) -> list[Triple]:
    made, _ = built(clip, accept=30.0, most=MOST)
    return [(pair.rainy, pair.clean, pair.valid) for pair in made[:limit]]


def report(found: dict[str, Any]) -> None:
    """Print the tables."""
    rows = [(name, f"{value:.1e}") for name, value in found["agreement"].items()]
    print_table("Largest difference from the released program, step by step", ("set", "difference"), rows)
    rows = [(name, f"{value:.2f}") for name, value in found["speed"].items()]
    print_table(f"{SIDE} × {SIDE}, whole network, {THREADS} threads", ("what", ""), rows)
    print_table("Tiles", ("set", "side", "lost dB", "dB against the whole"), _tile_rows(found["tiles"]))
    table = found["pairs"] | found["real"]
    methods = next(iter(table.values()))["methods"]
    rows = [(method, *(cell(part["methods"].get(method)) for part in table.values())) for method in methods]
    print_table("PSNR / SSIM on Y (MATLAB)", ("method", *(f"{n} ({p['pairs']})" for n, p in table.items())), rows)


def _tile_rows(found: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, sides in found.items():
        for side, numbers in sides.items():
            yield name, side, f"{numbers['lost']:+.2f}", f"{numbers['against_whole']:.1f}"


if __name__ == "__main__":
    main()
