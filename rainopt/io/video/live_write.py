"""Streams that are written while they come: into files, or to standard output."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from rainopt.io.video.common import VideoError, import_av, reason
from rainopt.io.video.streams import STANDARD
from rainopt.io.video.write import VideoWriter


class LiveWriter(VideoWriter):
    """Writes a video and the sound that comes with it, into a file or, for "-", to standard output as Matroska.

    Attributes
    ----------
    has_sound : bool
        Whether the container holds the sound.
    """

    def __init__(self, target: str, sound: Any = None, **options: Any):
        self._standard = target == STANDARD
        super().__init__(Path("standard output.mkv" if self._standard else target), **options)
        self._sound, self._heard = sound, -1
        self.has_sound = False

    def __enter__(self) -> LiveWriter:
        super().__enter__()
        if self._sound is not None and self._holds(self._sound):
            self._copy = self._output.add_stream_from_template(self._sound, opaque=True)
            self.has_sound = True
        return self

    def write(self, pixels: np.ndarray, time: Fraction | None = None) -> None:
        """Append a frame."""
        try:
            super().write(pixels, time)
        except VideoError as error:
            if not self._standard:
                raise
            raise VideoError(f"standard output takes no more ({reason(error.__cause__ or error)})") from error

    def write_sound(self, packet: Any, time: Fraction) -> None:
        """Append a piece of the sound, heard at a time in seconds."""
        if not self.has_sound:
            return
        tick = max(round(time / Fraction(packet.time_base)), self._heard + 1)
        packet.pts = packet.dts = self._heard = tick
        packet.stream = self._copy
        self._output.mux(packet)

    def _holds(self, sound: Any) -> bool:
        """Tell whether the container holds a sound, by writing a header of it."""
        av = import_av()
        try:
            trial = av.open(io.BytesIO(), "w", format=self._container.format)
            trial.add_stream_from_template(sound, opaque=True)
            trial.start_encoding()
        except (ValueError, av.error.FFmpegError):
            return False
        with suppress(av.error.FFmpegError):
            trial.close()
        return True

    def _opened(self) -> AbstractContextManager[Any]:
        return _standard_output() if self._standard else super()._opened()


@contextmanager
def _standard_output() -> Iterator[Any]:
    """Open standard output so that frames are not held back."""
    options = {"live": "1", "flush_packets": "1"}
    output = import_av().open("pipe:1", "w", format="matroska", container_options=options)
    try:
        yield output
    finally:
        output.close()
