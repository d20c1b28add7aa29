"""Pictures that need no folder: the sample photographs of scikit-image at any size, and rain over them."""

from __future__ import annotations

from typing import Any

import numpy as np

from rainopt.image import luminance, split_channels


def photograph(height: int, width: int) -> np.ndarray:
    """Return a natural colour picture (H, W, 3) uint8 of any size, made of three sample photographs of scikit-image.

    The photographs, mirrored up to 512 × 512, are laid out as tiles at their own resolution, so that the detail is that
    of a photograph and not of an enlargement; each row of tiles starts with another photograph. A picture that fits
    into one of them is cut out of its middle.
    """
    from skimage import data

    sources = [data.astronaut(), data.coffee(), data.chelsea()]
    for source in sources[1:]:
        top, left = (source.shape[0] - height) // 2, (source.shape[1] - width) // 2
        if top >= 0 and left >= 0:
            return np.ascontiguousarray(source[top : top + height, left : left + width])
    cells = [_mirrored(source, 512) for source in sources]
    down, right = -(-height // 512), -(-width // 512)
    rows = [np.concatenate([cells[(i + j) % 3] for j in range(right)], axis=1) for i in range(down)]
    return np.ascontiguousarray(np.concatenate(rows, axis=0)[:height, :width])


def large_photograph(height: int, width: int) -> np.ndarray:
    """Return `photograph` of half the size enlarged twice: cameras of many pixels record less detail for each."""
    from PIL import Image

    half = Image.fromarray(photograph(-(-height // 2), -(-width // 2)))
    return np.asarray(half.resize((width, height), Image.Resampling.BICUBIC))


def rainy_photograph(height: int, width: int, angle: float = 0.0, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    """Return a photograph with medium synthetic rain, uint8; ``scale`` enlarges scene and streaks together (1 or 2)."""
    from data_tools import RainSpec, add_rain

    clean = large_photograph(height, width) if scale > 1 else photograph(height, width)
    spec = RainSpec(angle=angle, length=40.0 * scale, width=1.5 * scale, density=5000.0 / scale**2)
    rainy = add_rain(clean, spec, np.random.default_rng(seed)).rainy
    return np.rint(rainy * 255).astype(np.uint8)


def rainy_luminance(height: int, width: int, dtype: Any = np.float32) -> np.ndarray:
    """Return the luminance (H, W) of a photograph with upright synthetic rain, in [0, 1]."""
    colour = split_channels(rainy_photograph(height, width)).colour
    return np.ascontiguousarray(luminance(colour), dtype=dtype)


def _mirrored(image: np.ndarray, side: int) -> np.ndarray:
    image = image[:side, :side]
    return np.pad(image, ((0, side - image.shape[0]), (0, side - image.shape[1]), (0, 0)), mode="symmetric")
