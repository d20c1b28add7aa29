"""The part of a frame that is neither its background nor rain."""

from __future__ import annotations

import numpy as np

from rainopt.video.percentiles import NEAR

# The side of an opening that things survive and streaks do not, and how far what moved is widened: in pixels of
# pictures that are 480 rows high, and in proportion in others.
THING, MARGIN = 11, 3


def moving(difference: np.ndarray) -> np.ndarray:
    """Return where a frame (H, W) shows something else than background and rain, bool.

    Rain darkens nothing and is thin; things are dark, or they are wide.

    Parameters
    ----------
    difference
        (H, W) luminance of the frame less that of the background, in [-1, 1].
    """
    import cv2

    scale = difference.shape[0] / 480
    size, margin = max(3, round(THING * scale)) | 1, max(1, round(MARGIN * scale))
    wide = np.ones((size, size), np.uint8)
    darker = cv2.morphologyEx((difference < -NEAR).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    brighter = cv2.morphologyEx((difference > NEAR).astype(np.uint8), cv2.MORPH_OPEN, wide)
    grown = cv2.dilate(cv2.max(darker, brighter), np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
    return grown.astype(bool)
