"""The pictures of a session: files that were named, and files that were uploaded into a folder that goes with it."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from rainopt.app.kinds import READABLE, result_suffix
from rainopt.io import ImageFileError
from rainopt.studio.asked import Asked
from rainopt.studio.photo import Photo, check_size

MOST_BYTES = 128 << 20
"""Of a file that is uploaded."""
MOST_UPLOADED = 2 << 30
"""Bytes of all files that are uploaded in a session."""
KEPT_PHOTOS = 2
"""Photographs whose pixels stay in memory."""
LONGEST_NAME = 120
LOOKED_AT = 200
"""Files of the command line whose headers are read before the page begins, which takes a tenth of a second; of a larger
folder, the page tells of the others when they are opened."""


class PictureError(ValueError):
    """A picture cannot be taken, or is not there; the message says why."""


class Named(NamedTuple):
    """A file of the command line, and where its result is to go."""

    source: Path
    target: Path


@dataclass(eq=False)
class Picture:
    """One picture of a session.

    Attributes
    ----------
    number
        By which the page calls it, and its place in the list.
    path
        Where it is.
    target
        Where its result goes when it is saved; None for one that was uploaded.
    asked
        What is asked of it.
    saved
        Where its result was saved last, or under which name it was taken home.
    """

    number: int
    name: str
    path: Path
    target: Path | None = None
    asked: Asked = field(default_factory=Asked)
    saved: str | None = None

    @property
    def result_name(self) -> str:
        """The name of its result where that goes anywhere."""
        if self.target is not None:
            return self.target.name
        return beside(Path(self.name)).name


def beside(source: Path) -> Path:
    """Return where the result of a file goes of which nobody has said where."""
    return source.with_name(f"{source.stem}_derained{result_suffix(source)}")


class Pictures:
    """All pictures of a session.

    Parameters
    ----------
    named
        Files of the command line.
    folder
        For what is uploaded; it is the session's alone.
    """

    def __init__(self, named: Sequence[Named], folder: Path) -> None:
        self._folder, self._uploaded = folder, 0
        self._lock, self._reading, self._glancing = threading.Lock(), threading.Lock(), threading.Lock()
        self._photos: OrderedDict[int, Photo] = OrderedDict()
        self.all = [Picture(k, file.source.name, file.source, file.target) for k, file in enumerate(named)]

    def of(self, number: int) -> Picture:
        """Return the picture of a number.

        Raises
        ------
        PictureError
            If there is none.
        """
        if not 0 <= number < len(self.all):
            raise PictureError(f"there is no picture {number}; the session has {len(self.all)}")
        return self.all[number]

    def add(self, name: str, content: bytes) -> Picture:
        """Take an upload.

        Raises
        ------
        PictureError, ImageFileError
            If it is no picture, or too much.
        """
        plain = plain_name(name)
        if Path(plain).suffix.lower() not in READABLE:
            raise PictureError(f"'{plain}' is no photograph of a kind that is read here, such as JPEG, PNG or TIFF")
        with self._lock:
            if self._uploaded + len(content) > MOST_UPLOADED:
                raise PictureError(f"more than {MOST_UPLOADED >> 30} GiB are uploaded; name files on the command line")
            self._uploaded += len(content)
            number = len(self.all)
            place = self._folder / f"{number:05}" / plain
            place.parent.mkdir(parents=True)
            try:
                place.write_bytes(content)
                check_size(place)
            except BaseException:
                self._uploaded -= len(content)
                place.unlink(missing_ok=True)
                place.parent.rmdir()
                raise
            picture = Picture(number, plain, place)
            self.all.append(picture)
        return picture

    def photo(self, picture: Picture) -> Photo:
        """Return a picture's pixels, which are read where they are not in memory.

        Raises
        ------
        ImageFileError
            If they cannot be read.
        """
        with self._reading:
            photo = self._photos.pop(picture.number, None) or Photo(picture.path)
            self._photos[picture.number] = photo
            while len(self._photos) > KEPT_PHOTOS:
                self._photos.popitem(last=False)
        return photo

    def glance(self, picture: Picture) -> Photo:
        """Return a picture's pixels for one use, as for a small copy: they take no other's place in memory, and nobody
        who wants to see a picture waits for their being read.

        Raises
        ------
        ImageFileError
            If they cannot be read.
        """
        with self._glancing:
            # It may be the one that is being read.
            with self._reading:
                photo = self._photos.get(picture.number)
            return photo or Photo(picture.path)


def usable(named: Sequence[Named]) -> tuple[list[Named], list[str]]:
    """Return the files that can be shown, as far as their headers tell, and why the others cannot.

    Of more than `LOOKED_AT` files, the rest is taken for good.
    """
    good: list[Named] = []
    problems: list[str] = []
    for file in named[:LOOKED_AT]:
        try:
            check_size(file.source)
        except (ImageFileError, OSError) as error:
            problems.append(str(error))
        else:
            good.append(file)
    return [*good, *named[LOOKED_AT:]], problems


def plain_name(name: str) -> str:
    """Return the last part of a name that a browser sent, with signs alone that every file system takes."""
    last = re.split(r"[\\/]", name)[-1]
    plain = re.sub(r"[^\w .()+,=@~-]", "_", last).strip(" .") or "picture"
    suffix = Path(plain).suffix[:12]
    return plain[: len(plain) - len(Path(plain).suffix)][: LONGEST_NAME - len(suffix)] + suffix
