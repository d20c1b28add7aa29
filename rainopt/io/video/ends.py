"""Whether a video file ends in the middle of something, by the structure of its container alone.

Decoders do not miss what is gone from the end of a file. Most containers tell: a box, an element or a packet is longer
than what is left of the file. Each check looks at the beginning, or at the end, and says nothing where it finds what it
does not know; a raw stream of H.264 or HEVC can end anywhere.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

TAIL = 1 << 18  # bytes that are looked at from the end
MOST = 100_000  # pieces that are looked at from the beginning


def is_cut(path: Path, format: str) -> bool:
    """Tell whether a file of a format, as FFmpeg names it, ends early."""
    check = _CHECKS.get(format.split(",")[0])
    if check is None:
        return False
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            return check(file, size)
    except OSError:
        return False


def _tail(file: BinaryIO, size: int) -> bytes:
    file.seek(max(size - TAIL, 0))
    return file.read(TAIL)


def _boxes(file: BinaryIO, size: int) -> bool:
    """MP4: the last outer box is longer than the file."""
    place = 0
    for _ in range(MOST):
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            return any(head)  # padding says nothing
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:
            return False  # 0: to the end of the file
        place += length
        if place >= size:
            return place > size
    return False


def _segment(file: BinaryIO, size: int) -> bool:
    """Matroska: the segment is longer than the file; recorders that never stopped leave its length unknown."""
    head = file.read(4096)
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return False
    place = 4
    length, place = _vint(head, place)
    if length is None or head[place + length : place + length + 4] != b"\x18\x53\x80\x67":
        return False
    length, place = _vint(head, place + length + 4)
    return length is not None and place + length > size


def _vint(data: bytes, place: int) -> tuple[int | None, int]:
    """Return a number of variable length, None where it says that it is unknown, and the place behind it."""
    first = data[place] if place < len(data) else 0
    count = 9 - first.bit_length()
    if not first or place + count > len(data):
        return None, place
    bits = 7 * count
    value = int.from_bytes(data[place : place + count], "big") & ((1 << bits) - 1)
    return (None if value == (1 << bits) - 1 else value), place + count


def _packets(file: BinaryIO, size: int) -> bool:
    """MPEG-TS: packets of 188 bytes, of 192 with times before them (M2TS), or of 204 with checks behind them."""
    head = file.read(204 * 8)
    for length, first in ((188, 0), (192, 4), (204, 0)):
        marks = head[first::length]
        if len(marks) > 4 and set(marks) == {0x47}:
            return size % length != 0
    return False


def _tags(file: BinaryIO, size: int) -> bool:
    """FLV: the file ends with the length of its last tag, which begins so far before."""
    file.seek(max(size - 4, 0))
    length = int.from_bytes(file.read(4), "big")
    if not 11 <= length <= size - 4 - 9:
        return size > 13
    file.seek(size - 4 - length)
    head = file.read(4)
    return not (head[0] & 0x1F in (8, 9, 18) and int.from_bytes(head[1:4], "big") == length - 11)


def _partitions(file: BinaryIO, size: int) -> bool:
    """MXF: the header says where the footer begins, and the last piece is longer than the file."""
    head = file.read(1 << 16)
    place = head.find(bytes.fromhex("060e2b34020501010d0102010102"))
    if place < 0:
        return False
    _, start = _length(head, place + 16)
    footer = int.from_bytes(head[start + 24 : start + 32], "big")
    if not footer:
        return False
    at = place + footer
    for _ in range(MOST):
        file.seek(at)
        key = file.read(32)
        if len(key) < 17:
            return at != size
        length, start = _length(key, 16)
        at += start + length
    return False


def _length(data: bytes, place: int) -> tuple[int, int]:
    """Return a length as BER writes it, and the place behind it."""
    first = data[place] if place < len(data) else 0
    if first < 0x80:
        return first, place + 1
    count = first & 0x7F
    return int.from_bytes(data[place + 1 : place + 1 + count], "big"), place + 1 + count


def _jpegs(file: BinaryIO, size: int) -> bool:
    """Motion JPEG: a picture ends with its end mark."""
    return not _tail(file, size).rstrip(b"\0\n\r").endswith(b"\xff\xd9")


def _frames(file: BinaryIO, size: int) -> bool:
    """YUV4MPEG: after a line of its own each frame is "FRAME" and the same number of bytes."""
    line = file.readline(4096)
    start = len(line)
    fields = {word[:1]: word[1:].decode("ascii", "replace") for word in line.split()[1:]}
    if file.readline(4096) != b"FRAME\n":
        return False
    try:
        width, height = int(fields[b"W"]), int(fields[b"H"])
    except (KeyError, ValueError):
        return False
    colours = fields.get(b"C", "420jpeg")
    half = -(-width // 2)
    chroma = {
        "mono": 0,
        "411": 2 * -(-width // 4) * height,
        "420": 2 * half * -(-height // 2),
        "422": 2 * half * height,
        "444": 2 * width * height,
    }
    name = next((name for name in chroma if colours.startswith(name)), None)
    if name is None or "alpha" in colours:
        return False
    # "420p10" and "mono16" have two bytes a sample; "420jpeg" and "420mpeg2" have one.
    wide = 2 if re.fullmatch(r"p?(9|10|12|14|16)", colours.removeprefix(name)) else 1
    return (size - start) % (6 + wide * (width * height + chroma[name])) != 0


def _packs(file: BinaryIO, size: int) -> bool:
    """MPEG-PS: packs and packets follow one another; the last is longer than the file."""
    data = _tail(file, size)
    at = data.find(b"\0\0\1\xba")
    if at < 0:
        return False
    while at < len(data):
        piece = data[at : at + 14]
        if piece.startswith(b"\0\0\1\xb9") or not piece.strip(b"\0"):
            return False
        if len(piece) < 6:
            return True
        if not piece.startswith(b"\0\0\1") or piece[3] < 0xBA:
            return False
        if piece[3] == 0xBA:
            # Those of MPEG-2 say how many bytes of padding follow.
            at += 14 + (piece[-1] & 7) if piece[4] & 0xC0 == 0x40 else 12
        else:
            at += 6 + int.from_bytes(piece[4:6], "big")
    return at > len(data)


def _header(file: BinaryIO, size: int) -> bool:
    """ASF: the header says how long the file is, unless it was broadcast."""
    head = file.read(1 << 16)
    at = head.find(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365"))
    if at < 0 or at + 92 > len(head) or head[at + 88] & 1:
        return False
    return int.from_bytes(head[at + 40 : at + 48], "little") > size


def _chunks(file: BinaryIO, size: int) -> bool:
    """AVI: the outer chunk is longer than the file."""
    head = file.read(8)
    return head.startswith(b"RIFF") and int.from_bytes(head[4:8], "little") + 8 > size


def _pages(file: BinaryIO, size: int) -> bool:
    """Ogg: the last page is longer than the file."""
    data = _tail(file, size)
    page = data[data.rfind(b"OggS") :]
    if not page.startswith(b"OggS"):
        return False
    count = page[26] if len(page) > 26 else 256
    return len(page) < 27 + count or len(page) < 27 + count + sum(page[27 : 27 + count])


_CHECKS: dict[str, Callable[[BinaryIO, int], bool]] = {
    "mov": _boxes,
    "matroska": _segment,
    "mpegts": _packets,
    "flv": _tags,
    "mxf": _partitions,
    "mjpeg": _jpegs,
    "yuv4mpegpipe": _frames,
    "mpeg": _packs,
    "asf": _header,
    "avi": _chunks,
    "ogg": _pages,
}
