"""A part of a video as a video of its own, and folders of numbered pictures as videos."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

from rainopt.io.video.common import VideoError
from rainopt.io.video.decode import FileSource
from rainopt.io.video.folder import FolderSource, files_of
from rainopt.io.video.numbering import Naming
from rainopt.io.video.read import Video, VideoFrame
from rainopt.io.video.seek import Numbered, scan_from
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
        self._skip: Fraction | None = None
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

    def skip_to(self, time: Fraction) -> None:
        """Begin later iterations at a time in seconds, where the file can be jumped in.

        Frames are then numbered by their times, which is right where all are shown equally long.
        """
        self._skip = time

    def _scan(self, report: Callable[[str | None], None]) -> Iterator[Numbered]:
        source = self._source
        if self._skip is not None and isinstance(source, FileSource):
            frames = scan_from(self.path, source, self._skip)
            if frames is not None:
                yield from frames
                return
        self._skip = None
        for index, (time, pixels, *_) in enumerate(source.scan(report)):
            yield index, time, pixels

    def _begin(self, index: int, time: Fraction) -> tuple[int, Fraction]:
        """Return number and time of the first frame of the span, where this one is the first that is met."""
        if self._skip is None:
            return index, time
        start = self.span.start
        if start is None:
            return 0, Fraction(0)
        first = int(start.value) if start.is_frame else math.ceil(start.value * self.rate)
        return first, first / self.rate

    def _frames(self, start: int, stop: int | None, step: int) -> Iterator[VideoFrame]:
        if not self.span and self._skip is None:
            yield from super()._frames(start, stop, step)
            return
        met, index, last = False, 0, Fraction(0)
        for index, time, pixels in self._scan(self._report):
            last, place = time, self.span.place(index, time)
            if place > 0:
                self.between = self.between[0], time
                break
            if place < 0:
                continue
            if not met:
                met = True
                self.first, begin = self._begin(index, time)
                self.between = begin, self.between[1]
            number = index - self.first
            if stop is not None and number >= stop:
                return
            if number >= start and (number - start) % step == 0:
                yield VideoFrame(number, time - self.between[0], pixels())
        if not met:
            raise VideoError(
                f"'{self.path}' has no frame in {self.span}; it was read to frame {index}f at {float(last):.6g} s: "
                "choose another part"
            )

    def count(self) -> int:
        """Return the number of frames, by decoding them all."""
        if not self.span:
            return super().count()
        return sum(self.span.place(k, time) == 0 for k, time, _ in self._scan(self._report))

    def number_of(self, moment: Moment) -> int:
        """Return the number, in this video, of the frame that is shown at a moment of the source.

        Raises
        ------
        VideoError
            If there is none.
        """
        number, first, index, time = -1, None, 0, Fraction(0)
        for index, time, _ in self._scan(lambda lost: None):
            place, at = self.span.place(index, time), index if moment.is_frame else time
            if place == 0 and first is None:
                first = self._begin(index, time)[0]
            if place > 0 or at > moment.value:
                # What is shown until here; the first frame of all stands for what is before it, too.
                number = max(number, 0) if index == 0 and place == 0 else number
                shown = at > moment.value
                break
            number = index - first if place == 0 and first is not None else number
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
