"""Run many jobs, in this process or in several, and yield their records as they finish."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

from rainopt.command.derain_file import Options, Record, derain_file
from rainopt.command.inputs import Job
from rainopt.threads import num_threads, set_num_threads

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
    # Spawned, because a forked child inherits the locks of threads that it does not have.
    context = multiprocessing.get_context("spawn")
    threads = max(1, num_threads() // processes)
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=set_num_threads, initargs=(threads,))
    waiting = list(reversed(jobs))
    running: dict[Future[Record], tuple[Job, Path]] = {}
    try:
        while waiting or running:
            # A short queue: an interruption has little to wait for.
            while waiting and len(running) < 2 * processes:
                job, target = waiting.pop()
                running[pool.submit(derain_file, job.source, target, options)] = (job, target)
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                record = future.result()
                del running[future]
                yield record
    except BrokenProcessPool:
        for job, target in [*running.values(), *reversed(waiting)]:
            problem = "a worker process died, perhaps for want of memory; run again with fewer --jobs"
            yield Record(str(job.source), str(target), "failed", error=f"'{job.source}': {problem}")
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
