"""What is told of a training run as it goes on: losses, speed, and who listens."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class Step:
    """What is told of a step, counted from 1.

    Attributes
    ----------
    number, steps
        Of the whole run.
    stage
        Name of the stage, if it has one.
    terms
        Weighted losses of all turns, means over the steps since the last one told.
    rate
        Learning rate of the first optimiser.
    images_per_second, waiting
        Since the last one told: crops on all devices, and the share of the time in which they were waited for.
    seconds_left
        At that speed.
    """

    number: int
    steps: int
    stage: str
    terms: dict[str, float]
    rate: float
    images_per_second: float
    waiting: float
    seconds_left: float


class Watcher(Protocol):
    """Who is told how it goes."""

    def advance(self, number: int) -> None:
        """Note that so many steps are done."""

    def step(self, step: Step) -> None:
        """Take note of a step."""

    def pictures(self, number: int, pictures: dict[str, Tensor]) -> None:
        """Show pictures, (N, C, H, W) in [0, 1] each."""

    def validated(self, number: int, scores: dict[str, float], best: bool) -> None:
        """Take note of a validation."""


class Silent:
    """A `Watcher` that takes no note of anything."""

    def advance(self, number: int) -> None:
        """Ignore it."""

    def step(self, step: Step) -> None:
        """Ignore it."""

    def pictures(self, number: int, pictures: dict[str, Tensor]) -> None:
        """Ignore them."""

    def validated(self, number: int, scores: dict[str, float], best: bool) -> None:
        """Ignore it."""


class Means:
    """Means of losses over some steps; summed where they are, so that a device is not waited for."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: Counter[str] = Counter()

    def add(self, terms: Mapping[str, Tensor]) -> None:
        """Add the terms of a step."""
        for name, value in terms.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] += 1

    def take(self) -> dict[str, float]:
        """Return the means and begin anew."""
        result = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
        self._sums, self._counts = {}, Counter()
        return result


class Clock:
    """How fast it goes, and how long was waited for data; as a context, the waiting.

    Parameters
    ----------
    images
        Of a step, on all devices.
    """

    def __init__(self, images: int) -> None:
        self.images = images
        self._steps, self._waited, self._worked = 0, 0.0, 0.0
        self._mark = self._from = time.perf_counter()

    def __enter__(self) -> None:
        self._from = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        self._waited += time.perf_counter() - self._from

    def count(self) -> None:
        """Count a step that ends now."""
        now = time.perf_counter()
        self._worked += now - self._mark
        self._mark = now
        self._steps += 1

    def resume(self) -> None:
        """Leave out the time since the last step: what was done was no training."""
        self._mark = time.perf_counter()

    def read(self) -> tuple[float, float]:
        """Return images a second and the share of waiting, and begin anew."""
        seconds = max(self._worked, 1e-9)
        result = self._steps * self.images / seconds, self._waited / seconds
        self._steps, self._waited, self._worked = 0, 0.0, 0.0
        return result
