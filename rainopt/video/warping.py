"""Pictures moved along flows."""

from __future__ import annotations

import numpy as np


def moved(picture: np.ndarray, flow: np.ndarray, cubic: bool = False, corner: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Return what a picture (H, W) or (H, W, C) shows where a flow leads; beyond its edges they go on.

    Parameters
    ----------
    picture
        What is looked at.
    flow
        (h, w, 2) displacements of the pixels of the picture, or of a part of it, to the right and down.
    cubic
        Whether by cubic interpolation; linear otherwise.
    corner
        Row and column of the first pixel of that part.
    """
    return seen_from(picture, *places_of(flow, corner), cubic=cubic)


def seen_from(picture: np.ndarray, x: np.ndarray, y: np.ndarray, cubic: bool = False) -> np.ndarray:
    """Return what a picture shows at columns and rows (h, w) float32; as `moved`."""
    import cv2

    method = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    return np.asarray(cv2.remap(picture, x, y, method, borderMode=cv2.BORDER_REPLICATE))


def moved_within(picture: np.ndarray, flow: np.ndarray, corner: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Return a picture (H, W, C) as `moved` does by cubic interpolation, and nowhere darker than all that is around the
    place it comes from: beside what is bright, a cubic goes below what is dark.
    """
    import cv2

    x, y = places_of(flow, corner)
    # What the part is taken from, with a pixel more for the filters.
    rows, columns = (
        slice(min(max(int(p.min()) - 3, 0), full - 1), max(int(p.max()) + 5, 1))
        for p, full in zip((y, x), picture.shape, strict=False)
    )
    source = picture[rows, columns]
    x, y = x - np.float32(columns.start), y - np.float32(rows.start)
    cubic = seen_from(source, x, y, cubic=True)
    around = cv2.erode(source, np.ones((3, 3), np.uint8))
    lowest = cv2.remap(around, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.max(cubic, lowest))


def moved_mask(mask: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Return a mask (H, W) bool as `moved` does a picture."""
    return np.asarray(moved(mask.view(np.uint8), flow) > 0)


def inside(flow: np.ndarray) -> np.ndarray:
    """Return where a flow (H, W, 2) leads to a place inside the picture, bool."""
    return within(*places_of(flow), flow.shape)


def within(x: np.ndarray, y: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return which columns and rows are those of a place inside a picture (H, W), bool."""
    return np.asarray((x >= 0) & (x <= shape[1] - 1) & (y >= 0) & (y <= shape[0] - 1))


def flow_of(camera: np.ndarray, height: int, width: int, corner: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Return the displacement (h, w, 2) float32 that a homography makes of a picture, or of a part of it that begins at
    a ``corner``, row and column.
    """
    across = np.arange(corner[1], corner[1] + width, dtype=np.float32)[None, :]
    down = np.arange(corner[0], corner[0] + height, dtype=np.float32)[:, None]
    row = camera.astype(np.float32)
    u, v, w = (row[k, 0] * across + row[k, 1] * down + row[k, 2] for k in range(3))
    return np.stack([u / w - across, v / w - down], axis=-1)


def places_of(flow: np.ndarray, corner: tuple[int, int] = (0, 0)) -> tuple[np.ndarray, np.ndarray]:
    """Return the column and the row (h, w) float32 that a flow (h, w, 2) leads to from each pixel; as `moved`."""
    height, width = flow.shape[:2]
    across = np.arange(corner[1], corner[1] + width, dtype=np.float32)[None, :]
    down = np.arange(corner[0], corner[0] + height, dtype=np.float32)[:, None]
    return flow[..., 0] + across, flow[..., 1] + down
