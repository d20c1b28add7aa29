"""The recurrence of an IRNN in four directions on the CPU, of pictures whose channels lie last: (N, H, W, C).

A step of a sweep is one loop over the channels of a pixel, which vectorises in all four directions. Convolutions on the
CPU are quickest with the channels last, and so nothing is laid out anew between them and the sweeps.
"""

from __future__ import annotations

import numpy as np

from rainopt.kernels.compiler import compiled
from rainopt.parallel.threads import run_all

DIRECTIONS = 4  # up, right, down, left
ROWS, COLUMNS = 16, 32  # that a thread takes at a time


def irnn_last(x: np.ndarray, alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Return ``h = max(alpha h_before + beta + x, 0)`` for sweeps up, right, down, left, (N, H, W, C) to (N, H, W, 4C).

    The first pixel of a line is ``max(x, 0)``. ``alpha`` and ``beta`` are (4, C), of the dtype of ``x``, float32 or
    float64. A NaN stays until the end of its lines.
    """
    count, height, width, channels = x.shape
    out = np.empty((count, height, width, DIRECTIONS * channels), x.dtype)
    if out.size:
        x, alpha, beta = map(np.ascontiguousarray, (x, alpha, beta))
        across = [(n, i, min(i + ROWS, height)) for n in range(count) for i in range(0, height, ROWS)]
        along = [(n, j, min(j + COLUMNS, width)) for n in range(count) for j in range(0, width, COLUMNS)]
        run_all(lambda *part: _across(x, alpha, beta, out, *part), across)
        run_all(lambda *part: _along(x, alpha, beta, out, *part), along)
    return out


@compiled
def _across(x, alpha, beta, out, n, first, last):
    """Sweep rows to the right and to the left."""
    width, channels = x.shape[2], x.shape[3]
    h = np.empty(channels, x.dtype)
    for i in range(first, last):
        for j in range(width):
            _step(x[n, i, j], alpha[1], beta[1], j == 0, h, out[n, i, j, channels : 2 * channels])
        for j in range(width - 1, -1, -1):
            _step(x[n, i, j], alpha[3], beta[3], j == width - 1, h, out[n, i, j, 3 * channels :])


@compiled
def _along(x, alpha, beta, out, n, first, last):
    """Sweep columns down and up, a row of them at a time."""
    height, channels = x.shape[1], x.shape[3]
    h = np.empty((last - first, channels), x.dtype)
    for i in range(height):
        for j in range(first, last):
            _step(x[n, i, j], alpha[2], beta[2], i == 0, h[j - first], out[n, i, j, 2 * channels : 3 * channels])
    for i in range(height - 1, -1, -1):
        for j in range(first, last):
            _step(x[n, i, j], alpha[0], beta[0], i == height - 1, h[j - first], out[n, i, j, :channels])


@compiled
def _step(x, a, b, first, h, out):
    zero = h.dtype.type(0)
    if first:
        for c in range(h.size):
            v = x[c]
            # This way round NaN stays.
            h[c] = zero if v <= zero else v
            out[c] = h[c]
    else:
        for c in range(h.size):
            v = a[c] * h[c] + (b[c] + x[c])
            h[c] = zero if v <= zero else v
            out[c] = h[c]
