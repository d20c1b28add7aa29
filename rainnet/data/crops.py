"""Where crops lie in a picture, and how they come upright."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from data_tools.rain.parts import checked_number
from rainopt.geometry.warp import TAPS, Upright, shift_rows

Range = tuple[float, float]
LEAST = 8
"""Pixels that a crop has a side, at least."""


@dataclass(frozen=True)
class Cut:
    """The rectangle of a picture that a square crop is made from, as the picture lies and with streaks upright.

    The upright crop is a parallelogram of the picture, whose sides are along the rain: what
    `rainopt.geometry.warp.Upright` makes of the rectangle, without the corners that lie outside it. Nothing but the
    picture is in it.

    Parameters
    ----------
    size
        Side of the crop, in pixels.
    angle
        Degrees in (-90, 90] that are made vertical; None leaves the picture as it lies.
    """

    size: int
    angle: float | None

    @cached_property
    def _slope(self) -> float:
        return 0.0 if self.angle is None else Upright(self.angle, self.size, self.size).slope

    @property
    def transposed(self) -> bool:
        """Whether rows and columns are exchanged before the shear, so that margins are above and below."""
        return self.angle is not None and abs(self.angle) > 45

    @cached_property
    def margin(self) -> int:
        """Pixels before and behind the crop that the shear and its interpolation reach into."""
        return math.ceil(abs(self._slope) * (self.size - 1) / 2) + TAPS // 2 if self._slope else 0

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the rectangle."""
        long = self.size + 2 * self.margin
        return (long, self.size) if self.transposed else (self.size, long)

    def plain(self, region: np.ndarray) -> np.ndarray:
        """Return the middle of the rectangle as it lies, (..., *shape) to (..., size, size)."""
        middle = slice(self.margin, self.margin + self.size)
        return region[..., middle, :] if self.transposed else region[..., middle]

    def upright(self, region: np.ndarray) -> np.ndarray:
        """Return the crop with streaks vertical, within [0, 1]; (..., *shape) to (..., size, size)."""
        if self.transposed:
            region = np.swapaxes(region, -1, -2)
        if not self._slope:
            return region
        offsets = self._slope * (np.arange(self.size) - (self.size - 1) / 2) + self.margin
        # Interpolation overshoots at edges.
        return np.clip(shift_rows(region, offsets, self.size), 0, 1)


class Place(NamedTuple):
    """A rectangle of a picture, which may jut out, and the factor that it is then reduced by."""

    top: int
    left: int
    height: int
    width: int
    shape: tuple[int, int]

    def take(self, picture: np.ndarray) -> np.ndarray:
        """Return the rectangle of (H, W, 3) uint8, reduced to ``shape``; outside lies the nearest pixel."""
        import cv2

        rows, columns = picture.shape[:2]
        if self.top >= 0 and self.left >= 0 and self.top + self.height <= rows and self.left + self.width <= columns:
            part = picture[self.top : self.top + self.height, self.left : self.left + self.width]
        else:
            row = np.clip(np.arange(self.top, self.top + self.height), 0, rows - 1)
            column = np.clip(np.arange(self.left, self.left + self.width), 0, columns - 1)
            part = picture[row[:, None], column]
        if part.shape[:2] == self.shape:
            return part
        return cv2.resize(part, self.shape[::-1], interpolation=cv2.INTER_AREA)


def find_place(
    picture: tuple[int, int], shape: tuple[int, int], square: int, scale: tuple[float, float], rng: np.random.Generator
) -> Place:
    """Draw a rectangle of a picture at random, to be reduced by a factor drawn from ``scale``.

    The rectangle lies inside the picture where it can; a picture too small for the factor is reduced less. Where it
    is too small even for none, the square in the middle of the rectangle lies inside, and the rest juts out.

    Parameters
    ----------
    picture
        Height and width.
    shape
        Height and width of the result.
    square
        Side of the square in the middle, not larger than the picture.
    scale
        Lowest and highest factor, in (0, 1].
    rng
        Three numbers are drawn.
    """
    factor = between(scale, rng)
    down, across = rng.random(2)
    factor = min(1.0, max(factor, shape[0] / picture[0], shape[1] / picture[1]))
    sides, starts = [], []
    for whole, wanted, part in zip(picture, shape, (down, across), strict=True):
        side = min(round(wanted / factor), max(whole, wanted))
        fits = side <= whole
        jut = 0 if fits else (side - square) // 2
        room = whole - (side if fits else square)
        sides.append(side)
        starts.append(min(int(part * (room + 1)), room) - jut)
    return Place(starts[0], starts[1], sides[0], sides[1], shape)


def as_planes(*pictures: np.ndarray) -> np.ndarray:
    """Stack (H, W, 3) pictures, uint8 or float32 in [0, 1], as float32 planes (3 n, H, W)."""
    planes = np.empty((3 * len(pictures), *pictures[0].shape[:2]), np.float32)
    for n, picture in enumerate(pictures):
        part = planes[3 * n : 3 * n + 3]
        part[...] = np.moveaxis(picture, -1, 0)
        if picture.dtype == np.uint8:
            part /= np.float32(255)
    return planes


def as_tensor(planes: np.ndarray) -> Tensor:
    """Return a float32 tensor of its own memory."""
    return torch.from_numpy(np.array(planes, np.float32, order="C"))


def between(limits: Range, rng: np.random.Generator) -> float:
    """Draw a number evenly."""
    return limits[0] + (limits[1] - limits[0]) * float(rng.random())


def checked_range(name: str, limits: Range, most: float) -> Range:
    """Return lowest and highest value of an argument; raise unless they are ordered and in (0, most]."""
    if len(limits) != 2:
        raise ValueError(f"`{name}` must be the lowest and the highest value, got {limits!r}")
    low, high = (checked_number(name, value, 0, most, low_open=True) for value in limits)
    if low > high:
        raise ValueError(f"`{name}` must be the lowest and the highest value, in this order, got {limits!r}")
    return low, high


def at_least(name: str, value: int, least: int) -> int:
    """Return a whole number; raise unless it is at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"`{name}` must be a whole number of at least {least}, got {value!r}")
    return int(value)
