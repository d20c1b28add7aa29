"""Clips for the benchmarks of video: a photograph under moving rain, from a camera that stands still or pans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.common import large_photograph
from data_tools import RainSpec, rain_video
from data_tools.build.rendered import PRESET_PIXELS
from rainopt.io.video.write import VideoWriter

NOISE = 1.5  # levels, of the camera
RATE = Fraction(25)


def spec_for(preset: str, height: int, width: int, seed: int, veil: float = 0.0) -> RainSpec:
    """Return rain of a preset, as large in the picture as it is meant to be; without the veil, which stands still."""
    spec = RainSpec.sample(preset, np.random.default_rng(seed))
    return replace(spec.scaled((height * width / PRESET_PIXELS) ** 0.5), veil=veil)


def rainy_frames(height: int, width: int, count: int, preset: str = "light", pan: int = 0) -> Iterator[np.ndarray]:
    """Yield (H, W, 3) uint8 frames of a photograph under rain; ``pan`` pixels to the right from frame to frame."""
    wide = large_photograph(height, width + pan * count)
    return under_rain((wide[:, pan * k : pan * k + width] for k in range(count)), height, width, count, preset)


def under_rain(
    scenes: Iterable[np.ndarray], height: int, width: int, count: int, preset: str = "light"
) -> Iterator[np.ndarray]:
    """Yield clean frames (H, W, 3) uint8 with rain over them and the noise of a camera."""
    rng = np.random.default_rng(3)
    noise = rng.normal(0, NOISE, (4, height, width, 1)).astype(np.float32)
    for k, one in enumerate(rain_video(scenes, spec_for(preset, height, width, 3), rng, count=count)):
        grain = np.roll(noise[k % 4], rng.integers(0, 500), axis=1)
        yield np.clip(np.rint(one.rainy * 255 + grain), 0, 255).astype(np.uint8)


def write_clip(path: Path, frames: Iterator[np.ndarray], height: int, width: int, quality: int = 18) -> Path:
    """Write frames as H.264."""
    with VideoWriter(path, height=height, width=width, rate=RATE, quality=quality) as writer:
        for frame in frames:
            writer.write(frame)
    return path
