"""A task for files that needs no picture, in a module that worker processes can import."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rainopt.app.task import FileRecord
from rainopt.parallel.threads import num_threads


@dataclass(frozen=True)
class Copied(FileRecord):
    """A record of a copy, and how many threads might have made it."""

    threads: int | None = None


@dataclass(frozen=True)
class Copy:
    """Copy files, slowly, as a `rainopt.app.task.Task`."""

    seconds: float = 0.0
    done: ClassVar[str] = "copied"
    header: ClassVar[str | None] = None

    def __call__(self, source, target, progress=None):
        """Copy one file."""
        try:
            threads = num_threads()
            time.sleep(self.seconds)
            if progress:
                progress(0.5)
            Path(target).write_bytes(Path(source).read_bytes())
        except (OSError, ValueError) as error:
            return self.failed(source, target, f"'{source}': {error}")
        if progress:
            progress(1.0)
        return Copied(str(source), str(target), "ok", threads=threads)

    def failed(self, source, target, error):
        """Return the record of a file that could not be copied."""
        return Copied(str(source), None if target is None else str(target), "failed", error)
