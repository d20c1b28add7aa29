"""The pictures that quality is measured on: pairs, photographs in two halves, and rain rendered over either half.

The folder that ``--data`` names is described in benchmarks/README.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data_tools import RainSpec, add_rain
from data_tools.rain.presets import draw_fields
from rainopt import read_image
from rainopt.image import luminance, split_channels
from rainopt.io import READABLE_SUFFIXES

PROTOCOL = "y_matlab"  # how results are scored: on the 16-235 luma of MATLAB
RENDERED = ("light", "medium", "heavy", "multi")
RENDERED_SEED = 20  # of the rain, with the preset's and the photograph's number
MIDDLE = (320, 480)  # pixels that rain is rendered over, at most
CHOSEN_ON, HELD_OUT = 0, 1  # halves of the clean photographs; parameters were chosen on the first


def pictures(folder: Path, limit: int | None = None) -> list[Path]:
    """Return the image files of a folder by name, at most ``limit``."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in READABLE_SUFFIXES)
    return found[:limit]


def sets_of_pairs(data: Path) -> list[Path]:
    """Return the folders DIR/pairs/SET by name; none where there is no DIR/pairs."""
    folder = data / "pairs"
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def pairs(folder: Path, limit: int | None = None) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, rainy and clean picture of a set.

    Raises
    ------
    FileNotFoundError
        If a rainy picture has no clean one.
    """
    for path in pictures(folder / "rain", limit):
        truth = folder / "norain" / path.name
        if not truth.exists():
            raise FileNotFoundError(f"set '{folder.name}': rain/{path.name} has no norain/{path.name}")
        yield path.name, read_image(path), read_image(truth)


def halved(folder: Path, half: int, limit: int | None = None) -> Iterator[tuple[int, str, np.ndarray]]:
    """Yield number, name and middle, without alpha, of every second photograph of a folder, from number ``half`` on."""
    for index, path in list(enumerate(pictures(folder)))[half::2][:limit]:
        yield index, path.name, middle(opaque(read_image(path)))


def rendered(folder: Path, preset: str, half: int, limit: int | None) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield name, rainy picture (rounded to 8 bits) and clean one, with rain of a preset over one half.

    The rain over a photograph is always the same, whatever the limit.
    """
    for index, name, clean in halved(folder, half, limit):
        rng = np.random.default_rng([RENDERED_SEED, RENDERED.index(preset), index])
        yield name, to_bytes(add_rain(clean, RainSpec(**draw_fields(preset, rng)), rng).rainy), clean


def middle(image: np.ndarray) -> np.ndarray:
    """Return the middle of a picture, at most `MIDDLE`."""
    top, left = (max(have - want, 0) // 2 for have, want in zip(image.shape, MIDDLE, strict=False))
    return np.ascontiguousarray(image[top : top + MIDDLE[0], left : left + MIDDLE[1]])


def opaque(image: np.ndarray) -> np.ndarray:
    """Return a picture (H, W) or (H, W, C) without its alpha."""
    return image if image.ndim == 2 else image[:, :, : 3 if image.shape[2] > 2 else 1]


def grey(image: np.ndarray) -> np.ndarray:
    """Return the luminance of an image, (H, W) in [0, 1]."""
    return np.asarray(luminance(split_channels(image).colour))


def to_bytes(image: object) -> np.ndarray:
    """Round a picture of floats in [0, 1] to 8 bits, as a file would hold it."""
    return np.rint(np.asarray(image) * 255).astype(np.uint8)
