"""Repeated wall times of one task."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Timing:
    """Repeated wall times of one task, in seconds."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median: robust against the odd interruption."""
        return statistics.median(self.seconds)

    def as_dict(self) -> dict[str, Any]:
        """Return median, least and most for a report."""
        return {
            "median_s": self.median,
            "min_s": min(self.seconds),
            "max_s": max(self.seconds),
            "repeats": len(self.seconds),
        }


def timed(function: Callable[[], Any], repeat: int, warm: int = 1) -> tuple[Timing, Any]:
    """Call ``function`` ``warm`` times without and ``repeat`` times with the clock; return times and last result."""
    result = None
    for _ in range(warm):
        result = function()
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return Timing(tuple(seconds)), result
