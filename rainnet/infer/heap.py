"""Memory that is freed and asked for again, frame after frame, kept in the process meanwhile."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Of glibc's malloc.h: below which size the top of the heap stays, and how many areas of their own there may be.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
TRIM_DEFAULT, MMAP_MAX_DEFAULT = 128 << 10, 65536
KEPT = 1 << 30  # bytes

_lock = threading.Lock()
_blocks = 0  # that are being worked in, of all threads


@contextmanager
def kept() -> Iterator[None]:
    """Keep freed memory within a ``with`` block, at most `KEPT` bytes; where the C library is not glibc, do nothing.

    Glibc gives the system back what is larger than 32 MiB as soon as it is freed, and the layers of a network on a
    frame of 1920 × 1080 are. The system hands out zeroed pages one by one at their first touch: a third of the time of
    such a frame, or more where several threads wait for that.
    Blocks may lie within each other; the outermost one counts.
    """
    global _blocks
    mallopt = _found("mallopt")
    if mallopt is None:
        yield
        return
    with _lock:
        _blocks += 1
        if _blocks == 1:
            mallopt(M_MMAP_MAX, 0)
            mallopt(M_TRIM_THRESHOLD, KEPT)
    try:
        yield
    finally:
        with _lock:
            _blocks -= 1
            if _blocks == 0:
                mallopt(M_MMAP_MAX, MMAP_MAX_DEFAULT)
                mallopt(M_TRIM_THRESHOLD, TRIM_DEFAULT)
                if trim := _found("malloc_trim"):
                    trim(0)


def _found(name: str) -> Callable[..., int] | None:
    """Return a function of glibc, or None where there is another C library."""
    try:
        library = ctypes.CDLL(None)
        # Others have a `mallopt` that ignores what it is told.
        return getattr(library, name) if hasattr(library, "gnu_get_libc_version") else None
    except (OSError, TypeError, AttributeError):
        return None
