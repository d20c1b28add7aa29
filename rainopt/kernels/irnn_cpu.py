"""The recurrence of an IRNN in four directions on the CPU, and its gradient, a plane of memory at a time.

Vertical sweeps walk the rows, and a row is one loop that vectorises. Horizontal ones have nothing to vectorise over, so
four rows go side by side, in both directions at once: eight chains of operations, which hide each other's latency.
What a plane needs is read from memory once and stays in the cache for all four directions.

A NaN goes on along its line, and where a value is NaN its gradient passes.
"""

from __future__ import annotations

import numpy as np

from rainopt.kernels.compiler import compiled
from rainopt.parallel.threads import run_all

DIRECTIONS = 4  # up, right, down, left
TOGETHER = 1 << 16  # pixels that a thread takes at a time, of several planes where these are small


def irnn(x: np.ndarray, alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Return ``h = max(alpha h_before + beta + x, 0)`` of sweeps up, right, down, left, (N, C, H, W) to (N, 4C, H, W).

    The first pixel of a line is ``max(x, 0)``. ``alpha`` and ``beta`` are (4, C), of the dtype of ``x``, float32 or
    float64.
    """
    count, channels, height, width = x.shape
    out = np.empty((count, DIRECTIONS * channels, height, width), x.dtype)
    if out.size:
        x, alpha, beta = map(np.ascontiguousarray, (x, alpha, beta))
        run_all(lambda *part: _forward(x, alpha, beta, out, *part), _parts(x))
    return out


def irnn_backward(grad: np.ndarray, h: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients in ``x`` (N, C, H, W), ``alpha`` and ``beta`` (4, C), given those in ``h`` (N, 4C, H, W)."""
    count, channels, height, width = grad.shape
    channels //= DIRECTIONS
    out = np.zeros((count, channels, height, width), grad.dtype)
    # In double precision, and each plane for itself: sums do not depend on how threads share the work.
    sums = np.zeros((2, count, DIRECTIONS, channels))
    if out.size:
        grad, h, alpha = map(np.ascontiguousarray, (grad, h, alpha))
        run_all(lambda *part: _backward(grad, h, alpha, out, sums, *part), _parts(out))
    total = sums.sum(axis=1).astype(grad.dtype)
    return out, total[0], total[1]


def _parts(x: np.ndarray) -> list[tuple[int, int]]:
    planes = x.shape[0] * x.shape[1]
    step = max(TOGETHER // max(x.shape[2] * x.shape[3], 1), 1)
    return [(first, min(first + step, planes)) for first in range(0, planes, step)]


@compiled
def _forward(x, alpha, beta, out, first, last):
    channels, height = x.shape[1], x.shape[2]
    for plane in range(first, last):
        n, c = plane // channels, plane % channels
        source = x[n, c]
        up, right, down, left = out[n, c], out[n, channels + c], out[n, 2 * channels + c], out[n, 3 * channels + c]
        whole = height - height % 4
        for i in range(0, whole, 4):
            for k in range(i, i + 4):
                _row(source[k], down[max(k - 1, 0)], alpha[2, c], beta[2, c], k == 0, down[k])
            _four_rows(source[i : i + 4], alpha[1, c], beta[1, c], alpha[3, c], beta[3, c], right[i:], left[i:])
        for k in range(whole, height):
            _row(source[k], down[max(k - 1, 0)], alpha[2, c], beta[2, c], k == 0, down[k])
            _one_row(source[k], alpha[1, c], beta[1, c], alpha[3, c], beta[3, c], right[k], left[k])
        for k in range(height - 1, -1, -1):
            _row(source[k], up[min(k + 1, height - 1)], alpha[0, c], beta[0, c], k == height - 1, up[k])


@compiled
def _row(x, before, a, b, first, out):
    """A row after the one before it."""
    zero = out.dtype.type(0)
    if first:
        for j in range(x.size):
            out[j] = zero if x[j] <= zero else x[j]
    else:
        for j in range(x.size):
            v = a * before[j] + (b + x[j])
            # This way round NaN stays.
            out[j] = zero if v <= zero else v


@compiled
def _one_row(x, a, b, a_back, b_back, right, left):
    zero = right.dtype.type(0)
    r, s, end = zero, zero, x.size - 1
    for j in range(x.size):
        if j == 0:
            r, s = x[0], x[end]
        else:
            r, s = a * r + (b + x[j]), a_back * s + (b_back + x[end - j])
        r = zero if r <= zero else r
        s = zero if s <= zero else s
        right[j], left[end - j] = r, s


@compiled
def _four_rows(x, a, b, a_back, b_back, right, left):
    """`_one_row` for four rows side by side."""
    zero, end = right.dtype.type(0), x.shape[1] - 1
    x0, x1, x2, x3 = x[0], x[1], x[2], x[3]
    right0, right1, right2, right3 = right[0], right[1], right[2], right[3]
    left0, left1, left2, left3 = left[0], left[1], left[2], left[3]
    r0, r1, r2, r3 = x0[0], x1[0], x2[0], x3[0]
    s0, s1, s2, s3 = x0[end], x1[end], x2[end], x3[end]
    for j in range(end + 1):
        k = end - j
        if j > 0:
            r0, r1, r2, r3 = a * r0 + (b + x0[j]), a * r1 + (b + x1[j]), a * r2 + (b + x2[j]), a * r3 + (b + x3[j])
            s0, s1 = a_back * s0 + (b_back + x0[k]), a_back * s1 + (b_back + x1[k])
            s2, s3 = a_back * s2 + (b_back + x2[k]), a_back * s3 + (b_back + x3[k])
        r0, r1 = zero if r0 <= zero else r0, zero if r1 <= zero else r1
        r2, r3 = zero if r2 <= zero else r2, zero if r3 <= zero else r3
        s0, s1 = zero if s0 <= zero else s0, zero if s1 <= zero else s1
        s2, s3 = zero if s2 <= zero else s2, zero if s3 <= zero else s3
        right0[j], right1[j], right2[j], right3[j] = r0, r1, r2, r3
        left0[k], left1[k], left2[k], left3[k] = s0, s1, s2, s3


@compiled
def _backward(grad, h, alpha, out, sums, first, last):
    channels, height, width = out.shape[1], out.shape[2], out.shape[3]
    # What a row hands back to the one before it, and sums over rows for each column.
    carry = np.empty(width, out.dtype)
    columns = np.empty((2, width), out.dtype)
    for plane in range(first, last):
        n, c = plane // channels, plane % channels
        target = out[n, c]
        right, left = channels + c, 3 * channels + c
        whole = height - height % 4
        for i in range(0, whole, 4):
            k = i + 4
            a, b = _four_rows_back(grad[n, right, i:k], h[n, right, i:k], alpha[1, c], target[i:k])
            sums[0, n, 1, c] += a
            sums[1, n, 1, c] += b
            turned = target[i:k, ::-1]
            a, b = _four_rows_back(grad[n, left, i:k, ::-1], h[n, left, i:k, ::-1], alpha[3, c], turned)
            sums[0, n, 3, c] += a
            sums[1, n, 3, c] += b
        for i in range(whole, height):
            a, b = _row_back(grad[n, right, i], h[n, right, i], alpha[1, c], target[i])
            sums[0, n, 1, c] += a
            sums[1, n, 1, c] += b
            a, b = _row_back(grad[n, left, i, ::-1], h[n, left, i, ::-1], alpha[3, c], target[i, ::-1])
            sums[0, n, 3, c] += a
            sums[1, n, 3, c] += b
        for direction in (0, 2):
            channel = direction * channels + c
            g, values = grad[n, channel], h[n, channel]
            carry[:] = 0
            columns[:] = 0
            for k in range(height):
                # Against the sweep.
                i = k if direction == 0 else height - 1 - k
                before = i + 1 if direction == 0 else i - 1
                final = k == height - 1
                if final:
                    before = i
                _columns_back(g[i], values[i], values[before], alpha[direction, c], final, carry, target[i], columns)
            for j in range(width):
                sums[0, n, direction, c] += columns[0, j]
                sums[1, n, direction, c] += columns[1, j]


@compiled
def _columns_back(g, h, before, a, final, carry, out, columns):
    zero = out.dtype.type(0)
    by_alpha, by_beta = columns[0], columns[1]
    if final:
        for j in range(g.size):
            out[j] += zero if h[j] <= zero else g[j] + carry[j]
    else:
        for j in range(g.size):
            d = zero if h[j] <= zero else g[j] + carry[j]
            out[j] += d
            by_alpha[j] += d * before[j]
            by_beta[j] += d
            carry[j] = a * d


@compiled
def _row_back(g, h, a, out):
    """Add the gradient of a row that was swept from its first pixel on; return the sums for alpha and beta."""
    zero = out.dtype.type(0)
    carry, by_alpha, by_beta = zero, zero, zero
    for j in range(g.size - 1, -1, -1):
        d = zero if h[j] <= zero else g[j] + carry
        out[j] += d
        if j > 0:
            by_alpha += d * h[j - 1]
            by_beta += d
        carry = a * d
    return by_alpha, by_beta


@compiled
def _four_rows_back(g, h, a, out):
    """`_row_back` for four rows side by side."""
    zero = out.dtype.type(0)
    g0, g1, g2, g3 = g[0], g[1], g[2], g[3]
    h0, h1, h2, h3 = h[0], h[1], h[2], h[3]
    out0, out1, out2, out3 = out[0], out[1], out[2], out[3]
    carry0, carry1, carry2, carry3 = zero, zero, zero, zero
    alpha0, alpha1, alpha2, alpha3 = zero, zero, zero, zero
    beta0, beta1, beta2, beta3 = zero, zero, zero, zero
    v0, v1, v2, v3 = h0[-1], h1[-1], h2[-1], h3[-1]
    for j in range(g.shape[1] - 1, -1, -1):
        d0, d1 = zero if v0 <= zero else g0[j] + carry0, zero if v1 <= zero else g1[j] + carry1
        d2, d3 = zero if v2 <= zero else g2[j] + carry2, zero if v3 <= zero else g3[j] + carry3
        out0[j] += d0
        out1[j] += d1
        out2[j] += d2
        out3[j] += d3
        if j > 0:
            v0, v1, v2, v3 = h0[j - 1], h1[j - 1], h2[j - 1], h3[j - 1]
            alpha0, alpha1, alpha2, alpha3 = alpha0 + d0 * v0, alpha1 + d1 * v1, alpha2 + d2 * v2, alpha3 + d3 * v3
            beta0, beta1, beta2, beta3 = beta0 + d0, beta1 + d1, beta2 + d2, beta3 + d3
        carry0, carry1, carry2, carry3 = a * d0, a * d1, a * d2, a * d3
    return alpha0 + alpha1 + alpha2 + alpha3, beta0 + beta1 + beta2 + beta3
