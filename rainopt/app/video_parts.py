"""The parts of a video that is being written, and what becomes of them: a video, a copy of the source, or pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import repeat
from pathlib import Path

import numpy as np

from rainopt.app.compare import side_by_side, taken
from rainopt.app.keep import put_back
from rainopt.app.results import OutputSettings
from rainopt.io import read_image, write_image
from rainopt.io.video.behind import WriterBehind
from rainopt.io.video.choices import picture_choices
from rainopt.io.video.copied import copy_video
from rainopt.io.video.cut import CutVideo
from rainopt.io.video.formats import is_video
from rainopt.io.video.pictures import PictureWriter, place_pictures
from rainopt.io.video.read import VideoError, open_video
from rainopt.io.video.write import VideoWriter, join_parts

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Written:
    """What became of a video: whether it was copied as it is, what the result lacks of it, and the last picture."""

    copied: bool = False
    told: list[str] = field(default_factory=list)
    last: Path | None = None


def part_writer(video: CutVideo, file: Path, output: OutputSettings) -> WriterBehind:
    """Return a writer of frames like those of a video, for a part, which writes beside the work."""
    if not file.suffix:
        naming = video.naming()
        return WriterBehind(
            PictureWriter(
                file,
                naming,
                int(file.name),
                bits=video.bits,
                quality=output.quality,
                sources=video.files,
                marks=video.marks,
            )
        )
    return WriterBehind(
        VideoWriter(
            file,
            height=video.height,
            width=video.width,
            rate=video.rate,
            time_base=video.time_base,
            bits=video.bits,
            quality=output.crf,
            pixel_aspect=video.pixel_aspect,
            marks=video.marks,
            codec=output.codec,
        )
    )


def write_frames(
    writer: WriterBehind,
    video: CutVideo,
    output: OutputSettings,
    times: Iterable[Fraction],
    rainy: Iterable[np.ndarray],
    derained: Iterable[np.ndarray],
) -> None:
    """Write derained frames at their times, with the regions that are kept as they were."""
    kept = output.keep.pixels(video.height, video.width, video.path)
    # Frames may have to be read from a disk, once more.
    before = repeat(None) if kept is None else rainy
    for at, after, old in zip(times, derained, before, strict=kept is not None):
        writer.write(after if old is None else put_back(after, old, kept), at)


def write_result(video: CutVideo, target: Path, files: list[Path], dry: bool, output: OutputSettings) -> Written:
    """Write a target from its parts, or copy the source if nothing was done in it."""
    told: list[str] = []

    def tell(sentence: str) -> None:
        log.warning("%s", sentence)
        told.append(sentence)

    def check() -> None:
        video.stamp.require(video.path)

    overwrite = output.overwrite
    if not is_video(target):
        last = place_pictures(files, target, overwrite=overwrite, check=check)
        if video.has_audio:
            tell(f"'{target.parent}' holds the pictures of '{video.path}' without its sound")
        return Written(told=told, last=last)
    file = None if video.path.is_dir() else video.path
    # A part cannot be cut out without coding it anew, and another codec was asked for.
    as_it_is = dry and not (video.lost or output.span or output.codec)
    if file and as_it_is and copy_video(file, target, overwrite=overwrite, check=check, tell=tell):
        return Written(copied=True, told=told)
    join_parts(
        files,
        target,
        rest_from=file,
        shifts=video.shifts,
        between=video.between,
        overwrite=overwrite,
        check=check,
        tell=tell,
    )
    choices = picture_choices(video, target)
    if choices:
        tell(choices)
    return Written(told=told)


def write_comparison(video: CutVideo, target: Path, place: Path, output: OutputSettings) -> None:
    """Write the middle frame before and after, and their difference."""
    if is_video(target):
        result = open_video(target)
        middle = (result.declared or result.count()) // 2
        frame = next(result.frames(middle), None)
        clean = None if frame is None else frame.pixels
    else:
        middle = video.count() // 2
        clean = read_image(target.with_name(video.naming()(middle)))
    rainy = next((frame.pixels for frame in video.frames(middle)), None)
    if rainy is None or clean is None:
        raise VideoError(f"'{target}' cannot be compared with '{video.path}': they differ in length; --overwrite it")
    write_image(place, side_by_side(rainy, clean, taken(rainy, clean)), overwrite=output.overwrite)
