"""What ``raindata synth`` shows while it works."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from rich.markup import escape

from data_tools.build.rendered import PairJob, SynthError, finish, make_pair, note, render_pair
from data_tools.manifest.contact_sheet import contact_sheet
from data_tools.manifest.file import ManifestError, PairRecord, read_manifest
from rainopt.app.console import open_consoles, progress_bar
from rainopt.io import READABLE_SUFFIXES, write_image
from rainopt.parallel.processes import DIED, run_in_processes

OK, FAILED, INTERRUPTED = 0, 1, 130
# Rows of a preview: more than fit a screen are not looked at.
PREVIEW_ROWS = 8
# The layer is dark beside a photograph.
RAIN_GAIN = 2


def follow_synth(pairs: Sequence[PairJob], todo: Sequence[PairJob], folder: Path, processes: int) -> int:
    """Make the pairs of ``todo``, add each to the manifest when its files are whole, and return the exit status."""
    out, err = open_consoles()
    start, made, failed = time.perf_counter(), 0, 0
    if len(todo) < len(pairs):
        err.print(f"{len(pairs) - len(todo)} of {len(pairs)} pairs are there already")
    try:
        with progress_bar(err) as progress:
            task = progress.add_task("pairs", total=len(pairs), completed=len(pairs) - len(todo))
            for job, result in _make(todo, processes):
                progress.advance(task)
                if isinstance(result, PairRecord):
                    note(job, result)
                    made += 1
                else:
                    failed += 1
                    reason = result or f"'{job.source}': {DIED}"
                    err.print(f"[red]failed[/red]  {escape(reason)}")
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


def _make(todo: Sequence[PairJob], processes: int) -> Iterator[tuple[PairJob, PairRecord | str | None]]:
    if processes <= 1 or len(todo) < 2:
        for job in todo:
            yield job, make_pair(job)
        return
    for (job,), result in run_in_processes(make_pair, [(job,) for job in todo], min(processes, len(todo))):
        yield job, result


def check_preview(pairs: Sequence[PairJob], file: Path) -> None:
    """Raise a `SynthError` if the contact sheet cannot be written under that name, or would replace a picture."""
    if file.suffix.lower() not in READABLE_SUFFIXES:
        raise SynthError(f"'{file}' cannot be written; use {', '.join(sorted(READABLE_SUFFIXES))}")
    if os.path.realpath(file) in {os.path.realpath(pair.source) for pair in pairs}:
        raise SynthError(f"'{file}' is a clean picture itself; name another file for the preview")


def write_preview(pairs: Sequence[PairJob], file: Path) -> int:
    """Write a contact sheet of pairs spread over the dataset: clean, rainy, rain layer; return the exit status."""
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
        caption = f"{job.id}   {job.preset}   {spec.angle:+.0f} deg   {spec.composition}"
        rows.append((caption, [pair.clean, pair.rainy, np.minimum(pair.rain / 65535 * RAIN_GAIN, 1)]))
    if rows:
        try:
            write_image(file, contact_sheet(rows))
        except ValueError as error:
            err.print(f"[red]failed[/red]  {escape(str(error))}")
            return FAILED
        out.print(f"{escape(str(file))}: clean, rainy and rain layer (x{RAIN_GAIN}) of {len(rows)} pairs")
    return status
