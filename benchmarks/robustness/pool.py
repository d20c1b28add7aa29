"""Workers that are watched: one that dies, hangs or takes too much memory is replaced, and its input is a failure."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from benchmarks.robustness.case import Kind, Verdict
from benchmarks.robustness.worker import serve

START = 180.0
"""Seconds that a worker may take to be ready."""
LIFE = 3000
"""Inputs of one worker: what leaks is not to be laid at the door of the one that comes last."""


@dataclass(frozen=True)
class Tried:
    """An input that was tried: its attack and number, what it was, what came of it, and where its files are."""

    attack: str
    number: int
    words: str
    verdict: Verdict
    folder: str | None = None


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    begun: float
    ready: bool = False
    done: int = 0
    attack: str = ""
    number: int | None = None
    words: str = ""
    peak: int = 0


def tried(
    inputs: Iterator[tuple[str, int]],
    *,
    seed: int,
    processes: int,
    folder: Path,
    seconds: float,
    memory: int,
    stop: Callable[[], bool],
) -> Iterator[Tried]:
    """Yield inputs as they have been tried, until there are no more or it is time to stop.

    Parameters
    ----------
    inputs
        Attack and number of each.
    seed
        Of all inputs.
    processes
        How many at a time.
    folder
        For the files of inputs.
    seconds, memory
        What no input may take.
    stop
        Tells when no further input is to begin.
    """
    context = multiprocessing.get_context("spawn")

    def started() -> _Worker:
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, seed, str(folder), memory), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours, time.monotonic())

    workers = [started() for _ in range(processes)]
    more = True

    def next_for(worker: _Worker) -> None:
        nonlocal more
        asked = next(inputs, None) if more and not stop() else None
        more = more and asked is not None
        if asked is None:
            worker.pipe.send(None)
            worker.number = None
            return
        worker.attack, worker.number = asked
        worker.words, worker.begun, worker.peak = "", time.monotonic(), 0
        worker.pipe.send(asked)

    try:
        while workers:
            ready = wait([worker.pipe for worker in workers], timeout=0.03)
            for worker in list(workers):
                found, gone = None, False
                if worker.pipe in ready:
                    try:
                        found = worker.pipe.recv()
                    except (EOFError, OSError):
                        gone = True
                    else:
                        if found is None:
                            worker.ready = True
                            next_for(worker)
                        elif found[2] is None:
                            worker.words = found[1]
                        else:
                            number, words, verdict, place = found
                            yield Tried(worker.attack, number, words, verdict, place)
                            worker.done += 1
                            if worker.done >= LIFE:
                                _end(worker)
                                workers[workers.index(worker)] = started()
                                continue
                            next_for(worker)
                failure = _died(worker, gone) or _beyond(worker, seconds, memory)
                if failure is not None:
                    _end(worker)
                    workers.remove(worker)
                    if worker.number is not None:
                        place = folder / str(worker.number)
                        yield Tried(worker.attack, worker.number, worker.words, failure, str(place))
                    if more and not stop():
                        workers.append(started())
                elif gone:
                    _end(worker)
                    workers.remove(worker)
    finally:
        for worker in workers:
            _end(worker)


def _died(worker: _Worker, gone: bool) -> Verdict | None:
    """Return the verdict on the input that a process died of."""
    if not gone:
        return None
    worker.process.join(5)
    code = worker.process.exitcode
    if worker.number is None and worker.ready:
        return None
    name = signal.Signals(-code).name if code is not None and code < 0 else f"exit status {code}"
    if not worker.ready:
        raise RuntimeError(f"a worker died before it was ready ({name})")
    return Verdict(Kind.CRASH, f"the process died ({name})", f"{worker.attack} {name}", time.monotonic() - worker.begun)


def _beyond(worker: _Worker, seconds: float, memory: int) -> Verdict | None:
    """Return the verdict on an input that takes more than it may."""
    spent = time.monotonic() - worker.begun
    if not worker.ready:
        if spent > START:
            raise RuntimeError(f"a worker was not ready within {START:.0f} s")
        return None
    if worker.number is None:
        return None
    held = _memory(worker.process.pid)
    worker.peak = max(worker.peak, held)
    what = worker.words.partition("(")[0]
    if held > memory:
        return Verdict(Kind.MEMORY, f"{held / 2**30:.1f} GiB after {spent:.1f} s", what, spent, held)
    if spent > seconds:
        return Verdict(Kind.HANG, f"no end after {spent:.0f} s", what, spent, worker.peak)
    return None


def _memory(process: int) -> int:
    """Return the bytes that a process holds; 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096
    except (OSError, IndexError, ValueError):
        return 0


def _end(worker: _Worker) -> None:
    """End a process and free its pipe."""
    with suppress(OSError):
        worker.pipe.close()
    worker.process.join(0 if worker.number is not None else 2)
    if worker.process.is_alive():
        worker.process.kill()
    worker.process.join(10)
