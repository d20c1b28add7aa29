"""PNG: decoded by OpenCV, which keeps 16 bits; 16-bit files are written here, since no writer at hand holds all kinds.

Pillow turns 16-bit colour into 8 bits, and OpenCV writes neither grey with alpha nor profiles. The decoder is given
sound data alone: what it has to say of others it would say on the screen, without the name of the file.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

import numpy as np

from rainopt.io.images import opencv, png_text
from rainopt.io.images.exif import damage, make_upright
from rainopt.io.images.metadata import ImageHeader, ImageMetadata, UnreadableImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# What is said of pixel values, and in how many bytes.
_COLOUR = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4, b"mDCV": 24, b"cLLI": 8}
_KEPT = (b"IHDR", b"tRNS", b"acTL", b"iCCP", b"eXIf", b"pHYs", b"caBX", *_COLOUR)
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_DECODED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")
_GREY, _RGB, _PALETTE, _GREY_ALPHA = 0, 2, 3, 4
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_LONGEST_SIDE = 1_000_000  # that libpng reads
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_COLOUR_OF_CHANNELS = {1: 0, 2: 4, 3: 2, 4: 6}
_INCHES_PER_METRE = 1 / 0.0254
_MAX_PROFILE = 64 << 20
_MAX_CHUNK = 64 << 20  # of those that are kept
# First row and column, and steps, of the passes of an interlaced file.
_PASSES = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
_LAST_FILTER = 4
_STEP = 1 << 20  # bytes unpacked at a time
_TAIL = 64  # more bytes than packed data need behind their last row


def _step(file: BinaryIO, wanted: tuple[bytes, ...]) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and content of wanted chunks, their checksums verified, up to the end mark."""
    file.seek(len(SIGNATURE))
    while True:
        head = file.read(8)
        if len(head) < 8:
            raise UnreadableImageError("is a truncated PNG file: it ends before its end mark; obtain a whole copy")
        length, name = struct.unpack(">I4s", head)
        if name == b"IEND":
            return
        if name not in wanted:
            file.seek(length + 4, 1)
            continue
        if name != b"IDAT" and length > _MAX_CHUNK:
            raise UnreadableImageError(f"is a damaged PNG file: its {_name(name)} chunk is of {length} bytes")
        data, crc = file.read(length), file.read(4)
        if len(crc) < 4:
            raise UnreadableImageError("is a truncated PNG file: it ends inside a chunk; obtain a whole copy")
        if zlib.crc32(name + data) != int.from_bytes(crc, "big"):
            raise UnreadableImageError(f"is a damaged PNG file: the checksum of its {_name(name)} chunk is wrong")
        yield name, data


def _name(chunk: bytes) -> str:
    return chunk.decode("ascii", "backslashreplace")


def read_header(file: BinaryIO) -> ImageHeader:
    """Read the size, orientation and metadata of a PNG file by stepping from chunk to chunk."""
    chunks: dict[bytes, bytes] = {}
    texts = png_text.Texts()
    for name, data in _step(file, (*_KEPT, *_TEXTS)):
        if name in _TEXTS:
            texts.add(name, data)
        else:
            chunks.setdefault(name, data)
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    depth, colour = chunks[b"IHDR"][8:10]
    given = chunks.get(b"eXIf", texts.exif)
    exif, orientation = make_upright(given)
    frames = struct.unpack_from(">I", chunks[b"acTL"])[0] if b"acTL" in chunks else 1
    icc = resolution = None
    if b"iCCP" in chunks:
        unpacker = zlib.decompressobj()
        with suppress(zlib.error):
            icc = unpacker.decompress(chunks[b"iCCP"].partition(b"\0")[2][1:], _MAX_PROFILE)
        icc = icc if unpacker.eof and icc else None
    if b"pHYs" in chunks:
        x, y, unit = struct.unpack(">IIB", chunks[b"pHYs"])
        resolution = (x / _INCHES_PER_METRE, y / _INCHES_PER_METRE) if unit == 1 and x and y else None
    told = tuple((_name(name), chunks[name]) for name, size in _COLOUR.items() if len(chunks.get(name, b"")) == size)
    notes = texts.notes + damage(given, exif)
    if b"iCCP" in chunks and icc is None:
        notes += ("without the colour profile, which is damaged",)
    if b"caBX" in chunks:
        notes += ("without the content credentials, which hold for the original alone",)
    metadata = ImageMetadata(icc, exif, resolution, told, texts.xmp, texts.photoshop, texts.texts, notes)
    pixel_bytes = _CHANNELS.get(colour, 1) * (2 if depth == 16 else 1)
    return ImageHeader(height, width, orientation, frames, metadata, pixel_bytes)


