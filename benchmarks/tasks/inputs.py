"""What the detectors are shown: pictures with rain, as they are and derained in several ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks.pictures import to_bytes
from data_tools import RainSpec, add_rain
from data_tools.rain.presets import draw_fields
from rainnet.infer.derain import derain as derain_by
from rainnet.weights.checkpoint import load
from rainopt import derain

Input = Callable[[np.ndarray], np.ndarray]

CLEAN, RAINY = "clean", "rainy"
STRENGTHS = ("light", "medium", "heavy")
MODELS = ("refine", "udgnet-small")
MEDIAN = 5  # pixels, high and wide
SEED = 30  # of the rain, with the numbers of strength and scene


def inputs(models: Sequence[str]) -> dict[str, Input]:
    """Return by name what makes of a rainy picture (H, W, 3) uint8 what a detector is shown, uint8."""
    return {
        RAINY: lambda rainy: rainy,
        f"median {MEDIAN} x {MEDIAN}": _median,
        "rainopt": lambda rainy: to_bytes(derain(rainy).background),
        **{name: partial(_by_network, load(name)) for name in models},
    }


def rained(clean: np.ndarray, strength: str, number: int) -> np.ndarray:
    """Return a picture (H, W, 3) uint8 with rain of a preset, whose angle is drawn with the rest of it."""
    rng = np.random.default_rng([SEED, STRENGTHS.index(strength), number])
    return to_bytes(add_rain(clean, RainSpec(**draw_fields(strength, rng)), rng).rainy)


def _median(rainy: np.ndarray) -> np.ndarray:
    import cv2

    return np.asarray(cv2.medianBlur(rainy, MEDIAN))


def _by_network(network: Any, rainy: np.ndarray) -> np.ndarray:
    return to_bytes(derain_by(network, rainy, device="cpu").background)
