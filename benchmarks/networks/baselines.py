"""PReNet, DDN and JORDER-E on a CPU: how large, how fast, what half precision and tiles cost, and as ONNX.

Networks begin as the picture itself; for all but the first table what they begin with is drawn at random instead. The
picture is the first of DIR/pairs, 481 × 321 or a part of that size, on two threads.

  parameters  Beside what the literature says.
  converted   The largest difference of converted networks from step-by-step references of the programs that the
              parameters come from; random parameters, and a part of a picture of random pixels.
  speed       The whole picture with channels first, as tensors lie by default, with channels last, as `rainnet` lays
              them, and with channels last under autocast to bfloat16: least of --repeat runs, and seconds of
              processors, which other work on a machine disturbs less. The floor is the network's arithmetic at the
              rate at which this machine multiplies large matrices of float32.
  bfloat16    PSNR of the background against that of float32, not clipped; of each of --models, too.
  tiles       The largest difference from the whole picture.
  onnx        The largest difference of the exported graph.

  python -m benchmarks.networks.baselines --data DIR --json results.json --models model.safetensors
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor, nn

from benchmarks.common import finish, print_table
from benchmarks.networks.agreement import Apart, agreement
from benchmarks.networks.timing import THREADS, bfloat16_decibels, floor, halved, seconds
from benchmarks.options import Data, Json, Repeat, benchmark
from benchmarks.pictures import pairs, sets_of_pairs
from rainnet import create, load
from rainnet.export.onnx import export_onnx
from rainnet.infer.derain import derain
from rainnet.models.base import Network

# Network, preset, parameters. Ren et al. 2019, Table 2; of DDN and JORDER-E there is what later papers and the authors'
# files say.
COMPARED = {
    "PReNet": ("prenet", "paper", "168 963"),
    "PRN": ("prenet", "prn", "95 107"),
    "PReNet_r": ("prenet", "prenet-r", "94 979"),
    "PRN_r": ("prenet", "prn-r", "21 123"),
    "PReNet, small": ("prenet", "small", ""),
    "DDN": ("ddn", "paper", "57 369"),
    "JORDER-E, small": ("jorder", "small", ""),
    "JORDER-E": ("jorder", "paper", "4.17 M"),
}
LONG, SHORT = 481, 321  # pixels
TILE = 256
Models = Annotated[
    list[Path] | None,
    typer.Option("--models", metavar="FILE", help="Measure what bfloat16 costs this trained model; repeatable."),
]


@benchmark(__doc__)
def main(data: Data, models: Models = None, repeat: Repeat = 3, target: Json = None) -> None:
    """Measure all of it."""
    picture = first_picture(data)
    torch.set_num_threads(THREADS)
    converted = agreement()
    measured: dict[str, Any] = {}
    for name, (network, preset, paper) in COMPARED.items():
        net = drawn(create(network, preset=preset).eval())
        found: dict[str, Any] = {"parameters": sum(each.numel() for each in net.parameters()), "literature": paper}
        measured[name] = found | speed(net, picture, repeat) | {"tiles": tiles(net, picture), "onnx": onnx(net)}
        print(f"{name}: {measured[name]['last_seconds']:.2f} s", file=sys.stderr, flush=True)
    trained = {f"{file.parent.name}/{file.name}": _of_trained(file, picture) for file in models or ()}
    report(measured, trained, converted, picture.shape)
    size = {"height": picture.shape[0], "width": picture.shape[1], "threads": THREADS, "tile": TILE}
    found_by_all = {"benchmark": "net_baselines", **size, "networks": measured, "trained_bfloat16_dB": trained}
    finish({**found_by_all, "converted": {name: one._asdict() for name, one in converted.items()}}, target)


def drawn(net: Network) -> Network:
    """Draw what a network begins with as zeros, as torch draws all else."""
    torch.manual_seed(0)
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d) and not bool(module.weight.any()):
            module.reset_parameters()
    return net


def speed(net: Network, picture: np.ndarray, repeat: int) -> dict[str, float]:
    """Return the seconds of a picture as it lies by default, with channels last, and in bfloat16, which is told as well
    how far off it is; what is computed, and how fast that could be done.
    """
    rainy = _tensor(picture)
    found = seconds("first", repeat, lambda: net.split(rainy))
    last = rainy.contiguous(memory_format=torch.channels_last)
    found |= seconds("last", repeat, lambda: net.split(last))
    with halved():
        found |= seconds("bfloat16", repeat, lambda: net.split(last))
    return found | {"bfloat16_dB": bfloat16_decibels(net, last)} | floor(net, rainy, repeat)


def tiles(net: Network, picture: np.ndarray) -> float:
    """Return the largest difference between a picture in tiles and the whole."""
    tiled, whole = (derain(net, picture, tile=tile, bounded=False, device="cpu") for tile in (TILE, 0))
    layers = ((tiled.background, whole.background), (tiled.rain, whole.rain))
    return max(float(np.abs(np.asarray(one) - np.asarray(other)).max()) for one, other in layers)


def onnx(net: Network) -> float:
    """Return the largest difference between a network and its graph."""
    with tempfile.TemporaryDirectory() as folder:
        return export_onnx(net, Path(folder) / "net.onnx").difference


def report(
    measured: dict[str, Any], trained: dict[str, float], converted: dict[str, Apart], shape: tuple[int, ...]
) -> None:
    """Print the tables."""
    rows: list[tuple[str, ...]]
    rows = [(name, one["literature"], f"{one['parameters']:,}".replace(",", " ")) for name, one in measured.items()]
    print_table("Parameters", ("network", "literature", "here"), rows)
    rows = [(name, f"{one.difference:.1e}", f"{one.largest:.1f}") for name, one in converted.items()]
    print_table("Converted networks", ("output", "difference from the reference", "largest value"), rows)
    ways = ("first", "last", "bfloat16")
    rows = [
        (
            name,
            *(f"{found[f'{way}_seconds']:.2f} ({found[f'{way}_cpu_seconds']:.2f})" for way in ways),
            f"{found['floor_seconds']:.2f} ({found['floor_cpu_seconds']:.2f})",
            f"{found['gflop']:.0f}",
            f"{found['gflop_per_second']:.0f}",
        )
        for name, found in measured.items()
    ]
    title = f"{shape[1]} × {shape[0]}, {THREADS} threads: seconds (of processors)"
    header = ("network", "channels first", "channels last", "bfloat16", "floor", "GFLOP", "GFLOP/s of matrices")
    print_table(title, header, rows)
    rows = [
        (name, f"{found['bfloat16_dB']:.1f}", f"{found['tiles']:.1e}", f"{found['onnx']:.1e}")
        for name, found in measured.items()
    ]
    rows += [(name, f"{value:.1f}", "", "") for name, value in trained.items()]
    print_table("Differences", ("network", "bfloat16, dB", "tiles", "ONNX"), rows)


def _of_trained(model: Path, picture: np.ndarray) -> float:
    return bfloat16_decibels(load(model).eval(), _tensor(picture).contiguous(memory_format=torch.channels_last))


def first_picture(data: Path) -> np.ndarray:
    """Return the first rainy picture, no larger than it is said to be."""
    for folder in sets_of_pairs(data):
        for _, rainy, _ in pairs(folder, 1):
            high, wide = (SHORT, LONG) if rainy.shape[0] < rainy.shape[1] else (LONG, SHORT)
            return np.ascontiguousarray(rainy[:high, :wide])
    raise typer.BadParameter("--data must hold sets of pairs in a folder 'pairs'; see --help")


def _tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)[None].contiguous()


if __name__ == "__main__":
    main()
