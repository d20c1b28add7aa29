"""A disk that is full, and files on it that have no name."""

import os
import resource
from contextlib import contextmanager, suppress


@contextmanager
def full_disk(size):
    """Let no file grow beyond `size` bytes: writing fails as on a full disk, in the system itself."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def nameless_files():
    """Return how many open files of this process have no name any more: scratch files of frames."""
    gone = 0
    for number in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the folder itself is one of them
            gone += os.readlink(f"/proc/self/fd/{number}").endswith("(deleted)")
    return gone
