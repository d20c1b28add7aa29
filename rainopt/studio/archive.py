"""Results of uploads in one ZIP file, written while it is sent: no picture is held in memory, or on the disk twice."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from rainopt.studio.pictures import Picture
from rainopt.studio.results import Results

NAME = "derained.zip"
BLOCK = 1 << 20


class Entry(NamedTuple):
    """A picture whose result is packed: under which name, and where it is."""

    picture: Picture
    name: str
    file: Path


class Left(NamedTuple):
    """An upload that is left out, and why."""

    name: str
    error: str


def gathered(pictures: Sequence[Picture], results: Results) -> tuple[list[Entry], list[Left]]:
    """Return the results of uploads for what is asked of them now, each under a name of its own, and what is left out.

    Files of the command line have places for their results, and are neither.
    """
    entries: list[Entry] = []
    left: list[Left] = []
    taken: set[str] = set()
    for picture in pictures:
        if picture.target is not None:
            continue
        result = results.find(picture, picture.asked)
        if result is None or not result.work.done.is_set():
            left.append(Left(picture.name, "its result is not made yet"))
        elif (failure := result.work.failure()) is not None:
            left.append(Left(picture.name, "its work was given up" if result.work.stopped else failure))
        else:
            name = _free(picture.result_name, taken)
            taken.add(_plain(name))
            entries.append(Entry(picture, name, result.work.target))
    return entries, left


def packed(entries: Sequence[Entry]) -> Iterator[bytes]:
    """Yield a ZIP file of results piece by piece. Pictures are stored as they are: they do not become any smaller.

    Raises
    ------
    OSError
        If a result cannot be read any more; then the file is cut off, so that no browser takes it for whole.
    """
    sink = _Sink()
    archive = ZipFile(sink, "w", ZIP_STORED)
    for entry in entries:
        with open(entry.file, "rb") as file, archive.open(_info(entry), "w") as place:
            while block := file.read(BLOCK):
                place.write(block)
                yield sink.take()
    archive.close()
    yield sink.take()


class _Sink:
    """A file that is handed on as it is written; without a place, so that `zipfile` never goes back in it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: what was written waits to be taken."""

    def close(self) -> None:
        """Do nothing: `zipfile` asks for it, and nothing is open."""

    def take(self) -> bytes:
        """Return what was written since."""
        content = b"".join(self._parts)
        self._parts.clear()
        return content


def _info(entry: Entry) -> ZipInfo:
    state = entry.file.stat()
    year, *rest = time.localtime(state.st_mtime)[:6]
    info = ZipInfo(entry.name, (max(1980, year), *rest))  # type: ignore[arg-type]
    info.external_attr = 0o100644 << 16
    info.file_size = state.st_size  # tells whether the large form is needed
    return info


def _free(name: str, taken: set[str]) -> str:
    """Return a name that no other entry has, with a number where one has it."""
    path, k, free = Path(name), 1, name
    while _plain(free) in taken:
        k += 1
        free = f"{path.stem}_{k}{path.suffix}"
    return free


def _plain(name: str) -> str:
    """Return what names have in common that are one file somewhere, as those that differ in capitals."""
    return unicodedata.normalize("NFC", name).casefold()
