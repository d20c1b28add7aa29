"""A process beside the server that derains whole files, one after another; any of them can be given up."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rainopt.app.derain import DerainTask
from rainopt.app.task import FileRecord
from rainopt.studio.worker import ENDING, GivenUpError, JobError, Progress, Worker

NICE = 5  # so that what is looked at goes first
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
        self._worker = Worker(NICE)
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
            elif work is self._now:
                self._worker.stop()

    def close(self) -> None:
        """Give all up and end the process."""
        with self._turn:
            self._closed = True
            for work in self._queue:
                work.stopped = True
                work.done.set()
            self._queue.clear()
            self._turn.notify()
        self._worker.close()
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
        def tell(share: float) -> None:
            work.share = share

        job = partial(_one, work.task, work.source, work.target)
        try:
            record: FileRecord = self._worker.run(job, tell, lambda: not work.stopped)
        except GivenUpError:
            return None
        # A task tells of bad files by itself; whatever else goes wrong is told the same way.
        except JobError as error:
            return None if work.stopped or self._closed else work.task.failed(work.source, work.target, str(error))
        return record


def _one(task: DerainTask, source: Path, target: Path, progress: Progress) -> FileRecord:
    return task(source, target, progress)
