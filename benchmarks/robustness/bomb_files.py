"""Small files that ask for gigabytes or hours, or for other files."""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.robustness.corpus import clip, waves
from benchmarks.robustness.structure import PNG_HEAD, png_chunk

GIGABYTE = 10**9


def zeros(count: int) -> bytes:
    """Return a zlib stream of so many zero bytes, about a thousandth as long, without compressing them all."""
    block = 1 << 20
    coder = zlib.compressobj(9)
    # A flush ends on a whole byte, and what follows refers to nothing before it: one block stands for all.
    part = coder.compress(bytes(block)) + coder.flush(zlib.Z_FULL_FLUSH)
    head, body = part[:2], part[2:]
    blocks = -(-count // block)
    # Adler-32 of n zeros: 1, and n modulo the largest prime below 65536.
    return head + body * blocks + b"\x03\x00" + struct.pack(">HH", blocks * block % 65521, 1)


def png(width: int, height: int, data: bytes, *extra: bytes) -> bytes:
    """Return an 8-bit RGB PNG file of a size, whatever its data are."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return PNG_HEAD + b"".join([head, *extra, png_chunk(b"IDAT", data), png_chunk(b"IEND", b"")])


def plain_rows(width: int, height: int) -> bytes:
    """Return the data of a grey-blue picture."""
    return zlib.compress((b"\0" + b"\x40\x50\x60" * width) * height)


def png_with(name: bytes, head: bytes, count: int = 6 * GIGABYTE) -> bytes:
    """Return a picture of 32 × 32 pixels, one of whose chunks unpacks to so many bytes."""
    return png(32, 32, plain_rows(32, 32), png_chunk(name, head + zeros(count)))


def tiff(entries: list[tuple[int, int, int, int]], body: bytes = b"", following: int = 0) -> bytes:
    """Return a little-endian TIFF file: entries (tag, type, count, value), then a body, at `body_at`."""
    packed = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + packed + struct.pack("<I", following) + body


def body_at(count: int) -> int:
    """Return where the body of a TIFF file of so many entries begins."""
    return 8 + 2 + 12 * count + 4


def picture_entries(width: int, height: int, at: int, length: int, compression: int = 1) -> list[Any]:
    """Return the entries of a grey picture of 8 bits in one strip."""
    values = {256: width, 257: height, 258: 8, 259: compression, 262: 1, 273: at, 277: 1, 278: height, 279: length}
    return [(tag, 4 if tag in (273, 279) else 3 if value < 65536 else 4, 1, value) for tag, value in values.items()]


def tiff_in_a_circle() -> bytes:
    """Return a TIFF file of 8 × 8 pixels whose next directory is itself."""
    return tiff(picture_entries(8, 8, body_at(9), 64), bytes(64), following=8)


def shared_values(at: int, tags: int, length: int) -> bytes:
    """Return a directory, to lie at an offset, whose tags all hold the same bytes, and these bytes."""
    body = at + 2 + 12 * tags + 4
    entries = b"".join(struct.pack("<HHII", 0x9000 + k, 7, length, body) for k in range(tags))
    return struct.pack("<H", tags) + entries + bytes(4) + bytes(length)


def tiff_of_shared_values(tags: int = 10_000, length: int = 1_000_000) -> bytes:
    """Return a TIFF file whose EXIF tags all hold the same million bytes."""
    pixels = body_at(10)
    entries = [*picture_entries(32, 32, pixels, 1024), (0x8769, 4, 1, pixels + 1024)]
    return tiff(entries, bytes(1024) + shared_values(pixels + 1024, tags, length))


def exif_of_shared_values(tags: int = 10_000, length: int = 1_000_000) -> bytes:
    """Return EXIF data whose tags all hold the same million bytes."""
    at = body_at(1)
    return tiff([(0x8769, 4, 1, at)], shared_values(at, tags, length))


def tiff_deflated() -> bytes:
    """Return a TIFF file whose only strip of 32 × 32 pixels unpacks to six gigabytes."""
    data = zeros(6 * GIGABYTE)
    return tiff(picture_entries(32, 32, body_at(9), len(data), compression=8), data)


def tiff_promising(side: int = 20_000) -> bytes:
    """Return a TIFF file of a few bytes that promises a large picture."""
    return tiff(picture_entries(side, side, body_at(9), 64), bytes(64))


def bmp_promising(side: int = 20_000) -> bytes:
    """Return a BMP file of a few bytes that promises a large picture."""
    head = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 24, 0, 0, 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 64, 0, 0, 54) + head + bytes(64)


def webp_promising() -> bytes:
    """Return a WebP file of a few bytes that promises the largest picture there is."""
    bits = 0x3FFE | 0x3FFE << 14
    data = b"\x2f" + struct.pack("<I", bits) + bytes(19)
    return b"RIFF" + struct.pack("<I", 12 + len(data)) + b"WEBPVP8L" + struct.pack("<I", len(data)) + data


def jpeg_promising() -> bytes:
    """Return a JPEG file of a few hundred bytes that promises 65 500 × 7 500 pixels."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(waves(16, 16)).save(file, "JPEG")
    data = bytearray(file.getvalue())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65_500, 7_500)
    return bytes(data)


def jpeg_of_many_scans(side: int = 4096, scans: int = 6000) -> bytes:
    """Return a progressive JPEG file whose last scan, of a few bytes, is there thousands of times."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.full((side, side), 90, np.uint8)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    # A scan may bring its tables along.
    tables = data.rfind(b"\xff\xc4", 0, last)
    start = tables if tables > data.rfind(b"\xff\xda", 0, last) else last
    return data[:-2] + data[start:-2] * scans + b"\xff\xd9"


def model_of_many_weights() -> bytes:
    """Return a file of 2 MB whose config asks for a network of 9.6 GB."""
    config = {"channels": 3, "features": 4096, "blocks": 8, "stride": 1, "along": [1], "angle_features": 16}
    about = {"format": "rainnet", "version": "1", "network": "udgnet", "config": json.dumps(config), "facts": "{}"}
    header: dict[str, Any] = {
        "__metadata__": about,
        "x": {"dtype": "F32", "shape": [500_000], "data_offsets": [0, 2_000_000]},
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + bytes(2_000_000)


def large_video(path: Path, side: int = 8192, count: int = 12) -> None:
    """Write a video of some hundred kilobytes with frames of 67 megapixels."""
    import av

    quick = {"preset": "ultrafast", "rc-lookahead": "0", "threads": "1", "bf": "0", "ref": "1", "crf": "40"}
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("libx264", rate=25, options=quick)
        stream.height, stream.width, stream.pix_fmt = side, side, "yuv420p"
        frame = av.VideoFrame(side, side, "yuv420p")
        for k, plane in enumerate(frame.planes):
            plane.update(bytes([90 + 19 * k]) * plane.buffer_size)
        for k in range(count):
            frame.pts, frame.time_base = k, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))


def y4m_promising() -> bytes:
    """Return a raw video of a few bytes that promises frames of 900 megapixels."""
    return b"YUV4MPEG2 W30000 H30000 F25:1 Ip C420jpeg\nFRAME\n" + bytes(64)


def beside_a_secret(folder: Path, name: str, text: str) -> None:
    """Write a file that is a list naming another video, in the place of SECRET; of BELOW, one in a folder below it."""
    (folder / "in" / "below").mkdir()
    secret, below = clip(folder / "elsewhere" / "secret.mp4"), clip(folder / "in" / "below" / "secret.mp4")
    text = text.replace("SECRET", os.path.abspath(secret)).replace("BELOW", os.path.relpath(below, folder / "in"))
    (folder / "in" / name).write_text(text)
