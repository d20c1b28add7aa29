"""Frames brought to where the pixels of another lie."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rainopt.video.regions import Box, Region
from rainopt.video.tracks import Track, moves_alone
from rainopt.video.warping import flow_of, moved_within, places_of, within

# Corners that move less, in pixels, are left where they are: interpolation would take more than the movement does. So
# it is with movements by whole pixels that are missed by less, also in pixels of guides, which tell no more.
IDENTITY, EXACT = 0.05, 0.04


class Aligned(NamedTuple):
    """A frame as another's pixels see it, or those of a part of it.

    Attributes
    ----------
    pixels
        (H, W, 3) in the frame's dtype; the very frame where nothing moves.
    valid
        (H, W) bool: where it can be believed.
    """

    pixels: np.ndarray
    valid: np.ndarray


def aligned(frame: np.ndarray, track: Track, guide: np.ndarray, other: np.ndarray, region: Region) -> Aligned:
    """Bring a frame (H, W, 3) to the places of a part of another, along the camera's movement, and along the flow where
    something moves by itself.

    Parameters
    ----------
    frame
        The frame to move; ``other`` (h, w) uint8 is its guide.
    track
        Where the pixels of what the region needs of ``guide``, that of the frame in question, lie in it.
    region
        The part that is worked on.
    """
    alone = moves_alone(track, guide, other)
    if track.camera is None:
        return along(frame, track.flow, track.closed, region)
    if not alone.any():
        return _by_camera(frame, _scaled(track.camera, guide.shape, frame.shape), region)
    camera_flow = flow_of(track.camera, alone.shape[0], alone.shape[1], track.corner)
    flow = np.where(alone[..., None], track.flow, camera_flow)
    there = within(*places_of(camera_flow, track.corner), guide.shape)
    return along(frame, flow, np.where(alone, track.closed, there), region)


def along(frame: np.ndarray, flow: np.ndarray, valid: np.ndarray, region: Region) -> Aligned:
    """Bring a frame (H, W, 3) to where a flow (h, w, 2), of what a region needs of the guide, leads to."""
    return Aligned(moved_within(frame, region.flow(flow), region.corner), region.mask(valid))


def _by_camera(frame: np.ndarray, camera: np.ndarray, region: Region) -> Aligned:
    import cv2

    rows, columns = region.around
    height, width = rows.stop - rows.start, columns.stop - columns.start
    shifts = _shifts(camera, region.around)
    right, down = np.rint(np.mean(shifts, axis=1)).astype(int)
    if np.max(np.abs(shifts - [[right], [down]])) <= max(IDENTITY, EXACT * region.shape[0] / region.guide_shape[0]):
        return _shifted(frame, right, down, region)
    to_corner = np.array([[1, 0, columns.start], [0, 1, rows.start], [0, 0, 1]], np.float64)
    home = camera @ to_corner
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    pixels = cv2.warpPerspective(frame, home, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return Aligned(np.asarray(pixels), _seen(np.linalg.inv(home), frame.shape, (height, width)))


def _shifted(frame: np.ndarray, right: int, down: int, region: Region) -> Aligned:
    """Return a frame moved by whole pixels, which takes no interpolation."""
    import cv2

    inside, missing = [], []
    for part, shift, full in zip(region.around, (down, right), region.shape, strict=True):
        first, last = part.start + shift, part.stop + shift
        low, high = (min(max(place, 0), full) for place in (first, last))
        if low == high:  # nothing of it is seen
            return Aligned(frame[region.around], np.zeros([part.stop - part.start for part in region.around], bool))
        inside.append(slice(low, high))
        missing += [low - first, last - high]
    pixels, valid = frame[tuple(inside)], np.ones([part.stop - part.start for part in inside], np.uint8)
    if any(missing):
        top, bottom, left, right = missing
        pixels = np.asarray(cv2.copyMakeBorder(pixels, top, bottom, left, right, cv2.BORDER_REPLICATE))
        valid = np.asarray(cv2.copyMakeBorder(valid, top, bottom, left, right, cv2.BORDER_CONSTANT, value=0))
    return Aligned(pixels, valid.view(bool))


def _seen(there: np.ndarray, shape: tuple[int, ...], size: tuple[int, int]) -> np.ndarray:
    """Return which pixels of a part (h, w) of a picture see a frame (H, W), whose pixels lie at ``there`` in it."""
    import cv2

    bottom, right = shape[0] - 0.5, shape[1] - 0.5
    corners = there @ np.array([[-0.5, right, right, -0.5], [-0.5, -0.5, bottom, bottom], [1, 1, 1, 1]])
    seen = np.zeros(size, np.uint8)
    if np.any(corners[2] <= 0):  # behind the camera: no movement from one frame to another
        return seen.view(bool)
    outline = np.rint(16 * (corners[:2] / corners[2]).T).astype(np.int32)
    cv2.fillConvexPoly(seen, outline, 1, lineType=cv2.LINE_8, shift=4)
    return seen.view(bool)


def _scaled(camera: np.ndarray, small: tuple[int, ...], large: tuple[int, ...]) -> np.ndarray:
    """Return a homography of guides for frames, whose pixels are smaller; (0, 0) is the centre of the first."""
    if small[:2] == large[:2]:
        return camera
    y, x = large[0] / small[0], large[1] / small[1]
    grow = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
    return np.asarray(grow @ camera @ np.linalg.inv(grow))


def _shifts(camera: np.ndarray, part: Box) -> np.ndarray:
    """Return by how much a homography moves the corners of a part of a picture, (2, 4), to the right and down."""
    (top, bottom), (left, right) = ((side.start, side.stop - 1.0) for side in part)
    corners = np.array([[left, right, left, right], [top, top, bottom, bottom], [1, 1, 1, 1]])
    there = camera @ corners
    return np.asarray(there[:2] / there[2] - corners[:2])
