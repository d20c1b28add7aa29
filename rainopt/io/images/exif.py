"""EXIF data: made upright in place, and moved into and out of the directories (IFDs) of a TIFF file."""

from __future__ import annotations

import io
import struct
from typing import Any, BinaryIO

import numpy as np

PREFIX = b"Exif\0\0"
ORIENTATION = 0x0112
_WIDTH, _HEIGHT = 0xA002, 0xA003  # of the whole picture, in pixels
# Directories reached through a tag: Exif, GPS, and Interoperability inside Exif.
SUBDIRECTORIES = (0x8769, 0x8825, 0xA005)
# Tags that describe the photograph rather than the layout of a TIFF file: description, make, model, software, date,
# artist, host, rating, copyright, and Windows' title, comment, author, keywords, subject.
DESCRIPTIVE = frozenset(
    {270, 271, 272, 305, 306, 315, 316, 0x4746, 0x4749, 33432, *range(0x9C9B, 0x9CA0), 0x8769, 0x8825}
)
# By TIFF type: the bytes of an item that byte order swaps, and the items in one value.
_TYPES = {1: (1, 1), 2: (1, 1), 3: (2, 1), 4: (4, 1), 5: (4, 2), 6: (1, 1), 7: (1, 1), 8: (2, 1), 9: (4, 1)}
_TYPES |= {10: (4, 2), 11: (4, 1), 12: (8, 1), 13: (4, 1), 16: (8, 1), 17: (8, 1), 18: (8, 1)}
# Beyond this, a number is damaged rather than large, and would only ask for memory.
_MAX_TAGS = 1 << 16
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}

# A tag's type, count, and value: little-endian bytes, or the directory that it points to.
Tags = dict[int, tuple[int, int, Any]]


def make_upright(exif: bytes | None) -> tuple[bytes | None, int]:
    """Return EXIF data with the orientation reset and the thumbnail dropped, and the orientation that they named.

    The bytes are patched rather than packed anew, because makers' notes hold offsets that would no longer be right.
    Data that cannot be followed are dropped, and the orientation is then 1.
    """
    if not exif:
        return None, 1
    data = bytearray(exif.removeprefix(PREFIX))
    order = _BYTE_ORDERS.get(bytes(data[:4]))
    if order is None:
        return None, 1
    orientation, below = 1, 0
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        link = start + 2 + 12 * count
        for entry in range(start + 2, link, 12):
            tag, kind = struct.unpack_from(order + "HH", data, entry)
            if tag == ORIENTATION:
                (orientation,) = struct.unpack_from(order + ("I" if kind == 4 else "H"), data, entry + 8)
                struct.pack_into(order + "HHIHH", data, entry, ORIENTATION, 3, 1, 1, 0)
            elif tag == SUBDIRECTORIES[0]:
                (below,) = struct.unpack_from(order + "I", data, entry + 8)
        if 5 <= orientation <= 8 and below:
            _exchange_sizes(data, order, below)
        if link + 4 <= len(data):
            _drop_thumbnail(data, order, link)
    except struct.error:
        return None, 1
    return bytes(data), orientation if 1 <= orientation <= 8 else 1


def _exchange_sizes(data: bytearray, order: str, start: int) -> None:
    """Let the width and height that a directory tells be those of the picture on its side."""
    (count,) = struct.unpack_from(order + "H", data, start)
    places = {}
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        (tag,) = struct.unpack_from(order + "H", data, entry)
        if tag in (_WIDTH, _HEIGHT):
            places[tag] = slice(entry + 2, entry + 12)
    if len(places) == 2:
        width, height = places[_WIDTH], places[_HEIGHT]
        data[width], data[height] = data[height], data[width]


def damage(given: bytes | None, kept: bytes | None) -> tuple[str, ...]:
    """Return what is to be told where EXIF data were given and could not be kept."""
    return ("without the EXIF data, which are damaged",) if given and not kept else ()


