"""What a video file holds besides its moving pictures, copied into another file as far as that holds it."""

from __future__ import annotations

import io
import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from rainopt.io.video.anew import Recordings, in_decoding_time
from rainopt.io.video.common import VideoError, import_av, origin, reason
from rainopt.io.video.formats import Container
from rainopt.io.video.open import open_container, picture_stream
from rainopt.io.video.subtitles import Converter, codec_for
from rainopt.io.video.tags import chapters_of, handed_on, is_cover, of_stream

log = logging.getLogger(__name__)

Timed = tuple[Fraction, int, Any]
"""Decoding time in seconds, number of the stream in the output, and the packet."""


# Cover pictures that Matroska attaches: how their kind is called, and the end of their names.
_PICTURES = {"mjpeg": ("jpeg", "jpg"), "png": ("png", "png"), "gif": ("gif", "gif"), "webp": ("webp", "webp")}
Between = tuple[Fraction, Fraction | None]
"""The seconds of a file that are kept, up to an end where there is one."""
WHOLE: Between = (Fraction(0), None)


class Tracks:
    """The sound, subtitles, further pictures, data, attachments, chapters and tags of a video file.

    Parameters
    ----------
    path : Path
        The file.
    container : Container
        What they are copied into.
    shifts : sequence of Fraction
        Seconds to be added to the times of each of several recordings in the file.
    between : tuple of Fraction and Fraction or None
        Seconds of the file that are kept.
    kinds : collection of str
        Kinds of streams that are copied, as FFmpeg names them.

    Attributes
    ----------
    left : list of str
        What cannot be copied, in words.
    """

    def __init__(
        self, path: Path, container: Container, shifts: Sequence[Fraction], between: Between, kinds: Collection[str]
    ) -> None:
        self.left: list[str] = []
        self.order: list[int] = []
        self.covers = 0
        self._format, self._recordings = container.format, Recordings(shifts)
        self._begin, self._end = between
        self._joined = len(shifts) > 1
        self._copies: dict[int, Any] = {}
        self._silent: set[int] = set()
        self._converters: dict[int, Converter] = {}
        self.source = open_container(path)
        try:
            self._pictures = picture_stream(path, self.source)
            self.chapters = chapters_of(self.source, *between)
            self._ways: list[tuple[Any, str | None]] = []
            for stream in self.source.streams:
                if stream.index != self._pictures.index and not self._is_made_anew(stream):
                    self._choose(stream, kinds)
            self._covers = _packets_of(path, [stream.index for stream, _ in self._ways if is_cover(stream)])
        except BaseException:
            self.source.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self.source.close()

    def _is_made_anew(self, stream: Any) -> bool:
        """Tell whether a data stream is how MP4 stores a time code or chapters, which are handed on as such."""
        if stream.type != "data" or not self.source.format.name.startswith("mov"):
            return False
        # What is read as chapters is not to be read as a stream.
        return "timecode" in stream.metadata or stream.discard == import_av().stream.Discard.all

    def _choose(self, stream: Any, kinds: Collection[str]) -> None:
        """Note how a stream is copied: as it is, or converted to another codec."""
        wanted = stream.type in kinds
        if wanted and fits(stream, self._format):
            self._ways.append((stream, None))
            return
        codec = codec_for(stream, self._format) if wanted else None
        if codec is not None:
            self._ways.append((stream, codec))
        else:
            self.left.append(_named(stream))

    def add_to(self, output: Any, pictures: Any) -> None:
        """Add streams, tags and chapters to an output whose pictures have been added."""
        tags = handed_on(self.source.metadata, self._format)
        if self._begin:
            tags.pop("timecode", None)  # it is that of the first frame
        output.metadata.update(tags)
        output.set_chapters(self.chapters)
        own = of_stream(self._pictures, self._format)
        if self._begin:
            own.pop("timecode", None)
        pictures.metadata.update(own)
        pictures.disposition = self._pictures.disposition
        self.order = [self._pictures.index]
        for stream, codec in self._ways:
            if stream.type == "attachment":
                name, kind = stream.metadata.get("filename") or "attachment", stream.metadata.get("mimetype")
                output.add_attachment(name, kind or "application/octet-stream", stream.data)
                continue
            if is_cover(stream):
                self.covers += 1
                if self._format == "matroska":
                    kind = _PICTURES[stream.codec_context.name]
                    name = stream.metadata.get("filename") or f"cover.{kind[1]}"
                    output.add_attachment(name, f"image/{kind[0]}", self._covers.get(stream.index, b""))
                    continue
            if codec is None:
                copy = output.add_stream_from_template(stream, opaque=True)
            else:
                copy = output.add_stream(codec)
                try:
                    self._converters[stream.index] = Converter(stream, copy)
                except (ValueError, import_av().error.FFmpegError) as error:
                    raise VideoError(f"the subtitles of track {stream.index}: {reason(error)}") from error
            copy.metadata.update(of_stream(stream, self._format))
            copy.disposition = stream.disposition
            self._copies[stream.index] = copy
            if not is_cover(stream):
                self.order.append(stream.index)

    @property
    def changed(self) -> list[str]:
        """What is copied otherwise than it was, or might be thought to be derained, in words."""
        parts = []
        codec = next((codec for _, codec in self._ways if codec), None)
        if codec is not None:
            parts.append(f"the subtitles of {_tracks([one for one, way in self._ways if way])} become {codec}")
        others = [one for one, _ in self._ways if one.type == "video" and not is_cover(one)]
        if others:
            parts.append(f"the pictures of {_tracks(others)} are copied as they are, rain and all")
        return parts

    @property
    def copied(self) -> list[Any]:
        """The streams that are copied or converted."""
        return [stream for stream, _ in self._ways]

    @property
    def timed(self) -> bool:
        """Whether there is anything to be read of the file."""
        return bool(self._copies)

    def packets(self, keep_negative: bool) -> Iterator[Timed]:
        """Yield the packets of the copies; those before the first picture only where times may be below zero."""
        broken = import_av().error.FFmpegError
        streams = [stream for stream, _ in self._ways if stream.index in self._copies]
        self._silent = {one.index for one in streams if one.type == "subtitle" and one.codec_context.name == "mov_text"}
        last: dict[int, int] = {}
        latest = Fraction(0)
        try:
            # Where a recording ends is seen by the pictures.
            read = self.source.demux([self._pictures, *streams] if self._joined else streams)
            for packet in in_decoding_time(read):
                index = packet.stream.index
                if packet.dts is None:
                    if packet.stream.type != "video":
                        continue
                    packet.dts = packet.pts or 0  # a cover picture has no time
                base = Fraction(packet.time_base)
                shift = self._recordings.shift(packet, pictures=index == self._pictures.index)
                if index not in self._copies:
                    continue
                ticks = round((shift - self._begin) / base) - origin(self.source, base)
                packet.dts += ticks
                packet.pts = packet.dts if packet.pts is None else packet.pts + ticks
                if self._format == "nut" and packet.stream.type == "video":
                    packet.dts = max(packet.dts, last.get(index, -1) + 1)  # it stores none below zero
                if not self._wanted(packet, last.get(index), keep_negative):
                    continue
                if packet.stream.type == "data" and not packet.duration:
                    # Else the last one, shown for no time, would lie behind the end.
                    packet.duration = max(1, packet.dts - last.get(index, packet.dts))
                time = packet.dts * base
                last[index] = packet.dts
                if index in self._converters:
                    packet = self._converters[index](packet)
                    if packet is None:
                        continue
                # Rising over all tracks too, since the merge looks at the next packet only.
                latest = max(latest, time)
                packet.stream = self._copies[index]
                yield latest, packet.stream.index, packet
        except broken as error:
            log.warning("what is beside the pictures of '%s' ends early (%s)", self.source.name, reason(error))

    def _wanted(self, packet: Any, last: int | None, keep_negative: bool) -> bool:
        if is_cover(packet.stream):
            packet.dts = packet.pts = 0
            return last is None
        if packet.stream.index in self._silent and packet.size == 2:
            return False  # the gap between two subtitles of MP4, which is written where there is one
        # A time stamp that does not rise would make writing fail.
        if last is not None and packet.dts <= last:
            return False
        shown = packet.pts if packet.stream.type == "video" else packet.dts
        if shown < 0 and (self._begin or not keep_negative):
            return False
        return self._end is None or packet.pts * Fraction(packet.time_base) < self._end - self._begin


