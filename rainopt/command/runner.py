"""Run many jobs, in this process or in several, and yield their records as they finish."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.process import BaseProcess
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
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_prepare_worker, initargs=(processes,))
    waiting = list(reversed(jobs))
    running: dict[Future[Record], tuple[Job, Path]] = {}
    try:
        while waiting or running:
            # A short queue: an interruption has little to wait for.
            while waiting and len(running) < 2 * processes:
                job, target = waiting.pop()
                with _interrupts_held():
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


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold back Ctrl-C while workers start: they inherit the mask, so none dies half-way with a lock or a
    traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare_worker(processes: int) -> None:
    """Share the cores, leave Ctrl-C to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A wrong RAINOPT_NUM_THREADS is told by the first solve, as without workers.
    with suppress(ValueError):
        set_num_threads(max(1, num_threads() // processes))
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
