"""Files changed part by part, with lengths and checksums set right again: PNG, JPEG, TIFF, RIFF and ISO BMFF.

A flipped bit seldom passes a checksum. What is changed here reaches the code behind it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from benchmarks.robustness.mutations import NUMBERS, field_changed, mutated

BOXES = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"meta", b"iprp", b"ipco", b"dinf", b"iinf")


@dataclass(frozen=True)
class Part:
    """A chunk, segment or box: its name, what it holds, and what its length field is off by."""

    name: bytes
    data: bytes
    off: int = 0


def restructured(data: bytes, random: Random) -> bytes:
    """Return a file with a part or two changed; bytes of a format that is not known here are changed anywhere."""
    change = next((found for head, found in FORMATS if head(data)), None)
    try:
        return change(data, random) if change else mutated(data, random)
    except (struct.error, IndexError, ValueError):  # already broken by an earlier change
        return mutated(data, random)


def changed_parts(parts: Sequence[Part], random: Random, extra: Sequence[Part] = ()) -> list[Part]:
    """Return parts of which one or two are left out, doubled, moved, renamed, cut, emptied or changed inside."""
    kept = list(parts)
    for _ in range(random.choice((1, 1, 2))):
        if not kept:
            break
        k = random.randrange(len(kept))
        match random.randrange(10):
            case 0:
                del kept[k]
            case 1:
                kept.insert(random.randrange(len(kept) + 1), kept[k])
            case 2:
                kept.insert(random.randrange(len(kept)), kept.pop(k))
            case 3:
                kept[k] = replace(kept[k], name=random.choice(kept).name)
            case 4:
                kept[k] = replace(kept[k], data=kept[k].data[: random.randrange(len(kept[k].data) + 1)])
            case 5 if extra:
                kept.insert(random.randrange(len(kept) + 1), random.choice(extra))
            case 6:
                kept[k] = replace(kept[k], off=random.choice((-1, 1, 4, -8, 2**16, 2**31, -(2**31))))
            case 7 | 8:
                kept[k] = replace(kept[k], data=field_changed(kept[k].data, random))
            case _:
                kept[k] = replace(kept[k], data=mutated(kept[k].data, random))
    return kept


# PNG: length, name, data, CRC.


def png_chunk(name: bytes, data: bytes, length: int | None = None) -> bytes:
    """Return one chunk of a PNG file."""
    size = (len(data) if length is None else length) % 2**32
    return struct.pack(">I", size) + name + data + struct.pack(">I", zlib.crc32(name + data))


PNG_HEAD = b"\x89PNG\r\n\x1a\n"
PNG_EXTRA = (
    Part(b"gAMA", bytes(4)),
    Part(b"gAMA", b"\xff" * 4),
    Part(b"cHRM", bytes(32)),
    Part(b"cHRM", b"\x7f\xff\xff\xff" * 8),
    Part(b"cICP", b"\xff\xff\xff\xff"),
    Part(b"sRGB", b"\x09"),
    Part(b"sBIT", b"\0\0\0"),
    Part(b"tRNS", bytes(6)),
    Part(b"tRNS", b"\0" * 300),
    Part(b"PLTE", b"\1\2\3" * 300),
    Part(b"acTL", struct.pack(">II", 3, 0)),
    Part(b"acTL", struct.pack(">II", 2**31 - 1, 0)),
    Part(b"iCCP", b"p\0\0" + zlib.compress(bytes(200))),
    Part(b"iCCP", b"p\0\0" + zlib.compress(bytes(1 << 20))),
    Part(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(1 << 20))),
    Part(b"zTXt", b"k\0\0" + b"no deflate"),
    Part(b"eXIf", b"II*\0\x08\0\0\0\xff\xff"),
    Part(b"eXIf", b"MM\0*" + b"\xff" * 40),
    Part(b"pHYs", b"\xff" * 8 + b"\1"),
    Part(b"tEXt", b"a\0" + b"\x1b[31m\n" * 20),
)


def png(data: bytes, random: Random) -> bytes:
    """Change chunks of a PNG file."""
    parts, at = [], len(PNG_HEAD)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        parts.append(Part(data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    parts = changed_parts(parts, random, PNG_EXTRA)
    return PNG_HEAD + b"".join(png_chunk(part.name, part.data, len(part.data) + part.off) for part in parts)


# JPEG: a marker, a length that counts itself, data; from the first scan on the bytes are coded.

JPEG_EXTRA = (
    Part(b"\xe1", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"),
    Part(b"\xe1", b"Exif\0\0MM\0*\0\0\0\x08" + b"\0\1\x01\x12\0\3\xff\xff\xff\xff\0\0\0\0" + bytes(4)),
    Part(b"\xe1", b"http://ns.adobe.com/xap/1.0/\0" + b"\xff" * 64),
    Part(b"\xe2", b"ICC_PROFILE\0\1\xff" + bytes(128)),
    Part(b"\xe2", b"ICC_PROFILE\0\0\0"),
    Part(b"\xe2", b"MPF\0II*\0\x08\0\0\0\xff\xff"),
    Part(b"\xed", b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\xff\xff\xff\xff"),
    Part(b"\xee", b"Adobe\0d\0\0\0\0\x09"),
    Part(b"\xdd", b"\0\1"),
    Part(b"\xfe", b"\x1b]0;t\7" * 10),
    Part(b"\xc4", bytes(20)),
    Part(b"\xdb", bytes(65)),
)


def jpeg(data: bytes, random: Random) -> bytes:
    """Change segments of a JPEG file, or what is coded in its scans."""
    parts, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        parts.append(Part(data[at + 1 : at + 2], data[at + 4 : at + 2 + length]))
        at += 2 + length
    rest = data[at:]
    if random.random() < 0.3:
        ended = rest.endswith(b"\xff\xd9")
        rest = mutated(rest, random)
        rest += b"\xff\xd9" if ended and not rest.endswith(b"\xff\xd9") else b""
    else:
        parts = changed_parts(parts, random, JPEG_EXTRA)
    segments = (b"\xff" + p.name + ((len(p.data) + 2 + p.off) % 65536).to_bytes(2, "big") + p.data for p in parts)
    return data[:2] + b"".join(segments) + rest


# TIFF: a directory of entries (tag, type, count, value), and where the next one is.

TIFF_TAGS: tuple[int, ...] = (
    254,
    256,
    257,
    258,
    259,
    262,
    266,
    270,
    273,
    274,
    277,
    278,
    279,
    282,
    284,
    317,
    320,
    322,
    324,
    325,
    330,
)
TIFF_TAGS += (338, 339, 347, 700, 33432, 33723, 34665, 34675, 34853, 50706, 65000)


def tiff(data: bytes, random: Random) -> bytes:
    """Change entries of the first directory of a classic TIFF file, or where the next directory is."""
    order = "<" if data[:2] == b"II" else ">"
    if data[2:4] not in (b"*\0", b"\0*"):
        return mutated(data, random)
    changed = bytearray(data)
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    for _ in range(random.choice((1, 1, 2, 3))):
        at = start + 2 + 12 * random.randrange(max(count, 1))
        match random.randrange(8):
            case 0:
                struct.pack_into(f"{order}H", changed, at, random.choice(TIFF_TAGS))
            case 1:
                struct.pack_into(f"{order}H", changed, at + 2, random.choice((0, 1, 2, 3, 4, 5, 7, 11, 12, 13, 16, 99)))
            case 2 | 3:
                struct.pack_into(f"{order}I", changed, at + 4, random.choice(NUMBERS) % 2**32)
            case 4 | 5:
                value = random.choice((*NUMBERS, start, len(data) - 1, len(data))) % 2**32
                struct.pack_into(f"{order}I", changed, at + 8, value)
            case 6:
                struct.pack_into(f"{order}H", changed, at + 8, random.choice((1, 2, 3, 5, 6, 7, 8, 9, 32773, 50000)))
            case _:
                value = random.choice((start, 0, 4, 8, len(data), start + 2)) % 2**32
                struct.pack_into(f"{order}I", changed, start + 2 + 12 * count, value)
    return bytes(changed)


# RIFF: name, length, data, filled to an even length; WebP and AVI.

RIFF_EXTRA = (
    Part(b"EXIF", b"II*\0\x08\0\0\0\xff\xff"),
    Part(b"ICCP", bytes(130)),
    Part(b"XMP ", b"\xff" * 40),
    Part(b"ANIM", bytes(6)),
    Part(b"ANMF", bytes(24)),
    Part(b"VP8X", b"\xff" * 10),
    Part(b"ALPH", b"\1" * 9),
    Part(b"JUNK", b"\0" * 9),
)


def riff(data: bytes, random: Random) -> bytes:
    """Change chunks of a RIFF file, of lists inside as well."""
    body = _chunks_changed(data[12:], random)
    size = random.choice(NUMBERS) % 2**32 if random.random() < 0.1 else len(body) + 4
    return data[:4] + struct.pack("<I", size) + data[8:12] + body


def _chunks_changed(body: bytes, random: Random) -> bytes:
    parts, at = [], 0
    while at + 8 <= len(body):
        (length,) = struct.unpack_from("<I", body, at + 4)
        parts.append(Part(body[at : at + 4], body[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    lists = [k for k, part in enumerate(parts) if part.name == b"LIST"]
    if lists and random.random() < 0.7:
        k = random.choice(lists)
        inner = parts[k].data
        parts[k] = replace(parts[k], data=inner[:4] + _chunks_changed(inner[4:], random))
    else:
        parts = changed_parts(parts, random, RIFF_EXTRA)
    chunks = []
    for part in parts:
        size = (len(part.data) + part.off) % 2**32
        chunks.append(part.name + struct.pack("<I", size) + part.data + b"\0" * (len(part.data) % 2))
    return b"".join(chunks)


# ISO BMFF: length of all, name, data; boxes in boxes. MP4, MOV, AVIF and HEIC.


def boxes(data: bytes, random: Random) -> bytes:
    """Change boxes of an ISO file, of any depth."""
    parts, at = [], 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big") or len(data) - at
        parts.append(Part(data[at + 4 : at + 8], data[at + 8 : at + length]))
        at += max(length, 8)
    deep = [k for k, part in enumerate(parts) if part.name in BOXES and len(part.data) > 8]
    if deep and random.random() < 0.85:
        k = random.choice(deep)
        # "meta" and "iinf" begin with a version and flags, "iinf" with a count as well.
        head = {b"meta": 4, b"iinf": 6}.get(parts[k].name, 0)
        inner = parts[k].data
        parts[k] = replace(parts[k], data=inner[:head] + boxes(inner[head:], random))
    else:
        parts = changed_parts(parts, random)
    return b"".join(struct.pack(">I", (len(p.data) + 8 + p.off) % 2**32) + p.name + p.data for p in parts)


def packets(data: bytes, random: Random) -> bytes:
    """Change packets of an MPEG transport stream, 188 bytes each."""
    parts = [Part(b"", data[at : at + 188]) for at in range(0, len(data), 188)]
    return b"".join(part.data for part in changed_parts(parts, random))


FORMATS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes, Random], bytes]], ...] = (
    (lambda data: data.startswith(PNG_HEAD), png),
    (lambda data: data.startswith(b"\xff\xd8"), jpeg),
    (lambda data: data[:4] in (b"II*\0", b"MM\0*"), tiff),
    (lambda data: data.startswith(b"RIFF"), riff),
    (lambda data: data[4:8] == b"ftyp", boxes),
    (lambda data: data[:1] == b"G" and data[188:189] == b"G", packets),
)
"""What recognises a format, and what changes it."""
