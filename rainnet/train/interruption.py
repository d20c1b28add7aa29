"""Stop at the end of a step when asked to, by Ctrl-C or by a scheduler's SIGTERM; at once at a second Ctrl-C."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class StoppedError(KeyboardInterrupt):
    """A run that was asked to stop has stopped, and its state is saved.

    Attributes
    ----------
    status
        With which a process ends that was stopped by the signal: 130 after Ctrl-C, 143 after SIGTERM.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.status = 128 + number


class Interruption:
    """While entered, the first signal only sets `asked`, its number: half a step is no state to go on from.

    A scheduler sends SIGTERM to a process and to the one that started it, which sends it on: that comes twice, and
    means the same. Who presses Ctrl-C again wants it at once.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        # Other threads cannot set handlers, and are not interrupted either.
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                # What a parent has told to be ignored stays ignored.
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = number
