"""Streams that are read while they come: cameras and servers by their address, standard input, files at their pace.

Frames are decoded in a thread of their own, so that nobody who sends them has to wait; those that nobody takes in time
are dropped and counted.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from rainopt.io.video.colour import ToRGB
from rainopt.io.video.common import VideoError, import_av, reason
from rainopt.io.video.decode import Clock
from rainopt.io.video.marks import marks_of
from rainopt.io.video.open import FORMATS, MAX_PIXELS, picture_stream, plain
from rainopt.io.video.streams import PROTOCOLS, STANDARD, scheme_of, without_secrets

TIMEOUT = 15.0  # seconds without any data after which a stream is given up


class Arrived(NamedTuple):
    """A decoded frame, its number, when it came, in seconds of `time.monotonic`, and its time in the stream."""

    number: int
    came: float
    time: Fraction
    frame: Any


class LiveSource:
    """The pictures of a stream, decoded as they come, and the sound of its first track; a context manager.

    Parameters
    ----------
    source : str
        An address, "-" for standard input, or a file, a pipe with a name among them.
    seconds : float
        Frames that are not taken for so long are dropped.

    Attributes
    ----------
    read, dropped, broken : int
        Frames decoded, those of them dropped, and pieces that could not be decoded.
    error : str or None
        What has ended the stream, unless it simply ended.

    Raises
    ------
    VideoError
        On entering, if there is no such stream, or it holds no pictures.
    """

    def __init__(self, source: str, seconds: float):
        self.name = "standard input" if source == STANDARD else without_secrets(source)
        self._source, self._seconds = source, seconds
        self.read = self.dropped = self.broken = 0
        self.error: str | None = None
        self._waiting: deque[Arrived] = deque()
        self._change = threading.Condition()
        self._ended = self._stop = False
        # What may come faster than it is shown: files, and pipes and servers that send them.
        self._paced = scheme_of(source) in (None, "http", "https")
        self._blocked = False

    def __enter__(self) -> LiveSource:
        self._container = _opened(self._source, self.name)
        try:
            self.pictures = stream = picture_stream(Path(self.name), self._container)
        except BaseException:
            self._container.close()
            raise
        rate = next((r for r in (stream.average_rate, stream.guessed_rate) if r and 0 < r <= 1000), 25)
        self.rate, self.time_base = Fraction(rate), Fraction(stream.time_base)
        self.pixel_aspect = Fraction(stream.sample_aspect_ratio or 1) or Fraction(1)
        self.sound = next((sound for sound in self._container.streams.audio if sound.codec_context is not None), None)
        self._sound: deque[tuple[Fraction, Any]] = deque()
        self._begin: Fraction | None = None
        # Whole frames in turn: each further thread would hold one back.
        stream.thread_type = "SLICE"
        self._thread = threading.Thread(target=self._run, args=(stream,), name="live", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop = True
        # A thread that waits for data ends with the process. Until here, what is written is set up by the streams.
        self._thread.join(1)
        if not self._thread.is_alive():
            self._container.close()

    @property
    def is_over(self) -> bool:
        """Whether all frames that will ever come have been taken."""
        with self._change:
            return self._ended and not self._waiting

    def take(self, most: int, patience: float) -> list[Arrived]:
        """Return frames that wait, in order, at most so many; wait for one for some seconds if there is none."""
        with self._change:
            if not self._waiting and not self._ended:
                self._change.wait(patience)
            self._drop()
            return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def take_sound(self, until: Fraction) -> list[tuple[Fraction, Any]]:
        """Return the pieces of the sound that are heard before a time of the pictures, and their times."""
        with self._change:
            taken = []
            while self._begin is not None and self._sound and self._sound[0][0] - self._begin < until:
                at, packet = self._sound.popleft()
                if at >= self._begin:
                    taken.append((at - self._begin, packet))
            return taken

    def _run(self, stream: Any) -> None:
        try:
            self._decode(stream)
        except Exception as error:
            self.error = reason(error)
        finally:
            with self._change:
                self._ended = True
                self._change.notify_all()

    def _decode(self, stream: Any) -> None:
        broken = import_av().error.FFmpegError
        clock: Clock | None = None
        pace = _Pace(1 / self.rate)
        for packet in self._packets(stream):
            try:
                frames = stream.decode(packet)
            except EOFError:
                break
            except broken:
                self.broken += 1
                continue
            for frame in frames:
                if clock is None:
                    if frame.is_corrupt:
                        self.broken += 1
                        continue  # joined in the middle: until a whole picture comes
                    clock = Clock(self.rate, self.time_base, frame.pts or 0)
                    self._begin = (frame.pts or 0) * self.time_base
                at = clock.time(frame.pts)
                if self._paced:
                    pace.wait(float(at), self._blocked)
                self._put(Arrived(self.read, time.monotonic(), at, frame))
            if self._stop:
                break

    def _packets(self, stream: Any) -> Iterator[Any]:
        """Yield the pieces of the pictures, and None at the end, for the frames that the decoder still holds."""
        try:
            packets = self._container.demux([stream] if self.sound is None else [stream, self.sound])
            while True:
                asked = time.monotonic()
                packet = next(packets, None)
                if packet is None:
                    break
                self._blocked = time.monotonic() - asked > 0.5 / self.rate
                if packet.size and packet.stream is stream:
                    yield packet
                elif packet.size and packet.dts is not None:
                    with self._change:
                        self._sound.append((packet.dts * Fraction(packet.time_base), packet))
        except import_av().error.FFmpegError as error:
            self.error = reason(error)
        yield None

    def _put(self, arrived: Arrived) -> None:
        with self._change:
            self.read += 1
            self._waiting.append(arrived)
            self._drop()
            self._change.notify_all()

    def _drop(self) -> None:
        """Drop the frames that have waited too long, but for the last one."""
        now = time.monotonic()
        while len(self._waiting) > 1 and now - self._waiting[0].came > self._seconds:
            self._waiting.popleft()
            self.dropped += 1


class _Pace:
    """Lets frames come no faster than they are shown.

    Where the sender is waited for, frames that come early are those of a clock that runs a little faster than ours,
    which is followed, so that nothing heaps up over hours.
    """

    def __init__(self, frame: Fraction) -> None:
        self._begin, self._most = time.monotonic(), 0.02 * float(frame)

    def wait(self, at: float, blocked: bool) -> None:
        ahead = self._begin + at - time.monotonic()
        if ahead > 0:
            self._begin -= min(ahead, self._most) if blocked else 0.0
            time.sleep(ahead)


def _opened(source: str, name: str) -> Any:
    """Open a stream for reading; files of the computer can be named by no stream."""
    av = import_av()
    if source == STANDARD:
        place, protocols, formats = "pipe:0", "pipe", FORMATS
    elif found := scheme_of(source):
        allowed = PROTOCOLS.get(found)
        if allowed is None:
            raise VideoError(f"'{name}' cannot be read: use one of {', '.join(PROTOCOLS)}, a file or -")
        place, protocols, formats = source, allowed, [*FORMATS, "rtsp", "hls", "mpjpeg"]
    else:
        place, protocols, formats = plain(Path(source)), "file", FORMATS
    options = {"protocol_whitelist": protocols, "format_whitelist": ",".join(formats)}
    if protocols.startswith("rtsp"):
        options["rtsp_transport"] = "tcp"
    try:
        return av.open(
            place,
            options={"max_pixels": str(MAX_PIXELS)},
            container_options=options,
            metadata_errors="replace",
            timeout=TIMEOUT,
        )
    except Exception as error:
        raise VideoError(
            f"'{name}' cannot be read ({reason(error)}); check that it is there and sends a video"
        ) from error


class Converter:
    """Brings the frames of a stream to RGB; a frame of another size ends it.

    Attributes
    ----------
    height, width, bits, marks
        Of all frames.
    """

    def __init__(self, first: Any, stream: Any, name: str):
        self.marks = marks_of(first, stream.metadata.get("alpha_mode") == "1")
        self._to_rgb, self._name = ToRGB(first, stream.codec_context.name), name
        self.height, self.width = self._to_rgb.upright_size(first)
        self.bits = self._to_rgb.bits

    def __call__(self, frame: Any) -> Any:
        """Return (H, W, 3) uint8 or uint16."""
        if self._to_rgb.upright_size(frame) != (self.height, self.width):
            raise VideoError(
                f"'{self._name}' changes its size from {self.width} x {self.height} pixels to {frame.width} x "
                f"{frame.height}, and is written up to there"
            )
        return self._to_rgb(frame)
