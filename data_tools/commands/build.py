"""``raindata build``."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data_tools.commands.options import Licence, Output, spelt_as_options
from rainopt.app.exit_codes import FAILED, INTERRUPTED, OK
from rainopt.app.options import Jobs, JsonLines

if TYPE_CHECKING:
    from rich.table import Table

    from data_tools.build.notes import VideoResult
    from data_tools.build.plan import Plan, VideoJob
    from data_tools.build.settings import BuildSettings


def build(
    videos: Annotated[
        list[str],
        typer.Argument(metavar="VIDEO", help="Video files, folders of them, folders of images (a video each), globs."),
    ],
    output: Output,
    every: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Seconds of a scene from one background to the next.")
    ] = 10.0,
    pairs: Annotated[
        int, typer.Option("-n", "--pairs", min=1, help="Frames that are paired with each background.")
    ] = 8,
    crop: Annotated[
        int | None,
        typer.Option(metavar="SIDE", min=16, help="Square crops of so many pixels instead of whole frames."),
    ] = None,
    crops: Annotated[int, typer.Option(min=1, help="Crops of each frame: those with most rain.")] = 4,
    accept: Annotated[
        float, typer.Option(metavar="DB", min=0, help="Decibels that a background must be expected to have.")
    ] = 40.0,
    most: Annotated[int, typer.Option(min=4, help="Frames that a background may take.")] = 400,
    stabilise: Annotated[
        bool, typer.Option("--stabilise/--no-stabilise", help="Align the frames where the camera moves.")
    ] = True,
    val_share: Annotated[float, typer.Option(min=0, max=0.99, help="Share of the videos for the split val.")] = 0.0,
    test_share: Annotated[float, typer.Option(min=0, max=0.99, help="Share of the videos for the split test.")] = 0.0,
    seed: Annotated[int, typer.Option("-s", "--seed", min=0, help="Seed of the splits.")] = 0,
    licence: Licence = "",
    jobs: Jobs = 1,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Do the videos on a dask cluster, such as tcp://host:8786, whose workers see the same folders.",
        ),
    ] = None,
    json_lines: JsonLines = False,
) -> None:
    """Make pairs of rainy frames and their backgrounds from rain videos.

    Each scene of a video is worked through in windows: frames are stabilised if the camera moves, and taken until
    their background (see `rainopt background`) is expected to be good enough; if it never is, no pairs are made.
    Each pair has a valid mask, 255 where the background is what lies behind the rain and 0 where something lives: what
    stays for longer than a streak can, in its place or along a track, what is darker than the background, and what
    lights up. Frames without rain, frozen ones and those that the decoder had to patch are left out, and so are copies
    of a video. Videos of one place share a split.

    A window is refused, or its pairs are marked to be reviewed, where the background is less sharp than the frames or
    these could not be aligned well; `status` and `doubts` in the manifest say so, and the contact sheet shows them.

    A run that was interrupted or killed leaves a dataset that is whole; the same command goes on with it, and more
    videos add to it.

    **Examples**

    - `raindata build storm.mp4 -o dataset`
    - `raindata build videos/ -o dataset --crop 512 --val-share 0.1 --jobs 4`
    - `raindata build /shared/videos -o /shared/dataset --scheduler tcp://10.0.0.1:8786`

    Exit status: 0 all done, 1 some videos failed (each is named, the others are done), 2 wrong usage, 130 interrupted.
    """
    from data_tools.build.dataset import AddressError, ClusterError, check_scheduler
    from data_tools.build.plan import plan_videos
    from data_tools.build.settings import BuildSettings, SettingsError
    from data_tools.manifest.folder import FolderError, filling
    from rainopt.io.claim import ClaimedError

    try:
        settings = BuildSettings(
            every=every,
            pairs=pairs,
            crop=crop,
            crops=crops,
            most=most,
            accept=accept,
            stabilise=stabilise,
            val_share=val_share,
            test_share=test_share,
            seed=seed,
            licence=licence,
        )
    except SettingsError as error:
        raise typer.BadParameter(spelt_as_options(error)) from None
    try:
        if scheduler is not None:
            check_scheduler(scheduler)
        with filling(output):
            status = _build_all(plan_videos(videos, output, settings), output, settings, jobs, scheduler, json_lines)
    except AddressError as error:
        raise typer.BadParameter(str(error), param_hint="--scheduler") from None
    except (ClaimedError, ClusterError) as error:
        _fail(str(error), json_lines)
        status = FAILED
    except FolderError as error:
        raise typer.BadParameter(str(error), param_hint="--output") from None
    raise typer.Exit(status)


def _fail(message: str, json_lines: bool) -> None:
    """Say that nothing was done, and why."""
    from rich.markup import escape

    from rainopt.app.console import open_consoles

    if json_lines:
        print(json.dumps({"error": message}), file=sys.stdout, flush=True)
    open_consoles()[1].print(f"[red]failed[/red]  {escape(message)}")


def _build_all(
    plan: Plan, folder: Path, settings: BuildSettings, processes: int, scheduler: str | None, json_lines: bool
) -> int:
    """Build all videos, show a bar and a table, and return the exit status.

    Raises
    ------
    FolderError
        If the folder cannot be used; nothing has been done.
    """
    from rich.markup import escape

    from data_tools.build.dataset import ClusterError, begin, finish, note, run, write_sheet
    from data_tools.manifest.file import ManifestError
    from rainopt.app.console import open_consoles, progress_bar
    from rainopt.io import ImageFileError
    from rainopt.io.atomic import WriteError

    out, err = open_consoles()
    start, status = time.perf_counter(), FAILED if plan.problems else OK
    for problem in plan.problems:
        err.print(f"[red]failed[/red]  {escape(problem)}")
    for remark in plan.notes:
        err.print(escape(remark))
    there = {record.id for record in begin(folder, settings)}
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
        manifest = finish(folder, settings, results)
        sheet = write_sheet(manifest)
    except (ManifestError, ClusterError, ImageFileError, WriteError) as error:
        err.print(f"[red]failed[/red]  {escape(str(error))}")
        return FAILED
    except KeyboardInterrupt:
        finish(folder, settings, results)
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
        "to_review": sum(record.extra.get("status") == "review" for record in result.records),
        "expected_psnr": statistics.median(w.expected_psnr for w in accepted) if accepted else None,
        "rejected": {str(window.start): window.reason for window in result.windows if not window.accepted} or None,
        "lost": result.lost,
        "error": result.error,
    }
    return {key: value for key, value in values.items() if value is not None}


def _table(results: list[VideoResult]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table("video", "frames", "scenes", "windows", "accepted", "pairs", "to review", "expected dB")
    for column in table.columns[1:]:
        column.justify = "right"
    for result in sorted(results, key=lambda one: one.name):
        facts = _as_dict(result)
        psnr = facts.get("expected_psnr")
        cells = [facts[key] for key in ("frames", "scenes", "windows", "accepted", "pairs", "to_review")]
        name = escape(result.name) + (" [red]failed[/red]" if result.error else "")
        table.add_row(name, *map(str, cells), "" if psnr is None else f"{psnr:.1f}")
    return table
