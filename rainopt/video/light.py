"""How the light of a still camera's scene changes from frame to frame: a gain of the background, and no rain."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rainopt.video.frames import FrameStore

SIDE = 160  # longer side of the copies that brightness is compared on, in pixels
# Copies that are darker or brighter, of full scale, tell nothing about a gain: noise, and what is cut off.
DARK, BRIGHT = 0.08, 0.92
LEAST_TELLING = 50  # pixels
# A light that stays within this share of itself over a stretch does not change.
STEADY = 0.01
# Frames whose running median, and mean of it, follow slow changes; what differs from them by less is chance.
MEDIAN, MEAN = 9, 5


def gains_of(frames: FrameStore) -> np.ndarray:
    """Return how bright each frame is, (N,) float64, the middle one of the stretch being 1; all 1 in steady light.

    The median over the picture of the ratio to the middle of all frames. Rain that comes and goes leaves it as it is,
    and so does somebody who walks by.
    """
    copies = np.stack([_copy(frame) for frame in frames])
    middle = np.median(copies, axis=0)
    telling = (middle > DARK) & (middle < BRIGHT)
    if np.count_nonzero(telling) < LEAST_TELLING:
        return np.ones(len(copies))
    found = np.array([float(np.median(copy[telling] / middle[telling])) for copy in copies])
    if np.max(np.abs(np.log(found))) < STEADY:
        return np.ones(len(copies))
    slow = _smooth(found)
    return np.where(np.abs(np.log(found / slow)) < STEADY, slow, found)


def _copy(frame: np.ndarray) -> np.ndarray:
    import cv2

    scale = SIDE / max(frame.shape[:2])
    size = (max(round(frame.shape[1] * scale), 1), max(round(frame.shape[0] * scale), 1))
    small = frame if scale >= 1 else cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)).astype(np.float32) / np.iinfo(frame.dtype).max


def _smooth(values: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    return np.asarray(
        ndimage.uniform_filter1d(ndimage.median_filter(values, MEDIAN, mode="nearest"), MEAN, mode="nearest")
    )


class EvenlyLit(FrameStore):
    """The frames of a store, each divided by its gain as it is read; the store keeps them."""

    def __init__(self, store: FrameStore, gains: np.ndarray) -> None:
        super().__init__(scratch=store.folder)
        self._store, self._gains = store, gains
        self.shape, self.dtype = store.shape, store.dtype

    def __len__(self) -> int:
        return len(self._store)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> np.ndarray:
        """Return one frame."""
        return self._even(self._store[number], self._gains[number])

    def band(self, rows: slice, every: slice = slice(None)) -> np.ndarray:
        """Return the same rows of all frames, or of those that ``every`` chooses."""
        band = self._store.band(rows, every)
        for frame, gain in zip(band, self._gains[every], strict=True):
            frame[...] = self._even(frame, gain)
        return band

    @staticmethod
    def _even(frame: np.ndarray, gain: float) -> np.ndarray:
        if gain == 1:
            return frame
        full = np.iinfo(frame.dtype).max
        # What is cut off stays cut off.
        even = np.where(frame == full, full, np.clip(np.rint(frame / np.float32(gain)), 0, full))
        return np.asarray(even).astype(frame.dtype)
