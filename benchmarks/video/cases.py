"""Rainy clips with their truths, from still and moving cameras; see `benchmarks.video.rows` for what they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.pictures import PROTOCOL, pictures
from benchmarks.video import camera
from benchmarks.video.quality import CLIP, rain_over
from rainopt import read_frames, read_image

INDOOR = (600, 100)  # first frame and number of frames: a person walks by


@dataclass(frozen=True)
class Case:
    """Rainy frames and what they are without rain, (N, H, W, 3) uint8.

    Attributes
    ----------
    protocol
        How PSNR and SSIM are taken, see `rainopt.metrics.fidelity`: grey levels as they are count as "y_full".
    rain_apart
        Whether pixels under rain and dry ones are told apart in the scores.
    darker
        Whether pixels that are much darker than the truth are counted.
    """

    rainy: np.ndarray
    clean: np.ndarray
    protocol: str = PROTOCOL
    rain_apart: bool = False
    darker: bool = False


def _ntu_a1(data: Path) -> Case:
    sides = (data / "video" / "ntu_a1" / side for side in ("rain", "truth"))
    rainy, clean = (np.stack([read_image(file) for file in pictures(side)]) for side in sides)
    return Case(rainy, clean, rain_apart=True)


def _pedestrian(data: Path) -> Case:
    from scipy.io import loadmat

    held = loadmat(data / "video" / "pedestrian_synthetic_rain.mat")
    rainy, clean = (np.moveaxis(held[name], 2, 0)[..., None].repeat(3, axis=3) for name in ("input", "groundtruth"))
    return Case(rainy, clean, protocol="y_full", darker=True)


def _indoor(preset: str, seed: int) -> Callable[[Path], Case]:
    def made(data: Path) -> Case:
        clean = read_frames(data / CLIP, *INDOOR)
        return Case(rain_over(clean, preset, seed), clean, darker=True)

    return made


def _moving(view: Callable[[], np.ndarray], preset: str, seed: int) -> Callable[[Path], Case]:
    def made(_: Path) -> Case:
        clean = view()
        return Case(rain_over(clean, preset, seed), clean)

    return made


# Presets are ranges: the seed decides as much. Medium rain here is dense (8) or sparse (3, 5).
MOVING: dict[str, Callable[[Path], Case]] = {
    "handheld_medium": _moving(camera.hand_held, "medium", 5),
    "handheld_light": _moving(camera.hand_held, "light", 7),
    "handheld_heavy": _moving(camera.hand_held, "heavy", 4),
    "handheld_sharp": _moving(lambda: camera.hand_held(camera.SHARP), "medium", 5),
    "pan": _moving(camera.panning, "medium", 3),
    "zoom": _moving(camera.forward, "heavy", 4),
    "zoom_sharp": _moving(lambda: camera.forward(camera.SHARP), "medium", 5),
}
"""Clips that are made of sample photographs: they need no folder, and look into none."""
CASES: dict[str, Callable[[Path], Case]] = {
    "ntu_a1": _ntu_a1,
    "pedestrian": _pedestrian,
    "indoor_medium": _indoor("medium", 8),
    "indoor_heavy": _indoor("heavy", 31),
    **MOVING,
}
