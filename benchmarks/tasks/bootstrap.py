"""Figures of several inputs on the same scenes, with what chance there is in which scenes these were."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

RESAMPLES = 1000
SHARE = 0.95  # that an interval holds
SEED = 3

Outcome = TypeVar("Outcome")
Figures = Callable[[Sequence[Outcome]], Mapping[str, float]]


def rows(outcomes: Mapping[str, Sequence[Outcome]], figures: Figures[Outcome], against: str) -> list[dict[str, Any]]:
    """Return a row of figures for each input, with intervals, and with what it gains over another input.

    Parameters
    ----------
    outcomes
        For each input what became of each scene; the same scenes in the same order.
    figures
        What is told of some scenes, by name.
    against
        The input that gains are counted from.

    Returns
    -------
    list of dict
        ``"input"``, the figures, ``"intervals"`` as {figure: [low, high]}, and but for ``against`` itself ``"gains"``
        as {figure: [gain, low, high]}. Intervals hold `SHARE` of what `RESAMPLES` drawings of as many scenes, with
        repetition, give (percentile bootstrap; Efron and Tibshirani 1993, chapter 13): several rains over one scene are
        one scene. Gains are taken on the same drawings, scene by scene, which says more than two intervals do.
    """
    count = len(next(iter(outcomes.values())))
    drawn = np.random.default_rng(SEED).integers(count, size=(RESAMPLES, count)).tolist()
    whole = {name: dict(figures(each)) for name, each in outcomes.items()}
    samples = {name: [figures([each[k] for k in scenes]) for scenes in drawn] for name, each in outcomes.items()}
    found = []
    for name, values in whole.items():
        row: dict[str, Any] = {"input": name, **values}
        row["intervals"] = {key: _interval([sample[key] for sample in samples[name]]) for key in values}
        if name != against:
            row["gains"] = {
                key: [
                    value - whole[against][key],
                    *_interval([a[key] - b[key] for a, b in zip(samples[name], samples[against], strict=True)]),
                ]
                for key, value in values.items()
            }
        found.append(row)
    return found


def _interval(values: Sequence[float]) -> list[float]:
    low, high = np.quantile(values, [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return [float(low), float(high)]
