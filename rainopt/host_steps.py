"""The only way from a device to the host in the midst of a computation, and the list of the steps that take it.

Whatever is handed in on a device stays there, and so does what is made of it. A few steps need a number, or a short
list of them, on the host: to decide how to go on, or to refuse the input. Each is named in `STEPS` with what it copies,
and nothing else is copied; a test runs the public functions on arrays that raise at any other way.

On the host all of this is free: nothing is copied there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from rainopt.arrays import Array, to_numpy

STEPS: dict[str, str] = {
    "check": "1 byte: whether an input is finite, not negative, or below its bound",
    "range": "4 or 8 bytes each: the least and the greatest value of an input of floats; 1 where a kernel looks itself",
    "exposure": "up to 8 bytes: the greatest value of an image, which its unit is found from",
    "ridges": "24 bytes: how many ridges there are, votes among them, and samples on ridges at each of two scales, "
    "again where these say nothing; and 48 for each ridge that is like a streak, a few thousand of them",
    "block means": "where the device has no kernels for ridges, and of small pictures: the planes that ridges are "
    "looked for in, at most 1.5 million pixels (6 MB) a channel, of larger images the means of blocks",
    "busiest window": "4 bytes for each window of 1024 x 1024, at half-overlapping places: how much varies in it",
    "skewness": "4 bytes each of up to three moments, once a direction: whether its rain is dense",
    "gap": "1 byte each time that a solve is asked whether it may stop, every 25 iterations",
    "percentile votes": "9 bytes: whether any votes are of pixels that are not white, and which percentile has most",
}
"""Steps by name, with the bytes that one copies."""

_records: list[list[tuple[str, int]]] = []


def fetch(array: Array, step: str) -> np.ndarray:
    """Return an array of any device on the host, for one of `STEPS`.

    Raises
    ------
    KeyError
        For a step that is not listed.
    """
    _note(array, step)
    return to_numpy(array)


def number(array: Array, step: str) -> float:
    """Return an array of one number as a float, for one of `STEPS`."""
    _note(array, step)
    return float(array)


def truth(array: Array, step: str) -> bool:
    """Return an array of one truth value as a bool, for one of `STEPS`."""
    _note(array, step)
    return bool(array)


def _note(array: Array, step: str) -> None:
    if step not in STEPS:
        raise KeyError(f"'{step}' is no step that may copy to the host; list it in rainopt.host_steps.STEPS")
    if _records and not isinstance(array, np.ndarray | np.generic):
        size = math.prod(array.shape) * getattr(array.dtype, "itemsize", 8)
        for record in _records:
            record.append((step, size))


@contextmanager
def fetched() -> Iterator[list[tuple[str, int]]]:
    """Note the steps that are taken within a ``with`` block, and the bytes of each; of numpy arrays there are none."""
    record: list[tuple[str, int]] = []
    _records.append(record)
    try:
        yield record
    finally:
        _records[:] = [other for other in _records if other is not record]
