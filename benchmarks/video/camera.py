"""Clips of a photograph seen by a camera that moves: held in a hand, turned, or carried forward. Always the same."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from benchmarks.common import large_photograph

HEIGHT, WIDTH, FRAMES = 320, 560, 32
SEED = 5
SWAY, TILT = 6.0, 0.3  # of a hand: pixels, and degrees, that it goes to either side
HAND = (0.2, 3.0)  # its frequencies, Hz
RATE = 25.0
PAN = 4  # pixels a frame
ZOOM = 1.01  # a frame
SHARP = 2  # pixels of the photograph to one of the clip, a side, where detail is to be as fine as it can be


def hand_held(dense: int = 1) -> np.ndarray:
    """Return frames (N, H, W, 3) uint8 that sway smoothly, by parts of pixels, and tilt a little.

    The photograph has ``dense`` pixels to one of the clip, a side: with 1 it is as soft as `large_photograph`.
    """
    rng = np.random.default_rng(SEED)
    across, down, tilt = (_tremor(FRAMES, rng) for _ in range(3))
    moves = [_about_centre(1.0, TILT * t, SWAY * x, SWAY * y) for x, y, t in zip(across, down, tilt, strict=True)]
    return _seen(moves, 16, dense)


def panning() -> np.ndarray:
    """Return frames that move to the left by whole pixels, as of a camera that turns steadily."""
    wide = large_photograph(HEIGHT, WIDTH + PAN * FRAMES)
    return np.stack([wide[:, PAN * k : PAN * k + WIDTH] for k in range(FRAMES)])


def forward(dense: int = 1) -> np.ndarray:
    """Return frames that grow about the centre, as of a camera that is carried forward; ``dense`` as for a hand."""
    return _seen([_about_centre(ZOOM**k, 0.0, 0.0, 0.0) for k in range(FRAMES)], 4, dense)


def _tremor(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return a smooth random course between -1 and 1 with the frequencies of a hand."""
    times = np.arange(count) / RATE
    low, high = HAND
    frequencies = np.exp(rng.uniform(np.log(low), np.log(high), 12))
    # The faster, the smaller: a hand's amplitude falls with the frequency.
    waves = np.sin(2 * np.pi * np.outer(frequencies, times) + rng.uniform(0, 2 * np.pi, (12, 1))) / frequencies[:, None]
    course = waves.sum(axis=0)
    course -= course.mean()
    return np.asarray(course / np.abs(course).max())


def _about_centre(scale: float, degrees: float, across: float, down: float) -> np.ndarray:
    """Return the (2, 3) map from points of the clip, counted from its centre, to those of the scene."""
    turn = np.deg2rad(degrees)
    cosine, sine = np.cos(turn) / scale, np.sin(turn) / scale
    return np.array([[cosine, -sine, across], [sine, cosine, down]])


def _seen(moves: Iterable[np.ndarray], margin: int, dense: int) -> np.ndarray:
    """Return what a camera sees of the photograph: warped by cubic interpolation on a finer grid, then its means.

    The scene has ``dense`` pixels to one of the clip, and so has the grid; the means of its cells are the pixels of the
    clip, as those of a sensor are.
    """
    import cv2

    scene = large_photograph(dense * (HEIGHT + 2 * margin), dense * (WIDTH + 2 * margin))
    fine = (dense * WIDTH, dense * HEIGHT)
    from_centre = np.array(
        [[1 / dense, 0, 0.5 / dense - WIDTH / 2], [0, 1 / dense, 0.5 / dense - HEIGHT / 2], [0, 0, 1]]
    )
    to_scene = np.array([[dense, 0, (scene.shape[1] - 1) / 2], [0, dense, (scene.shape[0] - 1) / 2], [0, 0, 1]])
    frames = []
    for move in moves:
        way = (to_scene @ np.vstack([move, [0, 0, 1]]) @ from_centre)[:2]
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        view = cv2.warpAffine(scene, way, fine, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        frames.append(cv2.resize(view, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
    return np.stack(frames)