def read_pixels(file: BinaryIO, header: ImageHeader) -> np.ndarray:
    """Decode the stored pixels; palettes become RGB, transparent colours an alpha channel, small greys 8 bits."""
    chunks: dict[bytes, bytes] = {}
    sound = bytearray(SIGNATURE)
    packed = []
    depth = colour = 0
    for name, data in _step(file, _DECODED):
        if name == b"IDAT":
            packed.append(data)
        elif name in chunks or (name in (b"PLTE", b"tRNS") and not _fits(name, data, colour, chunks)):
            continue
        chunks.setdefault(name, data)
        depth, colour = chunks[b"IHDR"][8:10]
        sound += b"".join(_chunk(name, data))
    if colour == _PALETTE and b"PLTE" not in chunks:
        raise UnreadableImageError("is a damaged PNG file: its palette is missing; obtain a fresh copy")
    rows = _check_data(packed, chunks[b"IHDR"])
    if rows is not None:
        kept = (name for name in (b"IHDR", b"PLTE", b"tRNS") if name in chunks)
        parts = [part for name in kept for part in _chunk(name, chunks[name])]
        sound = bytearray(SIGNATURE) + b"".join((*parts, *_chunk(b"IDAT", rows)))
    sound += b"".join(_chunk(b"IEND", b""))
    decoded = opencv.decode(sound)
    if decoded is None:
        raise UnreadableImageError("holds damaged PNG data; obtain a fresh copy")
    if colour == _GREY_ALPHA:  # OpenCV repeats the grey three times.
        return np.ascontiguousarray(decoded[..., 2:4])
    if colour == _GREY:
        pixels = decoded
    else:
        pixels = opencv.red_first(decoded)
    if b"tRNS" in chunks and colour in (_GREY, _RGB):
        key = np.frombuffer(chunks[b"tRNS"], ">u2", 1 if colour == _GREY else 3).astype(np.uint32)
        if depth < 8:
            key *= 255 // (2**depth - 1)
        values = pixels[..., None] if colour == _GREY else pixels[..., :3]
        opaque = (values != key).any(axis=-1, keepdims=True)
        pixels = np.concatenate([values, opaque * pixels.dtype.type(65535 if depth == 16 else 255)], axis=-1)
    return pixels


def _fits(name: bytes, data: bytes, colour: int, chunks: dict[bytes, bytes]) -> bool:
    """Tell whether a palette, or what is transparent, is one of this kind of pixels."""
    if name == b"PLTE":
        return colour not in (_GREY, _GREY_ALPHA) and len(data) % 3 == 0 and 0 < len(data) <= 768
    if colour == _PALETTE:
        return 3 * len(data) <= len(chunks.get(b"PLTE", b""))
    return len(data) == {_GREY: 2, _RGB: 6}.get(colour)


