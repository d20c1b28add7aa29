"""Image files to arrays and back, upright, at the depth they have, with what says what the pixels mean and show.

A file's bytes, not its suffix, say what it holds; what is written follows the suffix. Encoding is imageio's, through
the plugin that holds the kind at hand, and of JPEG Pillow's own. Decoding asks the libraries behind its plugins
themselves, one for each format, because imageio's readers turn 16-bit colour to 8 bits, apply a limit on pixels that is
global to the process, or take names of files only.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from rainopt.io.atomic import FileThereError, WriteError, replacing
from rainopt.io.images.carry import holdable
from rainopt.io.images.formats import FORMATS
from rainopt.io.images.metadata import (
    MAX_PIXELS,
    ImageFileError,
    ImageFileExistsError,
    ImageMetadata,
    UnreadableImageError,
    check_unit_range,
    turn_upright,
)
from rainopt.io.images.opening import check_memory, checked, opened
from rainopt.io.images.write import as_levels, as_picture, encode
from rainopt.io.unchanged import Stamp

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "MAX_PIXELS",
    "ImageFile",
    "ImageFileError",
    "ImageFileExistsError",
    "ImageMetadata",
    "copy_image",
    "image_size",
    "is_format",
    "read_image",
    "read_image_file",
    "read_metadata",
    "write_image",
]


@dataclass(frozen=True)
class ImageFile:
    """The picture in a file, upright.

    Attributes
    ----------
    pixels : ndarray
        (H, W) grey, (H, W, 2) grey and alpha, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16, or float32 in [0, 1].
    metadata : ImageMetadata
        Profile, EXIF data and whatever else travels with the pixels, to be handed to `write_image`.
    format : str
        "PNG", "JPEG", "TIFF", "WebP", "AVIF", "HEIC", "BMP" or "RAW".
    turned : bool
        Whether the pixels lie otherwise in the file, and are brought upright by its EXIF data.
    """

    pixels: np.ndarray
    metadata: ImageMetadata = field(default_factory=ImageMetadata)
    format: str = ""
    turned: bool = False


def read_image(path: str | os.PathLike[str]) -> np.ndarray:
    """Read the pixels of an image file.

    The values are the stored ones; neither gamma nor profile is applied. The EXIF orientation is.

    Parameters
    ----------
    path : str or path-like
        A PNG, JPEG, TIFF, WebP, AVIF, BMP, HEIC (extra ``heif``) or raw file (extra ``raw``).

    Returns
    -------
    ndarray
        (H, W) grey, (H, W, 2) grey and alpha, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16, or float32 in [0, 1].

    Raises
    ------
    ImageFileError
        As `read_image_file`, which also returns what the file says about its pixels.
    """
    return read_image_file(path).pixels


def read_image_file(path: str | os.PathLike[str]) -> ImageFile:
    """Read an image file with what it says about its pixels.

    The values are the stored ones, at 8 or 16 bits or as float32; neither gamma nor profile is applied. The EXIF
    orientation is applied. Palettes become RGB, transparent colours an alpha channel, 1-bit pictures 0 and 255, and
    CMYK becomes sRGB, by the embedded profile where there is one. Alpha is returned as it is stored, or made straight
    where the file holds colours multiplied by it. AVIF and HEIC of 10 and 12 bits become 16 bits. Raw photographs,
    recognised by what they hold, are developed: 16 bits, sRGB, the camera's white balance, no brightening.

    Parameters
    ----------
    path : str or path-like
        A PNG, JPEG, TIFF, WebP, AVIF, BMP, HEIC (extra ``heif``) or raw file (extra ``raw``) of at most `MAX_PIXELS`
        pixels.

    Returns
    -------
    ImageFile
        The pixels, (H, W) or (H, W, 2 to 4), and the metadata.

    Raises
    ------
    ImageFileError
        If the file cannot be read, is not an image, is truncated or damaged, is too large, holds several pictures
        (animations, TIFF files of several pages; thumbnails and the further pictures of a JPEG or HEIC file do not
        count), or holds floats that are not finite or outside [0, 1].
    """
    path = Path(path)
    with opened(path) as (file, kind, codec):
        header = checked(codec.read_header(file))
        if header.frames > 1:
            raise UnreadableImageError(
                f"holds {header.frames} pictures, of which none is chosen for you; save the wanted one on its own, or "
                "all as a video"
            )
        check_memory(header, file)
        pixels = codec.read_pixels(file, header)
        # What becomes of the slanted sensors of some cameras, LibRaw alone knows.
        if pixels.shape[:2] != (header.height, header.width) and kind != "RAW":
            raise UnreadableImageError(
                f"promises {header.height} x {header.width} pixels and holds {pixels.shape[0]} x {pixels.shape[1]}"
            )
        if pixels.dtype == np.float32:
            check_unit_range(pixels, "holds float values", 0.0)
        pixels = np.ascontiguousarray(turn_upright(pixels, header.orientation))
        metadata = header.upright_metadata
        if hasattr(codec, "read_notes"):
            notes = tuple(dict.fromkeys((*metadata.notes, *codec.read_notes(file))))
            metadata = replace(metadata, notes=notes)
    return ImageFile(pixels, metadata, kind, header.orientation != 1)


def read_metadata(path: str | os.PathLike[str]) -> ImageMetadata:
    """Return what a file says of its picture, from its header alone.

    Raises
    ------
    ImageFileError
        If the file cannot be read or its header makes no sense.
    """
    path = Path(path)
    with opened(path) as (file, _, codec):
        return checked(codec.read_header(file)).upright_metadata


def image_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Return height and width of the upright picture in a file, from its header alone.

    Raises
    ------
    ImageFileError
        If the file cannot be read or its header makes no sense.
    """
    path = Path(path)
    with opened(path) as (file, _, codec):
        return checked(codec.read_header(file)).upright_size