def without_orientation(exif: bytes) -> bytes | None:
    """Return EXIF data that name no orientation, everything else in its place; None if they cannot be followed."""
    if not _tags(exif, frozenset(range(0x10000))):
        return None
    data, order = bytearray(exif), _BYTE_ORDERS[exif[:4]]
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from(order + "H", data, entry)[0] == ORIENTATION:
            end = start + 2 + 12 * count + 4  # behind the link to the next directory
            data[entry : end - 12] = data[entry + 12 : end]
            data[end - 12 : end] = bytes(12)
            struct.pack_into(order + "H", data, start, count - 1)
            break
    return bytes(data)


def _drop_thumbnail(data: bytearray, order: str, link: int) -> None:
    (start,) = struct.unpack_from(order + "I", data, link)
    struct.pack_into(order + "I", data, link, 0)
    if not link < start < len(data) - 2:
        return
    (count,) = struct.unpack_from(order + "H", data, start)
    found = {}
    for entry in range(start + 2, min(start + 2 + 12 * count, len(data) - 11), 12):
        tag, _, _, value = struct.unpack_from(order + "HHII", data, entry)
        found[tag] = value
    offset, length = found.get(0x0201, found.get(0x0111, 0)), found.get(0x0202, found.get(0x0117, 0))
    if link < offset and offset + length <= len(data):
        if offset + length == len(data):
            del data[offset:]
        else:
            data[offset : offset + length] = bytes(length)


def read_directory(
    file: BinaryIO,
    offset: int,
    order: str,
    wide: bool = False,
    only: frozenset[int] | None = None,
    budget: list[int] | None = None,
) -> Tags:
    """Read the tags of one TIFF directory (a BigTIFF one if `wide`) and of the EXIF directories below it.

    Values that lie on top of one another are those of a file made to fill the memory: together, they may be no longer
    than the file. ``budget`` holds what is left of that.
    """
    if budget is None:
        budget = [file.seek(0, 2)]
    head, entry, inline = ("Q", "HHQ8s", 8) if wide else ("H", "HHI4s", 4)
    size = struct.calcsize("<" + entry)
    file.seek(offset)
    (count,) = struct.unpack(order + head, file.read(struct.calcsize("<" + head)))
    if count > _MAX_TAGS:
        raise struct.error(f"a directory of {count} tags")
    entries = file.read(count * size)
    tags: Tags = {}
    for tag, kind, number, field in struct.iter_unpack(order + entry, entries):
        if kind not in _TYPES or (only is not None and tag not in only):
            continue
        itemsize, items = _TYPES[kind]
        length = itemsize * items * number
        pointer = struct.unpack(order + ("Q" if wide else "I"), field)[0]
        if tag in SUBDIRECTORIES:
            if kind == 4:
                (pointer,) = struct.unpack_from(order + "I", field)
            below = frozenset(range(0x10000)) - {*SUBDIRECTORIES} | ({0xA005} if tag == 0x8769 else set())
            tags[tag] = (4, 1, read_directory(file, pointer, order, wide, below, budget))
            continue
        value = field[:length]
        if length > inline:
            budget[0] -= length
            if budget[0] < 0:
                raise struct.error("values longer than the file")
            file.seek(pointer)
            value = file.read(length)
        if len(value) != length:
            raise struct.error(f"the value of tag {tag} ends early")
        if order == ">":
            value = np.frombuffer(value, f">u{itemsize}").astype(f"<u{itemsize}").tobytes()
        tags[tag] = (kind, number, value)
    return tags


