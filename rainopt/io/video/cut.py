"""A part of a video as a video of its own, and folders of numbered pictures as videos."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

from rainopt.io.video.common import VideoError
from rainopt.io.video.decode import FileSource
from rainopt.io.video.folder import FolderSource, files_of
from rainopt.io.video.numbering import Naming
from rainopt.io.video.read import Video, VideoFrame
from rainopt.io.video.span import WHOLE, FrameFolders, Moment, Span


class CutVideo(Video):
    """The frames of a span as a video of its own: counted from 0, and shown from 0 s on.

    Parameters
    ----------
    path : str or path-like
        The file or folder.
    span : Span
    folders : FrameFolders, optional
        How a folder is read; left out, any images of it are a video, see `Video`.

    Attributes
    ----------
    first : int
        Number of the first frame in the source; known with the first frame of an iteration, as is the next.
    between : tuple of Fraction and Fraction or None
        The seconds of the source that the frames are shown in; None is its end.
    files : list of Path
        Of a folder, the pictures that the frames are.

    Raises
    ------
    VideoError
        As `Video`; iterating, if no frame lies in the span.
    """

    def __init__(self, path: str | os.PathLike[str], span: Span = WHOLE, folders: FrameFolders | None = None):
        self._folders = folders
        super().__init__(path)
        self.span = span
        self.first = 0
        self.between: tuple[Fraction, Fraction | None] = (Fraction(0), None)
        self.files: list[Path] = []
        if isinstance(self._source, FolderSource):
            places = [(file, span.place(k, k / self.rate)) for k, file in enumerate(self._source.files)]
            self.files = [file for file, place in places if place == 0]
        if self.declared is not None and span:
            stop = min(_index(span.stop, self.rate, self.declared), self.declared)
            self.declared = max(1, stop - _index(span.start, self.rate, 0))

    def _opened(self) -> FolderSource | FileSource:
        if self._folders is None or not self.path.is_dir():
            return super()._opened()
        return FolderSource(self.path, self._folders.rate, numbered=True)

    def _frames(self, start: int, stop: int | None, step: int) -> Iterator[VideoFrame]:
        if not self.span:
            yield from super()._frames(start, stop, step)
            return
        number, index, last = 0, 0, Fraction(0)
        for index, (time, pixels) in enumerate(self._source.scan(self._report)):
            last, place = time, self.span.place(index, time)
            if place > 0:
                self.between = self.between[0], time
                break
            if place < 0:
                continue
            if number == 0:
                self.first, self.between = index, (time, self.between[1])
            if stop is not None and number >= stop:
                return
            if number >= start and (number - start) % step == 0:
                yield VideoFrame(number, time - self.between[0], pixels())
            number += 1
        if number == 0:
            raise VideoError(
                f"'{self.path}' has no frame in {self.span}; it was read to frame {index}f at {float(last):.6g} s: "
                "choose another part"
            )

    def count(self) -> int:
        """Return the number of frames, by decoding them all."""
        if not self.span:
            return super().count()
        return sum(self.span.place(k, time) == 0 for k, (time, _) in enumerate(self._source.scan(self._report)))

    def number_of(self, moment: Moment) -> int:
        """Return the number, in this video, of the frame that is shown at a moment of the source.

        Raises
        ------
        VideoError
            If there is none.
        """
        number, index, time = -1, 0, Fraction(0)
        for index, (time, _) in enumerate(self._source.scan(lambda lost: None)):
            place, at = self.span.place(index, time), index if moment.is_frame else time
            if place > 0 or at > moment.value:
                # What is shown until here; the first frame of all stands for what is before it, too.
                number = max(number, 0) if index == 0 and place == 0 else number
                shown = at > moment.value
                break
            number += place == 0
        else:
            shown = moment.value == index if moment.is_frame else moment.value < time + 1 / self.rate
        if number < 0 or not shown:
            inside = f" of {self.span}" if self.span else ""
            raise VideoError(
                f"'{self.path}' shows no frame{inside} at {moment}; it was read to frame {index}f at {float(time):.6g} "
                "s: choose another moment"
            )
        return number

    def naming(self) -> Naming:
        """Return what names the picture that a frame becomes: a pattern, or the name of the picture that it was."""
        if self._folders is not None and self._folders.pattern is not None:
            return self._folders.pattern.name
        return lambda index: result_name(self.files[index])


def result_name(file: Path) -> str:
    """Return the name of the picture that a picture becomes: its own where that format is written, else PNG or TIFF."""
    from rainopt.io import RAW_SUFFIXES, WRITABLE_SUFFIXES

    if file.suffix.lower() in WRITABLE_SUFFIXES:
        return file.name
    return file.stem + (".tif" if file.suffix.lower() in RAW_SUFFIXES else ".png")


def first_file(folder: Path, span: Span, rate: Fraction) -> Path | None:
    """Return the first picture of a span of a folder, if there is one."""
    try:
        files = files_of(folder)
    except OSError:
        return None
    return next(islice((file for k, file in enumerate(files) if span.place(k, k / rate) == 0), 1), None)


def _index(moment: Moment | None, rate: Fraction, otherwise: int) -> int:
    """Return about which frame is shown at a moment."""
    if moment is None:
        return otherwise
    return int(moment.value if moment.is_frame else moment.value * rate)
