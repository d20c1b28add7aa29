"""TILT with one unknown, the angle, written down as it stands in the paper, in numpy.

Zhang, Ganesh, Liang, Ma: TILT: Transform Invariant Low-rank Textures, IJCV 2012, Algorithms 1 and 2: a window is turned
until it is a low-rank matrix plus sparse errors. The inner problem is solved by augmented Lagrangians with a growing
penalty and stops when its constraint is met; coarse angles are searched first, on a smaller window.
"""

from __future__ import annotations

import math

import numpy as np

WINDOW = 100  # pixels a side
SEARCH, GRID = 45, 5  # degrees: how far the first search goes, and its step
PENALTY, GROWTH = 1.25, 1.25  # μ at the start, over ‖D‖₂, and ρ
INNER_TOL, INNER_MOST = 1e-7, 300
OUTER_TOL, OUTER_MOST = 0.01, 30  # degrees; linearisations of each level
DIFFERENCE = 0.5  # degrees, between the windows that the derivative is taken of


def plain_tilt(image: np.ndarray) -> float:
    """Return the angle of the streaks in the middle of an image (H, W), degrees; 0 is vertical, positive right going
    down.
    """
    from scipy import ndimage

    size = min(WINDOW, *(side // 2 for side in image.shape))
    coarse = ndimage.gaussian_filter(image, 1.0)
    grid = np.arange(-SEARCH, SEARCH + 1, GRID)
    angle = float(min(grid, key=lambda a: split(window(coarse, float(a), size // 2, 2), None)[1]))
    for layer, pixels, spacing in ((coarse, size // 2, 2), (image, size, 1)):
        for _ in range(OUTER_MOST):
            D = window(layer, angle, pixels, spacing)
            ahead, behind = (window(layer, angle + sign * DIFFERENCE / 2, pixels, spacing) for sign in (1, -1))
            step, _ = split(D, (ahead - behind) / DIFFERENCE)
            angle += step
            if abs(step) < OUTER_TOL:
                break
    return (angle + 90) % 180 - 90


def window(image: np.ndarray, angle: float, size: int, spacing: int) -> np.ndarray:
    """Return the turned window (size, size) around the middle of an image, its Frobenius norm 1."""
    from scipy import ndimage

    turn = math.radians(angle)
    down, right = np.meshgrid(*2 * [(np.arange(size) - (size - 1) / 2) * spacing], indexing="ij")
    rows = (image.shape[0] - 1) / 2 + down * math.cos(turn) - right * math.sin(turn)
    columns = (image.shape[1] - 1) / 2 + down * math.sin(turn) + right * math.cos(turn)
    values = ndimage.map_coordinates(image, [rows, columns], order=1, mode="nearest")
    return values / max(float(np.linalg.norm(values)), 1e-12)


def split(D: np.ndarray, J: np.ndarray | None) -> tuple[float, float]:
    """Return Δ and the objective of ``min ‖A‖_* + λ‖E‖₁, A + E = D + Δ J``, λ = 1/√rows; without J, Δ is 0."""
    weight = 1 / math.sqrt(len(D))
    norm = float(np.linalg.norm(D, 2)) or 1.0
    E, Y, step = np.zeros_like(D), D / max(norm, float(np.abs(D).max()) / weight), 0.0
    penalty = PENALTY / norm
    A, moved = D, D
    for _ in range(INNER_MOST):
        left, values, right = np.linalg.svd(moved - E + Y / penalty, full_matrices=False)
        A = (left * np.maximum(values - 1 / penalty, 0)) @ right
        rest = moved - A + Y / penalty
        E = np.sign(rest) * np.maximum(np.abs(rest) - weight / penalty, 0)
        if J is not None:
            step = float(np.vdot(J, A + E - D - Y / penalty) / max(float(np.vdot(J, J)), 1e-300))
            moved = D + step * J
        gap = moved - A - E
        Y = Y + penalty * gap
        penalty *= GROWTH
        if np.linalg.norm(gap) <= INNER_TOL * np.linalg.norm(D):
            break
    return step, float(np.linalg.norm(A, "nuc") + weight * np.abs(E).sum())
