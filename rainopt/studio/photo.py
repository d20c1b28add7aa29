"""One photograph in memory: its pixels, what was seen of its rain, and how it is shown."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from rainopt.direction.estimate import AngleEstimate, look, vote
from rainopt.direction.evidence import Evidence
from rainopt.direction.planes import reduced_planes
from rainopt.image import exposure, scaled
from rainopt.io import ImageFile, ImageFileError, image_size, read_image_file
from rainopt.still.haze import estimate_veil

MOST_PIXELS = 100_000_000
SCREEN_SIDE = 1280
"""Pixels of the longer side of what is solved for a whole picture while somebody looks."""
PART_PIXELS = SCREEN_SIDE * 960
"""Of a part of a picture that is solved while somebody looks."""
VEIL_SIDE = 512
SHOWN_QUALITY = 92


@dataclass(frozen=True)
class Region:
    """A part of a picture, in its pixels, and how many pixels it is shown with."""

    left: int
    top: int
    width: int
    height: int
    out_width: int
    out_height: int

    @property
    def scale(self) -> float:
        """Pixels shown a pixel of the picture."""
        return self.out_width / self.width


class Photo:
    """A photograph that was read.

    Raises
    ------
    ImageFileError
        If it cannot be read, or has more than `MOST_PIXELS` pixels.
    """

    def __init__(self, path: Path) -> None:
        check_size(path)
        self.file: ImageFile = read_image_file(path)
        self._last_cut: tuple[Region, np.ndarray] | None = None

    @property
    def pixels(self) -> np.ndarray:
        """As they are in the file, upright."""
        return self.file.pixels

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.pixels.shape[1])

    @property
    def icc(self) -> bytes | None:
        """The profile of the file."""
        return self.file.metadata.icc

    @cached_property
    def unit(self) -> float:
        """The exposure, see `rainopt.image.exposure`."""
        return exposure(self.pixels)

    @cached_property
    def evidence(self) -> Evidence:
        """What the whole picture tells of directions; the same for every part and scale of it."""
        return look(self.pixels, -1, self.unit)

    @cached_property
    def estimate(self) -> AngleEstimate:
        """The directions that the command would find."""
        return vote(self.evidence)

    @cached_property
    def _veil(self) -> np.ndarray:
        small = cut(self.pixels, self.whole(VEIL_SIDE))
        return np.asarray(estimate_veil(scaled(reduced_planes(small), 1 / self.unit)), np.float32)

    def veil(self, region: Region) -> np.ndarray:
        """Return the veil over a region, (H, W) in [0, 1): that of a small copy, streaks and all, as it is smooth."""
        scale = self._veil.shape[1] / self.width
        # From the centres of pixels of the region to those of the copy.
        rows, columns = (
            (((np.arange(count) + 0.5) / region.scale + first) * scale - 0.5).astype(np.float32)
            for count, first in ((region.out_height, region.top), (region.out_width, region.left))
        )
        across, down = map(np.ascontiguousarray, np.broadcast_arrays(columns[None, :], rows[:, None]))
        return cv2.remap(self._veil, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def whole(self, side: int = SCREEN_SIDE) -> Region:
        """Return the whole picture, at most so long on its longer side."""
        scale = min(1.0, side / max(self.height, self.width))
        size = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        return Region(0, 0, self.width, self.height, *size)

    def part(self, left: int, top: int, width: int, height: int) -> Region:
        """Return a part, moved and cut so that it lies in the picture, and reduced to at most `PART_PIXELS`."""
        left, top = min(max(left, 0), self.width - 1), min(max(top, 0), self.height - 1)
        width, height = min(max(width, 1), self.width - left), min(max(height, 1), self.height - top)
        scale = min(1.0, (PART_PIXELS / (width * height)) ** 0.5)
        return Region(left, top, width, height, max(1, round(width * scale)), max(1, round(height * scale)))

    def size_at(self, scale: float) -> tuple[int, int]:
        """Return height and width of the whole picture at a scale."""
        return max(1, round(self.height * scale)), max(1, round(self.width * scale))

    def around(self, region: Region, margin: int) -> tuple[Region, tuple[slice, slice]]:
        """Return a region with so many pixels shown more on all sides, as far as the picture goes, and where in it the
        region lies.
        """
        scale, more = region.scale, math.ceil(margin / region.scale)
        left, top = max(region.left - more, 0), max(region.top - more, 0)
        width = min(region.left + region.width + more, self.width) - left
        height = min(region.top + region.height + more, self.height) - top
        out_width = max(region.out_width, round(width * scale))
        out_height = max(region.out_height, round(height * scale))
        down = min(round((region.top - top) * scale), out_height - region.out_height)
        across = min(round((region.left - left) * scale), out_width - region.out_width)
        inside = slice(down, down + region.out_height), slice(across, across + region.out_width)
        return Region(left, top, width, height, out_width, out_height), inside

    def cut(self, region: Region) -> np.ndarray:
        """Return the pixels of a region, in the dtype of the file, not to be written to.

        Those of the last region are kept: both pictures of a view are made of them.
        """
        last = self._last_cut
        if last is None or last[0] != region:
            self._last_cut = last = region, cut(self.pixels, region)
        return last[1]


def check_size(path: Path) -> tuple[int, int]:
    """Return height and width of a picture that is not too large for the page.

    Raises
    ------
    ImageFileError
        If it is, or cannot be read.
    """
    height, width = image_size(path)
    if height * width > MOST_PIXELS:
        raise ImageFileError(
            f"'{path}' has {height} x {width} pixels, and the page takes {MOST_PIXELS:,} at most; use rainopt derain"
        )
    return height, width


def cut(pixels: np.ndarray, region: Region) -> np.ndarray:
    """Return a region of a picture (H, W, ...), reduced as it says by means over areas."""
    part = pixels[region.top : region.top + region.height, region.left : region.left + region.width]
    if (region.out_height, region.out_width) == part.shape[:2]:
        return np.ascontiguousarray(part)
    return cv2.resize(np.ascontiguousarray(part), (region.out_width, region.out_height), interpolation=cv2.INTER_AREA)


def shown(pixels: np.ndarray) -> np.ndarray:
    """Return the colours of a picture at 8 bits, (H, W) or (H, W, 3); alpha is left out."""
    if pixels.ndim == 3 and pixels.shape[2] in (1, 2):
        pixels = pixels[..., 0]
    elif pixels.ndim == 3:
        pixels = pixels[..., :3]
    if pixels.dtype == np.uint16:
        pixels = pixels >> 8
    elif pixels.dtype.kind == "f":
        pixels = np.clip(pixels, 0, 1) * 255 + 0.5
    return np.ascontiguousarray(pixels.astype(np.uint8))


def shown_rain(rain: np.ndarray) -> np.ndarray:
    """Return a rain layer (H, W) in [0, 1] as it is shown: `RAIN_GAIN` times as bright, 8 bits."""
    return np.clip(rain * (255.0 * RAIN_GAIN) + 0.5, 0, 255).astype(np.uint8)


RAIN_GAIN = 4.0
"""Rain takes a few hundredths of the light; as it is, its picture would be black."""


def encoded(pixels: np.ndarray, icc: bytes | None = None, quality: int = SHOWN_QUALITY) -> bytes:
    """Return pixels of 8 bits as JPEG."""
    from PIL import Image

    place = io.BytesIO()
    more = {"icc_profile": icc} if icc else {}
    Image.fromarray(pixels).save(place, "JPEG", quality=quality, **more)
    return place.getvalue()
