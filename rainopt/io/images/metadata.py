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
    """

    icc: bytes | None = None
    exif: bytes | None = None
    resolution: tuple[float, float] | None = None


@dataclass(frozen=True)
class ImageHeader:
    """What is known of a picture before its pixels are decoded; sizes as stored, before the orientation is applied."""

    height: int
    width: int
    orientation: int = 1
    frames: int = 1
    metadata: ImageMetadata = field(default_factory=ImageMetadata)

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
