"""The frames of a video as numbered pictures: written into a folder, and put in their place all at once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np

from rainopt.io import ImageFileError, ImageMetadata, read_metadata, write_image
from rainopt.io.images.formats import FORMATS
from rainopt.io.video.common import VideoError, VideoExistsError
from rainopt.io.video.folder import natural_order
from rainopt.io.video.marks import Marks
from rainopt.io.video.numbering import SHOWN, Naming
from rainopt.io.video.stills import metadata_of


class PictureWriter:
    """Writes frames as pictures into a folder of their own; a context manager, as `rainopt.io.video.write.VideoWriter`.

    After an error or an interruption nothing is left of the folder.

    Parameters
    ----------
    path : Path
        The folder, which is made; one that is there is emptied.
    naming : Naming
        Names of the pictures.
    first : int
        The index of the first frame that is written.
    bits : {8, 16}
        Depth of the pictures, where their format holds it.
    quality : int
        Of JPEG and AVIF files, 1 to 100.
    sources : sequence of Path
        The pictures that the frames were read from, by index: their profiles and EXIF data are kept.
    marks : Marks, optional
        What the frames say of their colours, where they were not read from pictures.
    """

    def __init__(
        self,
        path: Path,
        naming: Naming,
        first: int,
        *,
        bits: int = 8,
        quality: int = 95,
        sources: Sequence[Path] = (),
        marks: Marks | None = None,
    ):
        self.path, self._naming, self._next = path, naming, first
        self._bits, self._quality, self._sources = bits, quality, sources
        self._colours = metadata_of(marks or Marks())

    def __enter__(self) -> PictureWriter:
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            shutil.rmtree(self.path, ignore_errors=True)

    def write(self, pixels: np.ndarray, time: Fraction | None = None) -> None:
        """Append a frame (H, W, 3), uint8 or uint16 at full scale; its time is that of its number.

        Raises
        ------
        VideoError
            If it cannot be written.
        """
        file = self.path / self._naming(self._next)
        kind = FORMATS[file.suffix.lower()]
        try:
            metadata = read_metadata(self._sources[self._next]) if self._sources else self._colours
            write_image(
                file,
                pixels,
                metadata=_of_colour(metadata),
                bits=self._bits if self._bits in kind.bits else 8,
                quality=self._quality,
            )
        except ImageFileError as error:
            raise VideoError(str(error)) from error
        self._next += 1


def _of_colour(metadata: ImageMetadata | None) -> ImageMetadata | None:
    """Return what a file says, but for a profile of grey: frames are RGB."""
    if metadata is not None and metadata.icc and metadata.icc[16:20] == b"GRAY":
        return replace(metadata, icc=None)
    return metadata


def place_pictures(
    parts: Sequence[Path], target: Path, *, overwrite: bool = True, check: Callable[[], None] = lambda: None
) -> Path:
    """Put the pictures of parts, folders written by `PictureWriter`, beside one another, and return the last one.

    ``target`` is the first picture; it takes its place last, so that where it is the others are. Pictures of the same
    names are replaced where that is allowed; whatever else is in the folder stays.

    Parameters
    ----------
    parts : sequence of Path
        The folders, in order.
    target : Path
        The place of the first picture.
    overwrite : bool
        Whether pictures that are there may be replaced.
    check : callable
        Called before the first picture takes its place; what it raises ends it.

    Raises
    ------
    VideoExistsError
        If there are pictures of the same names that are not to be replaced; nothing is placed.
    VideoError
        If a picture cannot be placed.
    """
    moves = [(file, target.parent / file.name) for part in parts for file in sorted(part.iterdir(), key=natural_order)]
    # Those that an interrupted run has placed are the very files of its parts.
    there = [place for file, place in moves if place.exists() and not _same(file, place)]
    if there and not overwrite:
        names = ", ".join(place.name for place in there[:SHOWN])
        raise VideoExistsError(
            f"'{target.parent}' holds {len(there)} of the pictures that would be written ({names}"
            f"{' and more' if len(there) > SHOWN else ''}); choose another folder, or --overwrite them"
        )
    check()
    try:
        for file, place in sorted(moves, key=lambda move: move[1] == target):
            _place(file, place, overwrite)
    except OSError as error:
        raise VideoError(
            f"'{place}' cannot be written ({error.strerror or error}); check the rights on its folder"
        ) from error
    return moves[-1][1]


def _same(file: Path, place: Path) -> bool:
    with suppress(OSError):
        return os.path.samefile(file, place)
    return False


def _place(file: Path, place: Path, overwrite: bool) -> None:
    """Give a picture its name; it keeps the one in its part, so that placing can be gone on with."""
    if _same(file, place):
        return
    if overwrite:
        place.unlink(missing_ok=True)
    try:
        os.link(file, place)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        # A file system without a second name for a file.
        os.replace(file, place)
