"""A stream derained while it comes: a short look ahead, settings from what has gone, and no growing delay."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from rainopt.app.keep import put_back
from rainopt.app.live_settings import LiveSettings
from rainopt.app.preview import PreviewWork
from rainopt.app.results import OutputSettings
from rainopt.app.task import FileRecord, error_message, writing_alone
from rainopt.io.video.common import VideoError
from rainopt.io.video.live import Arrived, Converter, LiveSource
from rainopt.io.video.live_write import LiveWriter
from rainopt.io.video.streams import STANDARD, without_secrets
from rainopt.io.video.trial import require_codec
from rainopt.video.frames import FrameStore

WAITING = 0.5  # seconds that a frame waits for its turn; then it is dropped
AHEAD = 8  # frames that are looked ahead at most
AROUND = 2  # of them, those that only help where there is time; as many that have gone help, too
BUSY = 0.75  # seconds that frames are worked on together at most, as far as can be told
TELL_EVERY = 10.0  # seconds


@dataclass(frozen=True)
class LiveRecord(FileRecord):
    """What became of one stream.

    ``frames`` were written, ``dropped`` came too fast, ``raw`` were written as they came, before it was known how it
    rains. ``delay`` is the longest time from the arrival of a frame to its writing, in seconds.
    """

    frames: int | None = None
    dropped: int | None = None
    raw: int | None = None
    angles: list[float] | None = None
    delay: float | None = None
    lost: str | None = None
    height: int | None = None
    width: int | None = None
    seconds: float | None = None

    def line(self) -> str:
        """Return the result and what was done."""
        facts = [f"{self.frames} frames"]
        if self.angles:
            facts.append(f"rain at {self.angles[-1]:+.1f}°")
        if self.raw:
            facts.append(f"{self.raw} as they came, before the rain was known")
        if self.dropped:
            facts.append(f"{self.dropped} dropped to keep up")
        if self.lost:
            facts.append(self.lost)
        facts.append(f"at most {self.delay:.1f} s late")
        return f"{self.input} → {self.output}  {'; '.join(facts)}, {self.seconds:.1f} s"


def derain_live(
    source: str,
    target: str,
    output: OutputSettings,
    work: PreviewWork,
    stop: threading.Event,
    tell: Callable[[str], None] = lambda text: None,
) -> LiveRecord:
    """Derain a stream until it ends or ``stop`` is set, and write it whole; never raises for a bad stream.

    ``target`` is a file, or "-" for standard output. ``tell`` is told now and then what was dropped.
    """
    begin, name = time.perf_counter(), without_secrets(source)
    try:
        with ExitStack() as stack:
            if target != STANDARD:
                stack.enter_context(writing_alone(Path(target)))
            stream = stack.enter_context(LiveSource(source, WAITING))
            line = _Line(stream, target, output, work, stop, tell)
            stack.callback(line.close)
            line.run()
        lost = [f"the stream broke off ({stream.error})"] if stream.error else []
        lost += [line.ended] if line.ended else []
        lost += [f"{stream.broken} pieces could not be decoded"] if stream.broken else []
        lost += ["its sound cannot be held and is left out"] if stream.sound is not None and not line.sounds else []
        return LiveRecord(
            name,
            target,
            "ok",
            frames=line.written,
            dropped=stream.dropped,
            raw=line.raw,
            angles=line.angles,
            delay=round(line.delay, 3),
            lost="; ".join(lost) or None,
            height=line.height,
            width=line.width,
            seconds=round(time.perf_counter() - begin, 3),
        )
    # What goes wrong with a stream is told like any other failure.
    except Exception as error:
        place = None if target == STANDARD else Path(target)
        return LiveRecord(name, target, "failed", error=error_message(error, Path(name), place))


class _Line:
    """Frames on their way from a stream to a file."""

    def __init__(
        self,
        stream: LiveSource,
        target: str,
        output: OutputSettings,
        work: PreviewWork,
        stop: threading.Event,
        tell: Callable[[str], None],
    ) -> None:
        self._stream, self._target, self._output, self._work = stream, target, output, work
        self._stop, self._tell, self._told = stop, tell, time.monotonic()
        self._settings = LiveSettings(work)
        self._gone: deque[np.ndarray] = deque(maxlen=min(AROUND, work.around))
        self._coming: deque[tuple[Arrived, np.ndarray]] = deque()
        self._each = 0.0  # seconds that a frame takes; 0 before that is known
        self.written = self.raw = self.height = self.width = 0
        self.delay = 0.0
        self.sounds = False
        self.ended: str | None = None  # why, unless the stream ended by itself

    @property
    def angles(self) -> list[float]:
        """The angles of the strongest rain, whenever it was looked for."""
        return self._settings.angles

    def close(self) -> None:
        """Let go of what is held, and wait for what is being done."""
        self._settings.close()

    def run(self) -> None:
        """Write all that comes."""
        first = self._first()
        convert = Converter(first.frame, self._stream.pictures, self._stream.name)
        self.height, self.width = convert.height, convert.width
        kept = self._output.keep.pixels(self.height, self.width, self._stream.name)
        with self._writer(convert) as writer:
            self.sounds = writer.has_sound
            waiting, over = [first], False
            while not over:
                for arrived in waiting:
                    if self._output.span.place(arrived.number, arrived.time) > 0:
                        self._stop.set()
                        break
                    try:
                        pixels = convert(arrived.frame)
                    except VideoError as error:
                        # What came before is worth keeping.
                        self.ended = str(error)
                        self._stop.set()
                        break
                    if self._settings.see(pixels):
                        while self._coming:
                            self._write_some(writer, kept)
                        self._gone.clear()
                    self._coming.append((arrived, pixels))
                over = self._stop.is_set() or self._stream.is_over
                while self._coming and (over or self._is_time()):
                    self._write_some(writer, kept)
                if self._settings.error is not None:
                    raise self._settings.error
                self._tell_dropped()
                waiting = [] if over else self._stream.take(max(1, AHEAD - len(self._coming)), 0.1)

    def _first(self) -> Arrived:
        while not self._stop.is_set():
            if frames := self._stream.take(1, 0.1):
                return frames[0]
            if self._stream.is_over:
                raise VideoError(
                    f"'{self._stream.name}' sends no pictures ({self._stream.error or 'it ended'}); check what it is"
                )
        raise VideoError(f"'{self._stream.name}' was stopped before its first picture; nothing is written")

    def _writer(self, convert: Converter) -> LiveWriter:
        stream, output = self._stream, self._output
        aspect = stream.pixel_aspect
        options: dict[str, Any] = {
            "height": convert.height,
            "width": convert.width,
            "rate": stream.rate,
            "time_base": stream.time_base,
            "bits": convert.bits,
            "quality": output.crf,
            "pixel_aspect": aspect if aspect > 0 else 1,
            "marks": convert.marks,
            "codec": output.codec,
        }
        if output.codec is not None:
            suffix = ".mkv" if self._target == STANDARD else Path(self._target).suffix.lower()
            require_codec(output.codec, suffix, (convert.height, convert.width), convert.bits, output.crf)
        return LiveWriter(self._target, stream.sound, overwrite=output.overwrite, **options)

    def _is_time(self) -> bool:
        """Tell whether frames are to be written: there are enough, or the first has waited too long for others."""
        enough = len(self._coming) >= sum(self._together())
        return enough or time.monotonic() - self._coming[0][0].came > WAITING

    def _together(self) -> tuple[int, int]:
        """Return how many frames are worked on together, and how many on each side only help."""
        if self._settings.chosen is None or self._each <= 0:
            return 1, 0
        most = int(BUSY / self._each)
        for around in range(min(AROUND, self._work.around), -1, -1):
            # Help must not cost more than the work itself.
            if most >= 4 * around + 1:
                return min(most - 2 * around, AHEAD - around), around
        return 1, 0

    def _write_some(self, writer: LiveWriter, kept: np.ndarray | None) -> None:
        chosen, (most, around) = self._settings.chosen, self._together()
        frames = [self._coming.popleft() for _ in range(min(most, len(self._coming)))]
        if chosen is None:
            self.raw += len(frames)
            for arrived, pixels in frames:
                self._write(writer, arrived, pixels)
        else:
            begin = time.monotonic()
            before = list(self._gone)[len(self._gone) - min(around, len(self._gone)) :]
            after = [pixels for _, pixels in islice(self._coming, around)]
            with FrameStore() as store:
                for pixels in (*before, *(pixels for _, pixels in frames), *after):
                    store.append(pixels)
                # All of them, so that no thread works on after its store is gone.
                results = list(self._work.derained(store, chosen))
            self._each = (time.monotonic() - begin) / len(results)
            for (arrived, pixels), clean in zip(frames, results[len(before) :], strict=False):
                self._write(writer, arrived, put_back(clean, pixels, kept))
        self._gone.extend(pixels for _, pixels in frames)

    def _write(self, writer: LiveWriter, arrived: Arrived, pixels: np.ndarray) -> None:
        for at, packet in self._stream.take_sound(arrived.time):
            writer.write_sound(packet, at)
        writer.write(pixels, arrived.time)
        self.written += 1
        self.delay = max(self.delay, time.monotonic() - arrived.came)

    def _tell_dropped(self) -> None:
        now, stream = time.monotonic(), self._stream
        if stream.dropped and now - self._told > TELL_EVERY:
            self._told = now
            speed = f", at {1 / self._each:.1f} frames/s of {float(stream.rate):.4g}" if self._each else ""
            self._tell(f"{stream.name}: {stream.dropped} of {stream.read} frames dropped to keep up{speed}")
