"""Where the pixels of a frame lie in the frames around it: movements from frame to frame, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from rainopt.video.motion import Flow, Step
from rainopt.video.warping import flow_of, moved, places_of, seen_from, within

# Something moves by itself where its flow explains a neighbourhood of the guide better than the camera does: it leaves
# less than this share of the difference, and less by at least so many levels. In blank rain the flow of streaks does.
BETTER, LEVELS, AROUND = 0.6, 1.0, 15
LIST_ROW = 1024  # places that are looked up at a time


class Track(NamedTuple):
    """Where the pixels of a frame's guide, or of a part of it (h, w), lie in that of another.

    Attributes
    ----------
    flow
        (h, w, 2) float32: displacement to the right and down.
    closed
        (h, w) bool: whether the way back leads home, all along, and inside the picture.
    camera
        (3, 3): the displacement of most of the picture, from pixels to pixels; None where there is none.
    corner
        Row and column of the first pixel.
    """

    flow: np.ndarray
    closed: np.ndarray
    camera: np.ndarray | None
    corner: tuple[int, int] = (0, 0)

    @property
    def part(self) -> tuple[slice, slice]:
        """Rows and columns of the guide."""
        rows, columns = (slice(first, first + n) for first, n in zip(self.corner, self.closed.shape, strict=True))
        return rows, columns

    def brings(self, picture: np.ndarray) -> np.ndarray:
        """Return what the other frame's picture (H, W) or (H, W, C), at the scale of the guides, shows there."""
        return moved(picture, self.flow, corner=self.corner)


class Leg(NamedTuple):
    """One frame of a track's way: the flow from each pixel of a guide to the next one, and the camera's movement."""

    flow: Flow
    camera: np.ndarray | None


def tracks_of(
    steps: Mapping[int, Step], reach: int, *, fine: bool = False, part: tuple[slice, slice] | None = None
) -> dict[int, Track]:
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
    part
        Rows and columns of the guide, by default all.
    """
    tracks: dict[int, Track] = {}
    for sign in (1, -1):
        last: Track | None = None
        for number, leg in _legs(steps, reach, sign, fine):
            last = tracks[number] = _first(leg, part) if last is None else _longer(last, leg)
    return tracks


def found_along(
    masks: Mapping[int, np.ndarray], steps: Mapping[int, Step], reach: int, where: np.ndarray
) -> dict[int, np.ndarray]:
    """Return which pixels of a frame lie, along their tracks by the flow of small things, where another frame has some.

    Parameters
    ----------
    masks
        (h, w) bool of the frames around one, at the scale of their guides, by number counted from it.
    steps, reach
        As `tracks_of` has them.
    where
        (h, w) bool: the pixels that are asked about; tracks are followed from these alone.
    """
    rows, columns = np.nonzero(where)
    found: dict[int, np.ndarray] = {}
    for sign in (1, -1):
        x, y, alive = _listed(columns), _listed(rows), np.ones(1, bool)
        for number, leg in _legs(steps, reach, sign, fine=True):
            if number not in masks or not rows.size:
                break
            alive = alive & (seen_from(leg.flow.closed.view(np.uint8), x, y) > 0)
            on = seen_from(leg.flow.displacement, x, y)
            x, y = x + on[..., 0], y + on[..., 1]
            alive &= within(x, y, where.shape)
            there = (seen_from(masks[number].view(np.uint8), x, y) > 0) & alive
            found[number] = np.zeros(where.shape, bool)
            found[number][rows, columns] = there.ravel()[: rows.size]
    return found


def _listed(numbers: np.ndarray) -> np.ndarray:
    """Return numbers as rows of a picture, the last filled up: OpenCV takes no list that is longer than 32 767."""
    listed = np.zeros((-(-numbers.size // LIST_ROW), LIST_ROW), np.float32)
    listed.ravel()[: numbers.size] = numbers
    return listed


def _legs(steps: Mapping[int, Step], reach: int, sign: int, fine: bool) -> Iterator[tuple[int, Leg]]:
    """Yield the number of each frame on a way, and how that frame is reached from the one before."""
    for count in range(1, reach + 1):
        step = steps.get(count - 1 if sign > 0 else -count)
        if step is None:
            return
        ahead, back = (step.fine_ahead, step.fine_back) if fine else (step.ahead, step.back)
        home = step.camera if sign > 0 or step.camera is None else np.linalg.inv(step.camera)
        yield sign * count, Leg(ahead if sign > 0 else back, home)


def _first(leg: Leg, part: tuple[slice, slice] | None) -> Track:
    if part is None:
        return Track(*leg.flow, leg.camera)
    displacement, closed = (field[part] for field in leg.flow)
    return Track(displacement, closed, leg.camera, (part[0].start, part[1].start))


def _longer(track: Track, leg: Leg) -> Track:
    """Return a track that goes on by one frame."""
    x, y = places_of(track.flow, track.corner)
    flow = track.flow + seen_from(leg.flow.displacement, x, y)
    closed = track.closed & (seen_from(leg.flow.closed.view(np.uint8), x, y) > 0)
    closed &= within(*places_of(flow, track.corner), leg.flow.closed.shape)
    camera = None if leg.camera is None or track.camera is None else leg.camera @ track.camera
    return Track(flow, closed, camera, track.corner)


def moves_alone(track: Track, guide: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return where most of a neighbourhood moves as the flow says, and not as the camera does, (h, w) bool.

    Parameters
    ----------
    track
        Of a frame's guide, or of a part of it (h, w).
    guide, other
        (H, W) uint8: the whole guides of that frame and of the one that the track leads to.
    """
    import cv2

    if track.camera is None:
        return np.ones(track.closed.shape, bool)
    better = explains_better(track, guide, other)
    if not better.any():
        return better
    return np.asarray(cv2.blur(better.astype(np.float32), (AROUND, AROUND)) > 0.5)


def explains_better(track: Track, guide: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return where the flow explains another guide clearly better than the camera, (h, w) bool; as `moves_alone`."""
    import cv2

    here = guide[track.part]

    def missed(there: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.blur(cv2.absdiff(here, there).astype(np.float32), (AROUND, AROUND)))

    if track.camera is None or np.array_equal(track.camera, np.eye(3)):
        by_camera = other[track.part]
    else:
        by_camera = moved(other, flow_of(track.camera, here.shape[0], here.shape[1], track.corner), corner=track.corner)
    return np.asarray(missed(track.brings(other)) + LEVELS < BETTER * missed(by_camera))
