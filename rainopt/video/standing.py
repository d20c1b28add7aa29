"""What stands before a background for sure, so that nothing may be taken off it: it stays, or moves evenly."""

from __future__ import annotations

import numpy as np

from rainopt.video.regions import Region
from rainopt.video.scene_part import TimeSettings, height_of_scene
from rainopt.video.time_bound import without
from rainopt.video.windows import Window, grey_of

# Share of its height that a thing of a pixel keeps in a frame that is reduced to its guide, at least.
KEPT_IN_GUIDE = 0.4


def may_stand(window: Window, settings: TimeSettings) -> np.ndarray:
    """Return where `not_below_scene` may have something to say, (h, w) bool at the scale of the guides."""
    heights = {number: _levels(one.small) for number, one in window.items() if one.small is not None}
    nothing = np.zeros_like(heights[0])
    return height_of_scene(heights, nothing, settings, KEPT_IN_GUIDE) > 0


def not_below_scene(
    clean: np.ndarray, window: Window, behind: np.ndarray, region: Region, settings: TimeSettings
) -> np.ndarray:
    """Return a derained part of a frame that stands above what is thought to lie behind it by what stays in the frames
    around, at least.

    Parameters
    ----------
    clean, behind
        (h, w, 3) in the frame's dtype.
    """
    greys = {number: one.grey[region.around] for number, one in window.items()}
    base = grey_of(behind)
    height = height_of_scene(greys, base, settings)
    if not height.any():
        return clean
    above = np.maximum(greys[0].astype(np.float32) - base, 1)
    return _at_least(clean, window, behind, region, np.minimum(height / above, 1))


def with_small_things(
    clean: np.ndarray, window: Window, behind: np.ndarray, region: Region, share: np.ndarray
) -> np.ndarray:
    """Return a derained part of a frame with the small things that move before what lies ``behind`` it, given their
    ``share`` (h, w) of the excess of the whole frame, at the scale of the guide.
    """
    large = region.smooth(share[region.small])
    return _at_least(clean, window, behind, region, large) if large.any() else clean


def _at_least(clean: np.ndarray, window: Window, behind: np.ndarray, region: Region, share: np.ndarray) -> np.ndarray:
    floor = without(window[0].pixels[region.around], behind, 1 - share)
    return np.where((share > 0)[..., None], np.maximum(clean, floor), clean)


def _levels(excess: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(excess, 0, 1) * 255).astype(np.uint8)
