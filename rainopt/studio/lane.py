"""One thread for what is looked at: of all that waits, only the latest is still wanted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE = 0.1  # seconds without a call, before what nobody waits for: pictures of the last one are being encoded


class SupersededError(Exception):
    """Something newer was asked for before this was begun."""


class Lane:
    """Runs one function at a time, in a thread of its own; a new one takes the place of one that waits.

    What nobody waits for, ``idle``, runs when there is nothing else, one call at a time, until it returns False; again
    from the beginning and after each function.
    """

    def __init__(self, idle: Callable[[], bool] | None = None) -> None:
        self._idle = idle
        self._turn = threading.Condition()
        self._next: tuple[Future[Any], Callable[[], Any]] | None = None
        self._closed = False
        self._rests = idle is None
        self._thread = threading.Thread(target=self._work, name="studio-lane", daemon=True)
        self._thread.start()

    def run(self, function: Callable[[], T]) -> T:
        """Call a function in the lane and return what it does, or raise it.

        Raises
        ------
        SupersededError
            If another call came before this one began, or the lane is closed.
        """
        future: Future[T] = Future()
        with self._turn:
            if self._closed:
                raise SupersededError
            if self._next is not None:
                self._next[0].set_exception(SupersededError())
            self._next = future, function
            self._turn.notify()
        return future.result()

    def close(self) -> None:
        """End the thread after the call under way."""
        with self._turn:
            self._closed = True
            if self._next is not None:
                self._next[0].set_exception(SupersededError())
                self._next = None
            self._turn.notify()
        self._thread.join(timeout=10)

    def _is_wanted(self) -> bool:
        return self._closed or self._next is not None

    def _work(self) -> None:
        while True:
            with self._turn:
                wanted = self._turn.wait_for(self._is_wanted, None if self._rests else PATIENCE)
                if self._closed:
                    return
                task, self._next = self._next, None
            if not wanted or task is None:
                self._rests = not (self._idle is not None and self._idle())
                continue
            future, function = task
            try:
                future.set_result(function())
            # Whoever waits for the result hears of it.
            except BaseException as error:
                future.set_exception(error)
            self._rests = self._idle is None
