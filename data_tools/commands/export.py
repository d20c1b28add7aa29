"""``raindata export``."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from data_tools.commands.options import CleanFolder, Dataset, Layout, Match, Output, RainyFolder, dataset_named
from rainopt.app.exit_codes import FAILED, INTERRUPTED, OK
from rainopt.app.options import Overwrite

# How the options are called where the functions speak of arguments.
OPTIONS = {"`to`": "--to", "`split`": "--split", "`shard_bytes`": "--shard-size", "`layout`": "--layout"}


def export(
    output: Output,
    to: Annotated[str, typer.Option("--to", help="webdataset (tar shards) or spa (SPA-Data's lists).")],
    dataset: Dataset = None,
    layout: Layout = None,
    rainy: RainyFolder = None,
    clean: CleanFolder = None,
    match: Match = None,
    split: Annotated[str | None, typer.Option(help="Export train, val or test only.")] = None,
    shard_size: Annotated[
        int, typer.Option(min=1, help="Most MiB a shard; a larger pair has a shard to itself.")
    ] = 256,
    shuffle: Annotated[
        bool,
        typer.Option(
            "--shuffle/--no-shuffle",
            help="Spread pairs over the shards, in an order that is always the same; or keep the dataset's.",
        ),
    ] = True,
    overwrite: Overwrite = False,
) -> None:
    """Hand a dataset on in the form that a training program reads; pictures keep their bytes.

    **webdataset**: `SPLIT/SPLIT-000000.tar` (`all/` without splits), a pair `KEY.rainy.png`, `KEY.clean.png`,
    `KEY.json`, and from a manifest `KEY.mask.png` and `KEY.valid.png` (255: the clean pixel may be trusted). The same
    dataset gives the same bytes.

    **spa**: `real_world.txt`, `real_test_1000.txt` and `real_val.txt` with lines `/real_world/rain/KEY.png
    /real_world/gt/KEY.png`; masks and valid pixels lie in folders beside. Files are hard links where possible.

    A pair in one image becomes two PNG files. OUTPUT must not lie in DATASET. A run that was interrupted goes on where
    it was; `index.json` is written last. With `--overwrite` another export in OUTPUT is replaced, and other files
    there are left alone. A pair that is not whole (a file is missing, damaged, or not the one that the manifest
    recorded) is named and left out.

    **Examples**

    - `raindata export dataset -o shards --to webdataset`
    - `raindata export dataset -o shards --to webdataset --split train --shard-size 512`
    - `raindata export Rain100L -o spa --to spa --layout rain100`
    - `raindata export --rainy frames --clean truth -o shards --to webdataset`
    - `raindata export dataset -o spa --to spa --overwrite`

    Then `webdataset.WebDataset("shards/train/train-{000000..000009}.tar").decode("rgb8").to_tuple("rainy.png",
    "clean.png")` reads the pairs.

    Exit status: 0 all exported, 1 some pairs failed (each is named, the others are exported), 2 wrong usage, 130
    interrupted.
    """
    from rich.markup import escape

    from data_tools.export.dataset import export_dataset
    from data_tools.export.settings import ExportError, ExportSettings
    from data_tools.layouts.files import counted
    from data_tools.layouts.read import LayoutError
    from data_tools.manifest.file import ManifestError
    from rainopt.app.console import open_consoles, progress_bar
    from rainopt.io.atomic import WriteError
    from rainopt.io.claim import ClaimedError

    out, err = open_consoles()
    start = time.perf_counter()
    try:
        settings = ExportSettings(to, layout, split, shard_size * 2**20, shuffle, overwrite)
        with progress_bar(err) as progress:
            task = progress.add_task("pairs", total=None)
            exported = export_dataset(
                dataset_named(dataset, layout, rainy, clean, match),
                output,
                settings,
                lambda done, total: progress.update(task, completed=done, total=total),
            )
    except (ExportError, LayoutError, ManifestError, WriteError, ClaimedError) as error:
        option = OPTIONS.get(str(error).partition(" ")[0])
        if option or isinstance(error, ExportError):
            raise typer.BadParameter(str(error), param_hint=option) from None
        err.print(f"[red]failed[/red]  {escape(str(error))}")
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        err.print("interrupted; run the same command again to go on")
        raise typer.Exit(INTERRUPTED) from None
    for note in exported.notes:
        err.print(f"note: {escape(note)}")
    for failure in exported.failures:
        err.print(f"[red]failed[/red]  {escape(failure)}")
    seconds = time.perf_counter() - start
    what = counted(len(exported.files), "shard" if to == "webdataset" else "list")
    there = f", {exported.kept} of them there already" if exported.kept else ""
    failed = f"; {len(exported.failures)} failed" if exported.failures else ""
    pairs = counted(exported.pairs, "pair")
    out.print(f"{escape(str(output))} holds {pairs} in {what}{there} ({seconds:.1f} s){failed}")
    raise typer.Exit(FAILED if exported.failures else OK)
