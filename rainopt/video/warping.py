"""Pictures moved along flows."""

from __future__ import annotations

import numpy as np


def moved(picture: np.ndarray, flow: np.ndarray, cubic: bool = False) -> np.ndarray:
    """Return what a picture (H, W) or (H, W, C) shows where a flow (H, W, 2) leads; beyond its edges they go on."""
    import cv2

    method = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    return np.asarray(cv2.remap(picture, *_places(flow), method, borderMode=cv2.BORDER_REPLICATE))


def moved_within(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Return a picture (H, W, C) as `moved` does by cubic interpolation, and nowhere darker than all that is around the
    place it comes from: beside what is bright, a cubic goes below what is dark.
    """
    import cv2

    places = _places(flow)
    cubic = cv2.remap(picture, *places, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    around = cv2.erode(picture, np.ones((3, 3), np.uint8))
    lowest = cv2.remap(around, *places, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.max(cubic, lowest))


def moved_mask(mask: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Return a mask (H, W) bool as `moved` does a picture."""
    return np.asarray(moved(mask.view(np.uint8), flow) > 0)


def inside(flow: np.ndarray) -> np.ndarray:
    """Return where a flow (H, W, 2) leads to a place inside the picture, bool."""
    height, width = flow.shape[:2]
    x, y = _places(flow)
    return np.asarray((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1))


def flow_of(camera: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the displacement (H, W, 2) float32 that a homography makes."""
    across = np.arange(width, dtype=np.float32)[None, :]
    down = np.arange(height, dtype=np.float32)[:, None]
    row = camera.astype(np.float32)
    u, v, w = (row[k, 0] * across + row[k, 1] * down + row[k, 2] for k in range(3))
    return np.stack([u / w - across, v / w - down], axis=-1)


def _places(flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the column and the row (H, W) float32 that a flow (H, W, 2) leads to from each pixel."""
    height, width = flow.shape[:2]
    across = np.arange(width, dtype=np.float32)[None, :]
    down = np.arange(height, dtype=np.float32)[:, None]
    return flow[..., 0] + across, flow[..., 1] + down
