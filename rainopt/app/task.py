"""What a command does with each file, and the record that it leaves: what the runner and the report know of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

Progress = Callable[[float], None]


@dataclass(frozen=True)
class FileRecord:
    """What became of one file; a line of ``--json``. ``status`` is "ok", "skipped" (all results were there) or
    "failed".
    """

    input: str
    output: str | None
    status: str
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that say something."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    def line(self) -> str:
        """Return what a person is told where it went well."""
        return f"{self.input} → {self.output}"


class Task(Protocol):
    """Work on one file after the other, in this process or, pickled, in others."""

    done: ClassVar[str]  # what a file is afterwards, such as "derained"
    header: ClassVar[str | None]  # printed once above the lines

    def __call__(self, source: Path, target: Path | None, progress: Progress | None = None) -> FileRecord:
        """Do it and tell; never raises for a bad file."""

    def failed(self, source: Path, target: Path | None, error: str) -> FileRecord:
        """Return the record of a file that could not be worked on at all."""


def error_message(error: Exception, source: Path, target: Path | None) -> str:
    """Return a sentence that names the file; errors of files name theirs already."""
    reason = str(error) or type(error).__name__
    if isinstance(error, MemoryError):
        reason = f"does not fit into memory ({reason}); use fewer --jobs or a smaller image"
    elif isinstance(error, OSError) and error.filename and error.strerror:
        reason = f"'{error.filename}': {error.strerror}; choose another folder for the results"
    elif not isinstance(error, (ValueError, OSError)):
        reason = f"{type(error).__name__}: {reason}"
    places = [source] if target is None else [source, target.parent]
    named = any(f"'{path}" in reason for path in places if str(path) != ".")
    return reason if named else f"'{source}': {reason}"


def is_there(path: Path) -> bool:
    """Tell whether a result exists.

    Raises
    ------
    IsADirectoryError
        If a folder has its name.
    """
    if path.is_dir():
        raise IsADirectoryError(f"a folder has the name of the result '{path}'; choose another for the results")
    return path.exists()
