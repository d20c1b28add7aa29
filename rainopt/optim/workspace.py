"""Memory that solves use one after another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

Empty = Callable[[tuple[int, ...], np.dtype], np.ndarray]
MOST_WASTE = 2  # times what is asked for, that an array may be


class Workspace:
    """Memory of the host that solves of about equal size use one after another, such as those of a video's frames.

    A solver works in several times the memory of its image. Memory fresh from the system is cleared, and mapped page by
    page as it is first touched, for every frame anew.

    Threads may share one. What it keeps is never more than what was in use at one time, and is gone with the object.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free: list[np.ndarray] = []  # of bytes, those that were used last at the end
        self._lent = self._most = 0  # bytes

    @property
    def kept(self) -> int:
        """Bytes that are kept and not in use."""
        return sum(block.nbytes for block in self._free)

    @contextmanager
    def lent(self) -> Iterator[Empty]:
        """Lend arrays until the end of the block: yields a function of shape and dtype, as `numpy.empty`."""
        blocks: list[np.ndarray] = []

        def empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
            size = int(np.prod(shape)) * np.dtype(dtype).itemsize
            blocks.append(self._take(size))
            return blocks[-1][:size].view(dtype).reshape(shape)

        kept = False
        try:
            yield empty
            kept = True
        finally:
            # Where one thread of several has failed, another may still be writing.
            self._put_back(blocks, kept)

    def _take(self, size: int) -> np.ndarray:
        with self._lock:
            fitting = [k for k, block in enumerate(self._free) if size <= block.nbytes <= MOST_WASTE * size]
            # The last of the smallest is the one most likely still in a cache.
            best = min(fitting, key=lambda k: (self._free[k].nbytes, -k), default=None)
            block = np.empty(size, np.uint8) if best is None else self._free.pop(best)
            self._lent += block.nbytes
            self._most = max(self._most, self._lent)
        return block

    def _put_back(self, blocks: list[np.ndarray], kept: bool) -> None:
        with self._lock:
            self._lent -= sum(block.nbytes for block in blocks)
            self._free += blocks if kept else []
            while self.kept + self._lent > self._most:
                self._free.pop(0)
