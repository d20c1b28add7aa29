"""Raw photographs, developed by LibRaw through rawpy (extra ``raw``): 16 bits, sRGB, the camera's white balance.

Such files hold previews of what the sensor saw; none of them is ever taken for the photograph.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from rainopt.io.images import jpeg
from rainopt.io.images.directories import CFA, LINEAR_RAW, PHOTOMETRIC, chain, holds_raw_data, number, read_head
from rainopt.io.images.exif import DESCRIPTIVE, Tags, from_tags, make_upright, pack_directory, read_directory
from rainopt.io.images.metadata import ImageHeader, ImageMetadata, UnreadableImageError
from rainopt.io.images.profile import srgb_profile

# What files begin with: Panasonic, Olympus (three), Fujifilm, Sigma, Minolta, Canon's first.
_MAGIC = (b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM", b"II\x1a\0\0\0HEAPCCDR")
_TIFF_LIKE = (b"II*\0", b"MM\0*", b"IIU\0", b"IIRO", b"IIRS", b"MMOR")
_CANON = b"ftypcrx "  # CR3
_EXIF, _MAKER_NOTE = 0x8769, 0x927C
_DEFLATE = (8, 32946)
_DEVELOPED = "as developed from raw data: 16 bits, sRGB, the camera's white balance, no brightening"
# What a directory says of its own strips or tiles.
_LAYOUT = frozenset({254, 259, 273, 278, 279, 317, 322, 323, 324, 325, 330})
_LEAST_DNG = 50706  # tags from here on say how a DNG is to be developed


def is_raw(file: BinaryIO) -> bool:
    """Tell by the content whether a file is a raw photograph."""
    file.seek(0)
    head = file.read(32)
    if head.startswith(_MAGIC) or head[4:12] == _CANON or (head[:4] == b"II*\0" and head[8:10] == b"CR"):
        return True
    return head[:4] in (b"II*\0", b"MM\0*") and holds_raw_data(file)


@contextmanager
def _opened(file: BinaryIO) -> Iterator[Any]:
    try:
        import rawpy
    except ImportError as error:
        raise UnreadableImageError(
            f"is a raw photograph, and developing it needs rawpy ({error}): pip install 'rainopt[raw]'; or develop it "
            "with the program of your choice and give its TIFF or PNG"
        ) from error
    file.seek(0)
    try:
        with rawpy.imread(file) as photograph:
            yield photograph
    except rawpy.LibRawError as error:
        reason = error.args[0] if error.args else error
        reason = reason.decode(errors="replace") if isinstance(reason, bytes) else reason
        raise UnreadableImageError(
            f"is a raw photograph that LibRaw cannot develop ({reason}); develop it with the program of your choice "
            "and give its TIFF or PNG"
        ) from error


def read_header(file: BinaryIO) -> ImageHeader:
    """Read the size and metadata; the photograph comes out upright."""
    with _opened(file) as photograph:
        sizes = photograph.sizes
        height, width = sizes.iheight, sizes.iwidth
        if sizes.pixel_aspect < 1:
            height = round(height / sizes.pixel_aspect)
        elif sizes.pixel_aspect > 1:
            width = round(width * sizes.pixel_aspect)
        if sizes.flip in (5, 6):
            height, width = width, height
        exif, note = _exif(file, photograph)
    metadata = ImageMetadata(srgb_profile(), exif, notes=(_DEVELOPED, *note))
    return ImageHeader(height, width, 1, 1, metadata, 12)  # LibRaw keeps a second picture of four channels


def _exif(file: BinaryIO, photograph: Any) -> tuple[bytes | None, tuple[str, ...]]:
    """Return the EXIF data of the file itself, or of its preview, and what of them is left out."""
    import rawpy

    file.seek(0)
    if file.read(4) in _TIFF_LIKE:
        try:
            head = read_head(file)
            tags = read_directory(file, head.first, head.order, only=DESCRIPTIVE)
        except (struct.error, OverflowError):
            tags = {}
        camera = tags.get(_EXIF)
        # It holds places in the file that was read, and previews.
        note = camera is not None and camera[2].pop(_MAKER_NOTE, None) is not None
        exif = from_tags(tags)
        return exif, ("without the maker's note",) if note else () if exif else ("without the EXIF data",)
    try:
        preview = photograph.extract_thumb()
        if preview.format == rawpy.ThumbFormat.JPEG:
            exif = jpeg.read_header(io.BytesIO(preview.data)).metadata.exif
            return make_upright(exif)[0], () if exif else ("without the EXIF data",)
    except (rawpy.LibRawError, UnreadableImageError, struct.error, IndexError):
        pass
    return None, ("without the EXIF data",)


def read_pixels(file: BinaryIO, header: ImageHeader) -> np.ndarray:
    """Develop the photograph to uint16 RGB with the curve of sRGB."""
    try:
        return _develop(file)
    except UnreadableImageError:
        plain = _unpacked(file)
        if plain is None:
            raise
        return _develop(plain)


def _develop(file: BinaryIO) -> np.ndarray:
    import rawpy

    with _opened(file) as photograph:
        return photograph.postprocess(
            output_bps=16,
            output_color=rawpy.ColorSpace.sRGB,
            gamma=(2.4, 12.92),
            use_camera_wb=True,
            no_auto_bright=True,
        )


def _unpacked(file: BinaryIO) -> BinaryIO | None:
    """Return a DNG with its mosaic as plain numbers where Deflate packs whole numbers, which LibRaw does not unpack."""
    import tifffile

    from rainopt.io.images.tiff import quiet
    from rainopt.io.images.unpacking import check_segments

    file.seek(0)
    if file.read(4) not in (b"II*\0", b"MM\0*"):
        return None
    head = read_head(file)
    file.seek(0)
    with quiet(), tifffile.TiffFile(file) as tiff:
        pages = [page for first in tiff.pages for page in (first, *(first.pages or ()))]
        page = next((p for p in pages if p.photometric in (CFA, LINEAR_RAW) and p.compression in _DEFLATE), None)
        if page is None or page.dtype is None or page.dtype.itemsize != 2 or page.dtype.kind != "u":
            return None
        check_segments(file, page)
        pixels = page.asarray().astype("<u2")
        shared = read_directory(file, chain(file, head)[0], head.order)
        own = read_directory(file, page.offset, head.order)
    tags: Tags = {tag: value for tag, value in shared.items() if tag >= _LEAST_DNG or tag in (271, 272, 274)}
    tags |= {tag: value for tag, value in own.items() if tag not in _LAYOUT}
    if number(tags, PHOTOMETRIC) not in (CFA, LINEAR_RAW):
        return None
    data = pixels.tobytes()
    rows, start = pixels.shape[0], 8
    for tag, value in ((254, 0), (259, 1), (273, start), (278, rows), (279, len(data))):
        tags[tag] = (4, 1, struct.pack("<I", value))
    place = start + len(data)
    return io.BytesIO(b"II*\0" + struct.pack("<I", place) + data + pack_directory(tags, place))
