"""``rainnet derain``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rainnet.commands.heat import ATTENTION
from rainnet.commands.looks import Angles, Ensemble, Precision, check_ensemble, parse_angles
from rainnet.commands.networks import NetworkSettings
from rainopt.app.derain import DerainTask
from rainopt.app.options import (
    Compare,
    Crf,
    Device,
    Inputs,
    Jobs,
    JsonLines,
    Output,
    Overwrite,
    Quality,
    SaveRain,
    refusing,
)
from rainopt.app.task import FileRecord, Progress
from rainopt.app.video_options import (
    Codec,
    Keep,
    Live,
    Preview,
    Rate,
    Sequence,
    Start,
    Stop,
    asked_of_videos,
    run_derain,
)

if TYPE_CHECKING:
    from rainopt.app.preview import PreviewWork

DEFAULT_MODEL = "refine"


def derain(
    inputs: Inputs,
    output: Output,
    model: Annotated[
        str,
        typer.Option(
            "-m",
            "--model",
            metavar="FILE|FOLDER|NAME",
            help="The network: a .safetensors file, the folder of a training run, or the name of one that ships.",
        ),
    ] = DEFAULT_MODEL,
    angle: Angles = None,
    ensemble: Ensemble = 1,
    precision: Precision = "float32",
    polish: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Let the solver go on from what the network removed for so many iterations, 20, say; 0 not at all.",
        ),
    ] = 0,
    save_rain: SaveRain = False,
    compare: Compare = False,
    attention: Annotated[
        bool,
        typer.Option(
            "--attention",
            help="Also write where the network looked for rain, as NAME_attention.png: red where it is sure, blue "
            "where there is none. For photographs, and networks that have such a map (spanet, jorder).",
        ),
    ] = False,
    overwrite: Overwrite = False,
    jobs: Jobs = 1,
    device: Device = "auto",
    tile: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="PIXELS",
            help="Side of the tiles that a large picture is cut into: 1024 on a CPU and 2048 on a GPU if left out. "
            "Smaller ones need less memory and more time; 0 never cuts. The result is the same, except "
            "for networks that see the whole picture.",
        ),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Tiles that go through the network together.")] = 1,
    quality: Quality = 95,
    crf: Crf = 18,
    codec: Codec = None,
    sequence: Sequence = False,
    rate: Rate = None,
    start: Start = None,
    stop: Stop = None,
    keep: Keep = None,
    preview: Preview = None,
    live: Live = False,
    background: Annotated[
        bool,
        typer.Option(
            "--background/--no-background",
            help="In videos, let the frames around each one bound what the network takes off; else each frame alone.",
        ),
    ] = True,
    json_lines: JsonLines = False,
) -> None:
    """Remove rain from photographs and videos by a trained network.

    PNG, JPEG, TIFF, WebP and BMP, 8 and 16 bit, with or without alpha; depth, profile and EXIF data are kept, and the
    result is upright.

    Videos become H.264 (VP9 in .webm) with the same frames, time stamps, marks of colours and fields, sound,
    subtitles, further tracks, chapters and tags; what the format of the result does not hold is told. One without rain
    is copied as it is. The direction of the rain is steady from frame to frame, and of each frame no more is taken off
    than the frames around it let be rain.

    Results that are already there are kept, so the same command run again goes on where it was interrupted, also within
    a video.

    **Examples**

    - `rainnet derain photo.jpg -o out/`
    - `rainnet derain photo.jpg -o dry.jpg --angle 12 --compare`
    - `rainnet derain photo.jpg -o out/ --angle 12 --angle -20` (two directions)
    - `rainnet derain holiday/ -o dry/ --model runs/udgnet --angle network`
    - `rainnet derain photo.jpg -o out/ --polish 20` (the network begins, the solver ends)
    - `rainnet derain photos/ -o dry/ -m spanet.safetensors --attention` (where it saw rain, beside each result)
    - `rainnet derain clip.mp4 -o clean.mp4 --device cuda:0`
    - `rainnet derain shots/take1 -o dry/ --sequence` (numbered pictures; `-o take1.mp4`: a video of them)

    Exit status: 0 all done, 1 some inputs failed (each is named, the others are done), 2 wrong usage, 130
    interrupted.
    """
    degrees = parse_angles(angle)
    check_ensemble(ensemble)
    if polish and isinstance(degrees, tuple):
        raise typer.BadParameter(
            "goes on along one direction; give one --angle, or leave it out", param_hint="--polish"
        )
    videos = asked_of_videos(
        output, sequence=sequence, rate=rate, start=start, stop=stop, keep=keep, preview=preview, codec=codec
    )
    # torch takes a second to import, which a wrong angle need not wait for.
    from rainnet.infer.devices import resolve_device
    from rainnet.infer.precision import checked_precision
    from rainnet.infer.tiles import checked_tile
    from rainnet.weights.checkpoint import resolve
    from rainopt.app.results import OutputSettings

    with refusing("--device", ValueError):
        place = resolve_device(device)
    with refusing("--precision", ValueError):
        numbers = checked_precision(precision)
    with refusing("--tile", ValueError):
        checked_tile(tile, place)
    with refusing("--model"):
        settings = NetworkSettings(
            model=resolve(model),
            device=str(place),
            angle=degrees,
            tile=tile,
            batch=batch,
            polish=polish,
            ensemble=ensemble,
            precision=numbers,
            background=background,
        )
        network = settings.network  # a file that is no network fails here, and not once for each picture
    if attention and not network.has_attention:
        raise typer.BadParameter(
            f"the network '{model}' ({network.name}) has no attention map; leave it out, or choose one that has, "
            "such as a spanet or a jorder with attention",
            param_hint="--attention",
        )
    output_settings = OutputSettings(
        save_rain=save_rain,
        compare=compare,
        extras=(ATTENTION,) if attention else (),
        overwrite=overwrite,
        quality=quality,
        crf=crf,
        **videos,
    )
    task = Derain(output=output_settings, settings=settings)
    raise typer.Exit(run_derain(inputs, output, task, sequence=sequence, live=live, jobs=jobs, json_lines=json_lines))


@dataclass(frozen=True, kw_only=True)
class Derain(DerainTask):
    """Deraining by a network."""

    settings: NetworkSettings

    def photo(self, source: Path, target: Path, progress: Progress | None) -> FileRecord:
        """Derain one image file."""
        from rainnet.commands.derain_photo import derain_photo

        return derain_photo(source, target, self.settings, self.output, progress)

    def live(self) -> PreviewWork:
        """Return the network for a stream."""
        from rainnet.commands.derain_video import Net

        return Net(self.settings)

    def video(self, source: Path, target: Path, progress: Progress | None) -> FileRecord:
        """Derain one video file."""
        from rainnet.commands.derain_video import derain_video

        return derain_video(source, target, self.settings, self.output, progress)
