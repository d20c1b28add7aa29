"""A motion detector as alarms use it, and what rain, and what removing it, does to its events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

# OpenCV's mixture of Gaussians with its own threshold, an opening by 3 x 3 pixels, and blobs of some size.
HISTORY, THRESHOLD, LEAST = 100, 16.0, 16
LEARNING = 20  # frames whose events do not count
NEAR = 9  # pixels across within which two events are one


class Events(NamedTuple):
    """What is wrong with the events of a clip, as shares.

    Attributes
    ----------
    rain
        Frames in which something fires that does not in the clean clip.
    lost
        Blobs of the clean clip where nothing fires.
    """

    rain: float
    lost: float


def firing(frames: np.ndarray) -> np.ndarray:
    """Return what moves in frames (N, H, W, 3) uint8: numbers of blobs from 1 on, (N, H, W), after the learning."""
    return np.stack(list(_firing(frames)))[LEARNING:]


def _firing(frames: np.ndarray) -> Iterator[np.ndarray]:
    import cv2

    detector = cv2.createBackgroundSubtractorMOG2(HISTORY, THRESHOLD, detectShadows=False)
    for frame in frames:
        moved = cv2.morphologyEx(detector.apply(frame), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        _, numbers, stats, _ = cv2.connectedComponentsWithStats(moved, connectivity=8)
        large = stats[:, cv2.CC_STAT_AREA] >= LEAST
        large[0] = False
        yield np.where(large[numbers], numbers, 0)


def compare_events(frames: np.ndarray, clean: np.ndarray) -> Events:
    """Return what fires in frames that does not in the clean ones, and the other way round; of `firing`."""
    by_rain = [_alone(ours, theirs)[0] > 0 for ours, theirs in zip(frames, clean, strict=True)]
    lost, blobs = np.sum([_alone(theirs, ours) for ours, theirs in zip(frames, clean, strict=True)], axis=0)
    return Events(float(np.mean(by_rain)), float(lost / blobs) if blobs else 0.0)


def _alone(blobs: np.ndarray, others: np.ndarray) -> tuple[int, int]:
    """Return how many blobs have none of the others near, and how many there are."""
    import cv2

    near = cv2.dilate((others > 0).astype(np.uint8), np.ones((NEAR, NEAR), np.uint8)) > 0
    there, met = set(np.unique(blobs)) - {0}, set(np.unique(blobs[near])) - {0}
    return len(there - met), len(there)
