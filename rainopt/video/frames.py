"""Frames of one shape, kept in memory as long as there is room for them, and in a scratch file from then on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np

MEMORY = 96 << 20  # bytes of frames that are held before they go to the scratch file


class ScratchError(OSError):
    """The scratch file cannot be written: a full disk, most often."""


class FrameStore:
    """Frames in the order in which they came, read back whole or as bands of rows.

    The scratch file has no name: it vanishes with the process, however that ends.

    Parameters
    ----------
    memory : int
        Bytes of frames that are held in memory.
    scratch : path-like, optional
        Folder of the scratch file; by default the system's folder for temporary files.

    Raises
    ------
    ValueError
        If a frame differs from the first in shape or dtype.
    ScratchError
        If the disk is full, or the folder cannot be written.
    """

    def __init__(self, memory: int = MEMORY, scratch: str | os.PathLike[str] | None = None) -> None:
        self._memory = memory
        self.folder = Path(tempfile.gettempdir() if scratch is None else scratch)
        self._held: list[np.ndarray] = []
        self._file: IO[bytes] | None = None
        self._count = 0
        self.shape: tuple[int, ...] = ()
        self.dtype = np.dtype(np.uint8)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[k] for k in range(len(self)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the frames."""
        self._held.clear()
        self._count = 0
        if self._file is not None:
            self._file.close()
            self._file = None

    def append(self, frame: np.ndarray) -> None:
        """Add a frame."""
        if not self._count:
            self.shape, self.dtype = frame.shape, frame.dtype
        elif frame.shape != self.shape or frame.dtype != self.dtype:
            raise ValueError(
                f"frames must be alike; the first is {self.shape} {self.dtype}, frame {self._count} is {frame.shape} "
                f"{frame.dtype}"
            )
        if self._file is None and (self._count + 1) * frame.nbytes <= self._memory:
            self._held.append(np.array(frame))  # a copy: decoders use their buffers again
        else:
            self._spill(frame)
        self._count += 1

    def _spill(self, frame: np.ndarray) -> None:
        try:
            if self._file is None:
                self._file = self._spilled()
                self._held.clear()
            # Where the file stands says nothing, since frames may have been read.
            _write(self._file, self._count * frame.nbytes, frame)
        except OSError as error:
            raise ScratchError(
                error.errno,
                f"'{self.folder}' cannot hold the frames ({error.strerror}; {self._count} of "
                f"{frame.nbytes / 1e6:.0f} MB each so far); choose another scratch folder, or fewer frames",
            ) from error

    def _spilled(self) -> IO[bytes]:
        """Return a scratch file of the frames that are held."""
        # It lives as long as the store, which closes it.
        file = tempfile.TemporaryFile(dir=self.folder, prefix="rainopt-", buffering=0)  # noqa: SIM115
        try:
            for number, held in enumerate(self._held):
                _write(file, number * held.nbytes, held)
        except OSError:
            file.close()
            raise
        return file

    def __getitem__(self, number: int) -> np.ndarray:
        """Return one frame; negative numbers count from the end."""
        if not -len(self) <= number < len(self):
            raise IndexError(f"there are {len(self)} frames, and none of number {number}")
        number %= len(self)
        if self._file is None:
            return self._held[number]
        frame = np.empty(self.shape, self.dtype)
        _read(self._file, number * frame.nbytes, frame)
        return frame

    def band(self, rows: slice, every: slice = slice(None)) -> np.ndarray:
        """Return the same rows of all frames, or of those that ``every`` chooses: (N, rows, ...)."""
        chosen = range(len(self))[every]
        first, last, _ = rows.indices(self.shape[0])
        band = np.empty((len(chosen), max(last - first, 0), *self.shape[1:]), self.dtype)
        row_bytes = int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize
        for target, number in zip(band, chosen, strict=True):
            if self._file is None:
                target[...] = self._held[number][first:last]
            else:
                _read(self._file, (number * self.shape[0] + first) * row_bytes, target)
        return band


def _write(file: IO[bytes], place: int, frame: np.ndarray) -> None:
    rest = _bytes(np.ascontiguousarray(frame))
    file.seek(place)
    while len(rest):
        rest = rest[file.write(rest) :]


def _read(file: IO[bytes], place: int, target: np.ndarray) -> None:
    rest = _bytes(target)
    file.seek(place)
    while len(rest):
        got = file.readinto(rest)  # type: ignore[attr-defined]
        if not got:
            raise ScratchError("the scratch file is shorter than what was written to it; was the disk full?")
        rest = rest[got:]


def _bytes(array: np.ndarray) -> memoryview:
    flat: Any = array.reshape(-1).view(np.uint8)
    return memoryview(flat)
