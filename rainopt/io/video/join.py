"""Parts of a video put one after the other, with all else that its source holds, without decoding either."""

from __future__ import annotations

import heapq
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

from rainopt.io.video.codecs import encoder_of
from rainopt.io.video.common import VideoError, import_av, reason
from rainopt.io.video.encode import container_of, writing
from rainopt.io.video.open import open_container, picture_stream
from rainopt.io.video.rest import with_rest
from rainopt.io.video.tags import needs_keys
from rainopt.io.video.tracks import WHOLE, Between, Timed, Tracks

log = logging.getLogger(__name__)


class PartsError(VideoError):
    """Parts that cannot be put together."""


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
    rest_from: str | os.PathLike[str] | None = None,
    shifts: Sequence[Fraction] = (Fraction(0),),
    between: Between = WHOLE,
    overwrite: bool = True,
    check: Callable[[], None] = lambda: None,
    tell: Callable[[str], None] = log.warning,
) -> Path:
    """Put parts written by `VideoWriter` one after the other, whole or not at all, with all else that a file holds.

    Nothing is encoded. Each frame keeps the time at which it was written into its part, counted from the start of the
    whole, not of the part; parts of the suffix `part_suffix` hold it exactly. In .mkv and .webm it is rounded to 1 ms.

    Parameters
    ----------
    parts : sequence of str or path-like
        The parts in order of time, all written with the same size, rate, depth, quality and time base.
    target : str or path-like
        The file to write.
    rest_from : str or path-like, optional
        A file whose sound, subtitles, further pictures, data, attachments, chapters, tags and flags are copied, all
        tracks at their times. Text subtitles are converted where the container of `target` holds another kind. What
        it cannot hold is left out and told. Where time stamps below zero cannot be stored (.mkv, .webm), the sound
        before the first picture that has them is left out: the silence by which codecs start.
    shifts : sequence of Fraction
        Seconds to add to the times of `rest_from`, and each time that they begin anew (`Video.shifts`).
    between : tuple of Fraction and Fraction or None
        Seconds of `rest_from` of which the parts are the pictures; what is outside is left out, and the rest moved to
        begin with the pictures.
    overwrite : bool
        Whether a file that is there may be replaced.
    check : callable
        Called when all is written and before it takes its place; what it raises ends the joining.
    tell : callable
        Called with a sentence on what was left out or converted; by default it is logged as a warning.

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

    def join(tracks: Tracks | None) -> None:
        with ExitStack() as stack:
            first, template = _opened_part(paths[0])
            stack.callback(first.close)
            keys = tracks is not None and needs_keys(tracks.source.metadata, container.format)
            base = Fraction(template.time_base)
            output = stack.enter_context(writing(target, overwrite, container, base, keys=keys))
            try:
                pictures = output.add_stream_from_template(template, opaque=True)
                if template.codec_context.name == "hevc" and container.format in ("mp4", "mov"):
                    pictures.codec_context.codec_tag = "hvc1"  # the only one that some players know
                pictures.codec_context.framerate = template.average_rate or 25
                if tracks is not None:
                    tracks.add_to(output, pictures)
                output.start_encoding()
            except (ValueError, import_av().error.FFmpegError) as error:
                raise VideoError(
                    f"'{target}' cannot hold the pictures of '{paths[0]}' ({reason(error)}); write the parts with the "
                    f"suffix {part_suffix(target)}"
                ) from error
            streams = [_pictures(paths, template, pictures)]
            if tracks is not None and tracks.timed:
                streams.append(tracks.packets(keep_negative=container.format in ("mp4", "mov")))
            for _, _, packet in heapq.merge(*streams, key=lambda timed: timed[0]):
                output.mux(packet)
            check()

    if rest_from is None:
        join(None)
    else:
        with_rest(Path(rest_from), target, container, shifts, between, join, tell)
    return target


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
