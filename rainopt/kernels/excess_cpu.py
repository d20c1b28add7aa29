"""What frames hold above what lies behind their rain, and how far it is rain: one pass over each picture."""

from __future__ import annotations

import numpy as np

from rainopt.kernels.compiler import compiled


def excess(frame: np.ndarray, behind: np.ndarray, weights: np.ndarray, near: float) -> np.ndarray:
    """Return the weighted sum of the channels of a frame less those of what lies behind, (H, W) float32; where a
    channel is darker by more than ``near``, the difference of the darkest.

    Parameters
    ----------
    frame
        (H, W, 3) uint8 or uint16; its full scale counts as 1.
    behind
        The same, or float32 in [0, 1].
    weights
        (3,) float32.
    near
        A share of full scale.
    """
    out = np.empty(frame.shape[:2], np.float32)
    unit = np.float32(1 / np.iinfo(frame.dtype).max)
    unit_behind = np.float32(1) if behind.dtype == np.float32 else unit
    write_excess(_rows(frame), _rows(behind), unit, unit_behind, weights, np.float32(near), out)
    return out


def line_mean(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Return the correlation of a picture (H, W) float32 with a small kernel of odd sides, most of which is 0; the
    picture is mirrored at its edges.
    """
    import cv2

    rows, columns = np.nonzero(kernel)
    down, across = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = np.asarray(cv2.copyMakeBorder(picture, down, down, across, across, cv2.BORDER_REFLECT_101))
    out = np.zeros(picture.shape, np.float32)
    add_line(padded, rows, columns, kernel[rows, columns].astype(np.float32), out)
    return out


def _rows(picture: np.ndarray) -> np.ndarray:
    """Return a picture whose rows are contiguous, as parts of one are, for one kernel instead of two."""
    return picture if picture.strides[1:] == (picture.itemsize * picture.shape[2], picture.itemsize) else picture.copy()


@compiled
def write_excess(frame, behind, unit, unit_behind, weights, near, out):
    """Write `excess` to ``out``."""
    height, width = out.shape
    for i in range(height):
        for j in range(width):
            r = unit * np.float32(frame[i, j, 0]) - unit_behind * np.float32(behind[i, j, 0])
            g = unit * np.float32(frame[i, j, 1]) - unit_behind * np.float32(behind[i, j, 1])
            b = unit * np.float32(frame[i, j, 2]) - unit_behind * np.float32(behind[i, j, 2])
            lowest = min(r, g, b)
            out[i, j] = lowest if lowest < -near else weights[0] * r + weights[1] * g + weights[2] * b


@compiled
def add_line(padded, rows, columns, weights, out):
    """Add ``weights[k]`` times ``padded``, moved by ``rows[k]`` and ``columns[k]``, to ``out``."""
    height, width = out.shape
    for i in range(height):
        total = out[i]
        for k in range(weights.size):
            part, weight = padded[i + rows[k], columns[k] : columns[k] + width], weights[k]
            for j in range(width):
                total[j] += weight * part[j]


@compiled
def split_excess(excess, low, high, lack, part, part_lack):
    """Write what an excess lacks, the excess between ``low`` and ``high``, and what that lacks; all (H, W) float32."""
    height, width = excess.shape
    zero = np.float32(0)
    for i in range(height):
        for j in range(width):
            value = excess[i, j]
            between = min(max(value, low), high)
            lack[i, j] = max(-value, zero)
            part[i, j] = between
            part_lack[i, j] = max(-between, zero)


@compiled
def write_share(excess, lack, line, line_lack, against, noise, least_line, height, high, highest, out):
    """Write how far an excess is rain, in [0, 1], as `rainopt.video.time_bound.rain_share` says; all float32."""
    rows, columns = excess.shape
    zero, one, half = np.float32(0), np.float32(1), np.float32(0.5)
    for i in range(rows):
        for j in range(columns):
            value = excess[i, j]
            clear = (value - against * lack[i, j]) / (noise + noise) - half
            streak = (line[i, j] - against * line_lack[i, j]) / (least_line + least_line) - half
            likely = (highest - value / height) / (highest - high)
            clear = min(max(clear, zero), one)
            streak = min(max(streak, zero), one)
            out[i, j] = clear * streak * min(max(likely, zero), one)
