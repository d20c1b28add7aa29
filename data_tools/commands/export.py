"""What ``raindata export`` shows while it works."""

from __future__ import annotations

import time
from pathlib import Path

import typer
from rich.markup import escape

from data_tools.export.dataset import ExportError, export_dataset
from data_tools.layouts.files import counted
from data_tools.layouts.read import LayoutError
from data_tools.manifest.file import ManifestError
from rainopt.app.console import open_consoles, progress_bar
from rainopt.io.atomic import WriteError

OK, FAILED, INTERRUPTED = 0, 1, 130
# What an option is called where the functions speak of an argument.
OPTIONS = {"`to`": "--to", "`split`": "--split", "`shard_bytes`": "--shard-size", "`layout`": "--layout"}


def follow_export(
    dataset: Path,
    output: Path,
    to: str,
    *,
    layout: str | None = None,
    split: str | None = None,
    shard_size: int = 256,
    shuffle: bool = True,
    overwrite: bool = False,
) -> int:
    """Export a dataset, name what is missing, and return the exit status; ``shard_size`` is in MiB."""
    out, err = open_consoles()
    start = time.perf_counter()
    try:
        with progress_bar(err) as progress:
            task = progress.add_task("pairs", total=None)
            exported = export_dataset(
                dataset,
                output,
                to,
                layout=layout,
                split=split,
                shard_bytes=shard_size * 2**20,
                shuffle=shuffle,
                overwrite=overwrite,
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
    except ExportError as error:
        raise typer.BadParameter(str(error), param_hint=_option(error)) from None
    except (LayoutError, ManifestError, WriteError) as error:
        if _option(error):
            raise typer.BadParameter(str(error), param_hint=_option(error)) from None
        err.print(f"[red]failed[/red]  {escape(str(error))}")
        return FAILED
    except KeyboardInterrupt:
        err.print("interrupted; run the same command again to go on")
        return INTERRUPTED
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
    return FAILED if exported.failures else OK


def _option(error: Exception) -> str | None:
    return OPTIONS.get(str(error).partition(" ")[0])
