"""``raindata synth``."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_tools.commands.options import OUTPUT, Licence, spelt_as_options
from rainopt.app.exit_codes import FAILED, INTERRUPTED, OK
from rainopt.app.options import Jobs

if TYPE_CHECKING:
    from data_tools.build.settings import SynthSettings
    from data_tools.build.synth_plan import PairJob

# Rows of a preview: more than fit a screen are not looked at.
PREVIEW_ROWS, PREVIEW_WIDTH = 8, 360
# The layer is dark beside a photograph.
RAIN_GAIN = 2


def synth(
    clean: Annotated[
        list[Path], typer.Argument(metavar="CLEAN", help="Clean images, and folders (with sub-folders) of them.")
    ],
    output: Annotated[Path | None, OUTPUT] = None,
    preset: Annotated[str, typer.Option("-p", "--preset", help="light, medium, heavy or multi.")] = "medium",
    count: Annotated[
        int | None,
        typer.Option("-n", "--count", min=1, help="Pairs in all, dealt evenly over the pictures; else one each."),
    ] = None,
    seed: Annotated[int, typer.Option("-s", "--seed", min=0, help="The same seed makes the same dataset.")] = 0,
    val_share: Annotated[
        float, typer.Option(min=0, max=0.99, help="Share of the scenes that go to the split val; the rest is train.")
    ] = 0.0,
    licence: Licence = "",
    preview: Annotated[
        Path | None,
        typer.Option(help="Write a contact sheet of some pairs: clean, rainy, rain layer. Without -o, nothing else."),
    ] = None,
    jobs: Jobs = 1,
) -> None:
    """Render rain over clean pictures, with exact truth.

    The dataset holds, a pair, the rainy picture, its rain layer (16 bit) and mask, one clean picture a scene, and
    manifest.jsonl with the parameters of the rain, its angle and checksums; rainy = round(compose(clean, rain))
    exactly. A run that was interrupted leaves a dataset that is whole; the same command goes on with it, and a
    larger --count adds to it.

    **Examples**

    - `raindata synth photos/ --preset heavy --preview sheet.png`
    - `raindata synth photos/ -o dataset --preset light --count 1000 --seed 7 --val-share 0.1 --jobs 2`

    Exit status: 0 all made, 1 some pictures failed (each is named, the others are made), 2 wrong usage, 130
    interrupted.
    """
    from data_tools.build.settings import SettingsError, SynthSettings
    from data_tools.build.synth_plan import SynthError, plan_pairs

    if output is None and preview is None:
        raise typer.BadParameter("name a folder for the dataset, or a file for --preview", param_hint="--output")
    try:
        settings = SynthSettings(preset=preset, seed=seed, val_share=val_share, licence=licence)
        pairs = plan_pairs(clean, output, settings, count)
        if preview is not None:
            _check_preview(pairs, preview)
        status = _make_all(pairs, output, settings, jobs, preview)
    except SettingsError as error:
        raise typer.BadParameter(spelt_as_options(error)) from None
    except SynthError as error:
        raise typer.BadParameter(str(error)) from None
    raise typer.Exit(status)


def _make_all(
    pairs: Sequence[PairJob], folder: Path | None, settings: SynthSettings, processes: int, preview: Path | None
) -> int:
    """Write the preview and make the pairs, where they are asked for, and return the exit status.

    Raises
    ------
    SynthError
        If the folder cannot be used; nothing has been done.
    """
    from rich.markup import escape

    from data_tools.build.synth_plan import SynthError, remaining
    from data_tools.manifest.folder import FolderError, filling
    from rainopt.app.console import open_consoles
    from rainopt.io.claim import ClaimedError

    if folder is None:
        return OK if preview is None else _write_preview(pairs, preview)
    try:
        with filling(folder):
            todo = remaining(list(pairs), folder, settings)
            status = OK if preview is None else _write_preview(pairs, preview)
            return max(status, _make(pairs, todo, folder, processes))
    except ClaimedError as error:
        open_consoles()[1].print(f"[red]failed[/red]  {escape(str(error))}")
        return FAILED
    except FolderError as error:
        raise SynthError(str(error)) from None


def _make(pairs: Sequence[PairJob], todo: Sequence[PairJob], folder: Path, processes: int) -> int:
    """Make the pairs of ``todo``, add each to the manifest when its files are whole, and return the exit status."""
    from rich.markup import escape

    from data_tools.build.rendered import finish, note, run
    from data_tools.manifest.file import ManifestError, read_manifest
    from rainopt.app.console import open_consoles, progress_bar

    out, err = open_consoles()
    start, made, failed = time.perf_counter(), 0, 0
    if len(todo) < len(pairs):
        err.print(f"{len(pairs) - len(todo)} of {len(pairs)} pairs are there already")
    try:
        with progress_bar(err) as progress:
            task = progress.add_task("pairs", total=len(pairs), completed=len(pairs) - len(todo))
            for job, result in run(todo, processes):
                progress.advance(task)
                if isinstance(result, str):
                    failed += 1
                    err.print(f"[red]failed[/red]  {escape(result)}")
                else:
                    note(job, result)
                    made += 1
        total = finish(folder)
    except ManifestError as error:
        err.print(f"[red]failed[/red]  {escape(str(error))}")
        return FAILED
    except KeyboardInterrupt:
        finish(folder)
        # Counted in the manifest: the interruption may have come between a record and its count.
        there = {record.id for record in read_manifest(folder)}
        left = sum(job.id not in there for job in todo)
        err.print(f"interrupted: {len(todo) - left} made, {left} left; run the same command again to go on")
        return INTERRUPTED
    seconds = time.perf_counter() - start
    out.print(f"{made} pairs made in {seconds:.1f} s; {escape(str(folder))} holds {total}")
    return FAILED if failed else OK


def _check_preview(pairs: Sequence[PairJob], file: Path) -> None:
    """Refuse a name that the contact sheet cannot be written under, or where it would replace a picture."""
    from data_tools.build.synth_plan import SynthError
    from rainopt.io import WRITABLE_SUFFIXES

    if file.suffix.lower() not in WRITABLE_SUFFIXES:
        raise SynthError(f"'{file}' cannot be written; use {', '.join(sorted(WRITABLE_SUFFIXES))}")
    if os.path.realpath(file) in {os.path.realpath(pair.source) for pair in pairs}:
        raise SynthError(f"'{file}' is a clean picture itself; name another file for the preview")


def _write_preview(pairs: Sequence[PairJob], file: Path) -> int:
    """Write a contact sheet of pairs spread over the dataset: clean, rainy, rain layer; return the exit status."""
    import numpy as np
    from rich.markup import escape

    from data_tools.build.rendered import render_pair
    from rainopt.app.console import open_consoles
    from rainopt.app.sheet import Row, sheet_of
    from rainopt.io import write_image

    out, err = open_consoles()
    chosen = [pairs[k] for k in sorted({round(x) for x in np.linspace(0, len(pairs) - 1, PREVIEW_ROWS)})]
    rows, status = [], OK
    for job in chosen:
        try:
            pair = render_pair(job)
        except (ValueError, OSError) as error:
            err.print(f"[red]failed[/red]  {escape(str(error))}")
            status = FAILED
            continue
        spec = pair.spec
        title = f"{job.id}   {job.settings.preset}   {spec.angle:+.0f} deg   {spec.composition}"
        rain = np.minimum(pair.rain / 65535 * RAIN_GAIN, 1)
        rows.append(Row([pair.clean, pair.rainy, rain], title=title))
    if rows:
        try:
            write_image(file, sheet_of(rows, width=PREVIEW_WIDTH))
        except ValueError as error:
            err.print(f"[red]failed[/red]  {escape(str(error))}")
            return FAILED
        out.print(f"{escape(str(file))}: clean, rainy and rain layer (x{RAIN_GAIN}) of {len(rows)} pairs")
    return status
