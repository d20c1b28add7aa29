"""Scene cuts in a stream of frames, in spite of rain, flicker, movement and a camera that moves."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import groupby

import numpy as np

from rainopt.checks import require_finite
from rainopt.image import scaled, unit_of
from rainopt.io.video.read import VideoFrame

# Everything is measured on a copy of this many columns; the blur, in its pixels, takes most of the rain away.
COLUMNS = 80
BLUR = 1.5
# Fades are measured against what the running mean was this many frames ago.
LAG = 12
# For this many frames after a cut there is no other: they show how much the frames of the scene differ.
LEARNING = 3
# By how much frames of a still scene without rain differ, as a share of full scale and of the mean brightness.
FLOOR = 0.3 / 255
FLOOR_SHARE = 0.008
# Quantiles of the differences over the picture: the rest of it may be covered by what walks through, in the frame at
# hand, and for the second quantile also in the one that is LAG back.
QUANTILE, LAG_QUANTILE = 0.4, 0.3
# Thresholds on the quantiles, in units of the scene's own differences, and on the correlation of blocks. Found on 40
# rendered clips cut from photographs, rain of all presets, and a real clip, so that nine of ten found cuts were true.
STEP, FADE = 2.5, 2.4
STEP_MATCH, FADE_MATCH = 0.8, 0.8
# Correlations are of blocks, this many down and across, that may each shift by `SLACK` pixels of the copy.
BLOCKS = (3, 4)
SLACK = 4
# How far the picture may move from one frame to the next, in pixels of the copy, and by what factor it may flicker.
REACH = 4
MAX_GAIN = 1.5


class CutDetector:
    """Tells of each frame of a stream whether it begins a new scene.

    The frame is compared with a running mean of the scene and, for fades, with what that was `LAG` frames ago: luma
    and two colour differences of small blurred copies, each in units of what the scene's frames ordinarily differ by,
    shifted and scaled in brightness to agree best. Rain is grey and raises that unit, so it is not taken for a cut.
    A frame begins a scene where a low quantile of these differences, ``Q(√(mean_c (Δ_c / σ_c)²))``, is large and the
    blocks of the picture do not correlate either. A panning camera takes the mean along. A fade gives one cut, on its
    way or a few frames later; so does a flash of light of less than `LEARNING` frames.

    About a dozen small copies are kept, however long the stream is.
    """

    def __init__(self) -> None:
        self._shape: tuple[int, ...] | None = None
        self._mean: np.ndarray = np.empty(0, np.float32)
        self._count = 0
        self._place = (0, 0)
        self._levels: deque[np.ndarray] = deque(maxlen=2 * LAG)
        self._past: deque[tuple[np.ndarray, tuple[int, int]]] = deque(maxlen=LAG)
        self._peak = 0.0

    def update(self, frame: np.ndarray) -> bool:
        """Take the next frame; True if it begins a new scene, which the first frame of all does not.

        Parameters
        ----------
        frame
            (H, W, 3) or (H, W); uint8, uint16, or floating point in [0, 1]. All frames are of one shape.

        Raises
        ------
        ValueError
            For another shape, NaN or infinities.
        TypeError
            For another dtype.
        """
        copy = self._in_unit(_copy(frame), frame)
        if self._shape is None:
            self._shape = frame.shape
            self._begin(copy)
            return False
        if frame.shape != self._shape:
            raise ValueError(f"`frame` must have the shape of the frames before, {self._shape}, got {frame.shape}")
        self._count += 1
        floor = FLOOR + FLOOR_SHARE * float(copy[0].mean())
        levels = list(self._levels)
        shift, distance = _search(copy, self._mean, _unit(levels[-10:], floor), QUANTILE, (0, 0))
        cut = distance > STEP and _match(copy, self._mean, shift) < STEP_MATCH
        if not cut and len(self._past) == LAG:
            # Frames of a fade differ more than those of the scene did before it.
            unit = _unit(levels[:-LAG] if len(levels) > LAG + 2 else levels, floor)
            cut = self._faded(copy, shift, unit)
        if cut and self._count > LEARNING:
            self._begin(copy)
            return True
        self._levels.append(np.median(_difference(copy, self._mean, shift), axis=(1, 2)))
        weight = max(0.25, 1 / (self._count + 1))
        self._mean = (1 - weight) * _moved(self._mean, copy, shift) + weight * copy
        self._place = (self._place[0] + shift[0], self._place[1] + shift[1])
        self._past.append((self._mean, self._place))
        return False

    def _in_unit(self, copy: np.ndarray, frame: np.ndarray) -> np.ndarray:
        """Return a copy divided by the exposure of all frames so far, with what is remembered; see
        `rainopt.image.exposure`, and `rainopt.video.lift` for why frames of 8 bits stay as they are.
        """
        if frame.dtype == np.uint8:
            return copy
        peak = float(frame.max()) / (65535 if frame.dtype == np.uint16 else 1)
        if peak > self._peak:
            change = unit_of(self._peak) / unit_of(peak)
            self._peak = peak
            if change != 1:
                self._mean = scaled(self._mean, change)
                self._levels = deque((scaled(level, change) for level in self._levels), maxlen=2 * LAG)
                self._past = deque(((scaled(mean, change), place) for mean, place in self._past), maxlen=LAG)
        return scaled(copy, 1 / unit_of(self._peak))

    def _begin(self, copy: np.ndarray) -> None:
        self._mean = copy
        self._count = 0
        self._place = (0, 0)
        self._levels.clear()
        self._past.clear()
        self._past.append((copy, (0, 0)))

    def _faded(self, copy: np.ndarray, shift: tuple[int, int], unit: np.ndarray) -> bool:
        before, place = self._past[0]
        moved = (self._place[0] + shift[0] - place[0], self._place[1] + shift[1] - place[1])
        if any(3 * abs(m) >= side for m, side in zip(moved, copy.shape[1:], strict=True)):
            return False  # A pan: too little is left in both frames.
        found, distance = _search(copy, before, unit, LAG_QUANTILE, moved)
        return distance > FADE and _match(copy, before, found) < FADE_MATCH


def split_scenes(frames: Iterable[VideoFrame]) -> Iterator[Iterator[VideoFrame]]:
    """Divide a stream of frames at its cuts; what is not taken of a scene is skipped when the next one is asked for."""
    detector, number = CutDetector(), 0

    def scene_of(frame: VideoFrame) -> int:
        nonlocal number
        number += detector.update(frame.pixels)
        return number

    return (scene for _, scene in groupby(frames, scene_of))


def _copy(frame: np.ndarray) -> np.ndarray:
    """Return luma and two colour differences of a small blurred copy; (3, h, `COLUMNS`) float32."""
    import cv2

    if frame.ndim not in (2, 3) or (frame.ndim == 3 and frame.shape[2] != 3) or 0 in frame.shape:
        raise ValueError(f"`frame` must be (H, W, 3) or (H, W), got shape {frame.shape}")
    if frame.dtype in (np.float32, np.float64):
        require_finite(frame, "frame")
        scale = 1.0
    elif frame.dtype in (np.uint8, np.uint16):
        scale = 1.0 / np.iinfo(frame.dtype).max
    else:
        raise TypeError(f"`frame` must be uint8, uint16, float32 or float64, got {frame.dtype}")
    height = min(4 * COLUMNS, max(2 * BLOCKS[0], round(frame.shape[0] * COLUMNS / frame.shape[1])))
    small: np.ndarray = cv2.resize(frame, (COLUMNS, height), interpolation=cv2.INTER_AREA).astype(
        np.float32
    ) * np.float32(scale)
    small = cv2.GaussianBlur(small, (0, 0), BLUR, borderType=cv2.BORDER_REPLICATE)
    red, green, blue = (small, small, small) if small.ndim == 2 else np.moveaxis(small, 2, 0)
    return np.stack([0.299 * red + 0.587 * green + 0.114 * blue, red - green, blue - green]).astype(np.float32)


def _unit(levels: list[np.ndarray], floor: float) -> np.ndarray:
    """Return what frames of the scene ordinarily differ by, channel by channel; (3, 1, 1)."""
    usual = np.median(levels, axis=0) if levels else np.full(3, 6 / 255)
    return np.maximum(usual, floor).astype(np.float32)[:, None, None]


def _overlap(copy: np.ndarray, shift: tuple[int, int]) -> np.ndarray:
    (height, width), (down, across) = copy.shape[1:], shift
    rows = slice(max(0, down), height + min(0, down))
    return copy[:, rows, max(0, across) : width + min(0, across)]


def _difference(copy: np.ndarray, mean: np.ndarray, shift: tuple[int, int]) -> np.ndarray:
    """Return how much every other pixel of the copy, shifted and scaled in brightness, differs from the mean."""
    now = _overlap(copy, shift)[:, ::2, ::2]
    before = _overlap(mean, (-shift[0], -shift[1]))[:, ::2, ::2]
    black = np.float32(2 / 255)
    gain = (np.median(before[0]) + black) / (np.median(now[0]) + black)
    return np.abs(now * np.float32(np.clip(gain, 1 / MAX_GAIN, MAX_GAIN)) - before)


def _search(
    copy: np.ndarray, mean: np.ndarray, unit: np.ndarray, quantile: float, start: tuple[int, int]
) -> tuple[tuple[int, int], float]:
    """Walk from ``start`` to the shift of the smallest difference; return it and the quantile of differences."""
    known: dict[tuple[int, int], float] = {}

    def distance(shift: tuple[int, int]) -> float:
        if shift not in known:
            if max(abs(shift[0] - start[0]), abs(shift[1] - start[1])) > REACH or any(
                2 * abs(s) > side for s, side in zip(shift, copy.shape[1:], strict=True)
            ):
                return np.inf
            squares = np.mean(np.square(_difference(copy, mean, shift) / unit), axis=0).ravel()
            rank = int(quantile * squares.size)
            known[shift] = float(np.sqrt(np.partition(squares, rank)[rank]))
        return known[shift]

    best = start
    while True:
        around = [(best[0] + i, best[1] + j) for i in (0, -1, 1) for j in (0, -1, 1)]
        nearest = min(around, key=distance)
        if nearest == best:
            return best, distance(best)
        best = nearest


def _moved(mean: np.ndarray, copy: np.ndarray, shift: tuple[int, int]) -> np.ndarray:
    """Return the mean where the copy has it; what has come into view is the copy's."""
    if shift == (0, 0):
        return mean
    out = copy.copy()
    _overlap(out, shift)[:] = _overlap(mean, (-shift[0], -shift[1]))
    return out


