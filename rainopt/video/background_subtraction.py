"""Rain taken off the frames of a camera that stands still: no pixel is brighter than the background behind it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from rainopt.image import LUMA
from rainopt.video.background import BackgroundEstimate
from rainopt.video.percentiles import NEAR
from rainopt.video.quality import trusted
from rainopt.video.scene_part import opened

# Noise is brighter than the background by at most this; what is brighter by twice as much is rain and nothing else.
NOISE = 3 / 255
SPECK = 1  # pixels of frames of 480 rows that are more than chance


@dataclass(frozen=True)
class Backdrop:
    """The background of a scene, and where it can be trusted.

    Attributes
    ----------
    image
        (H, W, 3) float32 in [0, 1].
    valid
        (H, W) bool.
    """

    image: np.ndarray
    valid: np.ndarray

    @cached_property
    def in_bytes(self) -> np.ndarray:
        """The background as a frame of uint8."""
        return self._quantised(np.uint8)

    @cached_property
    def in_words(self) -> np.ndarray:
        """The background as a frame of uint16."""
        return self._quantised(np.uint16)

    def like(self, frame: np.ndarray) -> np.ndarray:
        """Return the background in the dtype of a frame, uint8 or uint16."""
        return self.in_bytes if frame.dtype == np.uint8 else self.in_words

    def _quantised(self, dtype: type) -> np.ndarray:
        return np.rint(self.image * np.iinfo(dtype).max).astype(dtype)

    def part(self, box: tuple[slice, slice]) -> Backdrop:
        """Return some rows and columns of it."""
        return Backdrop(self.image[box], self.valid[box])

    def under(self, gain: float) -> Backdrop:
        """Return the background in a light that is ``gain`` times as bright."""
        return self if gain == 1 else Backdrop(np.minimum(self.image * np.float32(gain), 1), self.valid)

    def reduced(self, height: int, width: int) -> Backdrop:
        """Return the background at another scale."""
        import cv2

        if self.valid.shape == (height, width):
            return self
        image = cv2.resize(self.image, (width, height), interpolation=cv2.INTER_AREA)
        valid = cv2.resize(self.valid.view(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
        return Backdrop(np.asarray(image), np.asarray(valid).view(bool))

    def difference(self, frame: np.ndarray) -> np.ndarray:
        """Return the luminance (H, W) float32 of a frame (H, W, 3) uint8 or uint16 less that of the background.

        Where a channel is darker than that of the background by more than noise, the difference is that of the darkest
        one: a thing of another colour may be as bright as what it hides, but rain darkens no channel.
        """
        from rainopt.kernels.excess_cpu import excess

        return excess(frame, self.image, np.array(LUMA, np.float32), NEAR)

    def behind(self, frame: np.ndarray) -> np.ndarray:
        """Return a frame (H, W, 3) uint8 or uint16 with what is brighter than the background taken off, in its dtype.

        ``B + min(E, ν) · clip(2 - E/ν, 0, 1)`` for an excess E = O - B above 0: all of it below the noise ν, so that
        the picture keeps its grain, and nothing from 2ν on.
        """
        import cv2

        image = self.like(frame)
        return np.asarray(cv2.add(cv2.min(frame, image), _grain(cv2.subtract(frame, image))))


def backdrop_of(estimate: BackgroundEstimate) -> Backdrop:
    """Return a background of many frames as what a scene has behind it; single pixels of large frames in which it
    cannot be trusted are chance, and count as the others.
    """
    valid = trusted(estimate)
    side = round(SPECK * valid.shape[0] / 480)
    return Backdrop(np.asarray(estimate.image), ~opened(~valid, side) if side > 1 else valid)


def _grain(excess: np.ndarray) -> np.ndarray:
    """Return what of an excess over the background, uint8 or uint16, is noise."""
    import cv2

    if excess.dtype == np.uint8:
        # What falls from ν to 2ν by one level for each falls from 2ν: quicker than a table, and the same.
        flat = excess.reshape(len(excess), -1)
        falling: Any = cv2.subtract
        return np.asarray(cv2.min(flat, falling((round(2 * NOISE * 255),) * 4, flat))).reshape(excess.shape)
    return _kept(np.iinfo(excess.dtype).max)[excess]


@cache
def _kept(full: int) -> np.ndarray:
    """Return what is noise of each excess from 0 to ``full``, of frames whose largest value that is."""
    levels = np.arange(full + 1, dtype=np.float32) / full
    kept = np.rint(np.minimum(levels, NOISE) * np.clip(2 - levels / NOISE, 0, 1) * full)
    return kept.astype(np.uint8 if full == 255 else np.uint16)
