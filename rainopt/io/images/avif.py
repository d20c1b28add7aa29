"""AVIF: boxes are read here, OpenCV decodes, at 8, 10 or 12 bits; Pillow encodes, at 8."""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np

from rainopt.io.images import opencv, xmp
from rainopt.io.images.boxes import Boxes, read_boxes
from rainopt.io.images.exif import damage, make_upright
from rainopt.io.images.metadata import ImageHeader, ImageMetadata, UnreadableImageError, to_16_bits

_SRGB_OR_UNSAID = {(1, 13), (2, 2), (1, 2), (2, 13)}


def read_header(file: BinaryIO) -> ImageHeader:
    """Read the size, orientation and metadata of an AVIF file."""
    boxes = read_boxes(file)
    size = boxes.first(b"ispe")
    if size is None:
        raise UnreadableImageError("does not say how large its picture is; obtain a fresh copy")
    width, height = struct.unpack_from(">II", size, 4)
    exif = packet = None
    for item in boxes.items.values():
        if item.kind == b"Exif" and exif is None:
            data = boxes.content(file, item)
            exif = data[4 + int.from_bytes(data[:4], "big") :]
        elif item.kind == b"mime" and item.content_type == b"application/rdf+xml" and packet is None:
            packet = boxes.content(file, item)
    packet, left_out = xmp.make_upright(packet)
    if boxes.has_gain_map:
        left_out += ("the gain map",)
    icc, colour = _colours(boxes)
    upright = make_upright(exif)[0]  # its orientation means nothing in this format
    notes = (*damage(exif, upright), *(f"without {what}" for what in left_out))
    metadata = ImageMetadata(icc, upright, None, colour, packet, notes=notes)
    depth = _depth(boxes)
    return ImageHeader(height, width, boxes.orientation, boxes.frames, metadata, 4 if depth == 8 else 8)


def _depth(boxes: Boxes) -> int:
    depths = boxes.first(b"pixi")
    return depths[5] if depths and len(depths) > 5 else 8


def _colours(boxes: Boxes) -> tuple[bytes | None, tuple[tuple[str, bytes], ...]]:
    """Return profile and colour chunks; where there is a profile, the numbers only serve the decoder."""
    icc: bytes | None = None
    colour: tuple[tuple[str, bytes], ...] = ()
    for name, data in boxes.item.properties:
        if name != b"colr":
            continue
        if data[:4] in (b"prof", b"rICC"):
            icc = data[4:] or None
        elif data[:4] == b"nclx":
            colour = chunks_of(*struct.unpack_from(">HH", data, 4))
    return icc, () if icc else colour


def chunks_of(primaries: int, transfer: int) -> tuple[tuple[str, bytes], ...]:
    """Return the numbers of a colour space as PNG's chunk; none for sRGB, which is what a picture has without."""
    if (primaries, transfer) in _SRGB_OR_UNSAID or max(primaries, transfer) > 255:
        return ()
    return (("cICP", bytes([primaries, transfer, 0, 1])),)


def read_pixels(file: BinaryIO, header: ImageHeader) -> np.ndarray:
    """Decode the stored pixels to grey or RGB, with alpha where there is one; 10 and 12 bits become 16."""
    boxes = read_boxes(file)
    file.seek(0)
    decoded = opencv.decode(file.read())
    if decoded is None:
        raise UnreadableImageError(
            "cannot be decoded: its AVIF data are damaged (obtain a fresh copy), or OpenCV was built without AVIF "
            "(pip install --upgrade opencv-python-headless)"
        )
    if decoded.ndim == 3 and decoded.shape[2] >= 3:
        decoded = opencv.red_first(decoded)
    elif decoded.ndim == 3 and decoded.shape[2] == 1:
        decoded = decoded[..., 0]
    return to_16_bits(decoded, _depth(boxes)) if decoded.dtype == np.uint16 else decoded


def set_colours(file: BinaryIO, colour: tuple[tuple[str, bytes], ...]) -> None:
    """Name in a written file the colour space that PNG's cICP names; the matrix stays that of the encoder."""
    numbers = dict(colour).get("cICP")
    if numbers is None:
        return
    file.seek(0)
    at = file.read().find(b"colrnclx")
    if at >= 0:
        file.seek(at + 8)
        file.write(struct.pack(">HH", numbers[0], numbers[1]))
