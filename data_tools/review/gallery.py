"""The pictures of scenes as they are served: found by number, made smaller, and kept."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from data_tools.manifest.folder import REVIEW_CACHE
from data_tools.review.cache import PictureCache, key_of
from data_tools.review.dataset import Frame, ReviewDataset
from data_tools.review.pictures import as_jpeg, as_png, difference_of, mask_of, median_of, opened

Kind = Literal["rainy", "clean", "difference", "mask"]
Wish = tuple[Sequence[Frame], int, Kind, str]
VERSION = 1  # of how pictures are made
AT_ONCE = 4  # pictures that are made at a time: each may take a hundred megabytes
AHEAD = 256  # pictures that wait to be made ahead


class Served(NamedTuple):
    """A picture, its type, and what changes when it does."""

    content: bytes
    type: str
    tag: str


class NoPictureError(LookupError):
    """There is no such picture."""


class Gallery:
    """Pictures of frames, made when they are asked for, or ahead by one thread in the background."""

    def __init__(self, dataset: ReviewDataset, cache: PictureCache | None = None) -> None:
        self._dataset = dataset
        self._cache = cache or PictureCache(dataset.folder / REVIEW_CACHE)
        self._waiting: deque[Wish] = deque(maxlen=AHEAD)
        self._changed = threading.Condition()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="pictures", daemon=True)
        self._thread.start()

    def picture(self, frames: Sequence[Frame], number: int, kind: Kind, size: str) -> Served:
        """Return a picture of a frame of a scene.

        Raises
        ------
        NoPictureError
            If the frame has none of that kind.
        ManifestError
            If a link leads out of the dataset.
        ValueError, OSError
            If a file cannot be read.
        """
        key, sources = self._key(frames, number, kind, size)
        as_mask = kind == "mask"
        content = self._cache.get(key)
        if content is None:
            with self._turns:
                content = self._cache.get(key)  # it may have been made ahead meanwhile
                if content is None:
                    content = self._made(sources, kind, size)
                    self._cache.put(key, content, disk=size == "thumb")
        lossless = as_mask or (size == "full")
        return Served(content, "image/png" if lossless else "image/jpeg", key)

    def ahead(self, wanted: Sequence[Wish]) -> None:
        """Make pictures in the background, before those that wait already; too many push out the oldest wishes."""
        with self._changed:
            self._waiting.extendleft(reversed(wanted[:AHEAD]))
            self._changed.notify()

    def close(self) -> None:
        """End the work in the background."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._ended:
                    self._changed.wait()
                if self._ended:
                    return
                frames, number, kind, size = self._waiting.popleft()
            try:
                if not self._cache.has(self._key(frames, number, kind, size)[0]):
                    self.picture(frames, number, kind, size)
            except (ValueError, OSError, LookupError):
                pass  # told to who asks for it

    def _key(self, frames: Sequence[Frame], number: int, kind: Kind, size: str) -> tuple[str, list[Path]]:
        sources = [self._dataset.path(name) for name in _sources(frames, number, kind)]
        stamps = []
        for path in sources:
            facts = path.stat()
            stamps += [path.relative_to(self._dataset.folder).as_posix(), facts.st_size, facts.st_mtime_ns]
        return key_of(VERSION, kind, size, *stamps), sources

    def _made(self, sources: list[Path], kind: Kind, size: str) -> bytes:
        if kind == "mask":
            return as_png(mask_of(sources[0], size))
        if kind == "rainy" or len(sources) == 1:
            image = opened(sources[0], size)
        elif kind == "clean":
            image = median_of(sources, size)
        else:
            behind = opened(sources[1], size) if len(sources) == 2 else median_of(sources[1:], size)
            image = difference_of(opened(sources[0], size), behind)
        return as_png(np.ascontiguousarray(image)) if size == "full" else as_jpeg(image, size)


def has_background(frames: Sequence[Frame], number: int) -> bool:
    """Tell whether a frame can be held against a background: its own, or the median of the frames around it."""
    return frames[number].clean is not None or len(frames) > 2


def _sources(frames: Sequence[Frame], number: int, kind: Kind) -> list[str]:
    """Return the files that a picture is made of."""
    if not 0 <= number < len(frames):
        raise NoPictureError("there is no such frame")
    frame = frames[number]
    if kind == "rainy":
        return [frame.rainy]
    if kind == "mask":
        if frame.valid is None:
            raise NoPictureError("this frame has no mask")
        return [frame.valid]
    if not has_background(frames, number):
        raise NoPictureError("this frame has no background")
    behind = [frame.clean] if frame.clean is not None else [one.rainy for one in frames]
    return behind if kind == "clean" else [frame.rainy, *behind]
