"""What an image file says about its pixels, in the one shape that every format is brought to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

MAX_PIXELS = 500_000_000
"""Pixels of the largest picture that is read or written."""


class ImageFileError(OSError, ValueError):
    """An image file that cannot be read or written; one sentence names the file, what is wrong, and what to do."""


class ImageFileExistsError(ImageFileError, FileExistsError):
    """A file that is there already and was not to be replaced."""


class UnreadableImageError(ValueError):
    """Bytes that hold no picture this package reads; the message continues a sentence that starts with the file."""


@dataclass(frozen=True)
class ImageMetadata:
    """What travels with the pixels from the file read to the file written.

    Attributes
    ----------
    icc : bytes or None
        ICC profile that says what the pixel values mean.
    exif : bytes or None
        EXIF data from the byte-order mark on, without the ``Exif\\0\\0`` that JPEG puts before it. The orientation is
        reset to upright, as the pixels are, and the embedded thumbnail, which would show the old picture, is dropped.
    resolution : (float, float) or None
        Pixels an inch, along a row and along a column of the upright picture.
    colour : tuple of (str, bytes)
        What PNG's chunks gAMA, cHRM, sRGB, cICP, mDCV and cLLI say of the pixel values, name and content; AVIF and HEIC
        say the same in numbers, which are brought to cICP.
    xmp : bytes or None
        XMP packet: ratings, captions, panorama marks and whatever else programs note. Its orientation is upright, and
        what it says of further pictures in the same file is gone.
    photoshop : bytes or None
        Photoshop's image resources, in which JPEG and TIFF hold IPTC data: captions, keywords, credits.
    texts : tuple of (str, str)
        Keyword and text of PNG's text chunks and of JPEG's comments.
    notes : tuple of str
        What is not in the picture that was read, or is other than in its file, each in words that can follow "is
        written": "without the gain map". `write_image` logs them.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    resolution: tuple[float, float] | None = None
    colour: tuple[tuple[str, bytes], ...] = ()
    xmp: bytes | None = None
    photoshop: bytes | None = None
    texts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageHeader:
    """What is known of a picture before its pixels are decoded; sizes as stored, before the orientation is applied."""

    height: int
    width: int
    orientation: int = 1
    frames: int = 1
    metadata: ImageMetadata = field(default_factory=ImageMetadata)
    pixel_bytes: int = 4  # of a decoded pixel, at most

    @property
    def upright_size(self) -> tuple[int, int]:
        """Height and width of the picture as it is meant to be seen."""
        return (self.width, self.height) if self.orientation >= 5 else (self.height, self.width)

    @property
    def upright_metadata(self) -> ImageMetadata:
        """The metadata of the upright picture, whose rows may be the columns of the stored one."""
        if self.orientation < 5 or not self.metadata.resolution:
            return self.metadata
        return replace(self.metadata, resolution=self.metadata.resolution[::-1])


def turn_upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Return stored pixels as EXIF orientation 1 to 8 means them to be seen; a view wherever that is possible."""
    if orientation in (2, 3, 7, 8):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 6, 7):
        pixels = pixels[::-1]
    return pixels.swapaxes(0, 1) if orientation >= 5 else pixels


def check_unit_range(values: np.ndarray, what: str, slack: float) -> None:
    """Refuse floats outside [0, 1] by more than `slack`; minimum and maximum are NaN where any value is."""
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise UnreadableImageError(f"{what} that are NaN or infinite; replace them by numbers in [0, 1]")
    if low < -slack or high > 1 + slack:
        raise UnreadableImageError(f"{what} in [{low:g}, {high:g}] where [0, 1] is expected; scale them to [0, 1]")


def to_16_bits(values: np.ndarray, bits: int) -> np.ndarray:
    """Bring unsigned values of 9 to 16 bits to the whole range of 16."""
    table = np.rint(np.arange(1 << bits) * (65535 / ((1 << bits) - 1))).astype(np.uint16)
    return table[np.minimum(values, (1 << bits) - 1)]


def straight(pixels: np.ndarray) -> np.ndarray:
    """Divide colours, in place, by the alpha channel that they are multiplied by."""
    top = 1 if pixels.dtype.kind == "f" else int(np.iinfo(pixels.dtype).max)
    alpha = pixels[..., -1:].astype(np.float64)
    colours = pixels[..., :-1]
    divided = np.divide(colours * float(top), alpha, out=np.zeros(colours.shape), where=alpha > 0)
    pixels[..., :-1] = np.clip(divided if top == 1 else np.rint(divided), 0, top)
    return pixels
