"""Frames brought to where the pixels of another lie."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rainopt.video.tracks import Track, moves_alone
from rainopt.video.warping import flow_of, inside, moved_within

# Corners that move less, in pixels, are left where they are: interpolation would take more than the movement does.
IDENTITY = 0.05


class Aligned(NamedTuple):
    """A frame as another's pixels see it.

    Attributes
    ----------
    pixels
        (H, W, 3) in the frame's dtype; the very frame where nothing moves.
    valid
        (H, W) bool: where it can be believed.
    """

    pixels: np.ndarray
    valid: np.ndarray


def aligned(frame: np.ndarray, track: Track, guide: np.ndarray, other: np.ndarray) -> Aligned:
    """Bring a frame (H, W, 3) to the places of another, along the camera's movement, and along the flow where something
    moves by itself.

    Parameters
    ----------
    frame
        The frame to move; ``other`` (h, w) uint8 is its guide.
    track
        Where the pixels of ``guide``, that of the frame in question, lie in it.
    """
    import cv2

    size = (frame.shape[1], frame.shape[0])
    alone = moves_alone(track, guide, other)
    if not alone.any() and track.camera is not None:
        camera = _scaled(track.camera, guide.shape, frame.shape)
        if _corner_shift(camera, size) <= IDENTITY:
            return Aligned(frame, np.ones(frame.shape[:2], bool))
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        pixels = cv2.warpPerspective(frame, camera, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        everywhere = np.ones(frame.shape[:2], np.uint8)
        valid = cv2.warpPerspective(everywhere, camera, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
        return Aligned(np.asarray(pixels), np.asarray(valid).view(bool))
    if track.camera is None:
        flow, valid = track.flow, track.closed
    else:
        camera_flow = flow_of(track.camera, *guide.shape)
        flow = np.where(alone[..., None], track.flow, camera_flow)
        valid = np.where(alone, track.closed, inside(camera_flow))
    return along(frame, flow, valid)


def along(frame: np.ndarray, flow: np.ndarray, valid: np.ndarray) -> Aligned:
    """Bring a frame (H, W, 3) to the places that a flow (h, w, 2) at the scale of a guide leads to."""
    import cv2

    size = (frame.shape[1], frame.shape[0])
    if flow.shape[:2] != frame.shape[:2]:
        scale = np.array([size[0] / flow.shape[1], size[1] / flow.shape[0]], np.float32)
        flow = cv2.resize(flow, size, interpolation=cv2.INTER_LINEAR) * scale
        valid = cv2.resize(valid.view(np.uint8), size, interpolation=cv2.INTER_NEAREST).view(bool)
    return Aligned(moved_within(frame, flow), valid)


def _scaled(camera: np.ndarray, small: tuple[int, ...], large: tuple[int, ...]) -> np.ndarray:
    """Return a homography of guides for frames, whose pixels are smaller; (0, 0) is the centre of the first."""
    if small[:2] == large[:2]:
        return camera
    y, x = large[0] / small[0], large[1] / small[1]
    grow = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
    return np.asarray(grow @ camera @ np.linalg.inv(grow))


def _corner_shift(camera: np.ndarray, size: tuple[int, int]) -> float:
    right, bottom = size[0] - 1.0, size[1] - 1.0
    corners = np.array([[0, right, 0, right], [0, 0, bottom, bottom], [1, 1, 1, 1]])
    there = camera @ corners
    return float(np.max(np.hypot(*(there[:2] / there[2] - corners[:2]))))
