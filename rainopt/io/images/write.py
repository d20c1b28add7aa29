"""Arrays brought to what a format holds, and encoded by the library that holds the kind at hand."""

from __future__ import annotations

import io
import shutil
from typing import Any, BinaryIO

import numpy as np

from rainopt.io.images.exif import PREFIX
from rainopt.io.images.formats import AVIF, FORMATS, JPEG, PNG, TIFF, WEBP, Format
from rainopt.io.images.metadata import MAX_PIXELS, ImageMetadata, UnreadableImageError, check_unit_range

__all__ = ["FORMATS", "as_levels", "as_picture", "encode"]


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
            f"{kind.name} holds no alpha channel; write .png, .tif, .webp or .avif, or drop the last channel"
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


def encode(file: BinaryIO, pixels: np.ndarray, kind: Format, metadata: ImageMetadata, quality: int) -> None:
    """Write pixels at the depth of the file into an open one, with metadata that the format holds."""
    if kind is TIFF:
        from rainopt.io.images import tiff

        tiff.write(file, pixels, metadata)
        return
    from rainopt.io.images import avif, jpeg, png

    if kind is PNG and pixels.dtype == np.uint16:
        png.write_16_bit(file, pixels, metadata)
        return
    options: dict[str, Any] = {JPEG: {"quality": quality, "subsampling": 0}}.get(kind, {})
    if kind is PNG:
        # Run lengths only (zlib.Z_RLE): photographs come out 4 % larger than by default, in a quarter of the time.
        options = {"compress_type": 3}
    if kind is WEBP:
        options = {"lossless": True, "exact": True}  # exact: colours under full transparency are kept too
    if kind is AVIF:
        options = {"quality": quality, "subsampling": "4:0:0" if pixels.ndim == 2 else "4:4:4"}
    if metadata.icc:
        options["icc_profile"] = metadata.icc
    if metadata.exif:
        options["exif"] = PREFIX + metadata.exif
    if metadata.resolution and kind is not WEBP:
        options["dpi"] = metadata.resolution
    if metadata.xmp and kind in (WEBP, AVIF):
        options["xmp"] = metadata.xmp
    if kind is JPEG:
        options |= jpeg.options_of(metadata)
    # Pillow's encoders write into a file past Python, and take a disk that is full for one that takes all; that of PNG
    # does not.
    place: BinaryIO = file if kind is PNG else io.BytesIO()
    if kind is JPEG:
        # imageio's plugin hands it to Pillow as well, and takes longer to be imported than a photograph to be encoded.
        from PIL import Image

        Image.fromarray(pixels).save(place, format=kind.name, **options)
    else:
        import imageio.v3 as iio

        iio.imwrite(place, pixels, plugin="pillow", extension=f".{kind.name.lower()}", is_batch=False, **options)
    if kind is PNG:
        png.add_chunks(file, metadata)
        return
    if kind is AVIF:
        avif.set_colours(place, metadata.colour)
    place.seek(0)
    shutil.copyfileobj(place, file)
