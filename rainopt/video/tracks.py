"""Where the pixels of a frame lie in the frames around it: movements from frame to frame, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rainopt.video.motion import Step

# A flow and its way back may miss each other by this many pixels, and by this share of the way.
CLOSED, CLOSED_SHARE = 1.0, 0.02
# Something moves by itself where its flow explains a neighbourhood of the guide better than the camera does: it leaves
# less than this share of the difference, and less by at least so many levels. In blank rain the flow of streaks does.
BETTER, LEVELS, AROUND = 0.6, 1.0, 15


@dataclass(frozen=True)
class Track:
    """Where the pixels of a frame's guide (h, w) lie in that of another.

    Attributes
    ----------
    coarse, fine
        (h, w, 2) float32: displacement to the right and down, of large and of small things.
    coarse_closed, fine_closed
        (h, w) bool: whether the way back leads home, all along, and inside the picture.
    camera
        (3, 3): the displacement of most of the picture, from pixels to pixels; None where there is none.
    """

    coarse: np.ndarray
    fine: np.ndarray
    coarse_closed: np.ndarray
    fine_closed: np.ndarray
    camera: np.ndarray | None


def tracks_of(steps: Mapping[int, Step], reach: int) -> dict[int, Track]:
    """Return the tracks of a frame's pixels to the frames around it, by number counted from it.

    Parameters
    ----------
    steps
        The movement from frame k to frame k + 1, by k counted from the frame in question; those that are missing end
        the tracks.
    reach
        Frames to either side.
    """
    tracks: dict[int, Track] = {}
    for sign in (1, -1):
        last: Track | None = None
        for count in range(1, reach + 1):
            step = steps.get(count - 1 if sign > 0 else -count)
            if step is None:
                break
            last = tracks[sign * count] = _longer(last, step, ahead=sign > 0)
    return tracks


def _longer(track: Track | None, step: Step, ahead: bool) -> Track:
    coarse, coarse_home = (step.ahead, step.back) if ahead else (step.back, step.ahead)
    fine, fine_home = (step.fine_ahead, step.fine_back) if ahead else (step.fine_back, step.fine_ahead)
    camera = step.camera if ahead or step.camera is None else np.linalg.inv(step.camera)
    coarse_closed, fine_closed = _closed(coarse, coarse_home), _closed(fine, fine_home)
    if track is None:
        return Track(coarse, fine, coarse_closed & inside(coarse), fine_closed & inside(fine), camera)
    long_coarse = track.coarse + moved(coarse, track.coarse)
    long_fine = track.fine + moved(fine, track.fine)
    return Track(
        long_coarse,
        long_fine,
        track.coarse_closed & inside(long_coarse) & moved_mask(coarse_closed, track.coarse),
        track.fine_closed & inside(long_fine) & moved_mask(fine_closed, track.fine),
        None if camera is None or track.camera is None else camera @ track.camera,
    )


def _closed(flow: np.ndarray, home: np.ndarray) -> np.ndarray:
    missed = flow + moved(home, flow)
    far = np.hypot(missed[..., 0], missed[..., 1])
    return np.asarray(far < CLOSED + CLOSED_SHARE * np.hypot(flow[..., 0], flow[..., 1]))


def moved(picture: np.ndarray, flow: np.ndarray, cubic: bool = False) -> np.ndarray:
    """Return what a picture (H, W) or (H, W, C) shows where a flow (H, W, 2) leads; beyond its edges they go on."""
    import cv2

    across, down = _grid(flow.shape[0], flow.shape[1])
    method = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
    return np.asarray(
        cv2.remap(picture, across + flow[..., 0], down + flow[..., 1], method, borderMode=cv2.BORDER_REPLICATE)
    )


def moved_mask(mask: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Return a mask (H, W) bool as `moved` does a picture."""
    return np.asarray(moved(mask.view(np.uint8), flow) > 0)


def inside(flow: np.ndarray) -> np.ndarray:
    """Return where a flow (H, W, 2) leads to a place inside the picture, bool."""
    height, width = flow.shape[:2]
    across, down = _grid(height, width)
    x, y = across + flow[..., 0], down + flow[..., 1]
    return np.asarray((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1))


def flow_of(camera: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return the displacement (H, W, 2) float32 that a homography makes."""
    across, down = _grid(height, width)
    row = camera.astype(np.float32)
    u, v, w = (row[k, 0] * across + row[k, 1] * down + row[k, 2] for k in range(3))
    return np.stack([u / w - across, v / w - down], axis=-1)


def moves_alone(track: Track, guide: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return where most of a neighbourhood moves as the coarse flow says, and not as the camera does, (h, w) bool."""
    import cv2

    if track.camera is None:
        return np.ones(guide.shape, bool)
    better = explains_better(track, guide, other).astype(np.float32)
    return np.asarray(cv2.blur(better, (AROUND, AROUND)) > 0.5)


def explains_better(track: Track, guide: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return where the coarse flow explains another guide (h, w) uint8 clearly better than the camera does, bool."""
    import cv2

    def missed(flow: np.ndarray) -> np.ndarray:
        apart = cv2.absdiff(guide, moved(other, flow)).astype(np.float32)
        return np.asarray(cv2.blur(apart, (AROUND, AROUND)))

    camera = np.eye(3) if track.camera is None else track.camera
    return np.asarray(missed(track.coarse) + LEVELS < BETTER * missed(flow_of(camera, *guide.shape)))


def _grid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the column (1, W) and the row (H, 1) of each pixel, to be added to displacements."""
    return np.arange(width, dtype=np.float32)[None, :], np.arange(height, dtype=np.float32)[:, None]
