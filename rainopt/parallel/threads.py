"""How many threads the CPU kernels use.

Kernels release the interpreter lock and run on ordinary threads, so that processes may be started in any way and no
threading layer of a compiler is involved.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

VARIABLE = "RAINOPT_NUM_THREADS"
_limit: int | None = None


def set_num_threads(count: int | None) -> None:
    """Use at most ``count`` threads in this process from now on; None returns to the default."""
    if count is not None and count < 1:
        raise ValueError(f"`count` must be at least 1, got {count!r}")
    global _limit
    _limit = count


def num_threads() -> int:
    """Return the number of threads: `set_num_threads`, else RAINOPT_NUM_THREADS, else the cores this process has."""
    if _limit is not None:
        return _limit
    value = os.environ.get(VARIABLE)
    if value:
        if not value.isdecimal() or int(value) < 1:
            raise ValueError(f"{VARIABLE} must be a whole number of at least 1, got {value!r}")
        return int(value)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def stay_in_this_thread() -> None:
    """Do the tasks that this thread has from now on in itself, so that it takes no place in the pool from others."""
    _here.in_pool = True


def run_all(function: Callable[..., Any], tasks: Iterable[tuple]) -> list[Any]:
    """Call ``function(*task)`` for every task, in threads where that helps, and return the results in order.

    Inside a task, tasks run one after the other: waiting for the pool from within it could last for ever.
    """
    tasks = list(tasks)
    threads = num_threads()
    if threads <= 1 or len(tasks) <= 1 or getattr(_here, "in_pool", False):
        return [function(*task) for task in tasks]

    def call(task: tuple) -> Any:
        _here.in_pool = True
        return function(*task)

    return list(_pool(threads).map(call, tasks))


def in_order(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
    """Yield ``function(item)`` for every item, in order; a few are worked on in threads while the caller is busy.

    Items are taken from their iterator in the caller's thread, a few ahead. Kernels called by ``function`` run in one
    thread each. Inside a task, items are worked on one after the other, as by `run_all`.
    """
    if getattr(_here, "in_pool", False):
        yield from map(function, items)
        return

    def call(item: Any) -> Any:
        _here.in_pool = True
        return function(item)

    threads = num_threads()
    waiting: deque[Future[Any]] = deque()
    pool = _pool(threads)
    try:
        for item in items:
            waiting.append(pool.submit(call, item))
            if len(waiting) > threads + 1:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


_here = threading.local()


_pools: dict[int, ThreadPoolExecutor] = {}
if hasattr(os, "register_at_fork"):
    # A forked child inherits the pools but not their threads, and would wait for them for ever.
    os.register_at_fork(after_in_child=_pools.clear)


def _pool(threads: int) -> ThreadPoolExecutor:
    if threads not in _pools:
        _pools[threads] = ThreadPoolExecutor(threads, thread_name_prefix="rainopt")
    return _pools[threads]
