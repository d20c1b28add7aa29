"""What a command does with each file, and the record that it leaves: what the runner and the report know of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from rainopt.io.claim import ClaimedError, claimed

Progress = Callable[[float], None]
TRIES = 3

NO_RAIN = "no rain seen"
"""Why a picture or video is left as it is."""


@dataclass(frozen=True)
class FileRecord:
    """What became of one file; a line of ``--json``.

    Attributes
    ----------
    status
        "ok", "skipped" (all results were there) or "failed".
    error
        Why it failed.
    untouched
        Why nothing was taken off a picture or video, where that is so; its status is "ok" all the same.
    """

    input: str
    output: str | None
    status: str
    error: str | None = None
    untouched: str | None = field(default=None, kw_only=True)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that say something."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    def line(self) -> str:
        """Return what a person is told where it went well."""
        return f"{self.input} → {self.output}"


class Task(Protocol):
    """Work on one file after the other, in this process or, pickled, in others.

    One that writes more than the output of its records has a method ``results(target)`` that names all.
    """

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


@contextmanager
def writing_alone(target: Path) -> Iterator[None]:
    """Hold a result, and what is written beside it, for this run; its folder is made, and goes again if nothing is
    written for an error.

    Raises
    ------
    ClaimedError
        If another run writes it.
    OSError
        If nothing can be written there.
    """
    # A name may be as long as names can be.
    name = target.name if len(os.fsencode(target.name)) < 200 else hashlib.sha256(os.fsencode(target.name)).hexdigest()
    with _made(target.parent), ExitStack() as stack:
        try:
            stack.enter_context(_claimed(target.with_name(f".{name}.lock"), target))
        except ClaimedError:
            raise
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(target)) from error
        yield


@contextmanager
def _claimed(lock: Path, target: Path) -> Iterator[None]:
    """Hold a lock whose folder another run may take away at this very moment, as `_made` does."""
    with ExitStack() as stack:
        for left in reversed(range(TRIES)):
            try:
                stack.enter_context(claimed(lock, target))
                break
            except FileNotFoundError:
                if not left:
                    raise
                lock.parent.mkdir(parents=True, exist_ok=True)
        yield


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder; what of it was not there before goes with an error, unless something is in it."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for one in missing:
                one.rmdir()
        raise
