"""Elementwise steps over large fields, a band of rows in a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rainopt.parallel.threads import run_all

LEAST = 1 << 18  # pixels from which threads pay
BAND_PIXELS = 1 << 16  # what a step makes on the way to its result then stays in a core's cache


def by_rows(function: Callable[..., Any], *fields: Any) -> Any:
    """Return ``function(*fields)``, where each element of the result depends on those of the fields at its place alone.

    Parameters
    ----------
    function
        Of as many fields, of any array library.
    fields
        (H, W) each. Large ones of numpy are worked on in bands of rows, in threads and in memory that stays in the
        cache; others at once.
    """
    first = fields[0]
    if not all(isinstance(field, np.ndarray) for field in fields) or first.ndim != 2 or first.size < LEAST:
        return function(*fields)
    out = np.empty(first.shape, np.result_type(*fields))
    step = max(1, BAND_PIXELS // first.shape[1])

    def work(start: int) -> None:
        rows = slice(start, start + step)
        out[rows] = function(*(field[rows] for field in fields))

    run_all(work, [(start,) for start in range(0, len(out), step)])
    return out