def _check_data(packed: list[bytes], head: bytes) -> bytes | None:
    """Refuse packed rows that are fewer than the header promises, or not sound.

    libpng would tell of these on standard error, where nobody knows of which file it speaks, and unpack whatever lies
    behind them. Where there is more, the rows are returned on their own.
    """
    width, height, depth, colour, compression, method, interlaced = struct.unpack(">IIBBBBB", head)
    if depth not in _DEPTHS.get(colour, ()) or compression or method or interlaced > 1:
        raise UnreadableImageError("is a damaged PNG file: its header makes no sense; obtain a fresh copy")
    if max(width, height) > _LONGEST_SIDE:
        raise UnreadableImageError(f"has a side of more than {_LONGEST_SIDE:,} pixels; cut it into parts")
    bits = depth * _CHANNELS[colour]
    rows = []  # start, end and bytes a row of each pass
    start = 0
    for top, left, down, right in _PASSES if interlaced else ((0, 0, 1, 1),):
        lines, columns = -(-(height - top) // down), -(-(width - left) // right)
        if lines > 0 and columns > 0:
            stride = 1 + -(-columns * bits // 8)
            rows.append((start, start + lines * stride, stride))
            start += lines * stride
    unpacker, at = zlib.decompressobj(), 0
    rest = packed[::-1]
    try:
        while rest and at < start and not unpacker.eof:
            part = rest.pop()
            while part and at < start:
                block = np.frombuffer(unpacker.decompress(part, min(_STEP, start - at)), np.uint8)
                part = unpacker.unconsumed_tail
                for first, end, stride in rows:
                    begin = first + max(0, -(-(at - first) // stride)) * stride
                    filters = block[begin - at : max(0, end - at) : stride] if begin < end else block[:0]
                    if filters.size and filters.max() > _LAST_FILTER:
                        raise UnreadableImageError("holds damaged PNG data; obtain a fresh copy")
                at += block.size
            if part:
                rest.append(part)
        if at < start:
            raise UnreadableImageError("is a truncated or damaged PNG file: rows are missing; obtain a whole copy")
        # What is left may be the end of the last block and a checksum.
        tail = b"".join(part[:_TAIL] for part in rest[::-1])
        more = b"" if unpacker.eof else unpacker.decompress(tail[:_TAIL], 1)
    except zlib.error as error:
        raise UnreadableImageError(f"holds damaged PNG data ({error}); obtain a fresh copy") from None
    if unpacker.eof and not more and not unpacker.unused_data and len(tail) < _TAIL:
        return None
    return _repacked(packed, start)


def _repacked(packed: list[bytes], size: int) -> bytes:
    """Pack the first bytes of packed data anew."""
    unpacker, packer, out = zlib.decompressobj(), zlib.compressobj(1), []
    for part in packed:
        while part and size:
            block = unpacker.decompress(part, min(_STEP, size))
            part, size = unpacker.unconsumed_tail, size - len(block)
            out.append(packer.compress(block))
            if unpacker.eof:
                break
    return b"".join((*out, packer.flush()))


def chunks_of(metadata: ImageMetadata) -> list[tuple[bytes, bytes]]:
    """Return the chunks, all to come before the pixels, of what the writers at hand do not write."""
    colour = [(name.encode(), data) for name, data in metadata.colour]
    return colour + png_text.chunks_of(metadata.xmp, metadata.photoshop, metadata.texts)


def add_chunks(file: BinaryIO, metadata: ImageMetadata) -> None:
    """Put into a written file, behind its header, what its writer left out."""
    added = chunks_of(metadata)
    if not added:
        return
    behind_header = len(SIGNATURE) + 25
    file.seek(behind_header)
    rest = file.read()
    file.seek(behind_header)
    for name, data in added:
        _write_chunk(file, name, data)
    file.write(rest)


def write_16_bit(file: BinaryIO, pixels: np.ndarray, metadata: ImageMetadata) -> None:
    """Write uint16 pixels of one to four channels, a few rows at a time."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    file.write(SIGNATURE)
    _write_chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, _COLOUR_OF_CHANNELS[channels], 0, 0, 0))
    for name, data in chunks_of(metadata):
        _write_chunk(file, name, data)
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


def _chunk(name: bytes, data: bytes) -> tuple[bytes, bytes, bytes]:
    return struct.pack(">I", len(data)) + name, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))


def _write_chunk(file: BinaryIO, name: bytes, data: bytes) -> None:
    for part in _chunk(name, data):
        file.write(part)


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
