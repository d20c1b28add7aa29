"""The chain of directories of a TIFF file, and of raw photographs, which are built alike."""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple

from rainopt.io.images.exif import Tags, read_directory
from rainopt.io.images.metadata import UnreadableImageError

SUBFILE, PHOTOMETRIC, SUBDIRECTORIES, DNG_VERSION = 254, 262, 330, 50706
CFA, LINEAR_RAW = 32803, 34892
REDUCED, MASK = 1, 4
# More pictures than anybody keeps in one file: an endless chain asks for endless memory.
_MOST = 65_536
_LOOKED_AT = frozenset({SUBFILE, PHOTOMETRIC, SUBDIRECTORIES, DNG_VERSION})
_RAW_DIRECTORIES = 32  # as many are looked at; no camera writes more


class Head(NamedTuple):
    """What the first bytes of a TIFF file say."""

    order: str
    wide: bool
    first: int


def read_head(file: BinaryIO) -> Head:
    """Read byte order, kind and the place of the first directory; the number of TIFF may be that of a raw format."""
    file.seek(0)
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    wide = head[2:4] in (b"+\0", b"\0+")
    (first,) = struct.unpack_from(order + ("Q" if wide else "I"), head, 8 if wide else 4)
    return Head(order, wide, first)


def chain(file: BinaryIO, head: Head) -> list[int]:
    """Return the places of all directories; a chain that runs in a circle is an error."""
    size = file.seek(0, 2)
    count_form, entry, link_form = ("Q", 20, "Q") if head.wide else ("H", 12, "I")
    at, found, seen = head.first, list[int](), set[int]()
    while at:
        if at in seen or len(found) == _MOST:
            raise UnreadableImageError("is a damaged TIFF file: its directories have no end; obtain a fresh copy")
        if at >= size:
            break
        file.seek(at)
        try:
            (count,) = struct.unpack(head.order + count_form, file.read(struct.calcsize(count_form)))
            file.seek(count * entry, 1)
            link = file.read(struct.calcsize(link_form))
            found.append(at)
            seen.add(at)
            (at,) = struct.unpack(head.order + link_form, link)
        except (struct.error, OSError, OverflowError):
            break
    if not found:
        raise UnreadableImageError("is a truncated or damaged TIFF file: it has no directory; obtain a fresh copy")
    return found


def number(tags: Tags, tag: int, default: int = 0) -> int:
    """Return a tag's first whole number."""
    kind, _, value = tags.get(tag, (0, 0, b""))
    size = {1: 1, 3: 2, 4: 4, 13: 4, 16: 8}.get(kind)
    return default if size is None or len(value) < size else int.from_bytes(value[:size], "little")


def _numbers(tags: Tags, tag: int) -> list[int]:
    kind, count, value = tags.get(tag, (0, 0, b""))
    size = {4: 4, 13: 4, 16: 8, 18: 8}.get(kind)
    return [] if size is None else [int.from_bytes(value[k * size : (k + 1) * size], "little") for k in range(count)]


def holds_raw_data(file: BinaryIO) -> bool:
    """Tell whether a TIFF file is a raw photograph: a DNG, a mosaic somewhere, or previews alone."""
    head = read_head(file)
    reduced = []
    for place in chain(file, head)[:_RAW_DIRECTORIES]:
        tags = _looked_at(file, place, head)
        if DNG_VERSION in tags or number(tags, PHOTOMETRIC) in (CFA, LINEAR_RAW):
            return True
        below = _numbers(tags, SUBDIRECTORIES)[:_RAW_DIRECTORIES]
        if any(number(_looked_at(file, at, head), PHOTOMETRIC) in (CFA, LINEAR_RAW) for at in below):
            return True
        reduced.append(bool(number(tags, SUBFILE) & REDUCED) and bool(below))
    return all(reduced)


def _looked_at(file: BinaryIO, place: int, head: Head) -> Tags:
    try:
        return read_directory(file, place, head.order, head.wide, _LOOKED_AT)
    except (struct.error, OverflowError, OSError, ValueError):
        return {}
