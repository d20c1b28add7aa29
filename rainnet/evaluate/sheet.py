"""The worst pictures of a comparison, to be looked at."""

from __future__ import annotations

import math
from pathlib import PurePath

import numpy as np

from rainnet.evaluate.compare import Compared
from rainnet.evaluate.score import in_same_channels
from rainopt.app.sheet import Row
from rainopt.image import unit_range
from rainopt.metrics.fidelity import psnr

CELL = (480, 320)  # width, height of a picture in the sheet, at most
GAIN = 4  # of the difference, which is dark otherwise
UNTOUCHED = "input"


class Worst:
    """Keeps the pictures that one method did worst on, no more at a time than are wanted.

    Worst is the least PSNR. Pictures without truth come after those with, the greatest NIQE first.

    Parameters
    ----------
    count
        How many are kept, at least 1.
    method
        Name of the method that they are chosen by.
    protocol
        Of the PSNR.
    """

    def __init__(self, count: int, method: str, protocol: str) -> None:
        self.count, self.method, self.protocol = count, method, protocol
        self._kept: list[tuple[tuple[int, float], Compared]] = []

    def __call__(self, compared: Compared) -> None:
        """Look at one more picture; without a score of the method it is passed over."""
        score = compared.scores.get(self.method)
        if score is None or (not score.psnr and score.niqe is None):
            return
        rank = (0, score.psnr[self.protocol]) if score.psnr else (1, -(score.niqe or 0.0))
        # Sorting is stable: of equals, the first of the dataset are kept.
        self._kept = sorted([*self._kept, (rank, compared)], key=lambda kept: kept[0])[: self.count]

    def rows(self) -> list[Row]:
        """Return a row for each picture, the worst first: input, results, truth, and how far the method is from it."""
        return [self._row(compared) for _, compared in self._kept]

    def _row(self, compared: Compared) -> Row:
        rainy, truth = compared.rainy, compared.truth
        if rainy is None:
            raise ValueError(f"'{compared.pair.name}' was not read and cannot be shown")
        shown = [(f"{compared.pair.name}  {self._input(compared)}", rainy)]
        for name, result in compared.results.items():
            if name != UNTOUCHED:
                shown.append((f"{_short(name)}  {self._said(compared, name)}", result))
        if truth is not None:
            a, b = in_same_channels(compared.results[self.method], truth)
            error = np.abs(unit_range(a) - unit_range(b)) * GAIN
            if compared.valid is not None:
                error = error * compared.valid[..., None]
            shown += [("truth", truth), (f"|{_short(self.method)} - truth| x{GAIN}", error.clip(0, 1))]
        return Row([image for _, image in shown], [caption.strip() for caption, _ in shown])

    def _said(self, compared: Compared, name: str) -> str:
        score = compared.scores[name]
        if score.psnr:
            return _decibels(score.psnr[self.protocol])
        return "" if score.niqe is None else f"NIQE {score.niqe:.2f}"

    def _input(self, compared: Compared) -> str:
        rainy, truth = compared.rainy, compared.truth
        if rainy is None or truth is None:
            return ""
        return "input " + _decibels(psnr(*in_same_channels(rainy, truth), self.protocol, compared.valid))


def _decibels(value: float) -> str:
    return "equal" if math.isinf(value) else f"{value:.2f} dB"


def _short(name: str) -> str:
    """Return the last part of a path: captions are narrow."""
    return PurePath(name).name or name
