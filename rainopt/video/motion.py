"""How the picture moves from one frame to the next, seen in what rain leaves of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from rainopt.video.copies import small_copy

# A streak is thinner than this many pixels of a guide of 480 rows: what is brighter over less, across the rain, is cut.
THIN = 9
GUIDE = 640  # longer side of a guide at most, in pixels
# Settings of the two flows. Large patches and a smooth field do not follow streaks over a blank wall, and give the
# movement of whatever is large; small ones find what is a few pixels wide. Each refinement makes the field smoother,
# which a camera's movement is, and small things are not: of birds before a still camera two refinements keep 82 % of
# the contrast in the mean, five 64 %.
COARSE = (24, 8, 3, 400.0, 5)  # patch, stride, finest scale, weight of smoothness, refinements
FINE, FINE_STILL = (8, 4, 1, 20.0, 5), (8, 4, 1, 20.0, 2)
# A flow and its way back may miss each other by this many pixels, and by this share of the way.
CLOSED, CLOSED_SHARE = 1.0, 0.02
# Pixels of a guide between the places that the camera's movement is fitted to, and from there that count as agreeing.
SPACING, AGREEING = 16, 1.0
# Share of the places that must agree before the movement is believed to be the camera's.
LEAST_AGREEING = 0.5
# How many times what a homography misses of the flow a shift of the whole picture may miss, in the median.
SIMPLER = 1.1


class Flow(NamedTuple):
    """How far each pixel of a guide lies in another: displacements (h, w, 2) float32 to the right and down, in pixels,
    and where they lead inside the picture and home again, (h, w) bool.
    """

    displacement: np.ndarray
    closed: np.ndarray


@dataclass(frozen=True)
class Step:
    """The movement from one frame to the next, in pixels of their guides (h, w).

    Attributes
    ----------
    ahead, back
        From a frame to the next, and from the next to the frame.
    fine_ahead, fine_back
        The same by the flow of small things, or by that of large ones where no other was asked for.
    camera
        (3, 3) float64: the homography of most of the picture, from pixels of the frame to those of the next; None where
        no movement is shared by half of it.
    """

    ahead: Flow
    back: Flow
    fine_ahead: Flow
    fine_back: Flow
    camera: np.ndarray | None


def guide_of(frame: np.ndarray) -> np.ndarray:
    """Return what the movement of a frame (H, W, 3) is found on, (h, w) uint8: its luminance, reduced where it is
    large, and opened across the rain, so that streaks are gone from it.
    """
    import cv2

    small = small_copy(frame, GUIDE)
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
    ahead, back = _both_ways(guide, following, *COARSE)
    small = _both_ways(guide, following, *(FINE_STILL if still else FINE)) if fine else (ahead, back)
    # That of small things is the more exact where there is detail.
    camera = np.eye(3) if still else _camera(guide, small[0].displacement)
    return Step(ahead, back, *small, camera)


def _both_ways(
    guide: np.ndarray, following: np.ndarray, patch: int, stride: int, finest: int, smooth: float, refinements: int
) -> tuple[Flow, Flow]:
    ahead = _flow(guide, following, patch, stride, finest, smooth, refinements)
    back = _flow(following, guide, patch, stride, finest, smooth, refinements)
    return Flow(ahead, _closed(ahead, back)), Flow(back, _closed(back, ahead))


def _closed(flow: np.ndarray, home: np.ndarray) -> np.ndarray:
    from rainopt.kernels.way_back_cpu import leads_home

    return leads_home(flow, home, CLOSED, CLOSED_SHARE)


def _flow(
    guide: np.ndarray,
    following: np.ndarray,
    patch: int,
    stride: int,
    finest: int,
    smooth: float,
    refinements: int,
) -> np.ndarray:
    import cv2

    if min(guide.shape) < 2 * patch:
        return np.zeros((*guide.shape, 2), np.float32)
    search: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    search.setPatchSize(patch)
    search.setPatchStride(stride)
    search.setFinestScale(finest)
    search.setVariationalRefinementAlpha(smooth)
    search.setVariationalRefinementIterations(refinements)
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
    # Of two movements that explain the flow as well, the one with two unknowns is the more exact.
    shift = np.median(moved - places, axis=0)
    by_camera = cv2.perspectiveTransform(places[None], matrix)[0]
    if _missed(moved, places + shift) <= SIMPLER * _missed(moved, by_camera):
        return np.array([[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1]], np.float64)
    return np.asarray(matrix, np.float64)


def _missed(moved: np.ndarray, there: np.ndarray) -> float:
    return float(np.median(np.hypot(*(moved - there).T)))
