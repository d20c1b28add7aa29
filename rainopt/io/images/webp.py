"""WebP, decoded by OpenCV; the container is read here, since OpenCV neither applies nor hands out what it says."""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np

from rainopt.io.images import opencv, xmp
from rainopt.io.images.exif import damage, make_upright
from rainopt.io.images.metadata import ImageHeader, ImageMetadata, UnreadableImageError

_TRUNCATED = "is a truncated WebP file: it is shorter than its header says; obtain a whole copy"


def read_header(file: BinaryIO) -> ImageHeader:
    """Read the size, orientation and metadata of a WebP file by stepping from chunk to chunk."""
    actual = file.seek(0, 2)
    file.seek(4)
    end = 8 + struct.unpack("<I", file.read(4))[0]
    if actual < end:
        raise UnreadableImageError(_TRUNCATED)
    file.seek(12)
    size: tuple[int, int] | None = None
    frames = 0
    icc = exif = packet = None
    while file.tell() + 8 <= end:
        name, length = struct.unpack("<4sI", file.read(8))
        following = file.tell() + length + length % 2
        if file.tell() + length > actual:
            raise UnreadableImageError(_TRUNCATED)
        if name == b"VP8X":
            head = file.read(10)
            size = 1 + int.from_bytes(head[7:10], "little"), 1 + int.from_bytes(head[4:7], "little")
        elif name == b"VP8 ":
            width, height = struct.unpack_from("<HH", file.read(10), 6)
            size = size or (height & 0x3FFF, width & 0x3FFF)
        elif name == b"VP8L":
            (packed,) = struct.unpack_from("<I", file.read(5), 1)
            size = size or (1 + (packed >> 14 & 0x3FFF), 1 + (packed & 0x3FFF))
        elif name == b"ANMF":
            frames += 1
        elif name == b"ICCP":
            icc = file.read(length)
        elif name == b"EXIF":
            exif = file.read(length)
        elif name == b"XMP ":
            packet = file.read(length)
        file.seek(following)
    if size is None:
        raise UnreadableImageError("is a WebP file without a picture")
    given = exif
    exif, orientation = make_upright(given)
    packet, left_out = xmp.make_upright(packet)
    notes = (*damage(given, exif), *(f"without {what}" for what in left_out))
    return ImageHeader(*size, orientation, max(1, frames), ImageMetadata(icc, exif, xmp=packet, notes=notes))


def read_pixels(file: BinaryIO, header: ImageHeader) -> np.ndarray:
    """Decode the stored pixels to RGB or RGBA, the only kinds that WebP has."""
    file.seek(0)
    decoded = opencv.decode(file.read())
    if decoded is None:
        raise UnreadableImageError("holds damaged WebP data; obtain a fresh copy")
    return opencv.red_first(decoded)
