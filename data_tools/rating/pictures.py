"""Pictures as a rater's browser gets them: as they are, and without anything that tells where they are from."""

from __future__ import annotations

import io
from collections import OrderedDict
from pathlib import Path
from threading import Lock

import numpy as np

# What is decoded by browsers at once; more of a picture is scaled down for all sources alike.
LARGEST = 40_000_000  # pixels
KEPT = 96 << 20  # bytes of encoded pictures


def as_png(path: Path) -> bytes:
    """Return the picture of a file as PNG of 8 bits, with its profile and no other metadata.

    Raises
    ------
    rainopt.io.ImageFileError
        If it cannot be read.
    """
    from PIL import Image

    from rainopt.io import read_image_file

    file = read_image_file(path)
    pixels = file.pixels
    if pixels.dtype != np.uint8:
        most = 65535 if pixels.dtype == np.uint16 else 1
        pixels = np.rint(pixels * np.float32(255 / most)).astype(np.uint8)
    picture = Image.fromarray(pixels)
    if picture.width * picture.height > LARGEST:
        scale = (LARGEST / (picture.width * picture.height)) ** 0.5
        size = (max(1, int(picture.width * scale)), max(1, int(picture.height * scale)))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    # Quick rather than small: it goes over a loopback or a local network.
    picture.save(encoded, "PNG", compress_level=1, icc_profile=file.metadata.icc)
    return encoded.getvalue()


class PngCache:
    """The pictures asked for last, of at most `KEPT` bytes; the page asks for the next ones ahead."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Path, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, path: Path) -> bytes:
        """Return a picture as `as_png` does, and keep it for a while."""
        with self._lock:
            kept = self._kept.get(path)
            if kept is not None:
                self._kept.move_to_end(path)
                return kept
        encoded = as_png(path)
        with self._lock:
            self._kept[path] = encoded
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > KEPT:
                self._kept.popitem(last=False)
        return encoded
