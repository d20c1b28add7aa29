"""A place that one run at a time may write, held by a lock that the system drops with the process that holds it."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

_log = logging.getLogger(__name__)


class ClaimedError(OSError, ValueError):
    """A place that another run is writing; one sentence names the place and the run, and says what to do."""


@contextmanager
def claimed(lock: Path, place: Path) -> Iterator[None]:
    """Hold a place for this run, until the block ends or the process does.

    The lock belongs to the open file, so that a run that was killed leaves none behind; the file itself vanishes with
    the block. Where the file system has no locks, the place is not guarded, which is logged as a warning.

    Parameters
    ----------
    lock : Path
        The lock's file; its folder must exist.
    place : Path
        What is held, for messages.

    Raises
    ------
    ClaimedError
        If another run, or another thread of this one, holds it.
    OSError
        If the file cannot be made.
    """
    file = _locked(lock, place)
    try:
        yield
    finally:
        if file is not None:
            # While it is still locked, so that nobody can lock a file that is about to vanish; but for Windows, where
            # an open file stays.
            if os.name == "posix":
                lock.unlink(missing_ok=True)
            file.close()


def _locked(lock: Path, place: Path) -> IO[str] | None:
    import portalocker

    while True:
        file = open(lock, "a+", encoding="utf-8")  # noqa: SIM115 - held open as long as the place is
        try:
            portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING)
        except portalocker.AlreadyLocked:
            owner = _owner(file)
            file.close()
            raise ClaimedError(
                f"'{place}' is being written by another run ({owner}); wait until it ends, or choose another place"
            ) from None
        except portalocker.LockException as error:
            file.close()
            lock.unlink(missing_ok=True)
            _log.warning("'%s' cannot be locked on this file system (%s); start no second run on it", place, error)
            return None
        except BaseException:
            file.close()
            raise
        if _is_at(file, lock):
            break
        file.close()  # Whoever held it has removed it in the meantime.
    with suppress(OSError):  # a full disk; the lock holds all the same
        _sign(file)
    return file


def _sign(file: IO[str]) -> None:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    started = time.strftime("%Y-%m-%d %H:%M:%S")
    note = {"process": os.getpid(), "host": socket.gethostname(), "started": started, "command": command}
    file.truncate(0)
    # Past the buffer, which would be written once more when the file is closed.
    os.write(file.fileno(), json.dumps(note).encode())


def _is_at(file: IO[str], place: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), place.stat())
    except FileNotFoundError:
        return False


def _owner(file: IO[str]) -> str:
    """Describe who holds a lock, by what is written in its file."""
    try:
        file.seek(0)
        note: dict[str, Any] = json.load(file)
        return f"process {note['process']} on {note['host']}, since {note['started']}: {note['command'][:200]!r}"
    except (OSError, ValueError, KeyError, TypeError):
        return "just started"
