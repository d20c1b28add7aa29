"""JPEG: the container is read here; Pillow decodes, and is made to tell when the data of a picture end too early."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from rainopt.io.images import exif as exif_data
from rainopt.io.images import photoshop, xmp
from rainopt.io.images.metadata import ImageHeader, ImageMetadata, UnreadableImageError
from rainopt.io.images.pillow import to_array

if TYPE_CHECKING:
    from PIL import Image

EXIF, XMP, ICC = exif_data.PREFIX, b"http://ns.adobe.com/xap/1.0/\0", b"ICC_PROFILE\0"
_SOS, _EOI, _DRI, _COMMENT = 0xDA, 0xD9, 0xDD, 0xFE
_APP0, _APP1, _APP2, _APP11, _APP13, _APP14 = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE
_APPS = range(0xE0, 0xF0)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# A mark that ends entropy-coded data: no stuffed zero, no filling, no restart.
_MARK = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
# Pixels that all scans may go over: ten times the largest picture, which decodes in about 20 s.
_MAX_WORK = 5_000_000_000
# Two colours that no last row is made of at once.
_SENTINELS = ((1, 254, 3, 250), (253, 2, 251, 5))
# Bits that mean something to every decoder and no mark to any.
_FILLER = bytes(np.random.default_rng(0).integers(0, 255, 1024, dtype=np.uint8))
# Bytes that libjpeg reads ahead; zeros decode to less than a block.
_AHEAD = 8
_CUT = "is truncated or damaged: its data end before its picture does; obtain a whole copy"


@dataclass
class _Parts:
    """A JPEG file taken apart."""

    segments: list[tuple[int, bytes]] = field(default_factory=list)  # before the first scan, without their marks
    height: int = 0
    width: int = 0
    components: int = 0
    scans: int = 0
    single: bool = False  # whether the one scan holds all components at once
    start: int = 0  # of the first scan
    end: int = 0  # behind the end mark

    def named(self, marker: int, prefix: bytes) -> Iterator[bytes]:
        """Yield what segments hold behind a prefix."""
        for found, data in self.segments:
            if found == marker and data.startswith(prefix):
                yield data[len(prefix) :]


def _parts(data: bytes, whole: bool) -> _Parts:
    """Step from mark to mark, to the first scan or to the end mark."""
    parts = _Parts()
    at, progressive = 2, False
    while True:
        while data[at : at + 2] == b"\xff\xff":
            at += 1
        if at + 4 > len(data) and data[at : at + 2] != b"\xff\xd9":
            raise UnreadableImageError("is a truncated or damaged JPEG file: it has no end mark; obtain a whole copy")
        if data[at] != 0xFF:
            raise UnreadableImageError("is a damaged JPEG file: there is no mark where one is due; obtain a fresh copy")
        marker = data[at + 1]
        if marker == _EOI:
            parts.end = at + 2
            break
        (length,) = struct.unpack_from(">H", data, at + 2)
        content = data[at + 4 : at + 2 + length]
        if length < 2 or len(content) != length - 2:
            raise UnreadableImageError("is a truncated or damaged JPEG file: a segment is cut; obtain a whole copy")
        if marker in _FRAMES and not parts.width:
            _, parts.height, parts.width, parts.components = struct.unpack_from(">BHHB", content)
            progressive = marker in (0xC2, 0xC6, 0xCA, 0xCE)
        if marker != _SOS:
            if not parts.scans:
                parts.segments.append((marker, content))
            at += 2 + length
            continue
        if not parts.scans:
            parts.start = at
            parts.single = not progressive and content[0] == parts.components
            if not whole:
                break
        parts.scans += 1
        found = _MARK.search(data, at + 2 + length)
        if not found:
            raise UnreadableImageError("is a truncated or damaged JPEG file: it has no end mark; obtain a whole copy")
        at = found.start()
        if parts.single and data[at + 1] != _EOI:
            raise UnreadableImageError(_CUT)
    if not parts.width:
        raise UnreadableImageError("is a JPEG file without a picture; obtain a fresh copy")
    return parts


def _read(file: BinaryIO, whole: bool) -> tuple[bytes, _Parts]:
    file.seek(0)
    data = file.read() if whole else file.read(1 << 16)
    while True:
        try:
            return data, _parts(data, whole)
        except UnreadableImageError:
            more = file.read(max(1 << 18, len(data)))
            if not more:
                raise
            data += more


def read_header(file: BinaryIO) -> ImageHeader:
    """Read the size, orientation and metadata; in a JPEG file of several pictures (MPO), those of the first."""
    _, parts = _read(file, whole=False)
    given = b"".join(parts.named(_APP1, EXIF))
    exif, orientation = exif_data.make_upright(given)
    packet, left_out = xmp.make_upright(next(parts.named(_APP1, XMP), None))
    if any(b"c2pa" in data for data in parts.named(_APP11, b"JP")):
        left_out += ("the content credentials, which hold for the original alone",)
    comments = [data.rstrip(b"\0") for data in parts.named(_COMMENT, b"")]
    metadata = ImageMetadata(
        # A profile of CMYK describes inks; `read_pixels` uses it and returns sRGB.
        None if parts.components == 4 else _profile(parts),
        exif,
        _resolution(parts),
        xmp=packet,
        photoshop=photoshop.kept(b"".join(parts.named(_APP13, photoshop.PREFIX))),
        texts=tuple(("Comment", _decoded(comment)) for comment in comments if comment),
        notes=(*exif_data.damage(given, exif), *(f"without {what}" for what in left_out)),
    )
    return ImageHeader(parts.height, parts.width, orientation, 1, metadata, max(1, parts.components))


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _profile(parts: _Parts) -> bytes | None:
    return b"".join(data[2:] for data in sorted(parts.named(_APP2, ICC))) or None


def _resolution(parts: _Parts) -> tuple[float, float] | None:
    """Return pixels an inch of the JFIF segment; those of EXIF data travel with them."""
    for data in parts.named(_APP0, b"JFIF\0"):
        unit, x, y = struct.unpack_from(">BHH", data, 2)
        if unit in (1, 2) and x and y:
            scale = 1.0 if unit == 1 else 2.54
            return x * scale, y * scale
    return None


def read_notes(file: BinaryIO) -> tuple[str, ...]:
    """Tell what else is in the file beside the one picture that is read."""
    data, parts = _read(file, whole=True)
    notes = []
    tail = data[parts.end :].strip(b"\0\xff ")
    pictures = sum(_further_pictures(block) for block in parts.named(_APP2, b"MPF\0"))
    packet = next(parts.named(_APP1, XMP), b"")
    if b"hdrgm" in tail or b"21496-1" in tail or (tail and (b"hdrgm" in packet or b"HDRGainMap" in tail)):
        notes.append("without the gain map")
        pictures -= 1
    if pictures > 0:
        which = "second picture" if pictures == 1 else f"{pictures} further pictures"
        notes.append(f"without the {which} of its file")
    if b"ftyp" in tail and (b"moov" in tail or b"moof" in tail):
        notes.append("without the film of the motion photo")
    elif tail and not notes and not any(parts.named(_APP2, b"MPF\0")):
        notes.append(f"without the {len(tail)} bytes behind the end mark of its file")
    return tuple(notes)


def _further_pictures(block: bytes) -> int:
    """Count the pictures behind the first that a multi-picture index lists, previews of the first left out."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return 0
    try:
        (start,) = struct.unpack_from(order + "I", block, 4)
        tags = exif_data.read_directory(io.BytesIO(block), start, order, only=frozenset({0xB002}))
        entries = tags[0xB002][2]
        return sum(
            bool(size) and kind & 0xFFFFFF not in (0x010001, 0x010002)
            for kind, size in struct.iter_unpack(order + "II8x", entries[16 : len(entries) // 16 * 16])
        )
    except (struct.error, KeyError, OverflowError):
        return 0


def read_pixels(file: BinaryIO, header: ImageHeader) -> np.ndarray:
    """Decode the stored pixels to grey or RGB; a picture whose data end early is an error, end mark or not."""
    data, parts = _read(file, whole=True)
    if parts.scans * header.height * header.width > _MAX_WORK:
        raise UnreadableImageError(
            f"holds its {header.height} x {header.width} pixels in {parts.scans} scans, which would take minutes; "
            "convert it to a JPEG file without progressive scans"
        )
    lean = _lean(data, parts)
    if parts.single:
        return to_array(_decode_single(lean, parts))
    pixels = to_array(_opened(lean, parts))
    # Bits behind all that there is to decode change nothing, unless the decoder was still waiting for some.
    again = to_array(_opened(lean[:-2] + _FILLER + lean[-2:], parts))
    if not np.array_equal(pixels, again):
        raise UnreadableImageError(_CUT)
    return pixels


def options_of(metadata: ImageMetadata) -> dict[str, Any]:
    """Return what Pillow's writer is to be told of XMP, IPTC data and comments, as far as they fit."""
    extra = b""
    if metadata.xmp:
        extra += _segment(_APP1, XMP + metadata.xmp)
    block = metadata.photoshop or b""
    room = 65_533 - len(photoshop.PREFIX)
    for start in range(0, len(block), room):
        extra += _segment(_APP13, photoshop.PREFIX + block[start : start + room])
    comments = [text for _, text in metadata.texts]
    return ({"extra": extra} if extra else {}) | ({"comment": "\n".join(comments)} if comments else {})


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _lean(data: bytes, parts: _Parts) -> bytes:
    """Return the file with what a decoder needs alone: what else there is could only trouble it."""
    out = bytearray(b"\xff\xd8")
    for marker, content in parts.segments:
        if marker == _COMMENT or (marker in _APPS and marker not in (_APP0, _APP14)):
            continue
        out += _segment(marker, content)
    return bytes(out) + data[parts.start : parts.end]


def _opened(lean: bytes, parts: _Parts) -> Image.Image:
    from PIL.JpegImagePlugin import JpegImageFile

    image = JpegImageFile(io.BytesIO(lean))
    profile = _profile(parts)
    if profile:
        image.info["icc_profile"] = profile
    return image


def _decode_single(lean: bytes, parts: _Parts) -> Image.Image:
    """Decode without the end mark, where libjpeg cannot make up what is missing: then the last row stays unwritten."""
    from PIL import Image

    for sentinel in _SENTINELS:
        image: Any = _opened(lean, parts)
        if len(image.tile) != 1:
            return image
        name, box, _, arguments = image.tile[0]
        decoder = Image._getdecoder(image.mode, name, arguments, image.decoderconfig)
        bands = len(image.getbands())
        image.im = Image.core.fill(image.mode, image.size, sentinel[:bands] if bands > 1 else sentinel[0])
        decoder.setimage(image.im, box)
        try:
            _, problem = decoder.decode(lean[:-2] + bytes(_AHEAD))
        finally:
            decoder.cleanup()
        if problem < 0:
            raise UnreadableImageError("holds damaged JPEG data; obtain a fresh copy")
        image.tile = []
        # `Image.crop` asks for the process-wide limit on pixels.
        last = np.asarray(image._new(image.im.crop((0, image.height - 1, image.width, image.height))))
        if (last.reshape(-1, bands) != sentinel[:bands]).any():
            return image
    raise UnreadableImageError(_CUT)
