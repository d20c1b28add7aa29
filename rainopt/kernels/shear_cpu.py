"""Rows shifted sideways by fractions of a pixel."""

from __future__ import annotations

import numpy as np

from rainopt.kernels.compiler import compiled
from rainopt.parallel.threads import run_all

BAND_ROWS = 256  # rows that a thread takes at a time


def shift_rows(image: np.ndarray, starts: np.ndarray, weights: np.ndarray, width: int, edge: bool) -> np.ndarray:
    """Return ``out[..., i, j] = Σ_k weights[i, k] image[..., i, j + starts[i] + k]``, (..., H, W) to (..., H, width).

    Outside lies the nearest pixel of the row where ``edge`` is set, else 0.
    """
    flat = image.reshape(-1, *image.shape[-2:])
    out = np.empty((*flat.shape[:2], width), image.dtype)
    typed = np.ascontiguousarray(weights, image.dtype)
    run_all(
        lambda n, i: _shift_rows(
            np.ascontiguousarray(flat[n, i : i + BAND_ROWS]),
            starts[i : i + BAND_ROWS],
            typed[i : i + BAND_ROWS],
            edge,
            out[n, i : i + BAND_ROWS],
        ),
        [(n, i) for n in range(len(flat)) for i in range(0, flat.shape[1], BAND_ROWS)],
    )
    return out.reshape(*image.shape[:-1], width)


@compiled
def _shift_rows(image, starts, weights, edge, out):
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
