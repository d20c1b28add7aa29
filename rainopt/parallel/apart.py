"""One piece of work in a process of its own: it says how far it is, and may be given up at any time."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from rainopt.parallel.processes import DIED, interrupts_held, prepare_worker

Report = Callable[[float, str], None]


class ApartError(RuntimeError):
    """The work failed; the message is its own."""


class Apart:
    """A function at work in another process, which ends with this one.

    Parameters
    ----------
    function
        Of a module. Called with the arguments and with what reports: it takes the share that is done, in [0, 1], and a
        text. What it raises is told by `watch`.
    arguments
        Its arguments.
    """

    def __init__(self, function: Callable[..., None], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._ear, mouth = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(function, arguments, mouth), daemon=True)
        with interrupts_held():
            self._process.start()
        mouth.close()

    def watch(self, report: Report) -> None:
        """Wait for the end of the work, and hand on what it reports.

        Raises
        ------
        ApartError
            If it failed, died or was given up.
        """
        end: str | None = DIED
        with suppress(EOFError, OSError):
            while True:
                said = self._ear.recv()
                if isinstance(said, tuple):
                    report(*said)
                else:
                    end = said
        self._process.join()
        self._ear.close()
        if end is not None:
            raise ApartError(end)

    def give_up(self) -> None:
        """End the work at once."""
        self._process.terminate()


def _work(function: Callable[..., None], arguments: tuple[Any, ...], mouth: Connection) -> None:
    prepare_worker(1, None)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        function(*arguments, lambda share, text="": mouth.send((share, text)))
    except Exception as error:
        mouth.send(str(error) or type(error).__name__)
    else:
        mouth.send(None)
