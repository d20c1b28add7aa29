"""The parts of a frame in which there is something to do, and what they are at the scale of its guide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

# Side of the squares that parts are made of, in pixels of a guide.
SQUARE = 16
# Parts that together are more than this share of a frame are worth less than the whole.
MOST = 0.6

Box = tuple[slice, slice]


@dataclass(frozen=True)
class Region:
    """A part of a frame (H, W), as rows and columns.

    Attributes
    ----------
    box
        What is to be done; two parts have nothing in common.
    around
        The same with a margin, as far as the frame goes: what is worked on.
    small
        What of a guide is needed for that.
    shape, guide_shape
        (H, W) of the frame, (h, w) of the guide.
    """

    box: Box
    around: Box
    small: Box
    shape: tuple[int, int]
    guide_shape: tuple[int, int]

    @property
    def within(self) -> Box:
        """The part, counted from the first row and column of what is around it."""
        rows, columns = (
            slice(part.start - whole.start, part.stop - whole.start)
            for part, whole in zip(self.box, self.around, strict=True)
        )
        return rows, columns

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column of the first pixel that is worked on."""
        return self.around[0].start, self.around[1].start

    @property
    def small_corner(self) -> tuple[int, int]:
        """Row and column of the first pixel of the guide that is needed."""
        return self.small[0].start, self.small[1].start

    def mask(self, small: np.ndarray) -> np.ndarray:
        """Return a mask of the needed part of the guide, bool, at the scale of the frame."""
        if self.around == self._all:
            import cv2

            large = cv2.resize(small.view(np.uint8), self.shape[::-1], interpolation=cv2.INTER_NEAREST)
            return np.asarray(large).view(bool)
        rows, columns = (
            np.minimum((np.arange(part.start, part.stop) * (n / full)).astype(np.intp), n - 1) - first
            for part, n, full, first in zip(self.around, self.guide_shape, self.shape, self.small_corner, strict=True)
        )
        return np.asarray(small[rows[:, None], columns])

    def smooth(self, small: np.ndarray) -> np.ndarray:
        """Return a field (h, w) float32 of the needed part of the guide at the scale of the frame, interpolated."""
        if self.shape == self.guide_shape:
            return small
        return self._enlarged(small)

    def flow(self, small: np.ndarray) -> np.ndarray:
        """Return a flow (h, w, 2) of the needed part of the guide in pixels, and at the scale, of the frame."""
        if self.shape == self.guide_shape:
            return small
        return self._enlarged(small) * np.array(self._scale[::-1], np.float32)

    def _enlarged(self, small: np.ndarray) -> np.ndarray:
        import cv2

        height, width = (part.stop - part.start for part in self.around)
        if self.around == self._all:
            return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
        y, x = (
            ((np.arange(part.start, part.stop, dtype=np.float32) + 0.5) / by - 0.5) - first
            for part, by, first in zip(self.around, self._scale, self.small_corner, strict=True)
        )
        across_to, down_to = (
            np.ascontiguousarray(np.broadcast_to(field, (height, width)), np.float32)
            for field in (x[None, :], y[:, None])
        )
        return np.asarray(cv2.remap(small, across_to, down_to, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))

    @property
    def _all(self) -> Box:
        return slice(0, self.shape[0]), slice(0, self.shape[1])

    @property
    def _scale(self) -> tuple[float, float]:
        return self.shape[0] / self.guide_shape[0], self.shape[1] / self.guide_shape[1]


def whole(shape: tuple[int, ...], guide_shape: tuple[int, ...]) -> Region:
    """Return all of a frame (H, W, ...)."""
    return _region((0, guide_shape[0], 0, guide_shape[1]), shape[:2], guide_shape, 0)


def regions_of(mask: np.ndarray, shape: tuple[int, ...], margin: int) -> list[Region]:
    """Return parts of a frame that hold all that a mask (h, w) bool has, at the scale of its guide.

    Parameters
    ----------
    mask
        Where there is something to do.
    shape
        (H, W, ...) of the frame.
    margin
        Pixels of the frame around each part.
    """
    boxes = list(_boxes(mask))
    if sum((bottom - top) * (right - left) for top, bottom, left, right in boxes) > MOST * mask.size:
        boxes = [(0, mask.shape[0], 0, mask.shape[1])]
    return [_region(box, shape[:2], mask.shape, margin) for box in boxes]


def _boxes(mask: np.ndarray) -> Iterator[tuple[int, int, int, int]]:
    """Yield first and last row and column, the last excluded, of boxes of squares that hold a mask."""
    import cv2

    if not mask.any():
        return
    rows, columns = (np.arange(0, side, SQUARE) for side in mask.shape)
    squares = np.logical_or.reduceat(np.logical_or.reduceat(mask, rows, axis=0), columns, axis=1)
    # The boxes of two pieces may overlap: these are one then, until no two do.
    while True:
        _, _, facts, _ = cv2.connectedComponentsWithStats(squares.view(np.uint8))
        filled = np.zeros_like(squares)
        for left, top, width, height, _ in facts[1:]:
            filled[top : top + height, left : left + width] = True
        if np.array_equal(filled, squares):
            break
        squares = filled
    for left, top, width, height, _ in SQUARE * facts[1:].astype(int):
        yield top, min(top + height, mask.shape[0]), left, min(left + width, mask.shape[1])


def _region(
    part: tuple[int, int, int, int], shape: tuple[int, ...], guide_shape: tuple[int, ...], margin: int
) -> Region:
    box, around, small = [], [], []
    for first, last, n, full in zip(part[::2], part[1::2], guide_shape, shape, strict=True):
        # The pixels whose nearest ones of the guide are those of the part.
        inner = slice(-(-first * full // n), -(-last * full // n))
        outer = slice(max(inner.start - margin, 0), min(inner.stop + margin, full))
        # Linear interpolation needs a pixel more on either side.
        more = int(n != full)
        low, high = max(outer.start * n // full - more, 0), min(-(-outer.stop * n // full) + more, n)
        box.append(inner)
        around.append(outer)
        small.append(slice(low, high))
    return Region(tuple(box), tuple(around), tuple(small), tuple(shape), tuple(guide_shape))  # type: ignore[arg-type]
