"""Rain taken off the frames of a camera that stands still: no pixel is brighter than the background behind it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np

from rainopt.geometry.boxes import box_mean
from rainopt.image import LUMA
from rainopt.video.foreground import moving
from rainopt.video.percentiles import NEAR

# Noise is brighter than the background by at most this; what is brighter by twice as much is rain and nothing else.
NOISE = 3 / 255
FEATHER = 5  # pixels over which the background passes into whatever is in front of it


@dataclass(frozen=True)
class Backdrop:
    """The background of a scene, and where it can be trusted.

    Attributes
    ----------
    image
        (H, W, 3) float32 in [0, 1].
    valid
        (H, W) bool.
    reach
        Frames before and after one that tell whether something stays, see `rainopt.video.foreground.reach_for`.
    """

    image: np.ndarray
    valid: np.ndarray
    reach: int = 1

    @cached_property
    def _planes(self) -> np.ndarray:
        return np.ascontiguousarray(np.moveaxis(self.image, -1, 0))

    def difference(self, frame: np.ndarray) -> np.ndarray:
        """Return the luminance (H, W) of a frame (H, W, 3) float32 less that of the background.

        Where a channel is darker than that of the background by more than noise, the difference is that of the darkest
        one: a thing of another colour may be as bright as what it hides, but rain darkens no channel.
        """
        # Channel by channel, because numpy is slow along a last axis of three.
        apart = [frame[..., c] - plane for c, plane in enumerate(self._planes)]
        lowest = reduce(np.minimum, apart)
        grey = sum((part * weight for part, weight in zip(apart, map(np.float32, LUMA), strict=True)), np.float32(0))
        return np.where(lowest < -NEAR, lowest, grey)

    def known(self, difference: np.ndarray, *neighbours: np.ndarray) -> np.ndarray:
        """Return how far the background is what lies behind a frame, (H, W) in [0, 1].

        Its `difference` tells, and those of the frames before and after it; see `rainopt.video.foreground.moving`.
        """
        sure = (self.valid & ~moving(difference, *neighbours)).astype(np.float32)
        return np.asarray(box_mean(box_mean(sure, FEATHER, -1), FEATHER, -2)) * sure

    def behind(self, frame: np.ndarray) -> np.ndarray:
        """Return a frame, float32 in [0, 1], with what is brighter than the background taken off.

        ``B + min(E, ν) · clip(2 - E/ν, 0, 1)`` for an excess E = O - B above 0: all of it below the noise ν, so that
        the picture keeps its grain, and nothing from 2ν on.
        """
        excess = frame - self.image
        kept = np.minimum(excess, NOISE) * np.clip(2 - excess / NOISE, 0.0, 1.0)
        return np.asarray(np.where(excess > 0, self.image + kept, frame))
