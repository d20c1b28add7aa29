"""How frames are encoded for each container, and containers written whole or not at all."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from rainopt.io.atomic import FileThereError, WriteError, replacing
from rainopt.io.video.asked import with_marks
from rainopt.io.video.codecs import codec_of, encoder_of, formats_for
from rainopt.io.video.common import VideoError, VideoExistsError, import_av
from rainopt.io.video.formats import CONTAINERS, Container
from rainopt.io.video.marks import Marks
from rainopt.io.video.open import plain

FINE_TICKS = 90_000


def container_of(path: Path, codec: str | None = None) -> Container:
    """Return the container that the suffix of a path asks for, for its usual codec or another one.

    Raises
    ------
    VideoError
        If it cannot be written, or this build of FFmpeg lacks its codec.
    """
    known = CONTAINERS.get(path.suffix.lower())
    if known is None:
        raise VideoError(
            f"'{path}' cannot be written: its suffix '{path.suffix}' is none of {', '.join(CONTAINERS)}; "
            "use one of these"
        )
    if codec is not None:
        return replace(known, codec=encoder_of(codec).name)
    if known.codec not in import_av().codecs_available:
        raise VideoError(
            f"'{path}' cannot be written: this build of PyAV lacks the encoder {known.codec}; install PyAV's own wheel "
            "(pip install --force-reinstall av)"
        )
    return known


def ticks_for(container: Container, rate: Fraction, wanted: Fraction | None) -> Fraction:
    """Return the time base to encode with, into which whole frames at `rate` and, if possible, `wanted` fit."""
    if container.time_base is not None:
        return container.time_base
    if wanted is not None:
        return wanted
    return Fraction(1, rate.numerator * math.ceil(FINE_TICKS / rate.numerator))


def pixel_format(path: Path, container: Container, size: tuple[int, int], bits: int, chroma: str = "420") -> str:
    """Return the pixel format to encode (height, width) `size` with: the least sampling of colour that holds `chroma`.

    Raises
    ------
    VideoError
        If the encoder at hand has no more than 8 bits and more are asked for.
    """
    formats = formats_for(codec_of(container.codec), size, bits, chroma)
    found = next((name for name, there in formats if there), None)
    if found is None:
        raise VideoError(
            f"'{path}' cannot be written: the encoder {container.codec} of this build of PyAV lacks {formats[0][0]}; "
            "choose .mp4 or .mkv, or 8 bits"
        )
    return found


def add_pictures(
    output: Any,
    container: Container,
    size: tuple[int, int],
    rate: Fraction,
    time_base: Fraction,
    pixel_format: str,
    quality: int,
    marks: Marks,
    fields: str | None = None,
) -> Any:
    """Add a stream of pictures of (height, width) `size` to an output container and return it.

    ``fields`` are those of `rainopt.io.video.asked.fields_of`.
    """
    height, width = size
    av = import_av()
    options = with_marks(codec_of(container.codec).options(quality), container.codec, marks, fields)
    stream = output.add_stream(container.codec, rate=rate, options=options)
    context = stream.codec_context
    context.width, context.height = width, height
    context.pix_fmt = pixel_format
    context.time_base = time_base
    stream.time_base = time_base
    # PyAV asks for slices, with which x264 loses quality.
    context.thread_type = "AUTO"
    context.gop_size = max(12, min(250, round(5 * rate)))
    context.color_primaries, context.color_trc, context.colorspace = marks.written(height)
    ranges = av.video.reformatter.ColorRange
    context.color_range = ranges.JPEG if marks.full else ranges.MPEG
    return stream


@contextmanager
def writing(
    path: Path,
    overwrite: bool,
    container: Container,
    time_base: Fraction,
    *,
    keys: bool = False,
) -> Iterator[Any]:
    """Open an output container that takes the place of `path` when all went well and vanishes when not.

    ``keys`` are needed in .mp4 and .mov for tags that have no usual place.

    Raises
    ------
    VideoError, VideoExistsError
        As `rainopt.io.atomic.replacing`; an error of the body passes as it is, except that what FFmpeg and the
        system raise becomes a VideoError.
    """
    av = import_av()
    body: BaseException | None = None
    try:
        with replacing(path, overwrite) as file:
            # By name and not through the file object: an interruption within a callback of PyAV would be swallowed.
            output = av.open(
                plain(Path(os.fsdecode(file.name))),
                "w",
                format=container.format,
                container_options=_options(container, time_base, keys),
            )
            try:
                yield output
            except BaseException as error:
                body = error
                with suppress(Exception):
                    output.close()
                raise
            output.close()
    except FileThereError as error:
        raise VideoExistsError(str(error)) from None
    except WriteError as error:
        if body is not None and not isinstance(body, (av.error.FFmpegError, OSError)):
            raise body from None
        raise VideoError(str(error)) from error


def _options(container: Container, time_base: Fraction, keys: bool) -> dict[str, str]:
    if container.format in ("matroska", "webm"):
        # Times of decoding below zero, which are not stored, would move all that is.
        return {"avoid_negative_ts": "disabled"}
    if container.format not in ("mp4", "mov"):
        return {}
    scale = time_base.denominator
    while scale < 10_000:
        scale *= 2
    # The start of a track is stored in ticks of the movie, which are milliseconds unless stated otherwise.
    movflags = "+faststart" + ("+use_metadata_tags" if keys else "")
    return {"movflags": movflags, "movie_timescale": str(scale), "video_track_timescale": str(scale)}
