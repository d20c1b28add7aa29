"""TimeLapseNet on a CPU: its size and speed by width, what tiles and ONNX change, and what a trained one is worth.

sizes    Parameters, and seconds of a picture of 481 × 321, by the features of the first maps (64 is the paper's width),
         with kernels of 1, 3 and 5 pixels in place of 3, 5 and 7 (the paper's study, Fig. 17), and without the filter
         that depends on the picture; and the largest difference of a picture in tiles, and of the ONNX graph.
trained  --model, a run of timelapsenet-small: PSNR / SSIM under the protocol y_matlab beside the input, `rainopt` and
         the UDGNet that ships, on rendered rain over the truths of DIR/pairs, which were not trained on, on the sets of
         DIR/pairs, and on their truths (100 dB where one is left alone).

  python -m benchmarks.networks.timelapse --data DIR --model runs/timelapse --json results.json
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from benchmarks.common import finish, print_table
from benchmarks.networks.baselines import first_picture, onnx, speed, tiles
from benchmarks.networks.baselines_trained import compare, report_sets
from benchmarks.networks.timing import THREADS
from benchmarks.options import MODEL, Data, Json, Limit, Repeat, Sheet, benchmark
from benchmarks.pictures import PROTOCOL
from rainnet import create
from rainopt.app.sheet import Row, write_sheet

SIZES: dict[str, dict[str, Any]] = {
    "4": {"features": 4},
    "8": {"features": 8},
    "16": {"features": 16},
    "32": {"features": 32},
    "64 (paper)": {},
    "16, kernels 1, 3, 5": {"features": 16, "kernel": 1},
    "16, concat": {"features": 16, "fusion": "concat"},
    "64, concat": {"fusion": "concat"},
}
EXPORTED = 16  # features up to which graphs are exported: larger ones are files of a gigabyte

Trained = Annotated[Path | None, typer.Option("--model", help="A trained TimeLapseNet to be compared.")]


@benchmark(__doc__)
def main(
    data: Data,
    model: Trained = None,
    limit: Limit = None,
    repeat: Repeat = 3,
    sheet: Sheet = None,
    target: Json = None,
) -> None:
    """Measure all of it."""
    torch.set_num_threads(THREADS)
    picture, sizes = first_picture(data), {}
    for name, config in SIZES.items():
        torch.manual_seed(0)
        net = create("timelapsenet", **config).eval()
        found: dict[str, Any] = {"parameters": sum(each.numel() for each in net.parameters())}
        found |= speed(net, picture, repeat) | {"tiles": tiles(net, picture)}
        found["onnx"] = onnx(net) if net.config.features <= EXPORTED else None
        sizes[name] = found
        print(f"{name}: {found['last_seconds']:.2f} s", file=sys.stderr, flush=True)
    report_sizes(sizes, picture.shape)
    sets: dict[str, Any] = {}
    if model is not None:
        words = {"input": "input", "rainopt": "rainopt", f"{MODEL}, as it ships": MODEL, "timelapsenet": str(model)}
        rows: list[Row] = []
        sets = compare(data, words, limit, rows)
        report_sets(sets)
        if sheet:
            write_sheet(sheet, rows)
    finish({"benchmark": "net_timelapse", "protocol": PROTOCOL, "sizes": sizes, "sets": sets}, target)


def report_sizes(sizes: dict[str, Any], shape: tuple[int, ...]) -> None:
    """Print the table of sizes."""
    rows = [
        (
            name,
            f"{found['parameters']:,}".replace(",", " "),
            *(f"{found[f'{way}_seconds']:.2f} ({found[f'{way}_cpu_seconds']:.2f})" for way in ("last", "bfloat16")),
            f"{found['floor_seconds']:.2f}",
            f"{found['gflop']:.1f}",
            f"{found['tiles']:.1e}",
            "" if found["onnx"] is None else f"{found['onnx']:.1e}",
        )
        for name, found in sizes.items()
    ]
    header = ("features", "parameters", "seconds (of processors)", "bfloat16", "floor", "GFLOP", "tiles", "ONNX")
    print_table(f"TimeLapseNet, {shape[1]} × {shape[0]}, {THREADS} threads", header, rows)


if __name__ == "__main__":
    main()
