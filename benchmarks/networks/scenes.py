"""Rendered rain that networks are measured on: our rain over clean pictures that no shipped network was trained on."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data_tools import RainSpec, add_rain
from rainnet.models.base import Network
from rainopt import psnr, read_image
from rainopt.io import READABLE_SUFFIXES

PROTOCOL = "y_matlab"
# Pixels of a side at most: cut out of the middle.
SIDE = (320, 480)


@dataclass(frozen=True)
class Scene:
    """A clean picture with rain whose angle is known, uint8."""

    name: str
    rainy: np.ndarray
    clean: np.ndarray
    angle: float


def scenes(data: Path, preset: str, limit: int | None = None, spread: float = 40.0) -> list[Scene]:
    """Render rain of a preset, one direction within ±``spread`` degrees, over the truths of ``DIR/pairs``.

    The clean sides of the pairs are scenes that the shipped network has not seen; their own rain is left out.
    """
    files = [file for folder in sorted((data / "pairs").glob("*/norain")) for file in sorted(folder.iterdir())]
    files = [file for file in files if file.suffix.lower() in READABLE_SUFFIXES][:: 1 if limit is None else 3]
    return [_scene(number, file, preset, spread) for number, file in enumerate(files[:limit])]


def _scene(number: int, file: Path, preset: str, spread: float) -> Scene:
    from dataclasses import replace

    clean = middle(read_image(file))
    rng = np.random.default_rng([7, number])
    angle = float(rng.uniform(-spread, spread))
    spec = replace(RainSpec.sample(preset, rng), angle=angle)
    return Scene(file.stem, to_bytes(add_rain(clean, spec, rng).rainy), clean, angle)


def middle(image: np.ndarray) -> np.ndarray:
    """Return the middle of a picture, at most `SIDE`."""
    (rows, columns), (height, width) = image.shape[:2], SIDE
    top, left = max(rows - height, 0) // 2, max(columns - width, 0) // 2
    return np.ascontiguousarray(image[top : top + height, left : left + width])


def to_bytes(image: object) -> np.ndarray:
    """Round a picture of floats in [0, 1] to 8 bits, as a file would hold it."""
    return np.rint(np.asarray(image) * 255).astype(np.uint8)


def derained(network: Network, scene: Scene, angle: float | str | None) -> float:
    """Return PSNR in dB of what a network makes of a scene."""
    from rainnet.infer.derain import derain

    result = derain(network, scene.rainy, angle=angle, device="cpu")
    return psnr(to_bytes(result.background), scene.clean, PROTOCOL)


def add_data(options: argparse.ArgumentParser) -> None:
    """Add ``--data`` and ``--limit``."""
    options.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder as benchmarks/README.md says")
    options.add_argument("--limit", type=int, metavar="N", help="at most N pictures of each kind: a quick look")
