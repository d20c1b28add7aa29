"""Moments of videos and the spans between them, and how folders of numbered pictures are videos: what is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from rainopt.io.video.numbering import Pattern

RATE = Fraction(25)
"""Pictures of a folder that are shown in a second, where nothing else is said."""

_MOMENT = re.compile(r"(?:(?:(\d+):)?(\d{1,2}):)?(\d+(?:\.\d+)?|\.\d+)")


@dataclass(frozen=True)
class Moment:
    """A place in a video: so many seconds from its beginning, or the frame of a number that counts from 0."""

    value: Fraction
    is_frame: bool = False

    @classmethod
    def of(cls, text: str) -> Moment:
        """Read "12.5", "1:02.5" or "1:00:02.5" as seconds, and "300f" as a frame.

        Raises
        ------
        ValueError
            If a text is none of these.
        """
        if re.fullmatch(r"\d+f", text, re.ASCII):
            return cls(Fraction(text[:-1]), is_frame=True)
        found = _MOMENT.fullmatch(text)
        # Of "1:75" nobody knows whether seconds or minutes are meant.
        if found is None or not text.isascii() or (found[2] and (int(float(found[3])) > 59 or int(found[2]) > 59)):
            raise ValueError(f"must be seconds, as 12.5 or 1:02.5, or a frame, as 300f, got '{text}'")
        return cls(3600 * int(found[1] or 0) + 60 * int(found[2] or 0) + Fraction(found[3]))

    def __str__(self) -> str:
        return f"{self.value}f" if self.is_frame else f"{float(self.value):g}"

    def at(self, rate: Fraction) -> Fraction:
        """Return the time in seconds, where so many frames are shown in each."""
        return self.value / rate if self.is_frame else self.value

    def is_reached(self, index: int, time: Fraction) -> bool:
        """Tell whether a frame of a number and a time is not before this moment."""
        return (index if self.is_frame else time) >= self.value


@dataclass(frozen=True)
class Span:
    """The frames from one moment on, and before another; None is the beginning and the end.

    Raises
    ------
    ValueError
        If it ends before it begins, as far as that can be told without a video.
    """

    start: Moment | None = None
    stop: Moment | None = None

    def __post_init__(self) -> None:
        first = self.start or Moment(Fraction(0), self.stop is not None and self.stop.is_frame)
        if self.stop is not None and first.is_frame == self.stop.is_frame and self.stop.value <= first.value:
            raise ValueError(f"must lie behind the start, {first}, got {self.stop}")

    def __bool__(self) -> bool:
        return self.start is not None or self.stop is not None

    def __str__(self) -> str:
        words = [("--start", self.start), ("--stop", self.stop)]
        return " ".join(f"{option} {moment}" for option, moment in words if moment is not None)

    def place(self, index: int, time: Fraction) -> int:
        """Tell whether a frame is before the span (-1), in it (0) or behind it (1)."""
        if self.stop is not None and self.stop.is_reached(index, time):
            return 1
        return -1 if self.start is not None and not self.start.is_reached(index, time) else 0


WHOLE = Span()
"""All of a video."""


@dataclass(frozen=True)
class FrameFolders:
    """How folders of numbered pictures are videos.

    Attributes
    ----------
    rate
        Pictures a second.
    pattern
        How the pictures of a result are named; None where they keep the names of those that were read.
    """

    rate: Fraction = RATE
    pattern: Pattern | None = None
