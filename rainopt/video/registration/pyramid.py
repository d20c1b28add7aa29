"""Copies of a reference at several sizes, and the robust fit of motion, gain and offset on each."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

# Shorter side of the smallest copy, at least.
COARSEST = 80
# Gaussian blur of every copy, in its pixels: linear interpolation between samples is then accurate enough.
BLUR = 0.8
# Columns of the opening that thins out rain beforehand.
OPENING = 3
# Rows and columns of the cells that a copy is divided into, at most, and the shorter side of a cell on the smallest
# copy, at least, in its pixels.
CELLS = (6, 12)
CELL_SIDE = 10
# Samples that are fitted, at most: 80,000 took two to three times as long and were not more accurate.
SAMPLES = 20_000
# They are taken from the steepest pixels of every cell, which are this share of it. Half of a cell was as accurate as
# all of it, and faster to settle; a quarter was less accurate under rain.
STEEP = 0.5
STEPS = 20
# Steps end once no corner moves by more than this, in pixels of the copy.
SETTLED = 0.005
# Tukey's biweight leaves out residuals beyond this many standard deviations, as estimated from their median. The usual
# 4.7 is somewhat better under rain alone, and 3 where a large thing moves through.
REJECTION = 3.5
# Floor of the standard deviation, about that of rounding to 8 bits: without it, equal frames would have no scale.
NOISE = 1e-3


Cells = list[tuple[int, int, int, int]]


class Fit(NamedTuple):
    """A fitted map, (3, 3) in full pixels, and how well it fits.

    ``correlation`` is that of what agrees, in [-1, 1], ``overlap`` the share of samples inside the frame, ``scatter``
    the standard deviation of the worst corner in full pixels, from leaving out one cell after another. That knows
    nothing of what all cells have in common, such as rain in both frames: true errors are up to several times as large.
    """

    matrix: np.ndarray
    correlation: float
    overlap: float
    scatter: float


@dataclass(frozen=True)
class Level:
    """The reference at one size, and what a fit of it needs.

    ``scaling`` maps pixels of this copy to full ones; ``normal`` maps its pixels to coordinates in [-1, 1], in which
    motions are small numbers; ``cells`` are top, bottom, left and right of each cell, in the same order at every level;
    ``design`` (samples, parameters) holds the columns of brightness, 1, and the derivative of each motion, for the same
    number of samples from each cell, cell after cell; ``places`` (2, samples) are their x and y.
    """

    grey: np.ndarray
    scaling: np.ndarray
    normal: np.ndarray
    design: np.ndarray
    places: np.ndarray
    motion: str
    cells: Cells

    def copy_of(self, grey: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
        """Return a frame at the size of this level, NaN where ``mask`` leaves it out."""
        import cv2

        copy = _reduced(grey, self.grey.shape)
        if mask is not None:
            share = cv2.resize(mask.astype(np.float32), copy.shape[::-1], interpolation=cv2.INTER_AREA)
            copy[share < 0.99] = np.nan
        return copy


def levels_of(grey: np.ndarray, side: int, motion: str) -> list[Level]:
    """Return the levels of a reference, coarsest first, the finest at most ``side`` pixels long."""
    factor = min(1.0, side / max(grey.shape))
    shapes = [(max(1, round(grey.shape[0] * factor)), max(1, round(grey.shape[1] * factor)))]
    while min(shapes[-1]) >= 2 * COARSEST:
        shapes.append((round(shapes[-1][0] / 2), round(shapes[-1][1] / 2)))
    counts = [max(1, min(most, (side - 2) // CELL_SIDE)) for side, most in zip(shapes[-1], CELLS, strict=True)]
    return [_level(grey, shape, counts, motion) for shape in shapes[::-1]]


def _level(grey: np.ndarray, shape: tuple[int, int], counts: list[int], motion: str) -> Level:
    copy, cells = _reduced(grey, shape), _cells(shape, counts)
    height, width = shape
    sy, sx = grey.shape[0] / height, grey.shape[1] / width
    scaling = np.asarray([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2], [0, 0, 1.0]])
    half = max(shape) / 2
    normal = np.asarray([[1 / half, 0, -(width - 1) / 2 / half], [0, 1 / half, -(height - 1) / 2 / half], [0, 0, 1.0]])

    # The outermost pixels have no derivative.
    slopes = np.zeros((2, height, width), np.float32)
    slopes[0, :, 1:-1] = (copy[:, 2:] - copy[:, :-2]) / 2 * half
    slopes[1, 1:-1, :] = (copy[2:, :] - copy[:-2, :]) / 2 * half
    index = _samples(np.hypot(*slopes), cells)
    gx, gy = slopes.reshape(2, -1)[:, index]
    columns, rows = (index % width).astype(np.float32), (index // width).astype(np.float32)
    x = np.float32(normal[0, 0]) * columns + np.float32(normal[0, 2])
    y = np.float32(normal[1, 1]) * rows + np.float32(normal[1, 2])
    moves = {
        "translation": [gx, gy],
        "euclidean": [gx, gy, gy * x - gx * y],
        "affine": [gx, gy, gx * x, gx * y, gy * x, gy * y],
    }
    moves["homography"] = [*moves["affine"], (gx * x + gy * y) * x, (gx * x + gy * y) * y]
    values = copy.reshape(-1)[index]
    design = np.stack([values, np.ones_like(values), *moves[motion]], axis=1)
    return Level(copy, scaling, normal, design, np.stack([columns, rows]), motion, cells)


def _samples(slope: np.ndarray, cells: Cells) -> np.ndarray:
    """Return flat indices of the same number of pixels from every cell, cell after cell, among its steeper ones."""
    width = slope.shape[1]
    smallest = min((bottom - top) * (right - left) for top, bottom, left, right in cells)
    count = max(1, min(SAMPLES // len(cells), int(smallest * STEEP)))
    found = []
    for top, bottom, left, right in cells:
        rows, columns = np.mgrid[top:bottom, left:right]
        index = (rows * width + columns).ravel()
        steep = max(count, int(len(index) * STEEP))
        chosen = np.sort(index[np.argpartition(slope.reshape(-1)[index], -steep)[-steep:]])
        found.append(chosen[np.linspace(0, steep - 1, count).astype(int)])
    return np.concatenate(found)


def _cells(shape: tuple[int, int], counts: list[int]) -> Cells:
    rows, columns = (np.linspace(1, side - 1, n + 1).astype(int) for side, n in zip(shape, counts, strict=True))
    return [(a, b, c, d) for a, b in itertools.pairwise(rows) for c, d in itertools.pairwise(columns)]


def _reduced(grey: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    import cv2

    copy = cv2.resize(grey, shape[::-1], interpolation=cv2.INTER_AREA) if grey.shape != shape else grey
    # Opening takes off what is bright and narrower than a few pixels, as most streaks are.
    copy = cv2.morphologyEx(copy, cv2.MORPH_OPEN, np.ones((1, OPENING), np.uint8))
    return cv2.GaussianBlur(copy, (0, 0), BLUR, borderType=cv2.BORDER_REPLICATE)


def refine(level: Level, copy: np.ndarray, matrix: np.ndarray, cells: np.ndarray) -> Fit | None:
    """Fit the map to a frame in the ``cells`` (bool) that take part; None where too little is left to fit.

    Each step solves ``f(W(x)) ≈ g r(x) + o + g ∇r(x) · δ(x)`` for gain g, offset o and motion δ by weighted least
    squares and takes W, at first ``matrix``, to ``W ∘ (1 + δ)⁻¹``.
    """
    import cv2

    scaling = level.scaling
    inner = np.linalg.inv(scaling) @ matrix @ scaling
    size = level.grey.shape[::-1]
    design, count = level.design, len(level.design)
    solution = np.zeros(design.shape[1])
    solution[0] = 1
    step = np.inf
    x, y = level.places
    used = np.repeat(cells, count // len(level.cells))
    for _ in range(STEPS + 1):
        u, v, w = (row[0] * x + row[1] * y + row[2] for row in inner.astype(np.float32))
        u, v = ((part / w).reshape(len(level.cells), -1) for part in (u, v))
        found = cv2.remap(copy, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=np.nan)
        values = found.reshape(-1)
        inside = np.isfinite(values)
        overlap = np.count_nonzero(inside) / count
        inside &= used
        if np.count_nonzero(inside) < 0.05 * count:
            return None
        values = np.where(inside, values, np.float32(0))
        weights = inside.astype(np.float32)
        # Gain and offset fit first with the last weights would lag behind the picture; two rounds settle them.
        for _ in range(2):
            gain, offset = _line(design[:, 0], values, weights)
            residual = values - (np.float32(gain) * design[:, 0] + np.float32(offset))
            scale = max(1.4826 * float(np.median(np.abs(residual[inside]))), NOISE)
            ratio = residual * np.float32(1 / (REJECTION * scale))
            weights = np.where(inside & (np.abs(ratio) < 1), (1 - ratio * ratio) ** 2, np.float32(0))
        if step < SETTLED or not gain > 0:
            break
        weighted = design * weights[:, None]
        try:
            solution = np.linalg.solve(
                (weighted.T @ design).astype(np.float64), (weighted.T @ values).astype(np.float64)
            )
        except np.linalg.LinAlgError:
            return None
        if not (np.all(np.isfinite(solution)) and solution[0] > 0):
            return None
        motion = _motion(solution[2:] / solution[0], level.motion)
        step = float(np.abs(motion - np.eye(3)).sum()) * max(size) / 2
        if step > max(size):
            return None
        inner = inner @ np.linalg.inv(level.normal) @ np.linalg.inv(motion) @ level.normal
        inner /= inner[2, 2]
    total = weights.sum()
    a, b = (v - (weights * v).sum() / total for v in (design[:, 0], values))
    norm = float((weights * a * a).sum()) * float((weights * b * b).sum())
    correlation = float((weights * a * b).sum()) / np.sqrt(norm) if norm > 0 else 0.0
    scatter = _scatter(level, weights, residual, gain) * float(np.sqrt(scaling[0, 0] * scaling[1, 1]))
    return Fit(scaling @ inner @ np.linalg.inv(scaling), correlation, overlap, scatter)


def _scatter(level: Level, weights: np.ndarray, residual: np.ndarray, gain: float) -> float:
    """Return the jackknife's standard deviation of the worst corner in pixels of the copy; inf where it has none."""
    count = len(level.cells)
    columns = level.design.reshape(count, -1, level.design.shape[1])
    weighted = columns * weights.reshape(count, -1, 1)
    normal = (weighted.transpose(0, 2, 1) @ columns).astype(np.float64)
    right = (weighted.transpose(0, 2, 1) @ residual.reshape(count, -1, 1)).astype(np.float64)
    held = normal[:, 0, 0] > 0
    if np.count_nonzero(held) < 3 or not gain > 0:
        return np.inf
    try:
        left_out = np.linalg.solve(normal.sum(0) - normal[held], right.sum(0) - right[held])[:, 2:, 0] / gain
    except np.linalg.LinAlgError:
        return np.inf
    height, width = level.grey.shape
    x, y = level.normal[:2, :2] @ (np.asarray([[-1, 1, -1, 1], [-1, -1, 1, 1]]) * [[width / 2], [height / 2]])
    corners = np.stack([x, y, np.ones(4)])
    moved = np.stack([(_motion(q, level.motion) @ corners)[:2] for q in left_out])
    n = len(moved)
    return float(np.sqrt((n - 1) * moved.var(axis=0).sum(axis=0).max())) / level.normal[0, 0]


def _line(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Return gain and offset of the weighted regression of y on x."""
    total = max(float(weights.sum()), 1e-12)
    mx, my = float((weights * x).sum()) / total, float((weights * y).sum()) / total
    dx = x - np.float32(mx)
    spread = float((weights * dx * dx).sum())
    gain = float((weights * dx * y).sum()) / spread if spread > 1e-12 else 0.0
    return gain, my - gain * mx


def _motion(q: np.ndarray, kind: str) -> np.ndarray:
    """Return the (3, 3) map of motion parameters in normalised coordinates."""
    if kind == "translation":
        return np.asarray([[1, 0, q[0]], [0, 1, q[1]], [0, 0, 1.0]])
    if kind == "euclidean":
        cos, sin = np.cos(q[2]), np.sin(q[2])
        return np.asarray([[cos, -sin, q[0]], [sin, cos, q[1]], [0, 0, 1.0]])
    last = (-q[6], -q[7], 1.0) if kind == "homography" else (0, 0, 1.0)
    return np.asarray([[1 + q[2], q[3], q[0]], [q[4], 1 + q[5], q[1]], last])
