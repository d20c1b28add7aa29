"""Copies of a reference at several sizes, and the robust fit of motion, gain and offset on each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

# Shorter side of the smallest copy, at least.
COARSEST = 80
# Gaussian blur of every copy, in its pixels: linear interpolation between samples is then accurate enough.
BLUR = 0.8
# Columns of the opening that thins out rain before.
OPENING = 3
# Samples that are fitted, at most; more add time, not accuracy.
SAMPLES = 80_000
STEPS = 20
# Steps end where no corner moves by more, in pixels of the copy.
SETTLED = 0.005
# Tukey's biweight leaves out residuals beyond so many standard deviations, which come from the median of them. The
# usual 4.7 is somewhat better under rain alone, 3 with a large thing moving through.
REJECTION = 3.5
# Residuals of rounding to 8 bits: without a floor, equal frames would have no scale.
NOISE = 1e-3


class Fit(NamedTuple):
    """A fitted map, (3, 3) in full pixels, and how well it fits.

    ``correlation`` is that of what agrees, in [-1, 1], ``overlap`` the share of samples inside the frame, ``residual``
    the robust standard deviation of what gain and offset leave, in units of the reference, ``gain`` the frame's
    contrast over the reference's.
    """

    matrix: np.ndarray
    correlation: float
    overlap: float
    residual: float
    gain: float


@dataclass(frozen=True)
class Level:
    """The reference at one size, and what a fit of it needs.

    ``scaling`` maps pixels of this copy to full ones; ``normal`` maps its pixels to coordinates in [-1, 1], in which
    motions are small numbers; ``design`` (samples, parameters) holds the columns of brightness, 1, and the derivative
    of each motion; ``index`` are the samples' pixels.
    """

    grey: np.ndarray
    scaling: np.ndarray
    normal: np.ndarray
    design: np.ndarray
    index: np.ndarray
    motion: str

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
    return [_level(grey, shape, motion) for shape in shapes[::-1]]


def _level(grey: np.ndarray, shape: tuple[int, int], motion: str) -> Level:
    copy = _reduced(grey, shape)
    height, width = shape
    sy, sx = grey.shape[0] / height, grey.shape[1] / width
    scaling = np.asarray([[sx, 0, (sx - 1) / 2], [0, sy, (sy - 1) / 2], [0, 0, 1.0]])
    half = max(shape) / 2
    normal = np.asarray([[1 / half, 0, -(width - 1) / 2 / half], [0, 1 / half, -(height - 1) / 2 / half], [0, 0, 1.0]])

    # Samples spread evenly; the outermost pixels have no derivative.
    spread = max(1, int(np.ceil(np.sqrt(height * width / SAMPLES))))
    rows, columns = np.arange(1, height - 1, spread), np.arange(1, width - 1, spread)
    slopes = np.zeros((2, height, width), np.float32)
    slopes[0, :, 1:-1] = (copy[:, 2:] - copy[:, :-2]) / 2 * half
    slopes[1, 1:-1, :] = (copy[2:, :] - copy[:-2, :]) / 2 * half
    index = (rows[:, None] * width + columns[None, :]).ravel()
    gx, gy = slopes.reshape(2, -1)[:, index]
    x = np.tile(normal[0, 0] * columns + normal[0, 2], len(rows)).astype(np.float32)
    y = np.repeat(normal[1, 1] * rows + normal[1, 2], len(columns)).astype(np.float32)
    moves = {
        "translation": [gx, gy],
        "euclidean": [gx, gy, gy * x - gx * y],
        "affine": [gx, gy, gx * x, gx * y, gy * x, gy * y],
    }
    moves["homography"] = [*moves["affine"], (gx * x + gy * y) * x, (gx * x + gy * y) * y]
    values = copy.reshape(-1)[index]
    design = np.stack([values, np.ones_like(values), *moves[motion]], axis=1)
    return Level(copy, scaling, normal, design, index, motion)


def _reduced(grey: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    import cv2

    copy = cv2.resize(grey, shape[::-1], interpolation=cv2.INTER_AREA) if grey.shape != shape else grey
    # Opening takes off what is bright and narrower than a few pixels, as most streaks are.
    copy = cv2.morphologyEx(copy, cv2.MORPH_OPEN, np.ones((1, OPENING), np.uint8))
    return cv2.GaussianBlur(copy, (0, 0), BLUR, borderType=cv2.BORDER_REPLICATE)


def refine(level: Level, copy: np.ndarray, matrix: np.ndarray) -> Fit | None:
    """Fit the map to a frame, beginning at ``matrix``; None where too little is left to fit.

    Each step solves ``f(W(x)) ≈ g r(x) + o + g ∇r(x) · δ(x)`` for gain g, offset o and motion δ by weighted least
    squares and takes W to ``W ∘ (1 + δ)⁻¹``.
    """
    import cv2

    scaling = level.scaling
    inner = np.linalg.inv(scaling) @ matrix @ scaling
    size = level.grey.shape[::-1]
    design, count = level.design, len(level.index)
    solution = np.zeros(design.shape[1])
    solution[0] = 1
    step = np.inf
    for _ in range(STEPS + 1):
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = cv2.warpPerspective(copy, inner, size, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=np.nan)
        values = warped.reshape(-1)[level.index]
        inside = np.isfinite(values)
        overlap = np.count_nonzero(inside) / count
        if overlap < 0.05:
            return None
        values = np.where(inside, values, np.float32(0))
        weights = inside.astype(np.float32)
        # Gain and offset fit first with the last weights would lag behind the picture; two rounds settle them.
        for _ in range(2):
            gain, offset = _line(design[:, 0], values, weights)
            residual = values - (np.float32(gain) * design[:, 0] + np.float32(offset))
            scale = max(1.4826 * float(np.median(np.abs(residual[inside][::8]))), NOISE)
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
    return Fit(
        scaling @ inner @ np.linalg.inv(scaling), correlation, overlap, scale / gain if gain > 0 else np.inf, gain
    )


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
