"""Where the pixels of a frame lie in the frames around it: movements from frame to frame, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from rainopt.video.motion import Step
from rainopt.video.warping import flow_of, inside, moved, moved_mask

# Something moves by itself where its flow explains a neighbourhood of the guide better than the camera does: it leaves
# less than this share of the difference, and less by at least so many levels. In blank rain the flow of streaks does.
BETTER, LEVELS, AROUND = 0.6, 1.0, 15


class Track(NamedTuple):
    """Where the pixels of a frame's guide (h, w) lie in that of another.

    Attributes
    ----------
    flow
        (h, w, 2) float32: displacement to the right and down.
    closed
        (h, w) bool: whether the way back leads home, all along, and inside the picture.
    camera
        (3, 3): the displacement of most of the picture, from pixels to pixels; None where there is none.
    """

    flow: np.ndarray
    closed: np.ndarray
    camera: np.ndarray | None


def tracks_of(steps: Mapping[int, Step], reach: int, *, fine: bool = False) -> dict[int, Track]:
    """Return the tracks of a frame's pixels to the frames around it, by number counted from it.

    Parameters
    ----------
    steps
        The movement from frame k to frame k + 1, by k counted from the frame in question; those that are missing end
        the tracks.
    reach
        Frames to either side.
    fine
        Whether by the flow of small things.
    """
    tracks: dict[int, Track] = {}
    for sign in (1, -1):
        last: Track | None = None
        for count in range(1, reach + 1):
            step = steps.get(count - 1 if sign > 0 else -count)
            if step is None:
                break
            last = tracks[sign * count] = _longer(last, _of_step(step, ahead=sign > 0, fine=fine))
    return tracks


def _of_step(step: Step, ahead: bool, fine: bool) -> Track:
    there, back = (step.fine_ahead, step.fine_back) if fine else (step.ahead, step.back)
    camera = step.camera if ahead or step.camera is None else np.linalg.inv(step.camera)
    return Track(*(there if ahead else back), camera)


def _longer(track: Track | None, last: Track) -> Track:
    """Return a track that goes on by one frame."""
    if track is None:
        return last
    flow = track.flow + moved(last.flow, track.flow)
    closed = track.closed & inside(flow) & moved_mask(last.closed, track.flow)
    return Track(flow, closed, None if last.camera is None or track.camera is None else last.camera @ track.camera)


def moves_alone(track: Track, guide: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return where most of a neighbourhood moves as the flow says, and not as the camera does, (h, w) bool."""
    import cv2

    if track.camera is None:
        return np.ones(guide.shape, bool)
    better = explains_better(track, guide, other)
    if not better.any():
        return better
    return np.asarray(cv2.blur(better.astype(np.float32), (AROUND, AROUND)) > 0.5)


def explains_better(track: Track, guide: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return where the flow explains another guide (h, w) uint8 clearly better than the camera does, bool."""
    import cv2

    def missed(there: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.blur(cv2.absdiff(guide, there).astype(np.float32), (AROUND, AROUND)))

    still = track.camera is None or np.array_equal(track.camera, np.eye(3))
    by_camera = other if still else moved(other, flow_of(track.camera, *guide.shape))  # type: ignore[arg-type]
    return np.asarray(missed(moved(other, track.flow)) + LEVELS < BETTER * missed(by_camera))
