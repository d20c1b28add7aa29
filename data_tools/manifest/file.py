"""Manifest of a dataset: one JSON object a line, so that a run that was interrupted goes on where it stopped.

`manifest.jsonl` lies in the dataset's folder, in UTF-8. Its first line is the header, each further line one pair or
one sequence. A line is whole when a line feed ends it; that is how a line torn by a kill or a full disk is known.
"""

import logging
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from data_tools.manifest.paths import LinkCheck, ManifestError, resolve_path
from data_tools.manifest.pictures import Picture, pictures_of
from data_tools.manifest.record import (
    ManifestHeader,
    ManifestPart,
    PairFrame,
    PairRecord,
    is_whole,
    parse_line,
    to_line,
)
from rainopt.io.atomic import WriteError, replacing

if sys.platform != "win32":
    import fcntl

__all__ = [
    "MANIFEST_NAME",
    "Manifest",
    "ManifestError",
    "ManifestHeader",
    "PairFrame",
    "PairRecord",
    "append_record",
    "read_manifest",
    "write_manifest",
]

MANIFEST_NAME = "manifest.jsonl"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Manifest:
    """What a manifest holds; `faults` says which lines were dropped by a reading with repair, if some were."""

    folder: Path
    header: ManifestHeader
    records: tuple[PairRecord, ...]
    faults: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[PairRecord]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def pictures(self) -> Iterator[Picture]:
        """Yield the rainy pictures, sequences frame by frame."""
        for record in self.records:
            yield from pictures_of(record, self.header)

    def path(self, relative: str) -> Path:
        """Return where a path of a record lies."""
        return resolve_path(self.folder, relative)


def read_manifest(path: str | os.PathLike[str], *, repair: bool = False) -> Manifest:
    """Read a manifest; the files that it names need not be there.

    A last line without line feed that is no whole JSON object is torn: writing it was interrupted. A line that is an
    earlier one again, byte for byte, says nothing new: two runs wrote one folder at a time when nothing kept them from
    it. With `repair` such lines are left out of the result and `Manifest.faults` says so; the file is not touched, and
    `append_record` cuts a torn line off.

    Parameters
    ----------
    path : str or path-like
        The manifest, or the folder that holds `manifest.jsonl`.
    repair : bool
        Whether a torn last line and repeated ones are dropped; otherwise they are errors, as every other broken line
        always is.

    Raises
    ------
    ManifestError
        If the file cannot be read, or a line is not as it must be; the message names line and field.
    """
    file = _manifest_file(path)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ManifestError(f"'{file}' cannot be read ({error.strerror or error})") from error
    *lines, last = content.split(b"\n")
    torn = None
    if last.strip():
        if lines and not is_whole(last):
            torn = f"'{file}', line {len(lines) + 1} is torn: writing it was interrupted"
            if not repair:
                raise ManifestError(f"{torn}; read with `repair=True` to leave it out")
        else:
            lines.append(last)
    if not lines:
        raise ManifestError(f"'{file}' is empty; its first line must be the header")

    check_link = LinkCheck(file.parent)
    header, records, seen = ManifestHeader(), [], dict[str, int]()
    repeated: list[int] = []
    for number, line in enumerate(lines, 1):
        if number > 1 and not line.strip():
            continue
        try:
            values = parse_line(line)
            if number == 1:
                is_header = isinstance(values, dict) and "format" in values
                header = ManifestHeader.parse(values if is_header else {"format": None})
                continue
            record = PairRecord.parse(values)
            if record.id in seen:
                first = seen[record.id]
                if line.strip() != lines[first - 1].strip():
                    raise ManifestError(
                        f"`id` {record.id!r} is that of line {first} already, which says something else of it; remove "
                        "the line whose files or checksums are not those that are there"
                    )
                if not repair:
                    raise ManifestError(
                        f"`id` {record.id!r} is that of line {first} already, which it repeats; remove the line, or "
                        "read with `repair=True` to leave it out"
                    )
                repeated.append(number)
                continue
            for named in record.paths:
                check_link(named)
        except ManifestError as error:
            raise ManifestError(f"'{file}', line {number}: {error}") from None
        seen[record.id] = number
        records.append(record)
    faults = [torn] if torn else []
    if repeated:
        which = f"line {repeated[0]} repeats" if len(repeated) == 1 else f"{len(repeated)} lines repeat"
        faults.append(f"'{file}': {which} what earlier ones say; two runs have written it at once")
    return Manifest(file.parent, header, tuple(records), tuple(faults))


