"""Photoshop's image resources, in which JPEG and TIFF files hold IPTC data: captions, keywords, credits."""

from __future__ import annotations

import struct

PREFIX = b"Photoshop 3.0\0"
IPTC = 0x0404
# What is told elsewhere, would be told twice, or shows the old picture: resolution, thumbnails, profile, EXIF, XMP.
_DROPPED = frozenset({0x03E9, 0x03ED, 0x0409, 0x040C, 0x040F, 0x0422, 0x0423, 0x0424})
_SIGNATURE = b"8BIM"


def resources(block: bytes) -> list[tuple[int, bytes, bytes]]:
    """Return (number, name, data) of all resources of a block; what cannot be followed ends the list."""
    found = []
    at = 0
    while block[at : at + 4] == _SIGNATURE and at + 12 <= len(block):
        (number,) = struct.unpack_from(">H", block, at + 4)
        name_end = at + 7 + block[at + 6]
        size_at = name_end + (name_end - at - 6) % 2  # the name, with its length, is of even size
        if size_at + 4 > len(block):
            break
        (size,) = struct.unpack_from(">I", block, size_at)
        data = block[size_at + 4 : size_at + 4 + size]
        if len(data) != size:
            break
        found.append((number, block[at + 7 : name_end], data))
        at = size_at + 4 + size + size % 2
    return found


def pack(items: list[tuple[int, bytes, bytes]]) -> bytes:
    """Return the block of resources."""
    out = bytearray()
    for number, name, data in items:
        named = bytes([len(name)]) + name
        out += _SIGNATURE + struct.pack(">H", number) + named + b"\0" * (len(named) % 2)
        out += struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)
    return bytes(out)


def kept(block: bytes | None, iptc: bytes | None = None) -> bytes | None:
    """Return what stays true of a picture whose pixels change; ``iptc`` is taken where the block has none."""
    items = [item for item in resources(block or b"") if item[0] not in _DROPPED]
    if iptc and not any(number == IPTC for number, _, _ in items):
        items.insert(0, (IPTC, b"", iptc))
    return pack(items) or None


def iptc_of(block: bytes | None) -> bytes | None:
    """Return the IPTC data of a block."""
    return next((data for number, _, data in resources(block or b"") if number == IPTC), None)