def _match(copy: np.ndarray, mean: np.ndarray, shift: tuple[int, int]) -> float:
    """Return the mean correlation of the better half of blocks of luma with those nearby in the mean, in [-1, 1]."""
    import cv2

    now, before = copy[0] * 255, _moved(mean, copy, shift)[0] * 255
    height, width = now.shape[0] // BLOCKS[0], now.shape[1] // BLOCKS[1]
    # A twentieth of a grey level, squared: two blocks without structure are alike.
    blank = 0.05 * height * width
    around = cv2.copyMakeBorder(before, SLACK, SLACK, SLACK, SLACK, cv2.BORDER_REPLICATE)
    found = []
    for y in range(0, height * BLOCKS[0], height):
        for x in range(0, width * BLOCKS[1], width):
            block = now[y : y + height, x : x + width]
            block = block - block.mean()
            near = around[y : y + height + 2 * SLACK, x : x + width + 2 * SLACK]
            products = cv2.matchTemplate(near, block, cv2.TM_CCORR)
            windows = np.lib.stride_tricks.sliding_window_view(near, (height, width))
            spreads = windows.var(axis=(2, 3)) * (height * width)
            norms = np.sqrt((float(np.square(block).sum()) + blank) * (spreads + blank))
            found.append(float(((products + blank) / norms).max()))
    return float(np.mean(np.sort(found)[len(found) // 2 :]))
