"""Rendered rain that networks are measured on: our rain over clean pictures that no shipped network was trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.pictures import PROTOCOL, middle, pictures, to_bytes
from data_tools import RainSpec, add_rain
from rainnet.infer.derain import derain
from rainnet.models.base import Network
from rainopt import psnr, read_image


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
    files = [file for folder in sorted((data / "pairs").glob("*/norain")) for file in pictures(folder)]
    files = files[:: 1 if limit is None else 3]
    return [_scene(number, file, preset, spread) for number, file in enumerate(files[:limit])]


def _scene(number: int, file: Path, preset: str, spread: float) -> Scene:
    clean = middle(read_image(file))
    rng = np.random.default_rng([7, number])
    angle = float(rng.uniform(-spread, spread))
    spec = replace(RainSpec.sample(preset, rng), angle=angle)
    return Scene(file.stem, to_bytes(add_rain(clean, spec, rng).rainy), clean, angle)


def derained(network: Network, scene: Scene, angle: float | str | None) -> float:
    """Return PSNR in dB of what a network makes of a scene."""
    result = derain(network, scene.rainy, angle=angle, device="cpu")
    return psnr(to_bytes(result.background), scene.clean, PROTOCOL)
