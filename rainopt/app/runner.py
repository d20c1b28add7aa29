"""Run many jobs, in this process or in several, and yield their records as they finish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from rainopt.app.inputs import Job
from rainopt.app.task import FileRecord, Task
from rainopt.parallel.processes import DIED, run_in_processes

ShareDone = Callable[[Job, float], None]


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


def _run_processes(jobs: Sequence[Job], task: Task, processes: int) -> Iterator[FileRecord]:
    calls = [(job.source, job.target) for job in jobs]
    for (source, target), record in run_in_processes(task, calls, processes):
        yield record or task.failed(source, target, f"'{source}': {DIED}")
