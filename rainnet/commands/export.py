"""``rainnet export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rainopt.app.exit_codes import FAILED
from rainopt.app.options import JsonLines, Overwrite


def export(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="File or folder of a network, or the name of one that ships.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write, NAME.onnx.")],
    core: Annotated[
        bool,
        typer.Option(
            "--core",
            help="Only the network itself, for pictures whose streaks are upright already: for runtimes that lack "
            "conditions and gathering, or to work in tiles.",
        ),
    ] = False,
    opset: Annotated[
        int | None, typer.Option(min=18, metavar="N", help="Version of ONNX's operators; 18 if left out.")
    ] = None,
    overwrite: Overwrite = False,
    json_lines: JsonLines = False,
) -> None:
    """Write a network as an ONNX file, which runs without this program and without torch.

    The file holds the whole way: it takes `rainy`, RGB pictures (N, 3, height, width) in [0, 1] of any size, and
    `angle`, the direction of the rain of each in degrees (0 is vertical, positive moves right going down; NaN: what the
    network itself finds, which is less exact than what `rainopt angle` says), and gives `background`, `rain` and the
    angle `used`. Before it is written, its answers are compared with those of the network on pictures of three sizes,
    and the largest difference is printed.

    With `--core`, it takes `upright`, whose sides are multiples of what the file's metadata say, and gives `removed`,
    to be subtracted from the picture, and `rain`. Of a network that begins with the solver's rain layer, as `refine`
    does, `upright` has that layer as its fourth plane, and there is nothing but the core to be exported.

    **Examples**

    - `rainnet export udgnet-small -o udgnet.onnx`
    - `rainnet export runs/mine/ -o mine.onnx --opset 20`
    - `rainnet export refine -o core.onnx --core`

    Exit status: 0 written, 1 the network could not be exported, 2 wrong usage, 130 interrupted.
    """
    import json

    from rich.markup import escape

    from rainnet.commands.results import require_free
    from rainnet.export.onnx import LEAVES_OUT, SUFFIX, ExportError, export_onnx
    from rainnet.weights.checkpoint import CheckpointError, facts_of, load
    from rainopt.app.console import open_consoles

    require_free(output, SUFFIX, overwrite)
    try:
        net, facts = load(model), facts_of(model)
    except CheckpointError as error:
        raise typer.BadParameter(str(error), param_hint="MODEL") from None
    out, err = open_consoles()
    try:
        written = export_onnx(net, output, core=core, opset=opset, facts=facts, overwrite=overwrite)
    except (ExportError, ModuleNotFoundError, OSError) as error:
        err.print(f"[red]failed[/red]  {escape(str(error))}")
        raise typer.Exit(FAILED) from None
    if json_lines:
        print(json.dumps({"output": str(output), "network": net.name, "difference": written.difference}))
    else:
        size = output.stat().st_size / 2**20
        out.print(
            f"wrote {escape(str(output))}: {net.name}, {size:.1f} MiB, differs from the network by "
            f"{written.difference:.0e} at most"
        )
        if not core:
            err.print(f"note: the file leaves out what `rainnet derain` does beside the network: {LEAVES_OUT}")
