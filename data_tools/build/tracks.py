"""Bright things that move along a track, told from rain, which is in every frame elsewhere."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rainopt.video.percentiles import NEAR

# How far a thing moves from frame to frame at most, as a share of the height; how far it may then be from where it is
# expected, in pixels and as a share of its step; and the factor by which its area may change.
STEP, ASTRAY, TURNING, AREA = 0.08, 2.0, 0.35, 2.5
MOST_BLOBS = 600


class Blobs(NamedTuple):
    """What is brighter than the background and wider than a streak: labels (H, W), centres (N, 2) and corners (N, 2) as
    (x, y), sizes (N, 2) as (width, height), and areas (N,).
    """

    labels: np.ndarray
    centres: np.ndarray
    corners: np.ndarray
    sizes: np.ndarray
    areas: np.ndarray


def blobs_of(apart: np.ndarray, side: int) -> Blobs:
    """Return what is brighter than the background by ``apart``, (H, W), and wider than ``side`` pixels."""
    import cv2

    wide = cv2.morphologyEx((apart > NEAR).astype(np.uint8), cv2.MORPH_OPEN, disc(side))
    _, labels, facts, centres = cv2.connectedComponentsWithStats(wide)
    corners, sizes, areas = facts[1:, :2], facts[1:, 2:4], facts[1:, 4].astype(np.float64)
    return Blobs(labels, centres[1:], corners, sizes, areas)


def tracked(blobs: dict[int, Blobs]) -> np.ndarray:
    """Return where something is that moves evenly through four frames or more, (H, W) bool.

    ``blobs`` are those of the frame, 0, and of the frames around it. Where a streak crosses a thing and makes it
    another one, the frames before and after tell where it is.
    """
    labels = blobs[0].labels
    step = STEP * labels.shape[0]
    kept = np.zeros(int(labels.max()) + 1, bool)
    for at in _largest(blobs[0]):
        kept[at + 1] = _has_track(blobs[0].centres[at], blobs[0].areas[at], blobs, step)
    found = kept[labels]
    if 1 in blobs and -1 in blobs:
        for at in _largest(blobs[-1]):
            for half in _half_moves(blobs[-1].centres[at], blobs[-1].areas[at], blobs, step):
                (left, top), (width, height) = blobs[-1].corners[at], blobs[-1].sizes[at]
                rows, columns = np.nonzero(blobs[-1].labels[top : top + height, left : left + width] == at + 1)
                rows, columns = rows + top + round(half[1]), columns + left + round(half[0])
                inside = (rows >= 0) & (rows < labels.shape[0]) & (columns >= 0) & (columns < labels.shape[1])
                found[rows[inside], columns[inside]] = True
    return np.asarray(found)


def _has_track(centre: np.ndarray, area: float, blobs: dict[int, Blobs], step: float) -> bool:
    """Tell whether something like a blob is where it should be in three of the frames around, or in all there are."""
    others = blobs.keys() - {0}
    for side in others & {1, -1}:
        moves = (_alike(blobs[side], area) - centre) * side
        for move in moves[np.hypot(*moves.T) <= step]:
            met = {side} | {k for k in others - {side} if _is_met(blobs[k], area, centre, move, k)}
            if len(met) >= min(3, len(others)):
                return True
    return False


def _half_moves(centre: np.ndarray, area: float, blobs: dict[int, Blobs], step: float) -> list[np.ndarray]:
    """Return how far something like a blob of the frame before has come, where it is met behind the frame and on either
    end of its track.
    """
    halves = (_alike(blobs[1], area) - centre) / 2
    return [
        half
        for half in halves[np.hypot(*halves.T) <= step]
        if any(k in blobs and _is_met(blobs[k], area, centre + half, half, k) for k in (-2, 2))
    ]


def _is_met(blobs: Blobs, area: float, centre: np.ndarray, move: np.ndarray, frames: int) -> bool:
    there = _alike(blobs, area) - centre - frames * move
    return len(there) > 0 and np.hypot(*there.T).min() <= (ASTRAY + TURNING * np.hypot(*move)) * abs(frames)


def _alike(blobs: Blobs, area: float) -> np.ndarray:
    ratio = blobs.areas / area
    return blobs.centres[(ratio <= AREA) & (ratio >= 1 / AREA)]


def _largest(blobs: Blobs) -> np.ndarray:
    return np.argsort(-blobs.areas)[:MOST_BLOBS]


def disc(side: int) -> np.ndarray:
    """Return a disc as wide as ``side`` pixels, an odd number, as OpenCV takes it."""
    import cv2

    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
