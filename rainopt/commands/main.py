"""The command ``rainopt``. Heavy imports wait until there is work, so that ``--help`` answers at once."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rainopt.optim.objectives import UDGWeights

app = typer.Typer(
    name="rainopt",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from rainopt import __version__

        typer.echo(f"rainopt {__version__}")
        raise typer.Exit


@app.callback()
def rainopt(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Remove rain from photographs and videos without any training: no weights, no data."""


@app.command()
def derain(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT", help="Image and video files, folders (with sub-folders) or quoted globs."),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for the results, or a file name for a single input.")
    ],
    angle: Annotated[
        float | None,
        typer.Option(
            "-a",
            "--angle",
            metavar="DEG",
            help="Direction of the rain in degrees: 0 is vertical, positive moves right going down. "
            "Estimated if left out.",
        ),
    ] = None,
    strength: Annotated[
        float,
        typer.Option(
            "-s",
            "--strength",
            metavar="FACTOR",
            help="How much is removed: 1 as the picture suggests, 2 more and with it more of the scene, 0.5 less.",
        ),
    ] = 1.0,
    veil: Annotated[
        bool,
        typer.Option(
            "--veil", help="Also remove the white veil of distant rain. Best where something in the picture is dark."
        ),
    ] = False,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=VALUE,...",
            help="Weights of the energy, the same for all pixels, instead of those chosen from the picture. Those not "
            "named: tau=0.005 (smooth background), lambda_x=0.05 (straight even streaks), lambda_y=0.02 (more is "
            "removed), sparsity=0.005 (less is removed).",
        ),
    ] = None,
    save_rain: Annotated[bool, typer.Option("--save-rain", help="Also write the rain layer, NAME_rain.png.")] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Also write rainy, derained and rain side by side, NAME_compare.png.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that are there; otherwise they are kept and skipped.")
    ] = False,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", min=1, help="Images worked on at a time; 1 gives all cores to each image.")
    ] = 1,
    device: Annotated[
        str, typer.Option(help="auto, cpu or cuda:N (with the extra `gpu`), for images; videos use the CPU.")
    ] = "auto",
    quality: Annotated[int, typer.Option(min=1, max=100, help="Quality of JPEG results.")] = 95,
    crf: Annotated[
        int, typer.Option(min=0, max=51, help="Quality of video results: 0 is lossless, more is smaller.")
    ] = 18,
    background: Annotated[
        bool,
        typer.Option(
            "--background/--no-background",
            help="In videos of a still camera, let the background that its frames share help; else each frame alone.",
        ),
    ] = True,
    max_iter: Annotated[
        int | None, typer.Option(min=1, help="Most iterations of the solver; 400 for images, 20 for frames.")
    ] = None,
    tol: Annotated[
        float | None, typer.Option(min=0, help="Stop at this duality gap relative to the energy, 0.02 if left out.")
    ] = None,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line for each input instead of text.")
    ] = False,
) -> None:
    """Remove rain streaks from photographs and videos.

    PNG, JPEG, TIFF, WebP and BMP, 8 and 16 bit, with or without alpha; depth, profile and EXIF data are kept, and the
    result is upright. Videos become H.264 (VP9 in .webm) with the same frames, time stamps and sound; direction and
    weights are steady from frame to frame, and what a still camera sees behind the rain helps. Results that are
    already there are kept, so the same command run again goes on where it was interrupted, also within a video.

    **Examples**

    - `rainopt derain photo.jpg -o out/`
    - `rainopt derain photo.jpg -o dry.jpg --angle 12 --compare`
    - `rainopt derain holiday/ -o dry/ --jobs 2 --save-rain`
    - `rainopt derain 'shots/*.png' -o out/ --strength 2 --veil` (a downpour)
    - `rainopt derain clip.mp4 -o clean.mp4 --compare`

    Exit status: 0 all done, 1 some inputs failed (each is named, the others are done), 2 wrong usage, 130
    interrupted.
    """
    from rainopt.app.devices import DeviceError, resolve_device
    from rainopt.app.inputs import PICTURES, PlanError, plan
    from rainopt.app.report import follow
    from rainopt.commands.derain_photo import Options
    from rainopt.commands.derain_task import Derain, results

    if angle is not None and not -90 < angle <= 90:
        raise typer.BadParameter(f"must be in (-90, 90] degrees, got {angle:g}", param_hint="--angle")
    if not (math.isfinite(strength) and strength >= 0):
        raise typer.BadParameter(f"must be a number of at least 0, got {strength:g}", param_hint="--strength")
    if weights is not None and strength != 1:
        raise typer.BadParameter(
            "scales the weights chosen from the picture; leave out --weights", param_hint="--strength"
        )
    try:
        chosen = resolve_device(device)
    except DeviceError as error:
        raise typer.BadParameter(str(error), param_hint="--device") from None
    options = Options(
        angle=angle,
        weights=parse_weights(weights),
        strength=strength,
        veil=veil,
        max_iter=max_iter,
        tol=tol,
        save_rain=save_rain,
        compare=compare,
        overwrite=overwrite,
        device=chosen,
        quality=quality,
        crf=crf,
        background=background,
    )
    try:
        work = plan(inputs, output, lambda target: results(target, options), PICTURES)
    except PlanError as error:
        raise typer.BadParameter(str(error), param_hint="--output") from None
    raise typer.Exit(follow(work, Derain(options), jobs, json_lines))


