"""A file written whole or not at all: beside its place, and renamed into it."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class WriteError(OSError, ValueError):
    """A file that cannot be written; one sentence names it, what is wrong, and what to do."""


class FileThereError(WriteError, FileExistsError):
    """A file that is there already and was not to be replaced."""


@contextmanager
def replacing(path: Path, overwrite: bool) -> Iterator[BinaryIO]:
    """Open a temporary file that takes the place of `path` when all went well and vanishes when not.

    Raises
    ------
    FileThereError
        If the file exists and ``overwrite`` is False.
    WriteError
        If a folder has that name, there is no folder for it, or anything goes wrong in the body.
    """
    place = Path(os.path.realpath(path))  # a link stays, and what it points to is replaced
    if place.is_dir():
        raise WriteError(f"'{path}' cannot be written: a folder has that name; choose another")
    if not place.parent.is_dir():
        raise WriteError(f"'{path}' cannot be written: there is no folder '{path.parent}'; create it first")
    exists = f"'{path}' exists already and is not replaced; choose another name, or allow it with `overwrite=True`"
    if not overwrite and place.exists():
        raise FileThereError(exists)
    _remove_leftovers(place)
    temporary = place.with_name(f"{_prefix(place)}{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "x+b") as file:
            yield file
        if overwrite:
            os.replace(temporary, place)
        else:
            _place(temporary, place, exists)
    except WriteError:
        raise
    except Exception as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise WriteError(
            f"'{path}' cannot be written ({reason}); check the disk space and the rights on its folder"
        ) from error
    finally:
        # Also after an interruption; after success the name is gone already.
        temporary.unlink(missing_ok=True)


def _place(temporary: Path, place: Path, exists: str) -> None:
    """Give a file its name unless another run was first."""
    try:
        os.link(temporary, place)
    except FileExistsError:
        raise FileThereError(exists) from None
    except (OSError, NotImplementedError):
        # A file system without a second name for a file: two runs may meet here, and the later one replaces.
        if place.exists():
            raise FileThereError(exists) from None
        os.replace(temporary, place)


def _prefix(place: Path) -> str:
    # A digest, because the name itself may be as long as names can be.
    return f".{hashlib.sha256(os.fsencode(place.name)).hexdigest()[:16]}."


def _remove_leftovers(place: Path) -> None:
    """Remove what processes that were killed in mid-write left of this very file."""
    for leftover in place.parent.glob(f"{_prefix(place)}*.tmp"):
        owner = leftover.name.split(".")[2]
        if owner.isdecimal() and not _is_alive(int(owner)):
            leftover.unlink(missing_ok=True)


def _is_alive(process: int) -> bool:
    if os.name != "posix":
        return True  # asking would end the process there
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