def pack_directory(tags: Tags, offset: int, wide: bool = False) -> bytes:
    """Return a little-endian TIFF directory, and what it points to, to be placed at `offset` of a file."""
    head, entry, inline = ("<Q", "<HHQ", 8) if wide else ("<H", "<HHI", 4)
    whole = "<Q" if wide else "<I"
    entries = bytearray(struct.pack(head, len(tags)))
    below = bytearray()
    start = offset + struct.calcsize(head) + len(tags) * (struct.calcsize(entry) + inline) + inline
    for tag in sorted(tags):
        kind, number, value = tags[tag]
        if isinstance(value, dict) or len(value) > inline:
            pointer = start + len(below)
            if isinstance(value, dict):
                kind, value = (16 if wide else 4), pack_directory(value, pointer, wide)
            below += value + b"\0" * (len(value) % 2)
            value = struct.pack(whole, pointer)
        entries += struct.pack(entry, tag, kind, number) + value.ljust(inline, b"\0")
    return bytes(entries + bytes(inline) + below)


def resolution_of(exif: bytes | None) -> tuple[float, float] | None:
    """Return pixels an inch along a row and a column, where EXIF data tell them."""
    tags = _tags(exif, frozenset({282, 283, 296}))
    try:
        (x, over), (y, under) = (struct.unpack("<II", tags[tag][2]) for tag in (282, 283))
        unit = struct.unpack("<H", tags[296][2])[0] if 296 in tags else 2
    except (KeyError, struct.error):
        return None
    scale = {2: 1.0, 3: 2.54}.get(unit)
    return (scale * x / over, scale * y / under) if scale and x and y and over and under else None


def with_resolution(exif: bytes | None, resolution: tuple[float, float]) -> bytes | None:
    """Return EXIF data that tell a resolution, which those that tell one already do, whichever it is.

    The first directory is written anew behind the rest, whose places makers' notes may refer to.
    """
    if max(resolution) * 10_000 > 0xFFFFFFFF:
        return exif  # no number of pixels an inch
    pairs = [(round(value * 10_000), 10_000) for value in resolution]
    if not exif:
        x, y = (struct.pack("<II", *pair) for pair in pairs)
        return from_tags({282: (5, 1, x), 283: (5, 1, y), 296: (3, 1, struct.pack("<H", 2))})
    if resolution_of(exif) or not _tags(exif, frozenset(range(0x10000))):
        return exif
    order = _BYTE_ORDERS[exif[:4]]
    (start,) = struct.unpack_from(order + "I", exif, 4)
    (count,) = struct.unpack_from(order + "H", exif, start)
    data = bytearray(exif) + b"\0" * (len(exif) % 2)
    entries = [exif[at : at + 12] for at in range(start + 2, start + 2 + 12 * count, 12)]
    entries = [entry for entry in entries if struct.unpack_from(order + "H", entry)[0] not in (282, 283, 296)]
    for tag, pair in zip((282, 283), pairs, strict=True):
        entries.append(struct.pack(order + "HHII", tag, 5, 1, len(data)))
        data += struct.pack(order + "II", *pair)
    entries.append(struct.pack(order + "HHIHH", 296, 3, 1, 2, 0))
    entries.sort(key=lambda entry: struct.unpack_from(order + "H", entry)[0])
    struct.pack_into(order + "I", data, 4, len(data))
    return bytes(data) + struct.pack(order + "H", len(entries)) + b"".join(entries) + bytes(4)


def from_tags(tags: Tags) -> bytes | None:
    """Pack the tags of a TIFF file as EXIF data, the form in which other formats hold them."""
    return b"II*\0" + struct.pack("<I", 8) + pack_directory(tags, 8) if tags else None


def to_tags(exif: bytes | None) -> Tags:
    """Return the descriptive tags of EXIF data, the form in which TIFF holds them; none if they cannot be followed."""
    return _tags(exif, DESCRIPTIVE)


def _tags(exif: bytes | None, only: frozenset[int]) -> Tags:
    order = _BYTE_ORDERS.get((exif or b"")[:4])
    if not exif or order is None:
        return {}
    try:
        return read_directory(io.BytesIO(exif), struct.unpack_from(order + "I", exif, 4)[0], order, only=only)
    except (struct.error, OverflowError):
        return {}
