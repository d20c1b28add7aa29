"""Whether a file is still the one that was read: a result must not be made of two contents."""

from __future__ import annotations

import os
from typing import NamedTuple

from rainopt.io.atomic import WriteError


class ChangedError(WriteError):
    """A result that is not written, because its source was changed or replaced while it was worked on."""


class Stamp(NamedTuple):
    """What tells one content of a file from the next, without reading it."""

    device: int
    inode: int
    size: int
    changed: int

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> Stamp:
        """Return the stamp of a file.

        Raises
        ------
        OSError
            If it is not there.
        """
        status = os.stat(path)
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    def require(self, path: str | os.PathLike[str]) -> None:
        """Make sure that a file is still that of this stamp.

        Raises
        ------
        ChangedError
            If it is another one, or gone.
        """
        try:
            same = Stamp.of(path) == self
        except OSError:
            same = False
        if not same:
            raise ChangedError(f"'{path}' was changed while it was worked on; run again when it is complete")
