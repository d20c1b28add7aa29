"""The options for videos that commands share, each said once, and what is asked by them together."""

from __future__ import annotations

import re
from collections.abc import Sequence as Several
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rainopt.app.options import refusing

if TYPE_CHECKING:
    from rainopt.app.derain import DerainTask
    from rainopt.app.inputs import Plan
    from rainopt.io.video.span import FrameFolders, Span

Sequence = Annotated[
    bool,
    typer.Option(
        "--sequence",
        help="Take each folder of numbered pictures (0001.png, 0002.png ...) as one video. In an output folder it "
        "becomes a folder of its name with the same pictures, of the same depth; -o FILE.mp4 makes a video of it, and "
        "-o OUT/%05d.png numbered pictures of any video.",
    ),
]
Rate = Annotated[
    str | None,
    typer.Option(
        "--rate",
        metavar="FPS",
        help="Pictures a second of such folders, as 24 or 30000/1001; 25 if left out.",
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        "--start", metavar="TIME", help="Begin here in each video: seconds, as 12.5 or 1:02.5, or a frame, as 300f."
    ),
]
Stop = Annotated[
    str | None,
    typer.Option("--stop", metavar="TIME", help="Stop before this time or frame of each video, given as for --start."),
]
Keep = Annotated[
    list[str] | None,
    typer.Option(
        "--keep",
        metavar="X,Y,W,H|MASK",
        help="Leave a region as it is, a clock or a logo: a box by left, top, width and height in pixels of the "
        "upright picture, or a picture in which it is white. Repeat it for more. Coding a video still rounds it, as it "
        "does all else.",
    ),
]
Live = Annotated[
    bool,
    typer.Option(
        "--live",
        help="Derain one stream while it comes: an address (rtsp://, http://, rtmp://, srt://, udp://), - for standard "
        "input, or a file at its own pace. It looks 8 frames ahead at most, and drops frames, which is told, rather "
        "than fall behind by more than about 2 s. -o names a video, or is - for standard output (Matroska). Ctrl-C "
        "ends it, and what came until then is a whole file.",
    ),
]
Codec = Annotated[
    str | None,
    typer.Option(
        "--codec",
        metavar="NAME",
        help="What video results are coded with: hevc, av1, vp9, prores, ffv1, or an encoder of the hardware such as "
        "h264_nvenc, h264_qsv, h264_amf, h264_videotoolbox (any other name lists what is there). If left out: h264, "
        "and vp9 in .webm.",
    ),
]
Preview = Annotated[
    str | None,
    typer.Option(
        "--preview-at",
        metavar="TIME",
        help="Only show what would become of the frame at this time of each video, given as for --start: before, after "
        "and the rain in one picture, NAME_preview.png.",
    ),
]


def parse_span(start: str | None, stop: str | None) -> Span:
    """Return what ``--start`` and ``--stop`` say together."""
    from rainopt.io.video.span import Moment, Span

    with refusing("--start", ValueError):
        first = None if start is None else Moment.of(start)
    with refusing("--stop", ValueError):
        return Span(first, None if stop is None else Moment.of(stop))


def parse_rate(text: str | None) -> Fraction:
    """Return the number that ``--rate`` says."""
    from rainopt.io.video.span import RATE

    if text is None:
        return RATE
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:/(\d+))?", text, re.ASCII)
    rate = Fraction(found[1]) / int(found[2] or 1) if found and int(found[2] or 1) else Fraction(0)
    if not Fraction(1, 1000) <= rate <= 1000:
        raise typer.BadParameter(
            f"must be pictures a second between 0.001 and 1000, as 24 or 30000/1001, got '{text}'", param_hint="--rate"
        )
    return rate.limit_denominator(1_000_000)


def parse_folders(output: Path, sequence: bool, rate: str | None) -> FrameFolders | None:
    """Return how folders of numbered pictures are read and written, None where they are neither."""
    from rainopt.io.images.formats import FORMATS
    from rainopt.io.video.numbering import pattern_of
    from rainopt.io.video.span import FrameFolders

    if rate is not None and not sequence:
        raise typer.BadParameter("is of folders of numbered pictures; add --sequence", param_hint="--rate")
    with refusing("--output", ValueError):
        pattern = pattern_of(output.name)
    if pattern is None:
        return FrameFolders(parse_rate(rate)) if sequence else None
    if output.suffix.lower() not in FORMATS:
        raise typer.BadParameter(
            f"'{output}' cannot be written; numbered pictures are {', '.join(sorted(FORMATS))}", param_hint="--output"
        )
    return FrameFolders(parse_rate(rate), pattern)


