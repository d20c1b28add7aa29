"""Pictures for training: found, checked, read once and kept."""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from data_tools.layouts.clean import why_not_clean
from data_tools.layouts.halves import picture_size, read_picture
from data_tools.layouts.read import natural_key
from data_tools.manifest.folder import holds_dataset
from rainopt.io import READABLE_SUFFIXES
from rainopt.io.own_results import without_results

_log = logging.getLogger(__name__)

BUDGET = 512 << 20
"""Bytes of decoded pictures that a process keeps."""


class DataError(ValueError):
    """The data cannot be trained on; the message names the file or folder and says what to do."""


class Pictures:
    """Decoded pictures, those used last kept in memory.

    Each process has its own; a copy that travels to another process travels empty.

    Parameters
    ----------
    budget
        Bytes that are kept at most; the picture used last always is.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = budget
        self._kept: OrderedDict[Path, np.ndarray] = OrderedDict()
        self._bytes = 0

    def __getstate__(self) -> dict[str, Any]:
        return {"budget": self.budget, "_kept": OrderedDict(), "_bytes": 0}

    def read(self, path: Path) -> np.ndarray:
        """Return a picture as (H, W, 3) uint8 RGB, not to be written to.

        Grey becomes RGB, alpha is left out, and deeper pictures are rounded to 8 bits.

        Raises
        ------
        DataError
            If it cannot be read; the message names the file.
        """
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        try:
            pixels = as_rgb(read_picture(path))
        except ValueError as error:
            raise DataError(str(error)) from error
        self._kept[path] = pixels
        self._bytes += pixels.nbytes
        while self._bytes > self.budget and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return pixels


def as_rgb(pixels: np.ndarray) -> np.ndarray:
    """Return what `rainopt.io.read_image` gives as (H, W, 3) uint8."""
    if pixels.dtype == np.uint16:
        pixels = np.rint(pixels / np.float32(257)).astype(np.uint8)
    elif pixels.dtype != np.uint8:
        pixels = np.rint(pixels * np.float32(255)).astype(np.uint8)
    planes = pixels[:, :, None] if pixels.ndim == 2 else pixels
    colour = planes[:, :, :3] if planes.shape[2] >= 3 else np.repeat(planes[:, :, :1], 3, axis=2)
    return np.ascontiguousarray(colour)


def pictures_in(folders: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return all picture files below folders, each folder's in natural order.

    Files are known by their suffix; hidden ones do not count, and what this project's commands wrote among others
    neither. A file may be named in the place of a folder.

    Raises
    ------
    DataError
        If a folder does not exist or holds no picture.
    """
    named = [folders] if isinstance(folders, str | os.PathLike) else list(folders)
    found: dict[Path, None] = {}
    for folder in map(Path, named):
        if folder.is_file():
            found[folder] = None
            continue
        if not folder.is_dir():
            raise DataError(f"'{folder}' does not exist; check the name")
        below = list(_below(folder))
        if not below:
            raise DataError(
                f"'{folder}' holds no picture ({', '.join(sorted(READABLE_SUFFIXES))}); name a folder that does"
            )
        kept = without_own(below, folder)
        found.update(dict.fromkeys(sorted(kept, key=lambda path: natural_key(path.relative_to(folder).as_posix()))))
    if not found:
        raise DataError("no folder of pictures is named; name at least one")
    return list(found)


def clean_pictures_in(folders: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[Path]:
    """Return the pictures of folders of clean photographs, as `pictures_in`.

    Raises
    ------
    DataError
        As there; and for a folder that is a dataset of pairs, or a part of one that is not its clean side.
    """
    named = [folders] if isinstance(folders, str | os.PathLike) else list(folders)
    found: dict[Path, None] = {}
    for folder in map(Path, named):
        pictures = pictures_in([folder])
        # Pictures of datasets below it are left out, unless there are no others.
        below = {parent for path in pictures for parent in path.parents if parent.is_relative_to(folder)}
        for place in (folder, *sorted(below - {folder})):
            if place.is_dir() and (place == folder or holds_dataset(place)):
                reason = why_not_clean(place)
                if reason is not None:
                    raise DataError(reason)
        found.update(dict.fromkeys(pictures))
    return list(found) or pictures_in(named)


def without_own(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Return files without those that commands of this project wrote, unless there are no others; see
    `rainopt.io.own_results`. What is left out is logged.
    """
    kept, left = without_results(paths)
    if left:
        _log.warning("'%s': %d results of our own commands are left out, the first is '%s'", folder, len(left), left[0])
    return kept


def _below(folder: Path) -> Iterator[Path]:
    """Yield the picture files below a folder; hidden files and folders do not count, and no folder counts twice."""
    seen: set[str] = set()
    for parent, inner, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            inner.clear()  # a link to a folder that was there before, perhaps one around it
            continue
        seen.add(real)
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in names:
            if Path(name).suffix.lower() in READABLE_SUFFIXES and not name.startswith("."):
                yield Path(parent, name)


def check_sizes(paths: Sequence[Path], least: int) -> dict[Path, tuple[int, int]]:
    """Return heights and widths of pictures, read from their headers; refuse pictures that no crop fits into.

    Raises
    ------
    DataError
        If a picture cannot be read, or is lower or narrower than ``least`` pixels.
    """
    sizes, small = {}, []
    for path in dict.fromkeys(paths):
        try:
            sizes[path] = height, width = picture_size(path)
        except ValueError as error:
            raise DataError(str(error)) from error
        if min(height, width) < least:
            small.append(f"'{path}' has {height} x {width} pixels")
    if small:
        more = f", and {len(small) - 1} more of {len(paths)} pictures are as small" if len(small) > 1 else ""
        raise DataError(
            f"{small[0]}, too few for crops of {least} x {least}{more}; take smaller crops, or leave such pictures out"
        )
    return sizes
