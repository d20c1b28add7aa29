"""Frames from the middle of a long video on, without decoding all that is before them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from rainopt.io.video.common import VideoError, import_av, origin
from rainopt.io.video.decode import FileSource
from rainopt.io.video.open import open_container, picture_stream

Numbered = tuple[int, Fraction, Callable[[], np.ndarray]]
"""Number and time of a frame, and what makes its pixels."""

NEAR = 1  # second: what is found that much too late was not found


def scan_from(path: Path, source: FileSource, at: Fraction) -> Iterator[Numbered] | None:
    """Return the frames of a file from a time in seconds on, or None where the file cannot be jumped in.

    Frames are numbered by their times, as if all were shown equally long. Frames that cannot be decoded are
    passed over.
    """
    frames = _frames(path, source, at)
    try:
        first = next(frames, None)
    except (VideoError, OSError, import_av().error.FFmpegError):
        return None
    if first is None or first[1] > at + NEAR:
        frames.close()
        return None
    return chain([first], frames)


def _frames(path: Path, source: FileSource, at: Fraction) -> Generator[Numbered, None, None]:
    broken = import_av().error.FFmpegError
    container = open_container(path)
    try:
        stream = picture_stream(path, container)
        base = Fraction(stream.time_base)
        begin = origin(container, base)
        stream.thread_type = "AUTO"
        container.seek(begin + int(at / base), stream=stream, backward=True)
        for packet in chain((packet for packet in container.demux(stream) if packet.size), [None]):
            try:
                decoded = stream.decode(packet)
            except EOFError:
                return
            except broken:
                continue
            for frame in decoded:
                if frame.pts is None or not source.fits(frame):
                    continue
                time = (frame.pts - begin) * base
                if time >= at:
                    number = round(time * source.rate)
                    yield number, time, partial(source.pixels, frame)
    finally:
        container.close()
