"""The part of a frame that is neither its background nor rain."""

from __future__ import annotations

import math

import numpy as np

from rainopt.video.percentiles import NEAR

# The side of an opening that things survive and streaks do not, and how far what moved is widened: in pixels of
# pictures that are 480 rows high, and in proportion in others.
THING, MARGIN = 11, 3
CHANCE, MOST_REACH = 0.1, 4


def reach_for(seen: np.ndarray) -> int:
    """Return how many frames before and after one are to be looked at, given how often pixels show the background.

    Enough that rain covers a place in all of them in one case of ten, ``(1 - seen)ⁿ ≤ 0.1`` for n frames at the median
    pixel.
    """
    usual = min(max(float(np.median(seen)), 0.01), 0.99)
    return min(max(math.ceil((math.log(CHANCE) / math.log(1 - usual) - 1) / 2), 1), MOST_REACH)


def moving(difference: np.ndarray, *neighbours: np.ndarray) -> np.ndarray:
    """Return where a frame (H, W) shows something else than background and rain, bool.

    Rain darkens nothing, is thin, and is gone in the next frame; things are dark, or they are wide and stay.

    Parameters
    ----------
    difference
        (H, W) luminance of the frame less that of the background, in [-1, 1].
    *neighbours
        The same for frames before and after it, see `reach_for`. In dense rain streaks run into one another and look
        wide; with neighbours, only what is bright in all of them counts as a bright thing.
    """
    import cv2

    scale = difference.shape[0] / 480
    size, margin = max(3, round(THING * scale)) | 1, max(1, round(MARGIN * scale))
    wide = np.ones((size, size), np.uint8)
    bright = difference > NEAR
    for other in neighbours:
        bright &= other > NEAR
    darker = cv2.morphologyEx((difference < -NEAR).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    brighter = cv2.morphologyEx(bright.astype(np.uint8), cv2.MORPH_OPEN, wide)
    grown = cv2.dilate(cv2.max(darker, brighter), np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
    return grown.astype(bool)
