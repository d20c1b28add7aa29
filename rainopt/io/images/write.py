"""Arrays brought to what a format holds, and encoded by the library that holds the kind at hand."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rainopt.io.images.exif import PREFIX, make_upright
from rainopt.io.images.metadata import MAX_PIXELS, ImageMetadata, UnreadableImageError, check_unit_range

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Format:
    """What a file format holds."""

    name: str
    bits: tuple[int, ...]
    alpha: bool
    side: int  # pixels of the longest side that it holds


_PNG = Format("PNG", (8, 16), True, 2**31 - 1)
_JPEG = Format("JPEG", (8,), False, 65_500)
_TIFF = Format("TIFF", (8, 16, 32), True, 2**31 - 1)
_WEBP = Format("WebP", (8,), True, 16_383)
_BMP = Format("BMP", (8,), False, 2**31 - 1)
FORMATS = {".png": _PNG, ".jpg": _JPEG, ".jpeg": _JPEG, ".tif": _TIFF, ".tiff": _TIFF, ".webp": _WEBP, ".bmp": _BMP}

_COLOUR_SPACES = {1: b"GRAY", 2: b"GRAY", 3: b"RGB ", 4: b"RGB "}
_JPEG_SEGMENT = 65_533 - 6  # bytes of EXIF data that fit


def as_picture(array: np.ndarray) -> np.ndarray:
    """Check that an array is a picture; one channel on an axis of its own becomes grey."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (2, 3, 4)) or array.size == 0:
        raise UnreadableImageError(
            f"`array` must be (H, W) or (H, W, C) with 1 to 4 channels and not empty, got shape {array.shape}"
        )
    if array.dtype.newbyteorder("=") not in (np.uint8, np.uint16) and array.dtype.kind != "f":
        raise UnreadableImageError(f"`array` must be uint8, uint16 or float in [0, 1], got {array.dtype}; convert it")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def as_levels(array: np.ndarray, kind: Format, bits: int | None) -> np.ndarray:
    """Bring an array to the depth of the file, a few rows at a time to save copies of the whole."""
    if bits is None:
        bits = 16 if array.dtype == np.uint16 else 8
    if bits not in (8, 16, 32):
        raise UnreadableImageError(f"`bits` must be 8, 16, 32 or None, got {bits!r}")
    if bits not in kind.bits:
        holds = " or ".join(str(b) for b in kind.bits)
        other = ".tif" if bits == 32 else ".png or .tif"
        raise UnreadableImageError(
            f"{kind.name} holds {holds} bits, not {bits}; write {other}, or pass `bits=8` to round to 8 bits"
        )
    if array.ndim == 3 and array.shape[2] in (2, 4) and not kind.alpha:
        raise UnreadableImageError(
            f"{kind.name} holds no alpha channel; write .png, .tif or .webp, or drop the last channel"
        )
    if array.shape[0] * array.shape[1] > MAX_PIXELS or max(array.shape[:2]) > kind.side:
        raise UnreadableImageError(
            f"{array.shape[0]} x {array.shape[1]} pixels are more than {kind.name} holds here (sides of {kind.side:,}, "
            f"{MAX_PIXELS:,} pixels); write .png or .tif, or cut it into parts"
        )
    dtype = np.dtype({8: np.uint8, 16: np.uint16, 32: np.float32}[bits])
    top = 1 if bits == 32 else 2**bits - 1
    if array.dtype.kind == "f":
        check_unit_range(array, "`array` holds values", 1e-6 if bits == 32 else 0.5 / top)
        source = 1
    elif array.dtype == dtype:
        return np.ascontiguousarray(array, dtype)
    else:
        source = int(np.iinfo(array.dtype).max)
    levels = np.empty(array.shape, dtype)
    rows = max(1, (1 << 20) // array[0].size)
    for start in range(0, len(array), rows):
        block = array[start : start + rows].astype(np.float64) * (top / source)
        levels[start : start + rows] = np.clip(block if bits == 32 else np.rint(block), 0, top)
    return levels


def holdable(path: Path, kind: Format, pixels: np.ndarray, metadata: ImageMetadata) -> ImageMetadata:
    """Return the metadata that the file can hold."""
    # EXIF data from elsewhere may still name a turn that the pixels do not need.
    icc, exif = metadata.icc, make_upright(metadata.exif)[0]
    if kind is _BMP:
        return ImageMetadata(resolution=metadata.resolution)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if kind is _WEBP and channels < 3:
        channels += 2
    if icc and icc[16:20] != _COLOUR_SPACES[channels]:
        _log.warning("'%s' is written without the colour profile, which is not one of its kind of pixels", path)
        icc = None
    if exif and kind is _JPEG and len(exif) > _JPEG_SEGMENT:
        _log.warning("'%s' is written without the EXIF data: their %d bytes are more than JPEG holds", path, len(exif))
        exif = None
    return ImageMetadata(icc, exif, metadata.resolution)


def encode(file: BinaryIO, pixels: np.ndarray, kind: Format, metadata: ImageMetadata, quality: int) -> None:
    """Write pixels at the depth of the file into an open one."""
    if kind is _TIFF:
        from rainopt.io.images import tiff

        tiff.write(file, pixels, metadata)
        return
    if kind is _PNG and pixels.dtype == np.uint16:
        from rainopt.io.images import png

        png.write_16_bit(file, pixels, metadata)
        return
    import imageio.v3 as iio

    options: dict[str, Any] = {_JPEG: {"quality": quality, "subsampling": 0}}.get(kind, {})
    if kind is _PNG:
        # Run lengths only (zlib.Z_RLE): photographs come out 4 % larger than by default, in a quarter of the time.
        options = {"compress_type": 3}
    if kind is _WEBP:
        options = {"lossless": True, "exact": True}  # exact: colours under full transparency are kept too
    if metadata.icc:
        options["icc_profile"] = metadata.icc
    if metadata.exif:
        options["exif"] = PREFIX + metadata.exif
    if metadata.resolution and kind is not _WEBP:
        options["dpi"] = metadata.resolution
    iio.imwrite(file, pixels, plugin="pillow", extension=f".{kind.name.lower()}", is_batch=False, **options)
