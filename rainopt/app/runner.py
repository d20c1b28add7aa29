"""Run many jobs, in this process or in several, and yield their records as they finish."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rainopt.app.inputs import Job
from rainopt.app.task import FileRecord, Task
from rainopt.kernels.announce import on_compile
from rainopt.parallel.processes import DIED, run_in_processes

ShareDone = Callable[[Job, float], None]

COMPILING = "compiling for this processor, once; it takes some seconds"
_told = False


@contextmanager
def compiling_told(tell: Callable[[str], None]) -> Iterator[None]:
    """Within the block, say `COMPILING` when a kernel is compiled; once in a process."""

    def hear(name: str) -> None:
        global _told
        if not _told:
            _told = True
            tell(COMPILING)

    forget = on_compile(hear)
    try:
        yield
    finally:
        forget()


def run(jobs: Sequence[Job], task: Task, processes: int, report: ShareDone | None = None) -> Iterator[FileRecord]:
    """Do a task with every job and yield one record each, in the order in which they finish.

    ``report(job, share)`` follows the work on one image where it is done in this process. Closing the iterator
    stops the work: what is being written is finished or leaves nothing behind.
    """
    ready: list[Job] = []
    for job in jobs:
        if job.problem is not None:
            yield task.failed(job.source, None, job.problem)
        else:
            ready.append(job)
    if processes <= 1 or len(ready) <= 1:
        yield from _run_here(ready, task, report)
    else:
        yield from _run_processes(ready, task, min(processes, len(ready)))


def _run_here(jobs: Sequence[Job], task: Task, report: ShareDone | None) -> Iterator[FileRecord]:
    for job in jobs:
        yield task(job.source, job.target, partial(report, job) if report else None)


@dataclass(frozen=True)
class _InWorker:
    """A task in a worker process, whose compiling nobody else can see; the first worker speaks for all."""

    task: Task

    def __call__(self, source: Path, target: Path | None) -> FileRecord:
        if multiprocessing.current_process().name.endswith("-1"):
            with compiling_told(lambda text: print(text, file=sys.stderr, flush=True)):
                return self.task(source, target)
        return self.task(source, target)


def _run_processes(jobs: Sequence[Job], task: Task, processes: int) -> Iterator[FileRecord]:
    calls = [(job.source, job.target) for job in jobs]
    for (source, target), record in run_in_processes(_InWorker(task), calls, processes):
        yield record or task.failed(source, target, f"'{source}': {DIED}")
