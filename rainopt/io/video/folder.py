"""A folder of images as a video."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from rainopt.io import READABLE_SUFFIXES, read_image
from rainopt.io.images.metadata import ImageFileError
from rainopt.io.own_results import without_results
from rainopt.io.unchanged import Stamp
from rainopt.io.video.common import VideoError
from rainopt.io.video.decode import Picture
from rainopt.io.video.numbering import SHOWN, check_numbers
from rainopt.io.video.span import RATE


def natural_order(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Return a key that sorts 'f2.png' before 'f10.png'."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part], path.name


def files_of(path: Path) -> list[Path]:
    """Return the images of a folder in natural order; hidden files are left out, and so are results of commands of ours
    among other images (`rainopt.io.own_results`).

    Raises
    ------
    OSError
        If the folder cannot be listed.
    """
    found = [file for file in path.iterdir() if file.suffix.lower() in READABLE_SUFFIXES]
    shown, _ = without_results([file for file in found if not file.name.startswith(".")])
    return sorted(shown, key=natural_order)


class FolderSource:
    """The images of a folder as pictures, in the natural order of their names.

    Parameters
    ----------
    path : Path
        The folder.
    rate : Fraction
        Images a second.
    numbered : bool
        Whether the names must be those of the frames of one video, alike but for their numbers.

    Raises
    ------
    VideoError
        If the folder holds no image, names do not belong together, or the first image cannot be read.
    """

    def __init__(self, path: Path, rate: Fraction = RATE, numbered: bool = False):
        self.path = path
        try:
            self.files = files_of(path)
        except OSError as error:
            raise VideoError(f"'{path}' cannot be listed ({error.strerror or error}); check its rights") from error
        if not self.files:
            raise VideoError(
                f"'{path}' holds no images ({', '.join(sorted(READABLE_SUFFIXES))}); name a video or a folder of frames"
            )
        self._told = _told(path, self.files) if numbered else None
        self.rate, self.time_base = rate, 1 / rate
        self.declared, self.has_audio, self.pixel_aspect = len(self.files), False, Fraction(1)
        self.stamp = Stamp.of(path)
        first = _read(self.files[0])
        self.height, self.width = first.shape[:2]
        self.bits = first.dtype.itemsize * 8

    def scan(self, report: Callable[[str | None], None]) -> Iterator[Picture]:
        """Yield all pictures, and report what is missing among their numbers; one that cannot be read is an error."""
        report(self._told)
        for index, file in enumerate(self.files):
            yield Picture(index / self.rate, partial(self._pixels, index, file))

    def _pixels(self, index: int, file: Path) -> np.ndarray:
        pixels = _read(file)
        if pixels.shape[:2] != (self.height, self.width):
            raise VideoError(
                f"'{self.path}' changes its size: frame {index} ('{file.name}') has {pixels.shape[0]} x "
                f"{pixels.shape[1]} pixels, the first has {self.height} x {self.width}; save all at one size, or cut "
                f"it there (--stop {index}f, or `stop={index}` in Python)"
            )
        if pixels.dtype.itemsize * 8 != self.bits:
            raise VideoError(
                f"'{file}' has {pixels.dtype.itemsize * 8} bits, the first image of its folder {self.bits}; save all "
                "at one depth"
            )
        return pixels


def _told(path: Path, files: list[Path]) -> str | None:
    """Return a sentence about what is missing among numbered images, and about files that are none."""
    gaps = check_numbers(path, files)
    known = set(files)
    others = sorted(
        file.name for file in path.iterdir() if file.is_file() and file not in known and not file.name.startswith(".")
    )
    left = f"left out of '{path}': {', '.join(others[:SHOWN])}" + (" and more" if len(others) > SHOWN else "")
    return "; ".join(filter(None, [gaps, left if others else None])) or None


def _read(file: Path) -> np.ndarray:
    """Read an image as RGB of 8 or 16 bits."""
    try:
        pixels = read_image(file)
    except ImageFileError as error:
        raise VideoError(str(error)) from error
    if pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        raise VideoError(f"'{file}' has an alpha channel, which video does not; save it without")
    if pixels.dtype == np.float32:
        pixels = np.round(pixels * 65535).astype(np.uint16)
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
