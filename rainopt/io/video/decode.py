"""The frames of a video file, decoded one after the other as far as they can be."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rainopt.io.unchanged import ChangedError, Stamp
from rainopt.io.video.colour import ToRGB, beside
from rainopt.io.video.common import ANEW, VideoError, import_av, origin, reason
from rainopt.io.video.ends import is_cut
from rainopt.io.video.losses import Losses, promised_end, promised_frames
from rainopt.io.video.marks import marks_of
from rainopt.io.video.open import open_container, picture_stream, stamp_of

THREADS = 0
"""Threads of a decoder; 0 leaves it to the number of cores."""

LOOKED_AT = 64
"""Of so many frames the data beside one are looked at: PyAV lets go of a frame whose data were only when it tidies."""
LASTING = 250
"""Frames after a patched one that may repeat what is wrong with it, where no key frame ends that."""


class Picture(NamedTuple):
    """Time in seconds, what makes the pixels when they are wanted, and whether the decoder has invented some."""

    time: Fraction
    pixels: Callable[[], np.ndarray]
    patched: bool = False


class FileSource:
    """The pictures of a video file.

    Parameters
    ----------
    path : Path
        The file; its first frame is decoded here.

    Raises
    ------
    VideoError
        If no frame of it can be decoded.
    """

    def __init__(self, path: Path):
        self.path = path
        self.stamp = stamp_of(path)
        self.beside: set[str] = set()
        self.shifts: tuple[Fraction, ...] = (Fraction(0),)
        with _opened(path) as (container, stream):
            self._format: str = container.format.name
            self.rate = _rate(stream)
            self.time_base = Fraction(stream.time_base)
            self.declared = promised_frames(stream)
            self._end = promised_end(container)
            self.has_audio = bool(container.streams.audio)
            aspect = Fraction(stream.sample_aspect_ratio or 1)
            codec = stream.codec_context.name
            alpha = stream.metadata.get("alpha_mode") == "1"  # of VP8 and VP9, whose decoders leave it out
        losses = Losses()
        frames = _decoded(path, self.stamp, losses)
        first = next(frames, None)
        frames.close()
        if first is None:
            raise VideoError(
                f"'{path}' cannot be read: none of its frames can be decoded ({losses.error or 'it holds none'}); "
                "obtain a fresh copy"
            )
        self._to_rgb = ToRGB(first, codec)
        self.marks = marks_of(first, alpha)
        self.bits = self._to_rgb.bits
        self.height, self.width = self._to_rgb.upright_size(first)
        turned = (self.height, self.width) != (first.height, first.width)
        self.pixel_aspect = (1 / aspect if turned else aspect) if aspect > 0 else Fraction(1)

    def scan(self, report: Callable[[str | None], None]) -> Iterator[Picture]:
        """Yield all pictures; at the end of the file, `report` is told what could not be decoded."""
        losses = Losses()
        clock = Clock(self.rate, self.time_base)
        time = Fraction(0)
        wrong, met = 0, 0  # frames to come that may still show what was patched or is missing; errors met before
        for number, frame in enumerate(_decoded(self.path, self.stamp, losses, clock)):
            time = clock.time(frame.pts)
            damaged = frame.is_corrupt or (losses.met > met and not frame.key_frame)
            wrong, met = LASTING if damaged else 0 if frame.key_frame else max(wrong - 1, 0), losses.met
            self.shifts = clock.shifts
            if number % LOOKED_AT == 0:
                self.beside.update(beside(frame))
            if self.fits(frame):
                yield Picture(time, partial(self.pixels, frame), wrong > 0)
            else:
                losses.leave_out(number, self._to_rgb.upright_size(frame))
        ending = self._end - time - 1 / self.rate if self._end else Fraction(0)
        # Containers round their durations, and the last frame may be shown a little longer than the others.
        ending = ending if ending * self.rate > Fraction(3, 4) else Fraction(0)
        report(losses.sentence(self.declared, ending, is_cut(self.path, self._format)))

    def fits(self, frame: Any) -> bool:
        """Tell whether a frame has the size of the first."""
        return self._to_rgb.upright_size(frame) == (self.height, self.width)

    def pixels(self, frame: Any) -> np.ndarray:
        """Return the pixels of a frame, upright."""
        try:
            return self._to_rgb(frame)
        except VideoError as error:
            raise VideoError(f"'{self.path}' {error}") from None


@dataclass
class Clock:
    """Times of frames in seconds, made to rise where those of the file do not.

    ``shifts`` are what is added to the times of the file: at its beginning, and each time that they begin anew.
    """

    rate: Fraction
    time_base: Fraction
    start: int = 0
    shifts: tuple[Fraction, ...] = (Fraction(0),)
    _last: Fraction | None = None

    def time(self, pts: int | None) -> Fraction:
        """Return the time of the next frame, which is stored with the time stamp `pts`."""
        frame = 1 / self.rate
        if pts is None:
            time = Fraction(0) if self._last is None else self._last + frame
        else:
            time = (pts - self.start) * self.time_base + self.shifts[-1]
        if self._last is not None and time <= self._last:
            if self._last - time > ANEW:
                # The time stamps began anew, as they do where two recordings were put together.
                self.shifts += (self.shifts[-1] + self._last + frame - time,)
                time = self._last + frame
            else:
                # A small step, so that the time stamps after it are met again and sound stays in place.
                time = self._last + min(self.time_base, frame / 16)
        self._last = time
        return time


def _require(path: Path, stamp: Stamp) -> None:
    try:
        stamp.require(path)
    except ChangedError as error:
        raise VideoError(str(error)) from None


class _DecoderError(Exception):
    """An error of a decoder with several threads; which packet it belongs to is unknown."""


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    container = open_container(path)
    try:
        yield container, picture_stream(path, container)
    finally:
        container.close()


def _decoded(path: Path, stamp: Stamp, losses: Losses, clock: Clock | None = None) -> Generator[Any, None, None]:
    """Yield the frames that can be decoded, in the order of display.

    Several frames are decoded at once, on several threads. After an error PyAV cannot drain such a decoder, and may not
    even tell the error, so that the frames under way in the other threads would be lost; where frames are missing the
    rest is decoded anew, one frame after the other.
    """
    given = 0
    for threads in ("AUTO", "SLICE"):
        losses.forget()
        _require(path, stamp)
        with _opened(path) as (container, stream):
            if clock is not None:
                clock.start = origin(container, clock.time_base)
            stream.thread_type = threads
            stream.codec_context.thread_count = THREADS
            try:
                for number, frame in enumerate(_frames(container, stream, losses, strict=threads == "AUTO")):
                    if number >= given:
                        given += 1
                        yield frame
                _require(path, stamp)
                return
            except _DecoderError:
                continue


def _frames(container: Any, stream: Any, losses: Losses, strict: bool) -> Iterator[Any]:
    broken = import_av().error.FFmpegError
    packets = container.demux(stream)
    packet: Any = ...
    last: int | None = None
    while packet is not None:
        try:
            packet = next(packets, None)
        except broken as error:
            losses.meet(reason(error))
            packet = None
        if packet is not None:
            if packet.size or packet.dts is not None:
                anew = packet.dts is not None and last is not None and (last - packet.dts) * packet.time_base > ANEW
                last = last if packet.dts is None else packet.dts
                losses.pass_packet(not packet.is_discard, packet.is_corrupt, anew)
            if not packet.size:
                continue  # a frame left out, or the mark of the end; either would shut the decoder
        try:
            frames = stream.decode(packet)
        except EOFError:
            break
        except broken as error:
            if strict:
                raise _DecoderError from error
            losses.meet(reason(error))
            continue
        for frame in frames:
            losses.pass_frame(frame.is_corrupt)
            yield frame
    if strict and losses.frames < losses.packets:
        raise _DecoderError


def _rate(stream: Any) -> Fraction:
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= 1000:
            return Fraction(rate)
    return Fraction(25)