def fits(stream: Any, format: str) -> bool:
    """Tell whether a container, as FFmpeg names it, holds a stream: a header of it is written to find out."""
    av = import_av()
    if stream.type == "attachment":
        return format == "matroska"
    if stream.codec_context is None and stream.type != "data":
        return False
    if stream.type == "subtitle" and format == "nut":
        return False  # it does not say how long a packet is shown
    if is_cover(stream) and format not in ("mp4", "mov"):
        return format == "matroska" and stream.codec_context.name in _PICTURES
    try:
        trial = av.open(io.BytesIO(), "w", format=format)
        copy = trial.add_stream_from_template(stream, opaque=True)
        copy.disposition = stream.disposition
        trial.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return False
    with suppress(av.error.FFmpegError):
        trial.close()
    return True


def _packets_of(path: Path, streams: list[int]) -> dict[int, bytes]:
    """Return the first packet of each of some streams."""
    if not streams:
        return {}
    found: dict[int, bytes] = {}
    container = open_container(path)
    try:
        for packet in container.demux([container.streams[index] for index in streams]):
            if packet.size:
                found.setdefault(packet.stream.index, bytes(packet))
            if len(found) == len(streams):
                break
    except import_av().error.FFmpegError as error:
        log.warning("a cover picture of '%s' cannot be read (%s)", path, reason(error))
    finally:
        container.close()
    return found


def _tracks(streams: list[Any]) -> str:
    numbers = [str(stream.index) for stream in streams]
    if len(numbers) == 1:
        return f"track {numbers[0]}"
    return f"tracks {', '.join(numbers[:-1])} and {numbers[-1]}"


def _named(stream: Any) -> str:
    if stream.type == "attachment":
        return f"the attachment '{stream.metadata.get('filename', stream.index)}'"
    if is_cover(stream):
        return "the cover picture"
    kind = {"audio": "sound", "subtitle": "subtitles", "video": "pictures"}.get(stream.type, "data")
    context = stream.codec_context
    codec = (stream.name if stream.type == "data" else None) if context is None else context.name
    return f"the {kind} of track {stream.index} ({codec or 'of an unknown kind'})"
