"""A process that makes examples for another one: deaf to what stops a run, and gone when that other one is."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

STOPPING = (signal.SIGINT, signal.SIGTERM)
"""What a terminal or a scheduler sends to all processes of a run: its first one saves, and then ends the others."""


def start_worker(worker: int) -> None:
    """Set up a process that `spared` has covered: one thread for each library that has some, no ear for signals of
    others, and no life without the process that started it.
    """
    import cv2

    from rainopt.parallel.threads import set_num_threads

    if threading.current_thread() is threading.main_thread():
        _stop_for_the_parent_alone()
    threading.Thread(target=_end_with_the_parent, name="parent", daemon=True).start()
    torch.set_num_threads(1)
    set_num_threads(1)
    cv2.setNumThreads(1)


def _end_with_the_parent() -> None:
    """Wait for the end of the process that started this one, and end too.

    Torch's own workers compare the number of their parent with the first that they saw: who was killed before they
    looked is not missed, and they wait for ever. What is waited for here is a pipe, whose other end the system closes
    with the process, however and whenever that ended.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _stop_for_the_parent_alone() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "sigwaitinfo"):
        threading.Thread(target=_answer_the_parent, name="signals", daemon=True).start()
    elif hasattr(os, "setpgid"):
        # Who sent a signal is not to be had here. What is sent to all of a group passes by one that is in its own.
        os.setpgid(0, 0)
        # Set to be ignored, what waits is dropped.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


def _answer_the_parent() -> None:
    """Take signals, which are blocked in all threads, and end if the parent sent one: so a pool ends its processes."""
    while True:
        told = signal.sigwaitinfo({signal.SIGTERM})
        if told.si_pid == os.getppid():
            os._exit(0)


@contextmanager
def spared() -> Iterator[None]:
    """Start processes that no signal of `STOPPING` reaches, not even while they import; here they take effect later.

    A process inherits which signals are blocked.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    # It is started with the first process otherwise, and would end the blocking.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
