"""The boxes of AVIF files (ISO/IEC 23008-12): what is said of the picture, before and beside its decoding."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from rainopt.io.images.metadata import UnreadableImageError, turn_upright

_MOST = 64 << 20  # bytes of all that describes the picture
_GAIN_MAP = b"tmap"


@dataclass
class Item:
    """A thing in the file: a picture, a part of one, or a description."""

    kind: bytes = b""
    content_type: bytes = b""
    extents: list[tuple[int, int]] = field(default_factory=list)
    inside: bool = False  # whether its bytes lie among the boxes themselves
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)


@dataclass
class Boxes:
    """What the boxes of one file say."""

    brands: frozenset[bytes] = frozenset()
    primary: int = 0
    items: dict[int, Item] = field(default_factory=dict)
    frames: int = 1
    idat: bytes = b""

    def first(self, name: bytes) -> bytes | None:
        """Return the first property of that name of the primary picture."""
        return next((data for kind, data in self.item.properties if kind == name), None)

    @property
    def item(self) -> Item:
        """The primary picture."""
        if self.primary not in self.items:
            raise UnreadableImageError("holds no picture that is said to be the first; obtain a fresh copy")
        return self.items[self.primary]

    @property
    def orientation(self) -> int:
        """The EXIF orientation that says what rotation and mirroring say."""
        plain = np.arange(6).reshape(2, 3)
        turned = np.rot90(plain, (self.first(b"irot") or b"\0")[0] & 3)
        mirrored = self.first(b"imir")
        if mirrored is not None:
            turned = turned[:, ::-1] if mirrored[0] & 1 else turned[::-1]
        return next(k for k in range(1, 9) if np.array_equal(turn_upright(plain, k), turned))

    @property
    def has_gain_map(self) -> bool:
        """Whether there is a map from which brighter displays make more of the picture."""
        return any(item.kind == _GAIN_MAP for item in self.items.values())

    def content(self, file: BinaryIO, item: Item) -> bytes:
        """Return the bytes of an item."""
        out = b""
        for offset, length in item.extents:
            if len(out) + length > _MOST:
                raise UnreadableImageError(f"describes itself in more than {_MOST} bytes; obtain a fresh copy")
            if item.inside:
                out += self.idat[offset : offset + length]
            else:
                file.seek(offset)
                out += file.read(length)
        return out


def read_brands(head: bytes) -> frozenset[bytes]:
    """Return the brands of a file that begins with a box of file types."""
    if head[4:8] != b"ftyp":
        return frozenset()
    end = min(len(head), int.from_bytes(head[:4], "big"))
    return frozenset({head[8:12], *(head[k : k + 4] for k in range(16, end - 3, 4))})


def read_boxes(file: BinaryIO) -> Boxes:
    """Read what there is beside the data of the pictures."""
    found = Boxes()
    size = at = 0
    end = file.seek(0, 2)
    while at + 8 <= end:
        file.seek(at)
        head = file.read(16)
        size, name = struct.unpack_from(">I4s", head)
        behind = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", head, 8)
            behind = 16
        size = size or end - at
        if size < behind or at + size > end:
            raise UnreadableImageError("is a truncated or damaged AVIF file: a box ends behind it; obtain a whole copy")
        if name in (b"ftyp", b"meta", b"moov"):
            if size > _MOST:
                raise UnreadableImageError(f"describes itself in more than {_MOST} bytes; obtain a fresh copy")
            file.seek(at)
            content = file.read(size)
            if name == b"ftyp":
                found.brands = read_brands(content)
            elif name == b"meta":
                _read_meta(content[behind + 4 :], found)
            elif b"avis" in found.brands:
                found.frames = max(1, _count_frames(content[behind:]))
        at += size
    return found


def _inner(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and content of the boxes in a box."""
    at = 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        behind = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            behind = 16
        size = size or len(data) - at
        if size < behind:
            return
        yield name, data[at + behind : at + size]
        at += size


def _count_frames(moov: bytes) -> int:
    """Return the number of frames of the longest track."""
    most = 0
    for name, content in _inner(moov):
        if name in (b"trak", b"mdia", b"minf", b"stbl"):
            most = max(most, _count_frames(content))
        elif name == b"stsz":
            most = max(most, struct.unpack_from(">I", content, 8)[0])
    return most


def _read_meta(data: bytes, found: Boxes) -> None:
    properties: list[tuple[bytes, bytes]] = []
    associations: list[bytes] = []
    for name, content in _inner(data):
        if name == b"pitm":
            (found.primary,) = struct.unpack_from(">I" if content[0] else ">H", content, 4)
        elif name == b"iinf":
            _read_infos(content, found)
        elif name == b"iloc":
            _read_places(content, found)
        elif name == b"idat":
            found.idat = content
        elif name == b"iprp":
            for inner, part in _inner(content):
                if inner == b"ipco":
                    properties = list(_inner(part))
                elif inner == b"ipma":
                    associations.append(part)
    for part in associations:
        _associate(part, properties, found)


def _read_infos(data: bytes, found: Boxes) -> None:
    for name, content in _inner(data[8 if data[0] else 6 :]):
        if name != b"infe" or content[0] < 2:
            continue
        form = ">I2x4s" if content[0] >= 3 else ">H2x4s"
        number, kind = struct.unpack_from(form, content, 4)
        item = found.items.setdefault(number, Item())
        item.kind = kind
        if kind == b"mime":
            item.content_type = content[4 + struct.calcsize(form) :].split(b"\0")[1]


def _read_places(data: bytes, found: Boxes) -> None:
    version = data[0]
    offset_size, length_size, base_size, index_size = data[4] >> 4, data[4] & 15, data[5] >> 4, data[5] & 15
    at = 6

    def take(size: int) -> int:
        nonlocal at
        if at + size > len(data):
            raise struct.error("places of items end early")
        at += size
        return int.from_bytes(data[at - size : at], "big")

    for _ in range(take(2 if version < 2 else 4)):
        item = found.items.setdefault(take(2 if version < 2 else 4), Item())
        item.inside = bool(version and take(2) & 15 == 1)
        take(2)
        base = take(base_size)
        for _ in range(take(2)):
            if version and index_size:
                take(index_size)
            offset = base + take(offset_size)
            item.extents.append((offset, take(length_size)))


def _associate(data: bytes, properties: list[tuple[bytes, bytes]], found: Boxes) -> None:
    wide_items, wide_places = data[0] >= 1, data[3] & 1
    (count,) = struct.unpack_from(">I", data, 4)
    at = 8
    for _ in range(count):
        (number,) = struct.unpack_from(">I" if wide_items else ">H", data, at)
        at += 4 if wide_items else 2
        places = data[at]
        at += 1
        for _ in range(places):
            place = struct.unpack_from(">H", data, at)[0] & 0x7FFF if wide_places else data[at] & 0x7F
            at += 2 if wide_places else 1
            if 0 < place <= len(properties) and number in found.items:
                found.items[number].properties.append(properties[place - 1])
