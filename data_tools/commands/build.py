"""``raindata build``."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from data_tools.commands.build_said import as_dict, left_out, summary, table_of
from data_tools.commands.options import Licence, Output, spelt_as_options
from rainopt.app.exit_codes import FAILED, INTERRUPTED, OK
from rainopt.app.options import Jobs, JsonLines

if TYPE_CHECKING:
    from data_tools.build.notes import VideoResult
    from data_tools.build.plan import Plan, VideoJob
    from data_tools.build.settings import VideoSettings
    from data_tools.decisions.honour import Honoured

# Options that one kind of dataset has alone, as parameters.
OF_PAIRS, OF_SEQUENCES = ("pairs", "accept", "most", "stabilise"), ("per_sequence",)


def build(
    context: typer.Context,
    videos: Annotated[
        list[str],
        typer.Argument(metavar="VIDEO", help="Video files, folders of them, folders of images (a video each), globs."),
    ],
    output: Output,
    sequences: Annotated[
        bool, typer.Option("--sequences", help="Make sequences of frames of still cameras instead of pairs.")
    ] = False,
    per_sequence: Annotated[int, typer.Option(min=2, help="With --sequences: frames of each, at most.")] = 30,
    every: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0,
            help="Seconds of a scene from one background to the next; with --sequences, that one is of at most.",
            show_default="10; with --sequences 60",
        ),
    ] = None,
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
    """Make pairs of rainy frames and their backgrounds from rain videos, or sequences of frames of one scene.

    Each scene of a video is worked through in windows: frames are stabilised if the camera moves, and taken until
    their background (see `rainopt background`) is expected to be good enough; if it never is, no pairs are made.
    Each pair has a valid mask, 255 where the background is what lies behind the rain and 0 where something lives: what
    stays for longer than a streak can, in its place or along a track, what is darker than the background, and what
    lights up. Frames without rain, frozen ones and those that the decoder had to patch are left out, and so are copies
    of a video. Videos of one place share a split.

    A window is refused, or its pairs are marked to be reviewed, where the background is less sharp than the frames or
    these could not be aligned well; `status` and `doubts` in the manifest say so, and the contact sheet shows them.

    With --sequences, no background is needed and none is written: a sequence is up to 30 frames with rain, spread over
    a scene in which neither camera nor light changes, no two with the same rain. A network learns from two of them that
    what lies behind the rain is the same. Where the camera moves, there is no sequence, and it is said by how much;
    where it has moved or the light has changed by more than 2 %, another one begins. What lives stays in the frames.
    Frames of one sequence share their `scene` in the manifest, and have no clean picture.

    A run that was interrupted or killed leaves a dataset that is whole; the same command goes on with it, and more
    videos add to it. What people have decided by `raindata review` is honoured: scenes that were rejected leave the
    manifest, their files stay, and an undone decision brings them back.

    **Examples**

    - `raindata build storm.mp4 -o dataset`
    - `raindata build videos/ -o dataset --crop 512 --val-share 0.1 --jobs 4`
    - `raindata build tripod/ -o lapse --sequences --per-sequence 30 --val-share 0.1`
    - `raindata build /shared/videos -o /shared/dataset --scheduler tcp://10.0.0.1:8786`

    Exit status: 0 all done, 1 some videos failed (each is named, the others are done), 2 wrong usage, 130 interrupted.
    """
    from data_tools.build.dataset import AddressError, ClusterError, check_scheduler
    from data_tools.build.plan import plan_videos
    from data_tools.build.settings import BuildSettings, SequenceSettings, SettingsError
    from data_tools.manifest.folder import FolderError, filling
    from rainopt.io.claim import ClaimedError

    _refuse_options(context, OF_PAIRS if sequences else OF_SEQUENCES, sequences)
    shared: dict[str, Any] = {"crop": crop, "crops": crops, "val_share": val_share, "test_share": test_share}
    shared |= {"seed": seed, "licence": licence} | ({} if every is None else {"every": every})
    settings: VideoSettings
    try:
        if sequences:
            settings = SequenceSettings(frames=per_sequence, **shared)
        else:
            settings = BuildSettings(pairs=pairs, accept=accept, most=most, stabilise=stabilise, **shared)
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


def _refuse_options(context: typer.Context, names: tuple[str, ...], sequences: bool) -> None:
    """Refuse options that were given and belong to the other kind of dataset."""
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            said = "belongs to pairs; leave it out, or --sequences" if sequences else "needs --sequences"
            raise typer.BadParameter(said, param_hint=f"--{name.replace('_', '-')}")


def _fail(message: str, json_lines: bool) -> None:
    """Say that nothing was done, and why."""
    from rich.markup import escape

    from rainopt.app.console import open_consoles

    if json_lines:
        print(json.dumps({"error": message}), file=sys.stdout, flush=True)
    open_consoles()[1].print(f"[red]failed[/red]  {escape(message)}")


def _build_all(
    plan: Plan, folder: Path, settings: VideoSettings, processes: int, scheduler: str | None, json_lines: bool
) -> int:
    """Build all videos, show a bar and a table, and return the exit status.

    Raises
    ------
    FolderError
        If the folder cannot be used; nothing has been done.
    """
    from rich.markup import escape

    from data_tools.build.dataset import ClusterError, begin, finish, note, run
    from data_tools.build.sheet import write_sheet
    from data_tools.decisions.honour import held_back
    from data_tools.manifest.file import ManifestError
    from rainopt.app.console import open_consoles, progress_bar
    from rainopt.io import ImageFileError
    from rainopt.io.atomic import WriteError
    from rainopt.io.journal import JournalError

    out, err = open_consoles()
    start, status = time.perf_counter(), FAILED if plan.problems else OK
    for problem in plan.problems:
        err.print(f"[red]failed[/red]  {escape(problem)}")
    for remark in plan.notes:
        err.print(escape(remark))
    there = {record.id for record in begin(folder, settings)}
    results: list[VideoResult] = []
    decided: list[Honoured] = []
    try:
        there |= held_back(folder)
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
                    print(json.dumps(as_dict(result, settings.kind)), file=sys.stdout, flush=True)
                if result.error:
                    status = FAILED
                    err.print(f"[red]failed[/red]  {escape(result.error)}")
                elif result.lost:
                    err.print(f"'{escape(result.source)}': {escape(result.lost)}")
        manifest = finish(folder, settings, results, decided.append)
        sheet = write_sheet(manifest)
    except (ManifestError, ClusterError, ImageFileError, JournalError, WriteError) as error:
        err.print(f"[red]failed[/red]  {escape(str(error))}")
        return FAILED
    except KeyboardInterrupt:
        finish(folder, settings, results)
        done = sum(result.error is None for result in results)
        err.print(f"interrupted: {done} videos done, {len(plan.jobs) - done} left; run the same command again to go on")
        return INTERRUPTED
    for problem in (problem for honoured in decided for problem in honoured.problems):
        status = FAILED
        err.print(f"[red]failed[/red]  {escape(problem)}")
    if not json_lines:
        out.print(table_of(results, settings.kind))
        for result in results:
            for line in left_out(result, settings.kind):
                out.print(escape(line))
        where = f", {sheet}" if sheet else ""
        where += "".join(honoured.said for honoured in decided)
        seconds = time.perf_counter() - start
        out.print(escape(f"{folder} holds {summary(manifest, settings.kind)}{where} ({seconds:.1f} s)"))
    return status
