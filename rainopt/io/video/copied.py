"""A video in which nothing was done, copied: bit for bit, or packet by packet into another container."""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

from rainopt.io.atomic import FileThereError, WriteError, replacing
from rainopt.io.video.anew import in_decoding_time
from rainopt.io.video.common import VideoError, VideoExistsError, import_av, origin
from rainopt.io.video.encode import container_of, writing
from rainopt.io.video.formats import CONTAINERS, Container
from rainopt.io.video.open import open_container, picture_stream
from rainopt.io.video.rest import with_rest
from rainopt.io.video.tags import needs_keys
from rainopt.io.video.tracks import WHOLE, Timed, Tracks, fits


class _CannotCopyError(Exception):
    """Pictures whose packets another container cannot take as they are."""


def copy_video(
    source: Path,
    target: Path,
    *,
    overwrite: bool = True,
    check: Callable[[], None] = lambda: None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> bool:
    """Copy a whole video without coding its pictures anew; return whether that can be done.

    A file of the container that the suffix of `target` asks for is copied bit for bit. Into another container all that
    it holds is copied, as by `rainopt.io.video.join.join_parts`; False where that fails, because it cannot hold the
    pictures as they are coded or they lack time stamps.

    Raises
    ------
    VideoError
        If the source cannot be read or the target not be written; a VideoExistsError if that exists and `overwrite` is
        False.
    """
    container = container_of(target)
    with ExitStack() as stack:
        opened = open_container(source)
        stack.callback(opened.close)
        if _is_kind(opened, source, container):
            _copy_bytes(source, target, overwrite, check)
            return True
        stream = picture_stream(source, opened)
        # NUT neither says how pictures are turned nor stores times of decoding below zero.
        if container.format == "nut" or not fits(stream, container.format):
            return False

        def write(tracks: Tracks) -> None:
            _remux(opened, stream, target, container, tracks, overwrite, check)

        try:
            with_rest(source, target, container, (Fraction(0),), WHOLE, write, tell)
        except VideoExistsError:
            raise
        except (_CannotCopyError, VideoError):
            return False
    return True


def _is_kind(opened: Any, source: Path, container: Container) -> bool:
    """Tell whether a file is of a container, by its name and by what it holds."""
    named = CONTAINERS.get(source.suffix.lower())
    return named is not None and named.format == container.format and container.format in opened.format.name.split(",")


def _copy_bytes(source: Path, target: Path, overwrite: bool, check: Callable[[], None]) -> None:
    body: Exception | None = None
    try:
        with replacing(target, overwrite) as out, open(source, "rb") as file:
            shutil.copyfileobj(file, out, 1 << 20)
            try:
                check()
            except Exception as error:
                body = error
                raise
    except FileThereError as error:
        raise VideoExistsError(str(error)) from None
    except WriteError as error:
        if body is not None:
            raise body from None
        raise VideoError(str(error)) from error


def _remux(
    opened: Any,
    stream: Any,
    target: Path,
    container: Container,
    tracks: Tracks,
    overwrite: bool,
    check: Callable[[], None],
) -> None:
    keys = needs_keys(opened.metadata, container.format)
    base = Fraction(stream.time_base)
    with writing(target, overwrite, container, base, keys=keys) as output:
        try:
            pictures = output.add_stream_from_template(stream, opaque=True)
            if stream.codec_context.name == "hevc" and container.format in ("mp4", "mov"):
                pictures.codec_context.codec_tag = "hvc1"  # players of Apple know no other
            pictures.codec_context.framerate = stream.average_rate or 25
            tracks.add_to(output, pictures)
            output.start_encoding()
        except ValueError as error:
            raise _CannotCopyError(str(error)) from error
        streams: list[Iterator[Timed]] = [_packets(opened, stream, pictures)]
        if tracks.timed:
            streams.append(tracks.packets(keep_negative=container.format in ("mp4", "mov")))
        for _, _, packet in heapq.merge(*streams, key=lambda timed: timed[0]):
            output.mux(packet)
        check()


def _packets(opened: Any, stream: Any, output: Any) -> Iterator[Timed]:
    last: int | None = None
    try:
        for packet in in_decoding_time(opened.demux(stream)):
            if packet.pts is None or packet.dts is None or (last is not None and packet.dts <= last):
                raise _CannotCopyError("time stamps are missing or do not rise")
            last = packet.dts
            start = origin(opened, Fraction(packet.time_base))
            packet.pts, packet.dts = packet.pts - start, packet.dts - start
            packet.stream = output
            yield packet.dts * Fraction(packet.time_base), output.index, packet
    except import_av().error.FFmpegError as error:
        raise _CannotCopyError(str(error)) from error