@app.command()
def angle(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT", help="Image files, folders (with sub-folders) or quoted globs.")
    ],
    overlay: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--overlay",
            metavar="FOLDER",
            help="Also write each picture with the directions drawn over it, NAME_angle.png, here.",
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace overlays that are there; otherwise they are kept and skipped."),
    ] = False,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", min=1, help="Images worked on at a time; 1 gives all cores to each image.")
    ] = 1,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line for each input instead of a table.")
    ] = False,
) -> None:
    """Find the direction in which rain falls, without removing it.

    Angles are in degrees: 0 is vertical, positive moves right going down. The confidence is the probability that rain
    is to be seen and falls within 4 degrees of the angle; below 0.3 no direction is reported, and `rainopt derain`
    leaves such a picture as it is. Rain in several directions is listed with the share of each.

    **Examples**

    - `rainopt angle photo.jpg`
    - `rainopt angle holiday/ --overlay look/` (pictures to check by eye)
    - `rainopt angle 'shots/*.png' --json > angles.jsonl`

    Exit status: 0 all done, 1 some inputs failed (each is named, the others are done), 2 wrong usage, 130
    interrupted.
    """
    from rainopt.app.inputs import PlanError, plan, survey
    from rainopt.app.report import follow
    from rainopt.commands.angle_photo import FindAngle, overlay_of
    from rainopt.io import READABLE_SUFFIXES

    if overlay is not None and overlay.suffix.lower() in READABLE_SUFFIXES and not overlay.is_dir():
        raise typer.BadParameter(f"'{overlay}' is no name of a folder; name one", param_hint="--overlay")
    try:
        work = survey(inputs) if overlay is None else plan(inputs, overlay, lambda target: [overlay_of(target)])
    except PlanError as error:
        raise typer.BadParameter(str(error), param_hint="--overlay") from None
    raise typer.Exit(follow(work, FindAngle(overwrite), jobs, json_lines))


@app.command()
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
    start: Annotated[int, typer.Option(min=0, help="Number of the first frame.")] = 0,
    stop: Annotated[int | None, typer.Option(min=1, help="Number of the frame to stop before.")] = None,
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
    compare: Annotated[
        bool,
        typer.Option("--compare", help="Also write a frame, the background and their difference, NAME_compare.png."),
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that are there; otherwise they are kept and skipped.")
    ] = False,
    scratch: Annotated[
        Path | None,
        typer.Option(help="Folder for frames that do not fit into memory; the system's temporary folder if left out."),
    ] = None,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Videos worked on at a time.")] = 1,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line for each input instead of text.")
    ] = False,
) -> None:
    """Find what a camera sees behind the rain of a video.

    Rain covers a pixel for a frame or two. One percentile over time, the one that gives most pixels their most frequent
    value, is free of it. Frames are added until the background is expected to be good enough, which is judged from the
    frames themselves; the decibels printed are that expectation. A camera that moves a little is stabilised; of a video
    of several scenes, the first one after --start is taken. Memory stays below 1 GiB whatever the length.

    **Examples**

    - `rainopt background street.mp4 -o street.png --compare`
    - `rainopt background rain/ -o backgrounds/ --maps --jobs 2`
    - `rainopt background yard.mov -o yard.png --start 250 --step 5` (slow rain, or people who linger)

    Exit status: 0 all done, 1 some inputs failed (each is named, the others are done), 2 wrong usage, 130
    interrupted.
    """
    from rainopt.app.inputs import VIDEOS, PlanError, plan
    from rainopt.app.report import follow
    from rainopt.commands.background_video import FindBackground, Options, results_of

    if stop is not None and stop <= start:
        raise typer.BadParameter(f"must lie behind --start {start}, got {stop}", param_hint="--stop")
    options = Options(frames, start, stop, step, stabilise, maps, compare, overwrite, scratch)
    try:
        work = plan(inputs, output, lambda target: results_of(target, options).values(), VIDEOS)
    except PlanError as error:
        raise typer.BadParameter(str(error), param_hint="--output") from None
    raise typer.Exit(follow(work, FindBackground(options), jobs, json_lines))


def parse_weights(text: str | None) -> UDGWeights | None:
    """Read ``name=value,...``; the names are those of `rainopt.UDGWeights`."""
    if text is None:
        return None
    from dataclasses import fields, replace

    from rainopt.optim.objectives import UDGWeights

    names = {field.name for field in fields(UDGWeights)} - {"bounded"}
    values: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in names:
            raise typer.BadParameter(
                f"'{part}' is not NAME=VALUE with one of {', '.join(sorted(names))}", param_hint="--weights"
            )
        try:
            values[name] = float(value)
        except ValueError:
            raise typer.BadParameter(f"'{value}' of {name} is not a number", param_hint="--weights") from None
    try:
        return replace(UDGWeights(), **values)  # type: ignore[arg-type]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--weights") from None


def main() -> None:
    """Run the command and exit with its status; an interruption is status 130."""
    try:
        app(standalone_mode=True)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
