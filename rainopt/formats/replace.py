"""A file written whole or not at all: beside its place, and renamed into it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rainopt.formats.metadata import ImageFileError, ImageFileExistsError


@contextmanager
def replacing(path: Path, overwrite: bool) -> Iterator[BinaryIO]:
    """Open a temporary file that takes the place of `path` when all went well and vanishes when not."""
    place = Path(os.path.realpath(path))  # a link stays, and what it points to is replaced
    if place.is_dir():
        raise ImageFileError(f"'{path}' cannot be written: a folder has that name; choose another")
    if not place.parent.is_dir():
        raise ImageFileError(f"'{path}' cannot be written: there is no folder '{path.parent}'; create it first")
    exists = f"'{path}' exists already and is not replaced; choose another name, or allow it with `overwrite=True`"
    if not overwrite and place.exists():
        raise ImageFileExistsError(exists)
    temporary = place.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "x+b") as file:
            yield file
        if not overwrite and place.exists():
            raise ImageFileExistsError(exists)
        os.replace(temporary, place)
    except ImageFileError:
        raise
    except Exception as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise ImageFileError(
            f"'{path}' cannot be written ({reason}); check the disk space and the rights on its folder"
        ) from error
    finally:
        # Also after an interruption; after success the name is gone already.
        temporary.unlink(missing_ok=True)
