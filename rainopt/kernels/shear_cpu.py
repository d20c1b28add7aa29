"""Rows shifted sideways by fractions of a pixel."""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def shift_rows(image, starts, weights, edge, out):
    """Write ``out[i, j] = Σ_k weights[i, k] image[i, j + starts[i] + k]``; outside: the edge pixel, or 0."""
    rows, columns = image.shape
    taps, width = weights.shape[1], out.shape[1]
    zero = out.dtype.type(0)
    for i in range(rows):
        source, target = image[i], out[i]
        start = starts[i]
        # Columns whose taps all lie inside the image need no test.
        first = min(max(-start, 0), width)
        last = max(min(columns - taps + 1 - start, width), first)
        inner = target[first:last]
        inner[:] = zero
        # One tap at a time: a loop of one product vectorises, and the row stays in the nearest cache.
        for k in range(taps):
            weight, shifted = weights[i, k], source[first + start + k :][: inner.size]
            for j in range(inner.size):
                inner[j] += weight * shifted[j]
        for part in range(2):
            low, high = (0, first) if part == 0 else (last, width)
            for j in range(low, high):
                total = zero
                for k in range(taps):
                    column = j + start + k
                    if edge:
                        total += weights[i, k] * source[min(max(column, 0), columns - 1)]
                    elif 0 <= column < columns:
                        total += weights[i, k] * source[column]
                target[j] = total
