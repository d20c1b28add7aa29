"""Pictures and datasets of files for tests, and what is in a folder before and after."""

import functools
import io

import numpy as np
from PIL import Image
from skimage import data

from data_tools import RainSpec, add_rain
from rainopt.io import write_image
from rainopt.io.own_results import RECORD
from tests.support.clips import rained, view


def waves(size=(40, 56), seed=0, channels=3):
    """A smooth picture in [0, 1], another one for each seed; (H, W) with one channel."""
    y, x = np.mgrid[: size[0], : size[1]]
    rng = np.random.default_rng(seed)
    planes = [0.45 + 0.25 * np.sin(x / rng.uniform(3, 9) + k) * np.cos(y / rng.uniform(3, 9)) for k in range(channels)]
    return np.stack(planes, axis=-1) if channels > 1 else planes[0]


def noise(seed, shape=(6, 8)):
    """Noise, uint8 RGB: no two seeds alike."""
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


def put(path, image):
    """Write a picture, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, image)
    return path


def photograph(name, at=(40, 60), size=(96, 128)):
    """A part of a sample photograph as it is, uint8."""
    top, left = at
    return np.ascontiguousarray(getattr(data, name)()[top : top + size[0], left : left + size[1]])


def rainy_of(clean, preset="medium", seed=0):
    """A picture under rain of a preset, uint8."""
    rng = np.random.default_rng(seed)
    return np.rint(add_rain(clean, RainSpec.sample(preset, rng), rng).rainy * 255).astype(np.uint8)


def as_jpeg(image, quality=85):
    """What JPEG makes of a picture."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


@functools.cache
def clip(name, count, preset="light", seed=0):
    """Frames of a view in rain that gives a good background after 20 frames; in "heavy" rain it does not."""
    density = {"density": 4500.0} if preset == "light" else {}
    return rained(view(name, (96, 128)), preset, count, seed=seed, scale=0.3, **density)


def files(folder):
    """Return the content of every file in a folder, by path; the record of what was written there is none of them."""
    found = [p for p in folder.rglob("*") if p.is_file() and p.name != RECORD]
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


def stamps(folder):
    """Return when each picture of a dataset was written; sheets to be looked at do not count."""
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*.png") if p.name != "contact_sheet.png"}
