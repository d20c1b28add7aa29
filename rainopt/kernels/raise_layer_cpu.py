"""A layer raised to the background beside its streaks on the CPU, in one pass."""

from __future__ import annotations

import numpy as np

from rainopt.kernels.compiler import compiled
from rainopt.parallel.threads import run_all

BAND_ROWS = 256  # rows that a thread takes at a time


def raise_layer(O: np.ndarray, layer: np.ndarray, most: np.ndarray, sides: tuple[int, ...]) -> np.ndarray:
    """Return a layer (H, W) raised to at most ``most``, as `rainopt.still.gain.raised`."""
    # The compiler knows one order of bytes.
    kind = layer.dtype.newbyteorder("=")
    O, layer, most = (np.asarray(field, kind) for field in (O, layer, most))
    out, reaches = np.empty(layer.shape, kind), np.array(sides, np.int64)

    def work(first: int) -> None:
        rows = slice(first, first + BAND_ROWS)
        write_raised(O[rows], layer[rows], most[rows], reaches, out[rows])

    run_all(work, [(first,) for first in range(0, O.shape[0], BAND_ROWS)])
    return out


@compiled
def write_raised(O, layer, most, reaches, out):
    """Write `raise_layer`."""
    rows, columns = O.shape
    for i in range(rows):
        for j in range(columns):
            least, limit = layer[i, j], most[i, j]
            if not limit > least:
                out[i, j] = least
                continue
            highest = limit
            for n in range(len(reaches)):
                left, right = max(j - reaches[n], 0), min(j + reaches[n], columns - 1)
                darker = min(O[i, left] - layer[i, left], O[i, right] - layer[i, right])
                highest = min(highest, O[i, j] - darker)
            out[i, j] = max(least, highest)
