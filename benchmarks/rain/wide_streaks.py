"""Wide streaks, near the camera: clear ones of a picture at half its size that are wide even there.

`benchmarks.rain.clear_streaks` looks for thin ridges and compares with what is 4 to 6 pixels aside, where a streak of
6 pixels still is. At half the size the same eyes find the wide ones; thin streaks are seen there as well, and are told
by on how many of the places across them they are (`benchmarks.rain.streak_profiles.REACH`).
"""

from __future__ import annotations

import numpy as np

from benchmarks.rain.clear_streaks import find_streaks
from benchmarks.rain.streak_profiles import HALF, Streaks, across, planes_of
from rainopt.image import luminance

FEWEST = 4  # in a picture; there are fewer of them than of others
WIDE = 0.5  # of the places across a streak, 1 pixel apart at half the size: 5 pixels of the picture and more


def halved(image: np.ndarray) -> np.ndarray:
    """Return means over 2 × 2 pixels of a picture (H, W) or (H, W, C), uint8 or uint16 (scaled to [0, 1]) or float, as
    float32; the last row and column of odd sizes are left out.
    """
    full = 1 if image.dtype.kind == "f" else np.iinfo(image.dtype).max
    height, width = (side // 2 * 2 for side in image.shape[:2])
    blocks = (image[:height, :width].astype(np.float32) / full).reshape(height // 2, 2, width // 2, 2, *image.shape[2:])
    return np.asarray(blocks.mean(axis=(1, 3)))


def find_wide(half: np.ndarray) -> Streaks:
    """Return the wide ones among the clear streaks of a picture at half its size, in its pixels."""
    clear = find_streaks(half).clear
    if not len(clear.row):
        return clear
    plane, _ = planes_of(half, half)
    owner, contrast, _ = across(luminance(plane), clear)
    on = (contrast >= HALF * contrast.max(axis=0)).mean(axis=0)
    sections = np.bincount(owner, minlength=len(clear.row))
    return clear.select(np.bincount(owner, on, len(clear.row)) >= WIDE * sections)
