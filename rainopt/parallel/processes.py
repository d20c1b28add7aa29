"""Run a function on many tasks in processes that may be interrupted, may die, and never outlive their parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from typing import Any

from rainopt.parallel.threads import num_threads, set_num_threads

Task = tuple[Any, ...]
DIED = "a worker process died, perhaps for want of memory; run again with fewer --jobs"


def run_in_processes(
    function: Callable[..., Any], tasks: Sequence[Task], processes: int
) -> Iterator[tuple[Task, Any | None]]:
    """Call ``function(*task)`` for every task in ``processes`` workers; yield each task and its result when it is done.

    The result is None for the tasks that were not done because a worker died (`DIED` says so to a user).
    ``function`` must belong to a module, and should return its failures, since an exception ends the run. Closing the
    iterator stops the work; tasks that have begun are finished.
    """
    # Spawned, because a forked child inherits the locks of threads that it does not have.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=_prepare_worker, initargs=(processes,))
    waiting = list(reversed(tasks))
    running: dict[Future[Any], Task] = {}
    try:
        while waiting or running:
            # A short queue: an interruption has little to wait for.
            while waiting and len(running) < 2 * processes:
                task = waiting.pop()
                with _interrupts_held():
                    try:
                        running[pool.submit(function, *task)] = task
                    except BrokenProcessPool:
                        waiting.append(task)
                        raise
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                result = future.result()
                yield running.pop(future), result
    except BrokenProcessPool:
        for task in [*running.values(), *reversed(waiting)]:
            yield task, None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold back Ctrl-C while workers start: they inherit the mask, and none dies half-way with a lock or traceback."""
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
