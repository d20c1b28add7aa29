"""Parts of a video put one after the other, with the sound of its source, without decoding either."""

from __future__ import annotations

import heapq
import io
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from rainopt.io.video.codecs import encoder_of
from rainopt.io.video.common import VideoError, import_av, origin, reason
from rainopt.io.video.encode import Container, container_of, writing
from rainopt.io.video.open import open_container, picture_stream

log = logging.getLogger(__name__)


class PartsError(VideoError):
    """Parts that cannot be put together."""


Timed = tuple[Fraction, int, Any]
"""Decoding time in seconds, number of the stream in the output, and the packet."""


def part_suffix(target: str | os.PathLike[str], codec: str | None = None) -> str:
    """Return the suffix to write the parts of a video with, so that `join_parts` can make `target` from them.

    It is ".nut", which keeps any time base and time stamps that start anywhere; for .webm, whose codec and time base
    differ, it is ".webm". Another codec may ask for another one.
    """
    if codec is not None:
        return encoder_of(codec).parts
    return ".webm" if container_of(Path(target)).format == "webm" else ".nut"


def join_parts(
    parts: Sequence[str | os.PathLike[str]],
    target: str | os.PathLike[str],
    *,
    audio_from: str | os.PathLike[str] | None = None,
    between: tuple[Fraction, Fraction | None] = (Fraction(0), None),
    overwrite: bool = True,
    check: Callable[[], None] = lambda: None,
) -> Path:
    """Put parts written by `VideoWriter` one after the other, whole or not at all, and add the sound of another file.

    Nothing is encoded. Each frame keeps the time at which it was written into its part, counted from the start of the
    whole, not of the part; parts of the suffix `part_suffix` hold it exactly. In .mkv and .webm it is rounded to 1 ms.

    Parameters
    ----------
    parts : sequence of str or path-like
        The parts in order of time, all written with the same size, rate, depth, quality and time base.
    target : str or path-like
        The file to write.
    audio_from : str or path-like, optional
        A file whose sound, of all tracks, is copied at its times. Sound that the container of `target` cannot hold is
        left out, which is logged as a warning. Where time stamps below zero cannot be stored (.mkv, .webm), the sound
        before the first picture that has them is left out: the silence by which codecs start.
    between : tuple of Fraction and Fraction or None
        Seconds of `audio_from` of which the parts are the pictures; sound outside is left out, and the rest moved to
        begin with the pictures.
    overwrite : bool
        Whether a file that is there may be replaced.
    check : callable
        Called when all is written and before it takes its place; what it raises ends the joining.

    Raises
    ------
    VideoError
        If there is no part, or reading or writing fails; a PartsError if parts do not belong together or overlap in
        time, and a VideoExistsError if the target exists and `overwrite` is False.
    """
    target, paths = Path(target), [Path(part) for part in parts]
    container = container_of(target)
    if not paths:
        raise VideoError(f"'{target}' is not written: there are no parts to join; give one at least")
    with ExitStack() as stack:
        first, template = _opened_part(paths[0])
        stack.callback(first.close)
        sound: list[Any] = []
        if audio_from is not None:
            source = open_container(Path(audio_from))
            stack.callback(source.close)
            sound = [stream for stream in source.streams.audio if _fits(stream, container, Path(audio_from), target)]
        output = stack.enter_context(writing(target, overwrite, container, Fraction(template.time_base)))
        try:
            pictures = output.add_stream_from_template(template, opaque=True)
            if template.codec_context.name == "hevc" and container.format in ("mp4", "mov"):
                pictures.codec_context.codec_tag = "hvc1"  # the only one that some players know
            pictures.codec_context.framerate = template.average_rate or 25
            copies = [output.add_stream_from_template(stream, opaque=True) for stream in sound]
            output.start_encoding()
        except (ValueError, import_av().error.FFmpegError) as error:
            raise VideoError(
                f"'{target}' cannot hold the pictures of '{paths[0]}' ({reason(error)}); write the parts with the "
                f"suffix {part_suffix(target)}"
            ) from error
        streams = [_pictures(paths, template, pictures)]
        if sound:
            keep_negative = container.format in ("mp4", "mov") and not between[0]
            streams.append(_sound(source, sound, copies, keep_negative, between))
        for _, _, packet in heapq.merge(*streams, key=lambda timed: timed[0]):
            output.mux(packet)
        check()
    return target


