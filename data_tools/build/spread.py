"""Frames spread evenly over a stretch of video whose length is not known before its end."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from rainopt.io.video.read import VideoFrame
from rainopt.video.frames import FrameStore


class SpreadFrames:
    """Every n-th frame of a stretch, n being as small as leaves at most so many of them.

    All frames are kept until there are more than ``most``; then every other one is dropped, and every other one of
    those that follow is not taken, and so on: in the end there are more than half of ``most``, if the stretch has as
    many. To be used as a context, which holds their store.

    Parameters
    ----------
    frames
        Those that the decoder has patched do not count.
    most
        At least 2.

    Attributes
    ----------
    store
        The frames.
    numbers, times
        Of each in the video, the times in seconds.
    read
        Number of the last frame that was read.
    """

    def __init__(self, frames: Iterable[VideoFrame], most: int) -> None:
        self.store = FrameStore()
        self.numbers: list[int] = []
        self.times: list[Fraction] = []
        self.read = -1
        try:
            self._take(frames, most)
        except BaseException:
            self.store.close()
            raise

    def _take(self, frames: Iterable[VideoFrame], most: int) -> None:
        step = count = 0
        for frame in frames:
            self.read = frame.index
            if frame.patched:
                continue
            if count % (1 << step) == 0:
                if len(self.store) == most:
                    self._halve()
                    step += 1
                if count % (1 << step) == 0:
                    self.store.append(frame.pixels)
                    self.numbers.append(frame.index)
                    self.times.append(frame.time)
            count += 1

    def _halve(self) -> None:
        kept = FrameStore()
        with self.store as before:
            for place in range(0, len(before), 2):
                kept.append(before[place])
        self.store, self.numbers, self.times = kept, self.numbers[::2], self.times[::2]

    def __enter__(self) -> SpreadFrames:
        return self

    def __exit__(self, *error: object) -> None:
        self.store.close()
