"""A folder such as `--data` names, made of what comes with scikit-image: for whoever has no pictures of his own.

Rain of the presets is rendered over its photographs, in the layout of benchmarks/README.md: `clean/` and `pairs/`. Rain
on them is ours, and the pictures are few: figures tell whether something has changed, and not how good it is elsewhere.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.pictures import middle, to_bytes
from benchmarks.sample_photographs import large_photograph
from data_tools import RainSpec, add_rain
from rainopt import write_image

# By name, as they are sorted in a folder: quality on held-out photographs takes every second of them.
PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "coffee", "gravel", "rocket")
PRESETS = ("light", "medium", "heavy")
SEED = 25
NOISE = 1.5  # levels, of a camera


def write_sample_data(folder: Path) -> Path:
    """Write the pictures into a folder, always the same, and return it."""
    from skimage import data

    for sub in ("clean", *(f"pairs/{preset}/{side}" for preset in PRESETS for side in ("rain", "norain"))):
        (folder / sub).mkdir(parents=True)
    for k, name in enumerate(PHOTOGRAPHS):
        picture = middle(getattr(data, name)())
        write_image(folder / "clean" / f"{name}.png", picture)
        for j, preset in enumerate(PRESETS):
            rng = np.random.default_rng([SEED, k, j])
            pair = folder / "pairs" / preset
            rainy = add_rain(picture, RainSpec.sample(preset, rng), rng).rainy
            write_image(pair / "rain" / f"{name}.png", to_bytes(rainy))
            write_image(pair / "norain" / f"{name}.png", picture)
    return folder


def still_clip(height: int, width: int, count: int) -> np.ndarray:
    """Return frames (N, H, W, 3) uint8 of a photograph, from a camera that stands still and has some noise."""
    noise = np.random.default_rng(SEED).normal(0, NOISE, (count, height, width, 1)).astype(np.float32)
    return np.clip(np.rint(large_photograph(height, width) + noise), 0, 255).astype(np.uint8)
