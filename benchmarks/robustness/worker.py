"""A process that tries inputs, one after the other, as it is told their numbers through a pipe."""

from __future__ import annotations

import faulthandler
import os
import resource
import shutil
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.robustness.case import Verdict

SPARE = 4 * 2**30
"""Bytes of addresses beyond those in use that the system grants a worker: a net below the one that watches."""


def serve(pipe: Connection, seed: int, folder: str, memory: int) -> None:
    """Try the inputs whose attack and number come through a pipe, until None comes; send a verdict for each.

    Parameters
    ----------
    pipe
        Takes (attack, number), gives (number, words, verdict, folder or None).
    seed
        Of all inputs.
    folder
        Where each input has a folder of its own, which stays if something is wrong.
    memory
        Bytes that the process may hold.
    """
    _settle(Path(folder))
    from benchmarks.robustness.attacks.table import case_of
    from benchmarks.robustness.judge import judge

    _warm()
    _limit()
    pipe.send(None)  # ready: nothing of what comes now is the time of an import
    while (asked := pipe.recv()) is not None:
        attack, number = asked
        case = case_of(attack, seed, number)
        pipe.send((number, case.words, None, None))
        place = Path(folder, str(number))
        verdict: Verdict = judge(case, place, memory)
        pipe.send((number, case.words, verdict, str(place) if place.exists() else None))


def _settle(folder: Path) -> None:
    """Have the last words of a crash in a file, no terminal, and few threads."""
    os.environ.update(RAINOPT_NUM_THREADS="1", OMP_NUM_THREADS="1", COLUMNS="200")
    words = open(folder / f"crash-{os.getpid()}.txt", "w")  # noqa: SIM115 - open as long as the process lives
    faulthandler.enable(words)
    sys.stdin = open(os.devnull)  # noqa: SIM115
    tempfile.tempdir = str(folder)


def _warm() -> None:
    """Import and compile what inputs need, so that the first is as quick as the others."""
    import numpy as np
    import torch

    import rainnet  # noqa: F401
    import rainopt
    from benchmarks.robustness import corpus

    torch.set_num_threads(1)
    corpus.pictures()
    corpus.videos()
    corpus.network()
    rainopt.derain(corpus.waves(24, 32), max_iter=2)
    rainopt.percentile_background(np.zeros((3, 8, 8), np.uint8))


def _limit() -> None:
    try:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (used + SPARE, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A file that grows without end is stopped as well.
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**30, resource.RLIM_INFINITY))


def remove(folder: str) -> None:
    """Remove the folder of an input."""
    shutil.rmtree(folder, ignore_errors=True)
