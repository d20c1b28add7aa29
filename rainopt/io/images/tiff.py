"""TIFF through tifffile, which alone reads all depths; OpenCV and Pillow for the compressions that it lacks."""

from __future__ import annotations

import io
import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from rainopt.io.images import opencv, photoshop, xmp
from rainopt.io.images.directories import MASK, REDUCED, chain, read_head
from rainopt.io.images.exif import DESCRIPTIVE, ORIENTATION, Tags, from_tags, pack_directory, read_directory, to_tags
from rainopt.io.images.libtiff import listening
from rainopt.io.images.metadata import ImageHeader, ImageMetadata, UnreadableImageError, straight
from rainopt.io.images.unpacking import check_segments

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _YCBCR = 0, 1, 2, 3, 6
_ASSOCIATED_ALPHA = 1
_COLOURS = {_WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3, _PALETTE: 1}
_XMP, _IPTC, _PHOTOSHOP = 700, 33723, 34377
_BYTE, _LONG, _UNDEFINED = 1, 4, 7
_BITS_OF_A_BYTE = 8
# Text that other programs write about the layout of their own files; it would be untrue of another file.
_LAYOUT_TEXT = (b'{"shape":', b"ImageJ=", b"<?xml")
_CENTIMETRES = 2.54
# Classic TIFF counts bytes in 32 bits; incompressible data grow a little, and tags need their room.
_CLASSIC_BYTES = 2**32 - 2**26


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what others log of a damaged file to themselves: what is wrong is told by an error that names the file."""
    logs = [logging.getLogger(name) for name in ("tifffile", "PIL.TiffImagePlugin")]
    before = [log.disabled for log in logs]
    for log in logs:
        log.disabled = True
    try:
        yield
    finally:
        for log, disabled in zip(logs, before, strict=True):
            log.disabled = disabled


def read_header(file: BinaryIO) -> ImageHeader:
    """Read the size, orientation and metadata from the directory of a TIFF file."""
    import tifffile

    # tifffile follows a chain that runs in a circle for ever.
    chain(file, read_head(file))
    file.seek(0)
    with quiet(), tifffile.TiffFile(file) as tiff:
        page, frames = _picture(tiff)
        tags = page.tags
        orientation = int(tags.valueof(ORIENTATION, 1))
        orientation = orientation if 1 <= orientation <= 8 else 1
        icc = tags.valueof(34675)
        if page.photometric == 5:
            icc = None  # It describes inks; `read_pixels` hands on sRGB.
        resolution = _resolution(tags)
        try:
            wanted = DESCRIPTIVE | {_XMP, _IPTC, _PHOTOSHOP}
            found = read_directory(file, page.offset, tiff.byteorder, tiff.is_bigtiff, wanted)
            left_out: tuple[str, ...] = ()
        except (struct.error, OverflowError):
            found, left_out = {}, ("the EXIF, XMP and IPTC data, which are damaged",)
        if 270 in found and found[270][2].startswith(_LAYOUT_TEXT):
            del found[270]
        packet, told = xmp.make_upright(_bytes(found.pop(_XMP, None), tiff.byteorder))
        iptc, block = (_bytes(found.pop(tag, None), tiff.byteorder) for tag in (_IPTC, _PHOTOSHOP))
        metadata = ImageMetadata(
            icc and bytes(icc),
            from_tags(found),
            resolution,
            xmp=packet,
            photoshop=photoshop.kept(block, iptc),
            notes=tuple(f"without {what}" for what in (*left_out, *told)),
        )
        pixel_bytes = int(page.samplesperpixel) * -(-int(page.bitspersample) // _BITS_OF_A_BYTE)
        return ImageHeader(page.imagelength, page.imagewidth, orientation, frames, metadata, pixel_bytes)


def _bytes(tag: tuple[int, int, Any] | None, order: str) -> bytes | None:
    """Return the value of a tag that is a row of bytes, whatever numbers it is said to be of."""
    if tag is None or isinstance(tag[2], dict):
        return None
    kind, _, value = tag
    if order == ">" and kind == _LONG:  # the bytes of these numbers were never meant to be swapped
        value = np.frombuffer(value, "<u4").astype(">u4").tobytes()
    return value.rstrip(b"\0") or None


def _picture(tiff: Any) -> tuple[Any, int]:
    """Return the first page that is a picture, and how many there are."""
    pages = [page for page in tiff.pages if not page.subfiletype & (REDUCED | MASK)]
    return (pages or tiff.pages)[0], max(1, len(pages))


def _resolution(tags: Any) -> tuple[float, float] | None:
    scale = {2: 1.0, 3: _CENTIMETRES}.get(int(tags.valueof(296, 2)))
    x, y = tags.valueof(282), tags.valueof(283)
    if scale is None or not x or not y or not all((*x, *y)):
        return None
    return scale * x[0] / x[1], scale * y[0] / y[1]


def read_pixels(file: BinaryIO, header: ImageHeader) -> np.ndarray:
    """Decode the stored pixels to uint8, uint16 or float32, grey or RGB, with straight alpha where there is one."""
    import tifffile

    size = file.seek(0, 2)
    file.seek(0)
    with quiet(), tifffile.TiffFile(file) as tiff:
        page, _ = _picture(tiff)
        # tifffile fills missing strips with zeros.
        if any(n < 1 or at + n > size for at, n in zip(page.dataoffsets, page.databytecounts, strict=True)):
            raise UnreadableImageError("is a truncated TIFF file: some of its data are missing; obtain a whole copy")
        extras = tuple(int(kind) for kind in page.extrasamples)
        if len(extras) > 1 or page.imagedepth > 1:
            raise UnreadableImageError(
                "has more than one extra channel or is a volume; save it as grey or RGB, with at most an alpha channel"
            )
        colours = _COLOURS.get(int(page.photometric))
        if colours is None or page.samplesperpixel != colours + len(extras):
            return _decode_elsewhere(file, tiff, page)
        check_segments(file, page)
        try:
            pixels = page.asarray()
        except ImportError:  # a compression that this Python does not bring
            return _decode_elsewhere(file, tiff, page)
        except ValueError as error:
            if "imagecodecs" not in str(error) and hasattr(page.compression, "name"):
                raise
            return _decode_elsewhere(file, tiff, page)
        if page.axes.startswith("S"):
            pixels = np.moveaxis(pixels, 0, -1)
        pixels = pixels.reshape(page.imagelength, page.imagewidth, -1)
        return _as_picture(pixels, page, extras)


def _as_picture(pixels: np.ndarray, page: Any, extras: tuple[int, ...]) -> np.ndarray:
    """Bring stored samples to uint8, uint16 or float32 pixels with black at zero and straight alpha."""
    bits = int(page.bitspersample)
    if page.photometric == _PALETTE and pixels.shape[2] == 1:
        table = np.asarray(page.colormap).T
        table = (table // 257 if (table % 257 == 0).all() else table >> 8).astype(np.uint8)
        return table[pixels[..., 0]]
    if pixels.dtype == bool or (pixels.dtype == np.uint8 and bits < 8):
        pixels = pixels.astype(np.uint8) * np.uint8(255 // (2**bits - 1))
    elif pixels.dtype.kind == "f":
        pixels = pixels.astype(np.float32, copy=False)
    elif pixels.dtype not in (np.uint8, np.uint16) or bits not in (8, 16):
        raise UnreadableImageError(
            f"holds {bits}-bit samples of type {pixels.dtype}; save it as 8 or 16 bits, or as float in [0, 1]"
        )
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    top = pixels.dtype.type(1 if pixels.dtype.kind == "f" else np.iinfo(pixels.dtype).max)
    if page.photometric == _WHITE_IS_ZERO:
        pixels[..., 0] = top - pixels[..., 0]
    if extras == (_ASSOCIATED_ALPHA,):
        pixels = straight(pixels)
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


def _decode_elsewhere(file: BinaryIO, tiff: Any, page: Any) -> np.ndarray:
    """Decode with OpenCV where it keeps the values, else with Pillow, having told both that the picture is upright."""
    from rainopt.io.images.pillow import open_image, to_array

    file.seek(0)
    data = bytearray(file.read())
    tag = page.tags.get(ORIENTATION)
    if tag is not None:
        struct.pack_into(tiff.byteorder + ("I" if tag.dtype == 4 else "H"), data, tag.valueoffset, 1)
    # OpenCV multiplies 8-bit colours with alpha and knows no grey with alpha.
    shape = (page.imagelength, page.imagewidth)
    plain = page.photometric in (_BLACK_IS_ZERO, _RGB, _YCBCR) and (page.bitspersample > 8 or not page.extrasamples)
    if plain and page.bitspersample in (8, 16, 32, 64):
        decoded = opencv.decode(data)
        if decoded is not None and decoded.shape == (
            shape if page.samplesperpixel == 1 else (*shape, page.samplesperpixel)
        ):
            if decoded.ndim == 3:
                decoded = opencv.red_first(decoded)
            extras = tuple(int(kind) for kind in page.extrasamples)
            return _as_picture(decoded.reshape(*shape, -1), page, extras)
    if page.bitspersample <= 8:
        from PIL import Image

        with listening():
            image = open_image(io.BytesIO(data))
            # Given memory of its own, the image does not ask for the process-wide limit on pixels.
            image.im = Image.core.new(image.mode, image.size)
            return to_array(image)
    raise UnreadableImageError(
        f"is a TIFF file of a kind that is not read ({page.bitspersample} bits, compression {_name(page.compression)}, "
        f"pixels {_name(page.photometric)}); save it uncompressed or with Deflate, as grey or RGB, or "
        "install more decoders (pip install imagecodecs)"
    )


def _name(value: Any) -> str:
    return getattr(value, "name", str(value))  # tifffile leaves numbers without a name as they are


def write(file: BinaryIO, pixels: np.ndarray, metadata: ImageMetadata) -> None:
    """Write pixels with lossless Deflate compression, and metadata as tags of the first directory."""
    import imageio.v3 as iio

    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    options: dict[str, Any] = {}
    if metadata.resolution:
        options |= {"resolution": metadata.resolution, "resolutionunit": 2}
    if metadata.icc:
        options["iccprofile"] = metadata.icc
    if channels in (2, 4):
        options["extrasamples"] = ["unassalpha"]
    container: dict[str, Any] = {"byteorder": "<", "bigtiff": pixels.nbytes > _CLASSIC_BYTES}
    with iio.imopen(file, "w", plugin="tifffile", extension=".tif", **container) as tiff:
        tiff.write(
            pixels,
            photometric="rgb" if channels >= 3 else "minisblack",
            planarconfig="contig" if channels > 1 else None,
            compression="zlib",
            metadata=None,
            software=False,
            **options,
        )
    tags = to_tags(metadata.exif)
    if metadata.xmp:
        tags[_XMP] = (_BYTE, len(metadata.xmp), metadata.xmp)
    if metadata.photoshop:
        tags[_PHOTOSHOP] = (_BYTE, len(metadata.photoshop), metadata.photoshop)
        iptc = photoshop.iptc_of(metadata.photoshop)
        if iptc:
            tags[_IPTC] = (_UNDEFINED, len(iptc), iptc)
    if tags:
        _add_tags(file, tags)


def _add_tags(file: BinaryIO, added: Tags) -> None:
    """Replace the first directory by one at the end of the file that holds more tags: tifffile writes no EXIF tag."""
    file.seek(0)
    wide = file.read(4)[2] == 43
    place, form = (8, "<Q") if wide else (4, "<I")
    file.seek(place)
    (start,) = struct.unpack(form, file.read(struct.calcsize(form)))
    tags = {**added, **read_directory(file, start, "<", wide)}
    end = file.seek(0, 2)
    end += file.write(b"\0" * (end % 2))
    file.write(pack_directory(tags, end, wide))
    file.seek(place)
    file.write(struct.pack(form, end))