def _fits(stream: Any, container: Container, source: Path, target: Path) -> bool:
    """Tell whether a container holds the sound of a stream, by writing a header of it."""
    av = import_av()
    problem = "its codec is unknown"
    if stream.codec_context is not None:
        try:
            trial = av.open(io.BytesIO(), "w", format=container.format)
            trial.add_stream_from_template(stream, opaque=True)
            trial.start_encoding()
        except (ValueError, av.error.FFmpegError) as error:
            problem = reason(error)
        else:
            with suppress(av.error.FFmpegError):
                trial.close()
            return True
    log.warning(
        "'%s' is written without the sound of track %d of '%s', which it cannot hold (%s); use .mkv to keep it",
        target,
        stream.index,
        source,
        problem,
    )
    return False


def _pictures(paths: list[Path], template: Any, output: Any) -> Iterator[Timed]:
    """Yield the packets of the parts, at time stamps that rise in the time base of the output."""
    base, last = Fraction(output.time_base), -1
    end: Fraction | None = None
    for path in paths:
        container, stream = _opened_part(path)
        try:
            if _kind(stream) != _kind(template):
                raise PartsError(
                    f"'{path}' does not continue '{paths[0]}': its size, codec or settings differ; "
                    "write all parts alike"
                )
            begun = False
            for packet in container.demux(stream):
                if not packet.size:
                    continue
                if packet.pts is None:
                    raise PartsError(f"'{path}' lacks time stamps; write it with `VideoWriter`")
                time = packet.pts * Fraction(packet.time_base)
                if not begun and end is not None and time <= end:
                    raise PartsError(
                        f"'{path}' begins at {float(time):.6g} s, before the part ahead of it ends at {float(end):.6g} "
                        "s; give the parts in order, each frame at its time in the whole"
                    )
                begun, end = True, time
                duration = packet.duration * Fraction(packet.time_base) if packet.duration else Fraction(0)
                last = max(round(time / base), last + 1)
                packet.time_base = base
                packet.pts = packet.dts = last
                packet.duration = round(duration / base)
                packet.stream = output
                yield time, output.index, packet
        finally:
            container.close()


def _opened_part(path: Path) -> tuple[Any, Any]:
    """Return a part's container and the stream of its pictures."""
    try:
        container = open_container(path)
        return container, picture_stream(path, container)
    except VideoError as error:
        raise PartsError(str(error)) from error


def _kind(stream: Any) -> tuple[Any, ...]:
    context = stream.codec_context
    return context.name, context.width, context.height, context.pix_fmt, bytes(context.extradata or b"")


def _sound(
    source: Any,
    streams: list[Any],
    copies: list[Any],
    keep_negative: bool,
    between: tuple[Fraction, Fraction | None] = (Fraction(0), None),
) -> Iterator[Timed]:
    broken = import_av().error.FFmpegError
    outputs = {stream.index: copy for stream, copy in zip(streams, copies, strict=True)}
    last: dict[int, int] = {}
    latest = Fraction(0)
    try:
        for packet in source.demux(streams):
            if not packet.size or packet.dts is None:
                continue
            index, base = packet.stream.index, Fraction(packet.time_base)
            start = origin(source, base) + round(between[0] / base)
            packet.dts -= start
            packet.pts = packet.dts if packet.pts is None else packet.pts - start
            if between[1] is not None and packet.pts * base >= between[1] - between[0]:
                continue
            # A time stamp that does not rise would make writing fail.
            if packet.dts <= last.get(index, packet.dts - 1) or (packet.dts < 0 and not keep_negative):
                continue
            last[index] = packet.dts
            # Rising over all tracks too, since the merge looks at the next packet only.
            latest = max(latest, packet.dts * base)
            packet.stream = outputs[index]
            yield latest, outputs[index].index, packet
    except broken as error:
        log.warning("the sound of '%s' ends early (%s)", source.name, reason(error))
