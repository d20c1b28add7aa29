"""``rainopt background``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rainopt.app.options import Compare, Device, Jobs, JsonLines, Overwrite, refusing
from rainopt.app.video_options import Start, Stop, parse_span


def background(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="VIDEO", help="Video files, folders of them, folders of images (a video each), globs."),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for the pictures, or a file name for a single video.")
    ],
    frames: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--frames",
            min=0,
            help="Take exactly so many frames; 0 takes all. Left out: as many as the background needs, by its rain.",
        ),
    ] = None,
    start: Start = None,
    stop: Stop = None,
    step: Annotated[int, typer.Option(min=1, help="Take every so many frames: a longer time from as many frames.")] = 1,
    stabilise: Annotated[
        bool, typer.Option("--stabilise/--no-stabilise", help="Align the frames where the camera moves.")
    ] = True,
    maps: Annotated[
        bool,
        typer.Option(
            "--maps", help="Also write where the background can be trusted, NAME_valid.png, and is seen, NAME_seen.png."
        ),
    ] = False,
    compare: Compare = False,
    overwrite: Overwrite = False,
    scratch: Annotated[
        Path | None,
        typer.Option(help="Folder for frames that do not fit into memory; the system's temporary folder if left out."),
    ] = None,
    jobs: Jobs = 1,
    device: Device = "auto",
    json_lines: JsonLines = False,
) -> None:
    """Find what a camera sees behind the rain of a video.

    Rain covers a pixel for a frame or two. One percentile over time, the one that gives most pixels their most frequent
    value, is free of it. Frames are added until the background is expected to be good enough, which is judged from the
    frames themselves; the decibels printed are that expectation. A camera that moves a little is stabilised; of a video
    of several scenes, the first one after --start is taken. Memory stays below 1 GiB whatever the length.

    **Examples**

    - `rainopt background street.mp4 -o street.png --compare`
    - `rainopt background rain/ -o backgrounds/ --maps --jobs 2`
    - `rainopt background yard.mov -o yard.png --start 10 --step 5` (slow rain, or people who linger)

    Exit status: 0 all done, 1 some inputs failed (each is named, the others are done), 2 wrong usage, 130
    interrupted.
    """
    from rainopt.app.devices import resolve_device
    from rainopt.app.inputs import VIDEOS, PlanError, plan
    from rainopt.app.report import follow
    from rainopt.commands.background_video import BackgroundSettings, FindBackground

    with refusing("--device", ValueError):
        place = resolve_device(device)
    settings = BackgroundSettings(
        frames, parse_span(start, stop), step, stabilise, maps, compare, overwrite, scratch, place
    )
    with refusing("--output", PlanError):
        task = FindBackground(settings)
        work = plan(inputs, output, task.results, VIDEOS)
    raise typer.Exit(follow(work, task, jobs, json_lines))
