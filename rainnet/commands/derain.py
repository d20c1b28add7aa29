"""``rainnet derain``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_MODEL = "udgnet-small"


def derain(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="INPUT", help="Image and video files, folders (with sub-folders) or quoted globs."),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder for the results, or a file name for a single input.")
    ],
    model: Annotated[
        str,
        typer.Option(
            "-m",
            "--model",
            metavar="FILE|FOLDER|NAME",
            help="The network: a .safetensors file, the folder of a training run, or the name of one that ships.",
        ),
    ] = DEFAULT_MODEL,
    angle: Annotated[
        str | None,
        typer.Option(
            "-a",
            "--angle",
            metavar="DEG|network|solver",
            help="Direction of the rain in degrees: 0 is vertical, positive moves right going down; or what finds it: "
            "the solver's vote of streaks, as it does if this is left out, or the network itself, as in the paper, "
            "which knows no rain flatter than 45 degrees.",
        ),
    ] = None,
    ensemble: Annotated[
        int,
        typer.Option(
            metavar="1|2|4",
            help="Take the mean over so many mirror images of a picture: some 0.2 dB better, so many times slower.",
        ),
    ] = 1,
    polish: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Let the solver go on from what the network removed for so many iterations, 20, say; 0 not at all.",
        ),
    ] = 0,
    save_rain: Annotated[bool, typer.Option("--save-rain", help="Also write the rain layer, NAME_rain.png.")] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Also write rainy, derained and rain side by side, NAME_compare.png.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that are there; otherwise they are kept and skipped.")
    ] = False,
    jobs: Annotated[
        int, typer.Option("-j", "--jobs", min=1, help="Files worked on at a time; 1 gives all cores to each.")
    ] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    tile: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="PIXELS",
            help="Side of the tiles that a large picture is cut into: 1024 on a CPU and 2048 on a GPU if left out. "
            "Smaller ones need less memory and more time; 0 never cuts. The result is the same.",
        ),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Tiles that go through the network together.")] = 1,
    quality: Annotated[int, typer.Option(min=1, max=100, help="Quality of JPEG results.")] = 95,
    crf: Annotated[
        int, typer.Option(min=0, max=51, help="Quality of video results: 0 is lossless, more is smaller.")
    ] = 18,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a line for each input instead of text.")
    ] = False,
) -> None:
    """Remove rain from photographs and videos by a trained network.

    PNG, JPEG, TIFF, WebP and BMP, 8 and 16 bit, with or without alpha; depth, profile and EXIF data are kept, and the
    result is upright. Videos become H.264 (VP9 in .webm) with the same frames, time stamps and sound; the direction of
    the rain is steady from frame to frame. Results that are already there are kept, so the same command run again goes
    on where it was interrupted, also within a video.

    **Examples**

    - `rainnet derain photo.jpg -o out/`
    - `rainnet derain photo.jpg -o dry.jpg --angle 12 --compare`
    - `rainnet derain holiday/ -o dry/ --model runs/udgnet --angle network`
    - `rainnet derain photo.jpg -o out/ --polish 20` (the network begins, the solver ends)
    - `rainnet derain clip.mp4 -o clean.mp4 --device cuda:0`

    Exit status: 0 all done, 1 some inputs failed (each is named, the others are done), 2 wrong usage, 130
    interrupted.
    """
    from rainnet.commands.evaluate import parse_angle
    from rainopt.app.inputs import PICTURES, PlanError, plan
    from rainopt.app.report import follow

    degrees = parse_angle(angle)
    if ensemble not in (1, 2, 4):
        raise typer.BadParameter(f"must be 1, 2 or 4, got {ensemble}", param_hint="--ensemble")
    # torch takes a second to import, which a wrong angle need not wait for.
    from rainnet.weights.checkpoint import resolve

    if ensemble not in (1, 2, 4):
        raise typer.BadParameter(f"must be 1, 2 or 4, got {ensemble}", param_hint="--ensemble")
    from rainnet.commands.derain_options import Options, network
    from rainnet.commands.derain_task import Derain, results
    from rainnet.infer.devices import resolve_device
    from rainnet.infer.tiles import checked_tile

    try:
        place = resolve_device(device)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--device") from None
    try:
        checked_tile(tile, place)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--tile") from None
    try:
        file = resolve(model)
        network(file, str(place))  # a file that is no network fails here, and not once for each picture
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error), param_hint="--model") from None
    options = Options(
        model=file,
        angle=degrees,
        device=str(place),
        tile=tile,
        batch=batch,
        polish=polish,
        ensemble=ensemble,
        save_rain=save_rain,
        compare=compare,
        overwrite=overwrite,
        quality=quality,
        crf=crf,
    )
    try:
        work = plan(inputs, output, lambda target: results(target, options), PICTURES)
    except PlanError as error:
        raise typer.BadParameter(str(error), param_hint="--output") from None
    raise typer.Exit(follow(work, Derain(options), jobs, json_lines))
