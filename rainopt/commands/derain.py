"""``rainopt derain``."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    checked_angle,
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
    plan_derain,
    run_derain,
)
from rainopt.commands.marking import Marks, check_marks, marks_beside
from rainopt.commands.refining import check_refine

if TYPE_CHECKING:
    from rainopt.app.marks import MarkPictures
    from rainopt.app.preview import PreviewWork
    from rainopt.app.results import OutputSettings
    from rainopt.optim.objectives import UDGWeights
    from rainopt.still.settings import StillSettings
    from rainopt.video.settings import VideoSettings


def derain(
    inputs: Inputs,
    output: Output,
    angle: Annotated[
        list[float] | None,
        typer.Option(
            "-a",
            "--angle",
            metavar="DEG",
            help="Direction of the rain in degrees: 0 is vertical, positive moves right going down. Once for each "
            "direction, the strongest first, where rain falls in several. Estimated if left out.",
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
    refine: Annotated[
        bool,
        typer.Option(
            "--refine",
            help="Let a small network correct what the solver removes: scene that was taken for rain comes back, and "
            "a little less is left of the rain. For photographs; on the CPU, a second or two a megapixel. Needs "
            "the extra refine.",
        ),
    ] = False,
    marks: Marks = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=VALUE,...",
            help="Weights of the energy, the same for all pixels, instead of those chosen from the picture. Those not "
            "named: tau=0.005 (smooth background), lambda_x=0.05 (straight even streaks), lambda_y=0.02 (more is "
            "removed), sparsity=0.005 (less is removed).",
        ),
    ] = None,
    save_rain: SaveRain = False,
    compare: Compare = False,
    overwrite: Overwrite = False,
    jobs: Jobs = 1,
    device: Device = "auto",
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
            help="In videos, let the frames around each one help it, aligned where the camera moves, and the "
            "background that those of a still camera share; else each frame alone.",
        ),
    ] = True,
    max_iter: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Most iterations of the solver. If left out: 400 for images; for all frames of a scene, as many as "
            "bring one in its middle within --tol.",
        ),
    ] = None,
    tol: Annotated[
        float | None, typer.Option(min=0, help="Stop at this duality gap relative to the energy, 0.02 if left out.")
    ] = None,
    json_lines: JsonLines = False,
) -> None:
    """Remove rain streaks from photographs and videos.

    PNG, JPEG, TIFF, WebP, AVIF and BMP, 8 and 16 bit, with or without alpha; depth, profile and EXIF data are kept, and
    the result is upright. HEIC becomes PNG, raw photographs TIFF (extras heif and raw).

    Videos become H.264 (VP9 in .webm) with the same frames, time stamps, marks of colours and fields, sound,
    subtitles, further tracks, chapters and tags; what the format of the result does not hold is told. One without rain
    is copied as it is. Direction and weights are steady from frame to frame, and the frames around each one help: what
    stays for longer than a streak can is no rain.

    Results that are already there are kept, so the same command run again goes on where it was interrupted, also within
    a video; they are listed in a file .rainopt-results in their folder, and left out where they lie among later inputs.

    **Examples**

    - `rainopt derain photo.jpg -o out/`
    - `rainopt derain photo.jpg -o dry.jpg --angle 12 --compare`
    - `rainopt derain photo.jpg -o out/ --angle 12 --angle -20` (two directions)
    - `rainopt derain photo.jpg -o out/ --marks painted.png` (where rain is, and where there is none)
    - `rainopt derain holiday/ -o dry/ --jobs 2 --save-rain`
    - `rainopt derain 'shots/*.png' -o out/ --strength 2 --veil` (a downpour)
    - `rainopt derain photo.jpg -o out/ --refine` (slower, and less is lost; `pip install 'rainopt[refine]'`)
    - `rainopt derain clip.mp4 -o clean.mp4 --compare`
    - `rainopt derain clip.mp4 -o clean.mp4 --start 1:30 --stop 2:00 --keep 20,20,300,40` (not the clock)
    - `rainopt derain rtsp://camera/stream -o now.mkv --live`
    - `rainopt derain shots/take1 -o dry/ --sequence` (numbered pictures; `-o take1.mp4`: a video of them)

    Exit status: 0 all done, 1 some inputs failed (each is named, the others are done), 2 wrong usage, 130
    interrupted.
    """
    from rainopt.app.devices import resolve_device
    from rainopt.app.results import OutputSettings

    if not (math.isfinite(strength) and strength >= 0):
        raise typer.BadParameter(f"must be a number of at least 0, got {strength:g}", param_hint="--strength")
    if weights is not None and strength != 1:
        raise typer.BadParameter(
            "scales the weights chosen from the picture; leave out --weights", param_hint="--strength"
        )
    if marks is not None:
        check_marks(sequence=sequence, live=live, preview=preview)
    if refine:
        check_refine(strength=strength, weights=weights, device=device, sequence=sequence, live=live, preview=preview)
    videos = asked_of_videos(
        output, sequence=sequence, rate=rate, start=start, stop=stop, keep=keep, preview=preview, codec=codec
    )
    with refusing("--device", ValueError):
        place = resolve_device("cpu" if refine else device)
    angles = parse_angles(angle)
    with refusing("--tol", ValueError):
        task = Derain.of(
            OutputSettings(
                save_rain=save_rain, compare=compare, overwrite=overwrite, quality=quality, crf=crf, **videos
            ),
            device=place,
            refine=refine,
            veil=veil,
            background=background,
            angle=angles,
            weights=parse_weights(weights),
            strength=strength,
            max_iter=max_iter,
            tol=tol,
        )
    if marks is not None:
        plan = plan_derain(inputs, output, task, sequence)
        task = replace(task, marks=marks_beside(marks, plan, output, task.results))
    raise typer.Exit(run_derain(inputs, output, task, sequence=sequence, live=live, jobs=jobs, json_lines=json_lines))


@dataclass(frozen=True, kw_only=True)
class Derain(DerainTask):
    """Deraining by the solver, and of photographs by a network after it, where that is asked for."""

    still: StillSettings
    moving: VideoSettings
    device: str = "cpu"
    refine: bool = False
    marks: MarkPictures | None = None

    @classmethod
    def of(
        cls,
        output: OutputSettings,
        *,
        device: str = "cpu",
        refine: bool = False,
        veil: bool = False,
        background: bool = True,
        **asked: Any,
    ) -> Derain:
        """Return the task for what is asked of images and videos alike: fields of `DerainSettings`, and the rest."""
        from rainopt.still.settings import StillSettings
        from rainopt.video.settings import VideoSettings

        still, moving = StillSettings(veil=veil, **asked), VideoSettings(background=background, **asked)
        return cls(output=output, still=still, moving=moving, device=device, refine=refine)

    def photo(self, source: Path, target: Path, progress: Progress | None) -> FileRecord:
        """Derain one image file."""
        from rainopt.commands.derain_photo import derain_photo

        return derain_photo(source, target, self.still, self.output, self.device, progress, self.refine, self.marks)

    def live(self) -> PreviewWork:
        """Return the solver for a stream, on the CPU."""
        from rainopt.commands.derain_video import Solver

        return Solver(self.moving)

    def video(self, source: Path, target: Path, progress: Progress | None) -> FileRecord:
        """Derain one video file; what is solved of its frames, on the device."""
        from rainopt.commands.derain_video import derain_video

        of_images = {"--save-rain": self.output.save_rain, "--veil": self.still.veil, "--refine": self.refine}
        return derain_video(source, target, self.moving, self.output, of_images, progress, self.device)


def parse_angles(degrees: list[float] | None) -> tuple[float, ...] | None:
    """Return the angles of ``--angle``; BadParameter says what is wrong with them."""
    if not degrees:
        return None
    from rainopt.still.settings import checked_angles

    for angle in degrees:
        checked_angle(angle)
    with refusing("--angle", ValueError):
        return checked_angles(degrees)


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
