"""One process beside the server, for one job at a time: it begins with the first one, and anew where it has died."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from typing import Any

from rainopt.parallel.processes import interrupts_held, prepare_worker

ENDING = 5.0  # seconds to wait for the process at the end

Progress = Callable[[float], None]
Job = Callable[[Progress], Any]


class JobError(Exception):
    """There is no result: the job raised, and the message is its own, or the process died."""


class GivenUpError(Exception):
    """A job was given up before its end."""


class Worker:
    """The process. One thread runs jobs in it; any other may stop or end it.

    Parameters
    ----------
    nice
        How far it stands back behind other processes.
    """

    def __init__(self, nice: int = 0) -> None:
        self._nice = nice
        self._lock = threading.Lock()
        self._closed = False
        self._process: Any = None
        self._pipe: Connection | None = None
        self._stop: Event | None = None

    @property
    def runs(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    def run(self, job: Job, tell: Progress, wanted: Callable[[], bool]) -> Any:
        """Call ``job(progress)`` in the process and return what it returns.

        Parameters
        ----------
        job
            Can be pickled, as what it returns can.
        tell
            Called with the share done.
        wanted
            Asked once the job can be stopped: one that is given up before is not begun.

        Raises
        ------
        GivenUpError
            If the job was stopped.
        JobError
            If the job raised, or the process died.
        """
        try:
            pipe, stop = self._ready()
            stop.clear()
            if not wanted():
                raise GivenUpError
            try:
                pipe.send(job)
            except (pickle.PicklingError, TypeError, AttributeError) as error:
                raise JobError(f"this cannot be done in another process: {error}") from error
            state, what = pipe.recv()
            while state == "share":
                tell(what)
                state, what = pipe.recv()
        except (EOFError, OSError) as error:
            self.end()
            raise JobError("the process that derains died, perhaps for want of memory") from error
        if state == "stopped":
            raise GivenUpError
        if state == "failed":
            raise JobError(what)
        return what

    def stop(self) -> None:
        """Let the job under way be given up when it next tells how far it is."""
        if self._stop is not None:
            self._stop.set()

    def end(self) -> None:
        """End the process; another job begins another."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.join(timeout=ENDING)

    def close(self) -> None:
        """End the process for good."""
        self._closed = True
        self.end()

    def _ready(self) -> tuple[Connection, Event]:
        """Return the pipe to the process and its bell, of a new one where there is none."""
        with self._lock:
            if self._process is None or not self._process.is_alive():
                if self._closed:
                    raise OSError("no process")
                if self._pipe is not None:
                    self._pipe.close()
                context = multiprocessing.get_context("spawn")
                self._stop = context.Event()
                self._pipe, far = context.Pipe()
                self._process = context.Process(target=_work, args=(far, self._stop, self._nice), daemon=True)
                with interrupts_held():
                    self._process.start()
                far.close()
            if self._pipe is None or self._stop is None:
                raise OSError("no process")
            return self._pipe, self._stop


class _Stopped(BaseException):
    """Nobody wants the result any more; no `except Exception` on the way takes it for a bad file."""


def _work(pipe: Connection, stop: Event, nice: int) -> None:
    prepare_worker(1, None)
    if nice and hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(nice)

    def advance(share: float) -> None:
        if stop.is_set():
            raise _Stopped
        pipe.send(("share", float(share)))

    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer = "done", job(advance)
        except _Stopped:
            answer = "stopped", None
        # Whatever goes wrong is told to whoever waits for the result.
        except Exception as error:
            answer = "failed", str(error) or type(error).__name__
        pipe.send(answer)