def asked_of_videos(
    output: Path,
    *,
    sequence: bool,
    rate: str | None,
    start: str | None,
    stop: str | None,
    keep: Several[str] | None,
    preview: str | None,
    codec: str | None,
) -> dict[str, Any]:
    """Return the fields of `rainopt.app.results.OutputSettings` that these options are."""
    from rainopt.app.keep import Keep
    from rainopt.io.video.span import Moment

    folders, span = parse_folders(output, sequence, rate), parse_span(start, stop)
    with refusing("--preview-at", ValueError):
        moment = None if preview is None else Moment.of(preview)
        if moment is not None and folders is not None and folders.pattern is not None:
            raise ValueError(f"is one picture, and '{output}' names many; name one, or a folder")
    with refusing("--codec", ValueError):
        if codec is not None:
            _check_codec(codec)
    with refusing("--keep", ValueError):
        return {"folders": folders, "span": span, "keep": Keep.of(keep or []), "preview": moment, "codec": codec}


def _check_codec(codec: str) -> None:
    """Refuse a codec that there is not, and one of hardware that does not work; other trials wait for a video."""
    from rainopt.io.video.codecs import encoder_of, is_hardware
    from rainopt.io.video.trial import require_codec

    encoder_of(codec)
    if is_hardware(codec):
        require_codec(codec)


def run_derain(
    inputs: Several[str], output: Path, task: DerainTask, *, sequence: bool, live: bool, jobs: int, json_lines: bool
) -> int:
    """Do what a command that derains was asked for, and return the exit status."""
    from rainopt.app.inputs import PlanError
    from rainopt.app.live_run import check_live, refuse_streams, run_live
    from rainopt.app.report import follow

    if not live:
        with refusing("INPUT", PlanError):
            refuse_streams(inputs, output)
        return follow(plan_derain(inputs, output, task, sequence), task, jobs, json_lines)
    settings = task.output
    for option, given in {
        "--preview-at": settings.preview is not None,
        "--compare": settings.compare,
        "--save-rain": settings.save_rain,
        "--start": settings.span.start is not None,
        "--sequence": settings.folders is not None,
    }.items():
        if given:
            raise typer.BadParameter("is not for streams; leave it out with --live", param_hint=option)
    with refusing("--live", PlanError):
        check_live(inputs, output, settings.overwrite)
    return run_live(inputs[0], output, task, json_lines)


def plan_derain(inputs: Several[str], output: Path, task: DerainTask, sequence: bool) -> Plan:
    """Return the jobs of a command that derains, as `rainopt.app.inputs.plan`; none replaces a mask of ``--keep``."""
    from rainopt.app.inputs import PlanError, refuse_painted
    from rainopt.app.keep import Mask

    jobs = _planned(inputs, output, task, sequence)
    with refusing("--output", PlanError):
        masks = [Path(region.name) for region in task.output.keep.regions if isinstance(region, Mask)]
        refuse_painted(jobs, task.results, masks)
    return jobs


def _planned(inputs: Several[str], output: Path, task: DerainTask, sequence: bool) -> Plan:
    from rainopt.app.inputs import PICTURES, SEQUENCES, PlanError, plan
    from rainopt.app.kinds import SHEETS, SHEETS_OF_FRAMES
    from rainopt.app.placing import beside, numbered

    with refusing("--output", PlanError):
        folders = task.output.folders
        if task.output.preview is not None:
            return plan(inputs, output, task.results, SHEETS_OF_FRAMES if sequence else SHEETS)
        if folders is None:
            return plan(inputs, output, task.results, PICTURES)
        if folders.pattern is None:
            return plan(inputs, output, task.results, SEQUENCES, beside(task.output.span, folders.rate))
        first = output.with_name(folders.pattern.name(0))
        return numbered(inputs, output, first, task, SEQUENCES if sequence else PICTURES)
