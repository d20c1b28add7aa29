"""The recurrence of spatial attention in four directions, and its gradient, on the CPU: each pixel once, by lines.

Going down or up, a row follows the row before it, all columns at a time. Going left or right a pixel waits for the one
beside it, and rows do not wait for each other: some of them are laid side by side, turned by a quarter, so that one
instruction does a pixel of each.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from rainopt.kernels.compiler import compiled
from rainopt.parallel.threads import num_threads, run_all

LANES = 16
"""Rows that are swept together to the right and to the left."""
UP, RIGHT, DOWN, LEFT = range(4)
"""Where sweeps go, in the order in which results and weights have them: up begins at the bottom, right on the left."""


def irnn(x: np.ndarray, alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Return ``h <- max(alpha h + beta + x, 0)`` for sweeps up, right, down and left.

    Parameters
    ----------
    x
        (N, C, H, W), float32 or float64.
    alpha, beta
        (4, C) in the dtype of ``x``.

    Returns
    -------
    numpy.ndarray
        (N, 4 C, H, W): all channels of the sweep up, then of those right, down and left. The first pixel of a line is
        ``max(x, 0)``. NaN stays to the end of its lines.
    """
    images, channels, height, width = x.shape
    out = np.empty((images, 4 * channels, height, width), x.dtype)
    if out.size:
        x, alpha, beta = map(np.ascontiguousarray, (x, alpha, beta))
        split = out.reshape(images, 4, channels, height, width)
        run_all(_forward, [(x, alpha, beta, split, *some) for some in _portions(images * channels)])
    return out


def irnn_backward(grad: np.ndarray, h: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of ``x``, ``alpha`` and ``beta``.

    Where ``h`` is zero nothing passes, as it is for the rectifier of torch.

    Parameters
    ----------
    grad, h
        (N, 4 C, H, W): the gradient of what `irnn` returned, and that.
    alpha
        (4, C).
    """
    images, four, height, width = h.shape
    channels = four // 4
    of_x = np.zeros((images, channels, height, width), h.dtype)
    # Sums over millions of pixels.
    sums = np.zeros((images * channels, 2, 4))
    if h.size:
        shape = (images, 4, channels, height, width)
        grad, h, alpha = np.ascontiguousarray(grad), np.ascontiguousarray(h), np.ascontiguousarray(alpha)
        grad, h = grad.reshape(shape), h.reshape(shape)
        run_all(_backward, [(grad, h, alpha, of_x, sums, *some) for some in _portions(images * channels)])
    total = sums.reshape(images, channels, 2, 4).sum(axis=0).astype(h.dtype)
    return of_x, np.ascontiguousarray(total[:, 0].T), np.ascontiguousarray(total[:, 1].T)


def _portions(count: int) -> list[tuple[int, int]]:
    """Return (first, last) of the planes that a thread does."""
    parts = min(count, num_threads())
    edges = [count * part // parts for part in range(parts + 1)]
    return list(pairwise(edges))


@compiled
def _forward(x: Any, alpha: Any, beta: Any, out: Any, first: int, last: int) -> None:
    channels, height, width = x.shape[1:]
    turned, there = np.zeros((width, LANES), x.dtype), np.zeros((width, LANES), x.dtype)
    for plane in range(first, last):
        n, c = plane // channels, plane % channels
        _sweep(x[n, c], out[n, UP, c], alpha[UP, c], beta[UP, c], height - 1, -1)
        _sweep(x[n, c], out[n, DOWN, c], alpha[DOWN, c], beta[DOWN, c], 0, 1)
        for top in range(0, height, LANES):
            _turn(x[n, c], top, turned)
            _sweep(turned, there, alpha[RIGHT, c], beta[RIGHT, c], 0, 1)
            _turn_back(there, out[n, RIGHT, c], top)
            _sweep(turned, there, alpha[LEFT, c], beta[LEFT, c], width - 1, -1)
            _turn_back(there, out[n, LEFT, c], top)


@compiled
def _sweep(x: Any, out: Any, alpha: Any, beta: Any, start: int, step: int) -> None:
    """Sweep over all columns of an array, from its first or its last row on."""
    many, width = x.shape
    zero = x.dtype.type(0)
    # This way round NaN stays.
    for j in range(width):
        value = x[start, j]
        out[start, j] = zero if value <= zero else value
    for k in range(1, many):
        i = start + k * step
        for j in range(width):
            value = alpha * out[i - step, j] + (beta + x[i, j])
            out[i, j] = zero if value <= zero else value


@compiled
def _turn(x: Any, top: int, turned: Any) -> None:
    """Lay rows of a plane side by side, from ``top`` on, as many as there are."""
    if top + LANES <= x.shape[0]:
        # A loop of known length is one without branches.
        for j in range(x.shape[1]):
            for lane in range(LANES):
                turned[j, lane] = x[top + lane, j]
    else:
        for j in range(x.shape[1]):
            for lane in range(x.shape[0] - top):
                turned[j, lane] = x[top + lane, j]


@compiled
def _turn_back(turned: Any, out: Any, top: int) -> None:
    for lane in range(min(LANES, out.shape[0] - top)):
        for j in range(out.shape[1]):
            out[top + lane, j] = turned[j, lane]


@compiled
def _backward(grad: Any, h: Any, alpha: Any, of_x: Any, sums: Any, first: int, last: int) -> None:
    channels, height, width = of_x.shape[1:]
    # The gradient before the rectifier, of a plane and of rows that lie side by side.
    inner = np.empty((height, width), h.dtype)
    turned, reached, there = (
        np.zeros((width, LANES), h.dtype),
        np.zeros((width, LANES), h.dtype),
        np.zeros((width, LANES), h.dtype),
    )
    for plane in range(first, last):
        n, c = plane // channels, plane % channels
        for place, start, step in ((UP, height - 1, -1), (DOWN, 0, 1)):
            _sweep_back(grad[n, place, c], h[n, place, c], inner, alpha[place, c], start, step, sums[plane], place)
            for i in range(height):
                for j in range(width):
                    of_x[n, c, i, j] += inner[i, j]
        for place, start, step in ((RIGHT, 0, 1), (LEFT, width - 1, -1)):
            for top in range(0, height, LANES):
                lanes = min(LANES, height - top)
                turned[:, lanes:] = 0
                _turn(grad[n, place, c], top, turned)
                _turn(h[n, place, c], top, reached)
                _sweep_back(turned, reached, there, alpha[place, c], start, step, sums[plane], place)
                for lane in range(lanes):
                    for j in range(width):
                        of_x[n, c, top + lane, j] += there[j, lane]


@compiled
def _sweep_back(grad: Any, h: Any, inner: Any, alpha: Any, start: int, step: int, sums: Any, place: int) -> None:
    """Write the gradient before the rectifier, and add to the ``sums`` of alpha and of beta, which begin at row two."""
    many, width = h.shape
    zero = h.dtype.type(0)
    # Few enough additions for the precision of the picture.
    of_alpha, of_beta = np.zeros(width, h.dtype), np.zeros(width, h.dtype)
    i = start + (many - 1) * step
    for j in range(width):
        inner[i, j] = zero if h[i, j] <= zero else grad[i, j]
    for k in range(many - 2, -1, -1):
        i = start + k * step
        for j in range(width):
            later = inner[i + step, j]
            of_alpha[j] += later * h[i, j]
            of_beta[j] += later
            value = grad[i, j] + alpha * later
            inner[i, j] = zero if h[i, j] <= zero else value
    for j in range(width):
        sums[0, place] += of_alpha[j]
        sums[1, place] += of_beta[j]
