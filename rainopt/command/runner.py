"""Run many jobs, in this process or in several, and yield their records as they finish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from rainopt.command.derain_file import Options, Record, derain_file
from rainopt.command.inputs import Job
from rainopt.command.workers import DIED, run_in_processes

Report = Callable[[Job, float], None]


def run(jobs: Sequence[Job], options: Options, processes: int, report: Report | None = None) -> Iterator[Record]:
    """Derain every job and yield one record each, in the order in which they finish.

    ``report(job, share)`` follows the work on one image where it is done in this process. Closing the iterator
    stops the work: what is being written is finished or leaves nothing behind.
    """
    ready: list[tuple[Job, Path]] = []
    for job in jobs:
        if job.target is None:
            yield Record(str(job.source), None, "failed", error=job.problem)
        else:
            ready.append((job, job.target))
    if processes <= 1 or len(ready) <= 1:
        yield from _run_here(ready, options, report)
    else:
        yield from _run_processes(ready, options, min(processes, len(ready)))


def _run_here(jobs: Sequence[tuple[Job, Path]], options: Options, report: Report | None) -> Iterator[Record]:
    for job, target in jobs:
        yield derain_file(job.source, target, options, partial(report, job) if report else None)


def _run_processes(jobs: Sequence[tuple[Job, Path]], options: Options, processes: int) -> Iterator[Record]:
    tasks = [(job.source, target, options) for job, target in jobs]
    for (source, target, _), record in run_in_processes(derain_file, tasks, processes):
        yield record or Record(str(source), str(target), "failed", error=f"'{source}': {DIED}")
