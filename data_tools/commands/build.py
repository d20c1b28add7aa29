"""What ``raindata build`` shows while it works."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from data_tools.build.dataset import ClusterError, begin, finish, note, run, write_sheet
from data_tools.build.plan import BuildOptions, Plan, VideoJob
from data_tools.build.video import VideoResult
from data_tools.manifest.file import ManifestError
from rainopt.app.console import open_consoles, progress_bar
from rainopt.io import ImageFileError
from rainopt.io.atomic import WriteError

OK, FAILED, INTERRUPTED = 0, 1, 130


def follow_build(
    plan: Plan, folder: Path, options: BuildOptions, processes: int, scheduler: str | None, json_lines: bool
) -> int:
    """Build all videos, show a bar and a table, and return the exit status.

    Raises
    ------
    FolderError
        If the folder cannot be used; nothing has been done.
    """
    out, err = open_consoles()
    start, status = time.perf_counter(), FAILED if plan.problems else OK
    for problem in plan.problems:
        err.print(f"[red]failed[/red]  {escape(problem)}")
    for remark in plan.notes:
        err.print(escape(remark))
    there = {record.id for record in begin(folder, options)}
    results: list[VideoResult] = []
    try:
        with progress_bar(err) as progress:
            bar = progress.add_task("videos", total=len(plan.jobs))
            # An hour of video is long work of its own.
            current = progress.add_task("frames", total=1.0, visible=False)

            def report(job: VideoJob, share: float) -> None:
                progress.update(current, completed=share, description=escape(job.source.name), visible=share < 1)

            for result in run(plan.jobs, processes, scheduler, report):
                results.append(result)
                note(folder, result, there)
                progress.advance(bar)
                if json_lines:
                    print(json.dumps(_as_dict(result)), file=sys.stdout, flush=True)
                if result.error:
                    status = FAILED
                    err.print(f"[red]failed[/red]  {escape(result.error)}")
                elif result.lost:
                    err.print(f"'{escape(result.source)}': {escape(result.lost)}")
        manifest = finish(folder, options, results)
        sheet = write_sheet(manifest)
    except (ManifestError, ClusterError, ImageFileError, WriteError) as error:
        err.print(f"[red]failed[/red]  {escape(str(error))}")
        return FAILED
    except KeyboardInterrupt:
        finish(folder, options, results)
        done = sum(result.error is None for result in results)
        err.print(f"interrupted: {done} videos done, {len(plan.jobs) - done} left; run the same command again to go on")
        return INTERRUPTED
    if not json_lines:
        out.print(_table(results))
        for result in results:
            for line in _rejections(result):
                out.print(escape(line))
        where = f", {sheet}" if sheet else ""
        seconds = time.perf_counter() - start
        out.print(escape(f"{folder} holds {len(manifest)} pairs{where} ({seconds:.1f} s)"))
    return status


def _rejections(result: VideoResult) -> list[str]:
    """Return a line for each reason for which windows of a video gave no pairs."""
    starts: dict[str, list[int]] = defaultdict(list)
    for window in result.windows:
        if not window.accepted:
            starts[window.reason].append(window.start)
    return [
        f"{result.name}: no pairs of the frames from {', '.join(map(str, numbers[:4]))}"
        f"{f' and {len(numbers) - 4} more windows' if len(numbers) > 4 else ''}: {reason}"
        for reason, numbers in starts.items()
    ]


def _as_dict(result: VideoResult) -> dict[str, Any]:
    accepted = [window for window in result.windows if window.accepted]
    values = {
        "video": result.source,
        "name": result.name,
        "frames": result.frames,
        "scenes": len({window.scene for window in result.windows}),
        "windows": len(result.windows),
        "accepted": len(accepted),
        "pairs": len(result.records),
        "expected_psnr": statistics.median(w.expected_psnr for w in accepted) if accepted else None,
        "rejected": {str(window.start): window.reason for window in result.windows if not window.accepted} or None,
        "lost": result.lost,
        "error": result.error,
    }
    return {key: value for key, value in values.items() if value is not None}


def _table(results: list[VideoResult]) -> Table:
    table = Table("video", "frames", "scenes", "windows", "accepted", "pairs", "expected dB")
    for column in table.columns[1:]:
        column.justify = "right"
    for result in sorted(results, key=lambda one: one.name):
        facts = _as_dict(result)
        psnr = facts.get("expected_psnr")
        cells = [facts[key] for key in ("frames", "scenes", "windows", "accepted", "pairs")]
        name = escape(result.name) + (" [red]failed[/red]" if result.error else "")
        table.add_row(name, *map(str, cells), "" if psnr is None else f"{psnr:.1f}")
    return table
