"""The first search: which rotation and shift to begin an alignment at, by votes of blocks."""

from __future__ import annotations

import numpy as np

from rainopt.stabilise_levels import Level, refine

# The first search: degrees to either side, blocks along each axis, and reach in shares of the longer side.
ANGLES = np.arange(-4.0, 4.5, 1.0)
BLOCKS = (3, 4)
REACH = 1 / 14
# Peaks of each angle, and how many of all are tried.
PEAKS = 3
CANDIDATES = 8
MAX_GAIN = 3.0


def coarse_start(level: Level, copy: np.ndarray) -> np.ndarray:
    """Return the rotation and shift for which most of the blocks of the smallest copy find themselves again.

    Phase correlation of the whole proposes a shift; around it and around none, the normalised correlations of the
    blocks are added up, so that something that moves through a few of them is outvoted.
    """
    import cv2

    height, width = level.grey.shape
    reach = max(2, round(max(height, width) * REACH))
    finite = np.nan_to_num(copy, nan=float(np.nanmean(copy)))
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(_detail(level.grey), _detail(finite), window)
    middles = [(0, 0)]
    if max(abs(dx), abs(dy)) > reach / 2 and abs(dx) < width / 2 and abs(dy) < height / 2:
        middles.append((round(dx), round(dy)))
    reference = _detail(level.grey)
    found: list[tuple[float, np.ndarray]] = []
    for angle in np.deg2rad(ANGLES if level.motion != "translation" else [0.0]):
        cos, sin = np.cos(angle), np.sin(angle)
        cx, cy = (width - 1) / 2, (height - 1) / 2
        for mx, my in middles:
            turn = np.asarray([[cos, -sin, cx - cos * cx + sin * cy + mx], [sin, cos, cy - sin * cx - cos * cy + my]])
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            turned = cv2.warpAffine(finite, turn, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
            votes = _votes(reference, _detail(turned), reach)
            for _ in range(PEAKS):
                _, value, _, (x, y) = cv2.minMaxLoc(votes)
                move = np.asarray([[1, 0, x - reach], [0, 1, y - reach], [0, 0, 1.0]])
                found.append((value, np.vstack([turn, [0, 0, 1]]) @ move))
                votes[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3] = 0
    found.sort(key=lambda candidate: -candidate[0])
    fits = [
        refine(level, copy, level.scaling @ start @ np.linalg.inv(level.scaling)) for _, start in found[:CANDIDATES]
    ]
    # A fit that turned the picture into noise of a large gain leaves little residual either.
    good = [fit for fit in fits if fit is not None and fit.overlap > 0.25 and 1 / MAX_GAIN < fit.gain < MAX_GAIN]
    if not good:
        return np.eye(3)
    return min(good, key=lambda fit: fit.residual).matrix


def _detail(grey: np.ndarray) -> np.ndarray:
    import cv2

    return grey - cv2.GaussianBlur(grey, (0, 0), 6)


def _votes(reference: np.ndarray, frame: np.ndarray, reach: int) -> np.ndarray:
    """Return the sum over blocks of their correlations, negative ones as 0, at each shift; (2 reach + 1,) * 2."""
    import cv2

    frame = cv2.copyMakeBorder(frame, reach, reach, reach, reach, cv2.BORDER_CONSTANT)
    height, width = reference.shape[0] // BLOCKS[0], reference.shape[1] // BLOCKS[1]
    votes = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for y in range(0, height * BLOCKS[0], height):
        for x in range(0, width * BLOCKS[1], width):
            block = reference[y : y + height, x : x + width]
            if float(block.std()) < 1e-4:
                continue
            around = frame[y : y + height + 2 * reach, x : x + width + 2 * reach]
            votes += np.clip(cv2.matchTemplate(around, block, cv2.TM_CCOEFF_NORMED), 0, 1) ** 2
    return votes
