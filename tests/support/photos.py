"""Small photographs under rendered rain, and the files of a folder."""

import numpy as np
from PIL import Image

from data_tools import RainSpec, add_rain
from rainopt.io.own_results import RECORD

SIZE = (72, 96)


def clean(size=SIZE):
    """Soft waves of colour in [0, 1], without rain."""
    y, x = np.mgrid[: size[0], : size[1]]
    return np.stack([0.45 + 0.2 * np.sin(x / 13 + c) * np.cos(y / 9 - c) for c in range(3)], axis=-1)


def rainy(size=SIZE, angle=0.0, seed=0):
    """The same in rain, float32."""
    return add_rain(clean(size), RainSpec(angle=angle), np.random.default_rng(seed)).rainy


def levels(image, dtype=np.uint8):
    """A picture in [0, 1] in the levels of an integer dtype."""
    return np.rint(image * float(np.iinfo(dtype).max)).astype(dtype)


def save_photo(path, seed=0, **options):
    """Write a rainy photograph with Pillow, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(levels(rainy(seed=seed))).save(path, **options)
    return path


def files(folder):
    """The content of every file below a folder, by its name from there; the record of results is left out."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != RECORD)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
