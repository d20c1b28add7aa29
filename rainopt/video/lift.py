"""Frames of a dark video of more than 8 bits, lifted to the range that thresholds are made for, and lowered again.

What `rainopt.image.exposure` is to a picture. Frames of 8 bits stay as they are: their noise, of rounding and of
compression, is a matter of levels and not of brightness.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from rainopt.image import unit_of
from rainopt.video.frames import FrameStore


def empty_bits(frames: Iterable[np.ndarray]) -> int:
    """Return how many bits at the top of the range all frames, uint8 or uint16, leave empty."""
    peak = 0
    for frame in frames:
        if frame.dtype != np.uint16:
            return 0
        peak = max(peak, int(frame.max()))
        if 2 * peak > 1 << 16:  # the usual case: the first frame tells
            return 0
    return round(-math.log2(unit_of(peak / 65535)))


def lifted(frame: np.ndarray, bits: int) -> np.ndarray:
    """Return a frame times ``2ᵇ``, cut off at full scale; the very frame where b is 0."""
    if bits == 0:
        return frame
    full = np.iinfo(frame.dtype).max
    return np.where(frame > full >> bits, frame.dtype.type(full), frame << bits)


def lowered(frame: np.ndarray, result: np.ndarray, bits: int) -> np.ndarray:
    """Return a frame less what was taken off it while it was `lifted`; exactly the frame where nothing was."""
    if bits == 0:
        return result
    taken = lifted(frame, bits).astype(np.int64) - result
    return (frame - np.round(taken / (1 << bits)).astype(np.int64)).clip(0).astype(frame.dtype)


class LiftedFrames(FrameStore):
    """The frames of a store, lifted as they are read; the store keeps them."""

    def __init__(self, store: FrameStore, bits: int) -> None:
        super().__init__(scratch=store.folder)
        self._store, self._bits = store, bits
        self.shape, self.dtype = store.shape, store.dtype

    def __len__(self) -> int:
        return len(self._store)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> np.ndarray:
        """Return one frame."""
        return lifted(self._store[number], self._bits)

    def band(self, rows: slice, every: slice = slice(None)) -> np.ndarray:
        """Return the same rows of all frames, or of those that ``every`` chooses."""
        return lifted(self._store.band(rows, every), self._bits)


def lifted_frames(store: FrameStore) -> tuple[FrameStore, int]:
    """Return the frames of a store without bits that all of them leave empty, and how many those are."""
    bits = empty_bits(store)
    return (LiftedFrames(store, bits) if bits else store), bits
