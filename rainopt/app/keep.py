"""Regions of pictures and frames that are left alone, as clocks and logos are: given as boxes, or as a mask picture."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

_BOX = re.compile(r"\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*", re.ASCII)


class KeepError(ValueError):
    """A region that cannot be kept; one sentence names it, what is wrong, and what to do."""


@dataclass(frozen=True)
class Box:
    """A box: its upper left corner and its size, in pixels of the upright picture."""

    left: int
    top: int
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.left},{self.top},{self.width},{self.height}"


@dataclass(frozen=True)
class Mask:
    """A mask picture: its file, its size, and its pixels, a bit each."""

    name: str
    height: int
    width: int
    packed: bytes

    def pixels(self) -> np.ndarray:
        """Return which pixels are kept, (H, W) bool."""
        import numpy as np

        flat = np.unpackbits(np.frombuffer(self.packed, np.uint8), count=self.height * self.width)
        return flat.reshape(self.height, self.width).astype(bool)


@dataclass(frozen=True)
class Keep:
    """What is left alone in every picture and frame: the pixels of all regions come out as they went in."""

    regions: tuple[Box | Mask, ...] = ()

    @classmethod
    def of(cls, texts: Sequence[str]) -> Keep:
        """Read "X,Y,W,H", or the name of a mask picture, each.

        Raises
        ------
        KeepError
            If a text is neither.
        """
        return cls(tuple(_box(text) or _mask(text) for text in texts))

    def __bool__(self) -> bool:
        return bool(self.regions)

    def pixels(self, height: int, width: int, name: str | Path) -> np.ndarray | None:
        """Return which pixels of a picture are kept, (H, W) bool, or None if none is asked for.

        Raises
        ------
        KeepError
            If a region is not one of a picture of this size; ``name`` is whose it is.
        """
        if not self.regions:
            return None
        import numpy as np

        kept = np.zeros((height, width), bool)
        for region in self.regions:
            if isinstance(region, Mask):
                if (region.height, region.width) != (height, width):
                    raise KeepError(
                        f"'{name}' has {width} x {height} pixels, and the mask '{region.name}' of --keep "
                        f"{region.width} x {region.height}; make a mask of the size of the upright picture"
                    )
                kept |= region.pixels()
                continue
            if region.left + region.width > width or region.top + region.height > height:
                raise KeepError(
                    f"'{name}' has {width} x {height} pixels, and --keep {region} (left, top, width, height) reaches "
                    "beyond them; make the box smaller"
                )
            kept[region.top : region.top + region.height, region.left : region.left + region.width] = True
        return kept

    def as_json(self) -> list[str]:
        """Return what a result depends on, as JSON has it."""
        return [
            str(region) if isinstance(region, Box) else hashlib.sha256(region.packed).hexdigest()
            for region in self.regions
        ]


NOTHING = Keep()
"""No region at all."""


def put_back(derained: np.ndarray, rainy: np.ndarray, kept: np.ndarray | None) -> np.ndarray:
    """Return a derained picture with the pixels that are kept as they were.

    Parameters
    ----------
    derained, rainy
        (H, W) or (H, W, C) of one shape; of one dtype, or the first float in [0, 1].
    kept
        (H, W) bool; None is no pixel.
    """
    if kept is None:
        return derained
    import numpy as np

    derained = np.array(derained)
    values: Any = rainy[kept]
    if derained.dtype != rainy.dtype and rainy.dtype.kind == "u":
        values = values / derained.dtype.type(np.iinfo(rainy.dtype).max)
    derained[kept] = values
    return derained


def _box(text: str) -> Box | None:
    """Return the box that a text is; None if it is none, and may be the name of a picture."""
    if not re.fullmatch(r"[\s\d.,+-]+", text):
        return None
    found = _BOX.fullmatch(text)
    box = None if found is None else Box(*map(int, found.groups()))
    if box is None or not box.width or not box.height:
        raise KeepError(
            f"must be X,Y,W,H (left, top, width and height of a box, in pixels) or a mask picture, got '{text}'"
        )
    return box


def _mask(text: str) -> Mask:
    import numpy as np

    from rainopt.io import ImageFileError, read_image

    try:
        picture = read_image(text)
    except ImageFileError as error:
        raise KeepError(f"{error}; a box is given as X,Y,W,H") from None
    top = np.iinfo(picture.dtype).max if picture.dtype.kind == "u" else 1
    if picture.ndim == 3:
        picture = picture[..., :3] if picture.shape[2] >= 3 else picture[..., :1]
        picture = picture.mean(axis=2)
    white = picture > top / 2
    if not white.any():
        raise KeepError(f"'{text}' has no white pixel; paint white what is to be kept, and all else black")
    height, width = white.shape
    return Mask(text, height, width, np.packbits(white).tobytes())
