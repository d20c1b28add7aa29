"""A video written beside the work that makes its frames."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from rainopt.parallel.ahead import Behind

WAITING = 3  # frames that may wait to be written


class FrameWriter(Protocol):
    """What writes frames, and is a context manager: `rainopt.io.video.write.VideoWriter`, for one."""

    def __enter__(self) -> object:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End, or leave nothing after an error."""

    def write(self, pixels: np.ndarray, time: Fraction | None = None) -> None:
        """Append a frame."""


class WriterBehind:
    """Writes the same as another writer, in a thread of its own; a context manager.

    What goes wrong is raised when the next frame is written, or at the end.

    Parameters
    ----------
    writer : FrameWriter
        What writes.
    """

    def __init__(self, writer: FrameWriter) -> None:
        self._writer = writer
        self._behind = Behind(writer.write, WAITING)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._writer)
            stack.enter_context(self._behind)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, at)

    def write(self, pixels: np.ndarray, time: Fraction | None = None) -> None:
        """Append a frame, of which a copy is made: the caller may use its memory again."""
        self._behind(np.array(pixels), time)
