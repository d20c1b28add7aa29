"""Mutated image files, read; what can be read is written in another format and read again."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.robustness.case import Case, PromiseBrokenError
from benchmarks.robustness.corpus import pictures
from benchmarks.robustness.mutations import mutated
from benchmarks.robustness.structure import restructured


def changed_picture(random: Random) -> tuple[str, bytes]:
    """Return the name of a seed, and its bytes changed."""
    seeds = pictures()
    name = random.choice(sorted(seeds))
    data = seeds[name]
    if random.random() < 0.6:
        data = restructured(data, random)
    if random.random() < 0.5 or data == seeds[name]:
        data = mutated(data, random, list(seeds.values()))
    return name, data


def picture_read(random: Random) -> Case:
    """Return a mutated image file to be read."""
    from rainopt.io import ImageFileError, image_size, read_image_file

    name, data = changed_picture(random)
    # Bytes decide and not suffixes; a name of another format is as good.
    file = f"photo{random.choice((Path(name).suffix, '.png', '.jpg'))}"

    def call(folder: Path) -> Any:
        found = read_image_file(folder / file)
        size = image_size(folder / file)
        if found.pixels.shape[:2] != size:
            raise PromiseBrokenError(f"image_size says {size}, the pixels are {found.pixels.shape}")
        return found

    return Case(f"read_image_file({name} changed)", call, (ImageFileError,), {file: data}, file, _readable)


def picture_written(random: Random) -> Case:
    """Return a mutated image file whose pixels and metadata are written as another format."""
    from rainopt.io import ImageFileError, read_image_file, write_image
    from rainopt.io.images.write import FORMATS

    name, data = changed_picture(random)
    suffix = random.choice(sorted(FORMATS))

    def call(folder: Path) -> Any:
        try:
            found = read_image_file(folder / "photo")
        except ImageFileError:
            return None
        pixels = found.pixels
        if not FORMATS[suffix].alpha and pixels.ndim == 3 and pixels.shape[2] in (2, 4):
            pixels = np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 2 else pixels[..., :3])
        bits = 8 if suffix != ".tif" else None
        again = read_image_file(
            write_image(folder / "out" / f"photo{suffix}", pixels, metadata=found.metadata, bits=bits)
        )
        return again

    return Case(f"write_image({name} changed, {suffix})", call, (), {"photo": data}, None, lambda r: r and _readable(r))


def _readable(found: Any) -> str | None:
    """Say what is wrong with pixels that were read."""
    pixels = found.pixels
    if pixels.dtype not in (np.uint8, np.uint16, np.float32) or pixels.ndim not in (2, 3) or not pixels.size:
        return f"pixels are {pixels.dtype} {pixels.shape}"
    if pixels.dtype == np.float32 and not (pixels.min() >= 0 and pixels.max() <= 1):
        return "floats outside [0, 1]"
    return None
