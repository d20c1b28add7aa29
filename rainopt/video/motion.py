"""How the picture moves from one frame to the next, seen in what rain leaves of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rainopt.video.copies import small_copy

# A streak is thinner than this many pixels of a guide of 480 rows: what is brighter over less, across the rain, is cut.
THIN = 9
# Settings of the two flows. Large patches and a smooth field do not follow streaks over a blank wall, and give the
# movement of whatever is large; small ones find what is a few pixels wide.
COARSE = (24, 8, 3, 400.0)  # patch, stride, finest scale, weight of smoothness
FINE = (8, 4, 1, 20.0)
# Pixels of a guide between the places that the camera's movement is fitted to, and from there that count as agreeing.
SPACING, AGREEING = 16, 1.0
# Share of the places that must agree before the movement is believed to be the camera's.
LEAST_AGREEING = 0.5


@dataclass(frozen=True)
class Step:
    """The movement from one frame to the next, in pixels of their guides (h, w).

    Attributes
    ----------
    ahead, back
        (h, w, 2) float32: how far, to the right and down, each pixel of a frame lies in the next, and of the next in
        the frame.
    fine_ahead, fine_back
        The same by the flow of small things, or by that of large ones where no other was asked for.
    camera
        (3, 3) float64: the homography of most of the picture, from pixels of the frame to those of the next; None where
        no movement is shared by half of it.
    """

    ahead: np.ndarray
    back: np.ndarray
    fine_ahead: np.ndarray
    fine_back: np.ndarray
    camera: np.ndarray | None


def guide_of(frame: np.ndarray) -> np.ndarray:
    """Return what the movement of a frame (H, W, 3) is found on, (h, w) uint8: its luminance, reduced where it is
    large, and opened across the rain, so that streaks are gone from it.
    """
    import cv2

    small = small_copy(frame)
    if small.dtype == np.uint16:
        small = (small >> 8).astype(np.uint8)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    width = max(3, round(THIN * grey.shape[0] / 480)) | 1
    return np.asarray(cv2.morphologyEx(grey, cv2.MORPH_OPEN, np.ones((1, width), np.uint8)))


def step_between(guide: np.ndarray, following: np.ndarray, *, still: bool = False, fine: bool = True) -> Step:
    """Find the movement between two guides (h, w) uint8.

    Parameters
    ----------
    guide, following
        Of a frame and the next.
    still
        Whether the camera is known to stand still; its homography is the identity then.
    fine
        Whether to look for small things.

    Notes
    -----
    Source: dense inverse search, Kroeger et al. 2016, as OpenCV has it; the camera's homography is fitted to it by
    random samples.
    """
    ahead, back = _flow(guide, following, *COARSE), _flow(following, guide, *COARSE)
    camera = np.eye(3) if still else _camera(guide, ahead)
    if not fine:
        return Step(ahead, back, ahead, back, camera)
    return Step(ahead, back, _flow(guide, following, *FINE), _flow(following, guide, *FINE), camera)


def _flow(guide: np.ndarray, following: np.ndarray, patch: int, stride: int, finest: int, smooth: float) -> np.ndarray:
    import cv2

    if min(guide.shape) < 2 * patch:
        return np.zeros((*guide.shape, 2), np.float32)
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    search.setPatchSize(patch)
    search.setPatchStride(stride)
    search.setFinestScale(finest)
    search.setVariationalRefinementAlpha(smooth)
    return np.asarray(search.calc(guide, following, None))


def _camera(guide: np.ndarray, flow: np.ndarray) -> np.ndarray | None:
    """Return the homography that most of the textured places of a picture share, or None."""
    import cv2

    height, width = guide.shape
    half = SPACING // 2
    rows, columns = np.mgrid[half : height - half : SPACING, half : width - half : SPACING]
    if rows.size < 12:
        return None
    detail = np.abs(cv2.Laplacian(guide, cv2.CV_32F))
    texture = cv2.blur(detail, (SPACING + 1, SPACING + 1))[rows, columns].ravel()
    chosen = texture >= np.quantile(texture, 0.3)
    places = np.stack([columns.ravel(), rows.ravel()], axis=1)[chosen].astype(np.float32)
    moved = places + flow[rows, columns].reshape(-1, 2)[chosen]
    # The same draws each time, in whatever thread: RANSAC of OpenCV seeds itself so.
    matrix, agree = cv2.findHomography(places, moved, cv2.RANSAC, AGREEING, maxIters=500)
    if matrix is None or float(np.mean(agree)) < LEAST_AGREEING:
        return None
    return np.asarray(matrix, np.float64)
