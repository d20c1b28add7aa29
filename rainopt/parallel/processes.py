"""Run a function on many tasks in processes that may be interrupted, may die, and never outlive their parent."""

from __future__ import annotations

import logging
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

    A worker that dies takes the task with it that it worked on, and no other: its result is None (`DIED` says so to a
    user), and another worker takes its place. ``function`` must belong to a module, and should return its failures,
    since an exception ends the run. Closing the iterator stops the work; tasks that have begun are finished.
    """
    waiting = list(reversed(tasks))
    workers: list[ProcessPoolExecutor] = []
    running: dict[Future[Any], tuple[ProcessPoolExecutor, Task]] = {}
    try:
        while waiting and len(workers) < processes:
            workers.append(worker := _worker(processes))
            task = waiting.pop()
            running[_begin(worker, function, task)] = worker, task
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                worker, finished = running.pop(future)
                result = None
                try:
                    result = future.result()
                except BrokenProcessPool:
                    worker.shutdown(wait=True, cancel_futures=True)
                    workers.remove(worker)
                    if waiting:
                        workers.append(worker := _worker(processes))
                # Before the result is handed on, so that the worker has something to do while the caller looks at it.
                if waiting:
                    task = waiting.pop()
                    running[_begin(worker, function, task)] = worker, task
                yield finished, result
    finally:
        for worker in workers:
            worker.shutdown(wait=True, cancel_futures=True)


def _worker(processes: int) -> ProcessPoolExecutor:
    """Return a pool of one process: where it breaks, it is known what the process worked on."""
    # Spawned, because a forked child inherits the locks of threads that it does not have.
    context = multiprocessing.get_context("spawn")
    shown = logging.lastResort.formatter if logging.lastResort else None
    return ProcessPoolExecutor(1, mp_context=context, initializer=prepare_worker, initargs=(processes, shown))


def _begin(worker: ProcessPoolExecutor, function: Callable[..., Any], task: Task) -> Future[Any]:
    with interrupts_held():
        try:
            return worker.submit(function, *task)
        except BrokenProcessPool as error:
            # It died with nothing to do, and fails like one that dies at work.
            future: Future[Any] = Future()
            future.set_exception(error)
            return future


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold back Ctrl-C while workers start: they inherit the mask, and none dies half-way with a lock or traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def prepare_worker(processes: int, shown: logging.Formatter | None) -> None:
    """Share the cores, leave Ctrl-C to the parent, show warnings as it does, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(shown)
    # A wrong RAINOPT_NUM_THREADS is told by the first solve, as without workers.
    with suppress(ValueError):
        set_num_threads(max(1, num_threads() // processes))
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)