def write_image(
    path: str | os.PathLike[str],
    array: ArrayLike,
    *,
    metadata: ImageMetadata | None = None,
    overwrite: bool = True,
    quality: int = 95,
    bits: int | None = None,
) -> Path:
    """Write an array as an image file, whole or not at all.

    The format follows the suffix. PNG, TIFF (Deflate), WebP and BMP are lossless. JPEG and AVIF are lossy, at
    `quality`, with full chroma resolution (4:4:4). WebP is always lossless, since its lossy form halves the chroma; it
    has no grey, so that grey becomes RGB of three equal channels. The picture is written beside its place and renamed
    into it.

    Parameters
    ----------
    path : str or path-like
        The file to write; its folder must exist.
    array : array_like
        (H, W), (H, W, 1), (H, W, 2) grey and alpha, (H, W, 3) RGB or (H, W, 4) RGBA; uint8, uint16, or float in
        [0, 1]. Floats that round to a level of the file are accepted a little outside.
    metadata : ImageMetadata, optional
        Profile, EXIF data and whatever else is to be carried over, as far as the format holds it. PNG's colour chunks
        become an ICC profile in JPEG, TIFF and WebP, and numbers in AVIF. What is left out (all but the resolution in
        BMP, IPTC data in WebP and AVIF, a profile of another colour space than the pixels', more EXIF data than the
        64 KB of JPEG) is logged in one warning, together with the `ImageMetadata.notes`.
    overwrite : bool
        Whether a file that is there may be replaced.
    quality : int
        1 to 100, of JPEG and AVIF; the other formats are lossless.
    bits : {8, 16, 32}, optional
        Depth of the file; 32 is float32, in TIFF only. By default that of the array, and 8 for floats. Values are
        scaled and rounded to the nearest level.

    Returns
    -------
    Path
        The path written.

    Raises
    ------
    ImageFileError
        If the suffix is none of `WRITABLE_SUFFIXES`, the format cannot hold the array (16 bits in JPEG, WebP, AVIF or
        BMP, alpha in JPEG or BMP, sides too long), the array is no picture, or writing fails; no part of a file is
        left.
    ImageFileExistsError
        If the file exists and `overwrite` is False.
    """
    path = Path(path)
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        raise ImageFileError(
            f"'{path}' cannot be written: its suffix '{path.suffix}' is none of {', '.join(FORMATS)}; use one of these"
        )
    if isinstance(quality, bool) or not isinstance(quality, (int, np.integer)) or not 1 <= quality <= 100:
        raise ImageFileError(
            f"'{path}' cannot be written: `quality` must be a whole number from 1 to 100, got {quality!r}"
        )
    try:
        pixels = as_levels(as_picture(np.asarray(array)), kind, bits)
    except UnreadableImageError as error:
        raise ImageFileError(f"'{path}' cannot be written: {error}") from None
    # Of tensors that are not numbers in memory, such as those that are yet to be conjugated.
    except RuntimeError as error:
        raise ImageFileError(f"'{path}' cannot be written: `array` is no array of numpy's ({error})") from None
    kept = holdable(path, kind, pixels, metadata)
    with _writing(path, overwrite) as file:
        encode(file, pixels, kind, kept, int(quality))
    return path


def is_format(path: str | os.PathLike[str], kind: str) -> bool:
    """Tell whether the suffix of a path is one of a format, as `ImageFile.format` names it."""
    known = FORMATS.get(Path(path).suffix.lower())
    return known is not None and known.name == kind


def copy_image(
    source: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    overwrite: bool = True,
    stamp: Stamp | None = None,
) -> Path:
    """Copy a file byte for byte, whole or not at all, as `write_image` writes one; that of the ``stamp``, or none.

    Raises
    ------
    ImageFileError, ImageFileExistsError
        As `write_image`, where the copy cannot be written, or the source is another file by now; OSError where it
        cannot be read.
    """
    path = Path(path)
    with open(source, "rb") as original, _writing(path, overwrite) as file:
        shutil.copyfileobj(original, file)
        if stamp is not None:
            stamp.require(source)
    return path


@contextmanager
def _writing(path: Path, overwrite: bool) -> Iterator[BinaryIO]:
    """`rainopt.io.atomic.replacing` with the errors of images; those of the body pass as they are."""
    own: ImageFileError | None = None
    try:
        with replacing(path, overwrite) as file:
            try:
                yield file
            except ImageFileError as error:
                own = error
                raise
    except FileThereError as error:
        raise ImageFileExistsError(str(error)) from error.__cause__
    except WriteError as error:
        raise own or ImageFileError(str(error)) from error.__cause__