def write_manifest(
    folder: str | os.PathLike[str],
    records: Iterable[PairRecord],
    header: ManifestHeader | None = None,
    *,
    overwrite: bool = True,
) -> Path:
    """Write a manifest, whole or not at all: beside its place and renamed into it.

    Raises
    ------
    ManifestError
        If two records share an id, a path leads outside the folder, or writing fails; the file that was there stays.
    """
    file = _manifest_file(folder)
    records = list(records)
    seen = set[str]()
    check_link = LinkCheck(file.parent)
    for record in records:
        if record.id in seen:
            raise ManifestError(f"`id` {record.id!r} is that of two records")
        seen.add(record.id)
        for named in record.paths:
            check_link(named)
    with _locked(file):
        _write(file, [header or ManifestHeader(), *records], overwrite)
    return file


def append_record(folder: str | os.PathLike[str], record: PairRecord, header: ManifestHeader | None = None) -> Path:
    """Add a record to a manifest and return when it is on the disk; a manifest that is not there is begun.

    A torn last line, left by a run that was killed, is cut off first, which is logged as a warning. Processes
    that append to one manifest wait for each other, except under Windows. `header` serves a new manifest only. That
    ids differ is checked when reading.

    Raises
    ------
    ManifestError
        If a path leads outside the folder or writing fails; then the manifest is as it was.
    """
    file = _manifest_file(folder)
    check_link = LinkCheck(file.parent)
    for named in record.paths:
        check_link(named)
    line = to_line(record)
    with _locked(file):
        if not file.exists():
            _write(file, [header or ManifestHeader()], overwrite=False)
        try:
            with open(file, "r+b", buffering=0) as out:
                _append(out, line, file)
        except OSError as error:
            raise ManifestError(f"'{file}' cannot be written ({error.strerror or error}); check the disk") from error
    return file


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold a lock against other writers of the manifest; in the end, bring the folder's names to the disk."""
    if sys.platform == "win32":
        yield
        return
    try:
        folder = os.open(file.parent, os.O_RDONLY)
    except OSError as error:
        raise ManifestError(f"'{file}' cannot be written ({error.strerror}); create its folder first") from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
        os.fsync(folder)
    finally:
        os.close(folder)


def _write(file: Path, parts: Sequence[ManifestPart], overwrite: bool) -> None:
    content = b"".join(to_line(part) for part in parts)
    try:
        with replacing(file, overwrite) as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
    except WriteError as error:
        raise ManifestError(str(error)) from error


def _append(out: Any, line: bytes, file: Path) -> None:
    end = out.seek(0, os.SEEK_END)
    tail = _unended(out, end)
    if len(tail) == end:
        if not is_whole(tail):
            raise ManifestError(f"'{file}' has no whole header; remove it, or restore it")
    elif tail and not is_whole(tail):
        _log.warning("'%s': the last line is torn and is cut off: writing it was interrupted", file)
        end -= len(tail)
        tail = b""
        out.truncate(end)
    out.seek(end)
    rest = b"\n" + line if tail else line
    try:
        while rest:
            rest = rest[out.write(rest) :]
        os.fsync(out.fileno())
    except BaseException:
        out.truncate(end)
        raise


def _unended(out: BinaryIO, end: int) -> bytes:
    """Return what follows the last line feed of a file."""
    tail = b""
    while end and b"\n" not in tail:
        step = min(end, 1 << 16)
        end -= step
        out.seek(end)
        tail = out.read(step) + tail
    return tail.rpartition(b"\n")[2]


def _manifest_file(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    return path if path.suffix == ".jsonl" and not path.is_dir() else path / MANIFEST_NAME
