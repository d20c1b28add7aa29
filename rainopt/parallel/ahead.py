"""Work done beside other work, in a thread of its own: what is read ahead, and what is written behind."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")
_END: Any = object()


class _Line:
    """A line of so many things at most between two threads; either end may close it."""

    def __init__(self, length: int) -> None:
        if length < 1:
            raise ValueError(f"`length` must be 1 or more, got {length}")
        self._length = length
        self._things: deque[Any] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def has_room(self) -> bool:
        """Wait for room, which nobody else takes; return False if the line is closed."""
        with self._changed:
            while len(self._things) >= self._length and not self._closed:
                self._changed.wait()
            return not self._closed

    def put(self, thing: Any) -> bool:
        """Append a thing when there is room; return False if the line is closed."""
        with self._changed:
            if not self.has_room():
                return False
            self._things.append(thing)
            self._changed.notify_all()
            return True

    def take(self) -> tuple[Any, ...]:
        """Return the next thing, as a tuple of it alone, when there is one; an empty one if the line has ended."""
        with self._changed:
            while not self._things and not self._closed:
                self._changed.wait()
            if not self._things:
                return ()
            self._changed.notify_all()
            return (self._things.popleft(),)

    def close(self, forget: bool = False) -> None:
        """Let nothing more in; ``forget`` what has not been taken."""
        with self._changed:
            self._closed = True
            if forget:
                self._things.clear()
            self._changed.notify_all()


def ahead(things: Iterable[T], depth: int) -> Generator[T, None, None]:
    """Yield what an iterable yields, of which up to ``depth`` more things are made beforehand in another thread.

    What it raises is raised after the things that came before. When the generator is closed, or an exception passes
    through it, the iterable is closed in its own thread, and that has ended.
    """
    line, failed = _Line(depth), list[BaseException]()

    def make() -> None:
        try:
            iterator = iter(things)
            try:
                # Nothing is made that has no place yet: a thing may hold much.
                while line.has_room():
                    made = next(iterator, _END)
                    if made is _END or not line.put(made):
                        break
            finally:
                close = getattr(iterator, "close", None)
                if close is not None:
                    close()
        except BaseException as error:
            failed.append(error)
        finally:
            line.close()

    thread = threading.Thread(target=make, name="rainopt-ahead", daemon=True)
    thread.start()
    try:
        while taken := line.take():
            yield taken[0]
    finally:
        line.close(forget=True)
        thread.join()
    if failed:
        raise failed[0]


class Behind:
    """Calls a function with one set of arguments after the other, in another thread; a context manager.

    What it raises is raised by the next call, or at the end, and ends all further calls. After an exception in the
    ``with`` statement calls that have not begun are not made.

    Parameters
    ----------
    function : callable
        What is called.
    depth : int
        Calls that may wait.
    """

    def __init__(self, function: Callable[..., Any], depth: int) -> None:
        self._function, self._line = function, _Line(depth)
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="rainopt-behind", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._line.close(forget=error is not None)
        self._thread.join()
        if error is None and self._failed is not None:
            raise self._failed

    def __call__(self, *arguments: Any) -> None:
        """Ask for a call; waits while too many do."""
        if not self._line.put(arguments) and self._failed is not None:
            raise self._failed

    def _work(self) -> None:
        try:
            while taken := self._line.take():
                self._function(*taken[0])
        except BaseException as error:
            self._failed = error
            self._line.close(forget=True)
