"""A process beside the server that derains whole files, one after another; any of them can be given up."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

from rainopt.app.derain import DerainTask
from rainopt.app.task import FileRecord
from rainopt.parallel.processes import DIED, interrupts_held, prepare_worker

NICE = 5  # so that what is looked at goes first
ENDING = 5.0  # seconds to wait for the process at the end
STOPPED = "stopped"


@dataclass
class Work:
    """One file to derain.

    Attributes
    ----------
    share
        Done, in [0, 1].
    record
        What became of it, None where it was given up; known when ``done`` is set.
    """

    task: DerainTask
    source: Path
    target: Path
    urgent: bool = True
    share: float = 0.0
    record: FileRecord | None = None
    stopped: bool = False
    done: threading.Event = field(default_factory=threading.Event)

    def failure(self) -> str | None:
        """Return why there is no result; None where there is one."""
        if self.record is None:
            return STOPPED
        return self.record.error if self.record.status == "failed" else None


class Bench:
    """A queue before one process, which begins with the first work and begins anew where it dies."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._queue: list[Work] = []
        self._now: Work | None = None
        self._closed = False
        self._process: Any = None
        self._pipe: Connection | None = None
        self._stop: Event | None = None
        self._numbers = itertools.count(1)
        self._thread = threading.Thread(target=self._serve, name="studio-bench", daemon=True)
        self._thread.start()

    def add(self, work: Work) -> Work:
        """Queue a work; what is urgent goes before what is not."""
        with self._turn:
            if self._closed:
                work.stopped = True
                work.done.set()
                return work
            before = sum(1 for other in self._queue if other.urgent) if work.urgent else len(self._queue)
            self._queue.insert(before, work)
            self._turn.notify()
        return work

    def stop(self, work: Work) -> None:
        """Give a work up: one that waits at once, one that is being done after its tile."""
        with self._turn:
            work.stopped = True
            if work in self._queue:
                self._queue.remove(work)
                work.done.set()
            elif work is self._now and self._stop is not None:
                self._stop.set()

    def close(self) -> None:
        """Give all up and end the process."""
        with self._turn:
            self._closed = True
            for work in self._queue:
                work.stopped = True
                work.done.set()
            self._queue.clear()
            self._turn.notify()
            process = self._process
        if process is not None:
            process.terminate()
        self._thread.join(timeout=ENDING)

    def _serve(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._closed or self._queue)
                if self._closed:
                    return
                self._now = work = self._queue.pop(0)
            try:
                work.record = self._done(work)
            finally:
                with self._turn:
                    self._now = None
                work.share = 1.0
                work.done.set()

    def _done(self, work: Work) -> FileRecord | None:
        try:
            pipe, stop = self._ready()
            stop.clear()
            if work.stopped:
                return None
            number = next(self._numbers)
            pipe.send((number, work.task, work.source, work.target))
            while True:
                about, what = pipe.recv()
                if isinstance(what, float):
                    work.share = what
                elif about == number:
                    return what if isinstance(what, FileRecord) else None
        except (EOFError, OSError):
            self._forget()
            return None if work.stopped or self._closed else work.task.failed(work.source, work.target, DIED)

    def _ready(self) -> tuple[Connection, Event]:
        """Return the pipe to the process and its bell, of a new one where there is none."""
        if self._process is None or not self._process.is_alive():
            context = multiprocessing.get_context("spawn")
            self._stop = context.Event()
            self._pipe, far = context.Pipe()
            process = context.Process(target=_work, args=(far, self._stop), daemon=True)
            with interrupts_held():
                process.start()
            far.close()
            with self._turn:
                self._process = process
                if self._closed:
                    process.terminate()
        if self._pipe is None or self._stop is None:
            raise OSError("no process")
        return self._pipe, self._stop

    def _forget(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.terminate()
            self._process.join(timeout=ENDING)
        self._process = self._pipe = None


class _GivenUp(BaseException):
    """Nobody wants the result any more; no `except Exception` on the way takes it for a bad file."""


def _work(pipe: Connection, stop: Event) -> None:
    prepare_worker(1, None)
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(NICE)
    while True:
        try:
            number, task, source, target = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send((number, _one(task, source, target, stop, partial(_report, pipe, number))))


def _report(pipe: Connection, number: int, share: float) -> None:
    pipe.send((number, float(share)))


def _one(
    task: DerainTask, source: Path, target: Path, stop: Event, report: Callable[[float], None]
) -> FileRecord | None:
    def advance(share: float) -> None:
        if stop.is_set():
            raise _GivenUp
        report(share)

    try:
        return task(source, target, advance)
    except _GivenUp:
        return None
    # A task tells of bad files by itself; whatever else goes wrong is told the same way.
    except Exception as error:
        return task.failed(source, target, str(error) or type(error).__name__)
