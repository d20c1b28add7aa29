"""A file of lines that are only ever added: each is on the disk before anybody is told, and none is rewritten.

A line is whole when a line feed ends it. One that a kill, or a full disk, has torn was never confirmed, and is cut off
by who writes next. Several processes and threads may write one journal; they wait for each other.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

STEP = 1 << 16  # bytes

_log = logging.getLogger(__name__)


class JournalError(OSError, ValueError):
    """A journal cannot be read or written; the message names the file, what is wrong, and what to do."""


class Journal:
    """A journal, read as far as it is whole. It is made, and its folder, with the first line.

    Attributes
    ----------
    path
        Of its file.
    ends
        Bytes at which each line ends that was read.
    cut
        A sentence for each torn line that was cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ends: list[int] = []
        self.cut: list[str] = []
        self._mutex = threading.RLock()

    @property
    def size(self) -> int:
        """Bytes that were read."""
        return self.ends[-1] if self.ends else 0

    def read(self) -> list[bytes]:
        """Return the whole lines that were not read before, without their ends.

        Raises
        ------
        JournalError
            If it cannot be read.
        """
        with self._mutex:
            try:
                if self.path.stat().st_size <= self.size:
                    return []
                with open(self.path, "rb") as file:
                    file.seek(self.size)
                    content = file.read()
            except FileNotFoundError:
                return []
            except OSError as error:
                raise JournalError(f"'{self.path}' cannot be read ({error.strerror or error})") from error
            *lines, _ = content.split(b"\n")  # what follows the last line feed is torn, or still being written
            for line in lines:
                self.ends.append(self.size + len(line) + 1)
            return lines

    def require_writable(self) -> None:
        """Refuse a place where no line can be added, before there is one; nothing is made.

        Raises
        ------
        JournalError
            If the file, or the folder that it is to be in, cannot be written.
        """
        ways = (self.path, *self.path.parents)
        place = next((one for one in ways if os.path.lexists(one)), self.path)
        is_right = place.is_file() if place == self.path else place.is_dir()
        if not (is_right and os.access(place, os.W_OK if place == self.path else os.W_OK | os.X_OK)):
            raise JournalError(
                f"'{self.path}' cannot be written, as '{place}' cannot; allow it, or work on a copy elsewhere"
            )

    def append(self, say: Callable[[list[bytes]], bytes]) -> None:
        """Add a line, and return when it is on the disk.

        Parameters
        ----------
        say
            Called when nobody else can write, with the lines that were not read before; returns the new one, without
            its end. What it raises is raised, and nothing is written.

        Raises
        ------
        JournalError
            If it cannot be written; then the journal is as it was.
        """
        with self._mutex:
            try:
                with self._opened() as file:
                    end = self._cut(file)
                    line = say(self.read()) + b"\n"
                    _write(file, end, line)
                    self.ends.append(end + len(line))
            except JournalError:
                raise
            except OSError as error:
                reason = error.strerror or error
                raise JournalError(f"'{self.path}' cannot be written ({reason}); check the disk") from error

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        """Open the file for this process alone; a new one is in its folder for good."""
        import portalocker

        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self.path.exists()
        with open(self.path, "a+b", buffering=0) as file:
            try:
                portalocker.lock(file, portalocker.LockFlags.EXCLUSIVE)
            except portalocker.LockException as error:
                _log.warning("'%s' cannot be locked on this file system (%s); let one run write it", self.path, error)
            if is_new:
                for folder in (self.path.parent, self.path.parent.parent):
                    sync_folder(folder)
            yield file

    def _cut(self, file: IO[bytes]) -> int:
        """Cut off a torn last line, and say so; return where the file ends."""
        end = file.seek(0, os.SEEK_END)
        begin, tail = end, b""
        while begin > self.size and b"\n" not in tail:
            step = min(begin - self.size, STEP)
            begin -= step
            file.seek(begin)
            tail = file.read(step) + tail
        torn = tail.rpartition(b"\n")[2]
        if torn:
            end -= len(torn)
            file.truncate(end)
            self.cut.append(f"'{self.path}': the last line was torn, by a kill or a full disk, and is cut off")
            _log.warning("%s", self.cut[-1])
        return end


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system can."""
    if os.name != "posix":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _write(file: IO[bytes], end: int, line: bytes) -> None:
    try:
        while line:
            line = line[file.write(line) :]
        os.fsync(file.fileno())
    except BaseException:
        file.truncate(end)
        raise
