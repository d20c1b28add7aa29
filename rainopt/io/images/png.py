"""PNG: decoded by OpenCV, which keeps 16 bits; 16-bit files are written here, since no writer at hand holds all kinds.

Pillow turns 16-bit colour into 8 bits, and OpenCV writes neither grey with alpha nor profiles.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from rainopt.io.images.exif import make_upright
from rainopt.io.images.metadata import ImageHeader, ImageMetadata, UnreadableImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = (b"IHDR", b"tRNS", b"acTL", b"iCCP", b"eXIf", b"pHYs")
_GREY, _RGB, _GREY_ALPHA = 0, 2, 4
_COLOUR_OF_CHANNELS = {1: 0, 2: 4, 3: 2, 4: 6}
_INCHES_PER_METRE = 1 / 0.0254
_MAX_PROFILE = 64 << 20


def _chunks(file: BinaryIO) -> dict[bytes, bytes]:
    file.seek(len(SIGNATURE))
    found: dict[bytes, bytes] = {}
    while True:
        head = file.read(8)
        if len(head) < 8:
            raise UnreadableImageError("is a truncated PNG file: it ends before its end mark; obtain a whole copy")
        length, name = struct.unpack(">I4s", head)
        if name == b"IEND":
            return found
        if name not in _KEPT or name in found:
            file.seek(length + 4, 1)
            continue
        data, crc = file.read(length), file.read(4)
        if len(crc) < 4:
            raise UnreadableImageError("is a truncated PNG file: it ends inside a chunk; obtain a whole copy")
        if zlib.crc32(name + data) != int.from_bytes(crc, "big"):
            raise UnreadableImageError(f"is a damaged PNG file: the checksum of its {name.decode()} chunk is wrong")
        found[name] = data


def read_header(file: BinaryIO) -> ImageHeader:
    """Read the size, orientation and metadata of a PNG file by stepping from chunk to chunk."""
    chunks = _chunks(file)
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    exif, orientation = make_upright(chunks.get(b"eXIf"))
    frames = struct.unpack_from(">I", chunks[b"acTL"])[0] if b"acTL" in chunks else 1
    icc = resolution = None
    if b"iCCP" in chunks:
        packed = chunks[b"iCCP"].partition(b"\0")[2][1:]
        try:
            icc = zlib.decompressobj().decompress(packed, _MAX_PROFILE) or None
        except zlib.error:
            icc = None
    if b"pHYs" in chunks:
        x, y, unit = struct.unpack(">IIB", chunks[b"pHYs"])
        resolution = (x / _INCHES_PER_METRE, y / _INCHES_PER_METRE) if unit == 1 and x and y else None
    return ImageHeader(height, width, orientation, frames, ImageMetadata(icc, exif, resolution))


def read_pixels(file: BinaryIO, header: ImageHeader) -> np.ndarray:
    """Decode the stored pixels; palettes become RGB, transparent colours an alpha channel, small greys 8 bits."""
    import cv2

    chunks = _chunks(file)
    depth, colour = chunks[b"IHDR"][8:10]
    file.seek(0)
    decoded = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise UnreadableImageError("holds damaged PNG data; obtain a fresh copy")
    if colour == _GREY_ALPHA:  # OpenCV repeats the grey three times.
        return np.ascontiguousarray(decoded[..., 2:4])
    if colour == _GREY:
        pixels = decoded
    elif decoded.shape[-1] == 4:
        pixels = cv2.cvtColor(decoded, cv2.COLOR_BGRA2RGBA)
    else:
        pixels = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    if b"tRNS" in chunks and colour in (_GREY, _RGB):
        key = np.frombuffer(chunks[b"tRNS"], ">u2", 1 if colour == _GREY else 3).astype(np.uint32)
        if depth < 8:
            key *= 255 // (2**depth - 1)
        values = pixels[..., None] if colour == _GREY else pixels[..., :3]
        opaque = (values != key).any(axis=-1, keepdims=True)
        pixels = np.concatenate([values, opaque * pixels.dtype.type(65535 if depth == 16 else 255)], axis=-1)
    return pixels


def write_16_bit(file: BinaryIO, pixels: np.ndarray, metadata: ImageMetadata) -> None:
    """Write uint16 pixels of one to four channels, a few rows at a time."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    file.write(SIGNATURE)
    _write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, _COLOUR_OF_CHANNELS[channels], 0, 0, 0))
    if metadata.icc:
        _write_chunk(file, b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc))
    if metadata.exif:
        _write_chunk(file, b"eXIf", metadata.exif)
    if metadata.resolution:
        x, y = (round(value * _INCHES_PER_METRE) for value in metadata.resolution)
        _write_chunk(file, b"pHYs", struct.pack(">IIB", x, y, 1))
    # Run lengths only: filtered photographs come out hardly larger, in half the time.
    packer = zlib.compressobj(1, strategy=zlib.Z_RLE)
    for rows in _filtered(pixels.reshape(height, width * channels), 2 * channels):
        data = packer.compress(rows)
        if data:
            _write_chunk(file, b"IDAT", data)
    _write_chunk(file, b"IDAT", packer.flush())
    _write_chunk(file, b"IEND", b"")


def _write_chunk(file: BinaryIO, name: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + name)
    file.write(data)
    file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(name))))


def _filtered(samples: np.ndarray, step: int) -> Iterator[bytes]:
    """Yield rows under the Paeth filter: bytes less the one of left, up, upper left that is nearest to l + u - ul."""
    paeth = 4
    height, count = samples.shape
    above = np.zeros((1, 2 * count), np.uint8)
    rows = max(1, (1 << 20) // (2 * count))
    for start in range(0, height, rows):
        raw = np.ascontiguousarray(samples[start : start + rows], ">u2").view(np.uint8)
        padded = np.zeros((raw.shape[0] + 1, step + 2 * count), np.int16)
        padded[0, step:] = above
        padded[1:, step:] = raw
        left, up, corner = padded[1:, :-step], padded[:-1, step:], padded[:-1, :-step]
        from_left, from_up = np.abs(up - corner), np.abs(left - corner)
        from_corner = np.abs(left + up - 2 * corner)
        nearest = np.where(from_up <= from_corner, up, corner)
        nearest = np.where((from_left <= from_up) & (from_left <= from_corner), left, nearest)
        block = np.empty((raw.shape[0], 1 + 2 * count), np.uint8)
        block[:, 0] = paeth
        np.subtract(raw, nearest.astype(np.uint8), out=block[:, 1:])
        above = raw[-1:]
        yield block.tobytes()
