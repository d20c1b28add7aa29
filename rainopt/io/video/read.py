"""Videos to arrays: files of the usual containers, and folders of images, frame by frame, upright, at true times.

Frames are counted by decoding them, never by what the container says. What cannot be decoded is told at the end, in
`Video.lost`, and is no error as long as there is a first frame.
"""

from __future__ import annotations

import itertools
import operator
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from rainopt.io import read_metadata
from rainopt.io.video.common import VideoError, VideoExistsError
from rainopt.io.video.decode import FileSource
from rainopt.io.video.folder import FolderSource
from rainopt.io.video.formats import VIDEO_SUFFIXES, is_video
from rainopt.io.video.marks import Marks, not_carried
from rainopt.io.video.stills import holds_profile, marks_of_picture

__all__ = [
    "VIDEO_SUFFIXES",
    "Video",
    "VideoError",
    "VideoExistsError",
    "VideoFrame",
    "is_video",
    "open_video",
    "read_frames",
]


@dataclass(frozen=True)
class VideoFrame:
    """One frame.

    Attributes
    ----------
    index : int
        Number of the frame, counted from 0, the first that can be decoded.
    time : Fraction
        When it is shown, in seconds; rises from frame to frame.
    pixels : ndarray
        (H, W, 3) RGB, upright; uint8, or uint16 at full scale (65535) for sources of more than 8 bits.
    patched : bool
        Whether the decoder has invented some of the pixels, in this frame or in one that it depends on.
    """

    index: int
    time: Fraction
    pixels: np.ndarray
    patched: bool = False


class Video:
    """A video file, or a folder of images in the natural order of their names, to be read frame by frame.

    The first stream of moving pictures of a file is read. Its colours become RGB by the matrix and range that it names;
    where it names none, by BT.709 from 720 stored rows on and by BT.601 below, limited range. The rotation and
    mirroring that the file asks for are applied. Transfer curve and primaries stay those of the source, and interlaced
    frames stay interlaced.

    Parameters
    ----------
    path : str or path-like
        The file or folder.

    Attributes
    ----------
    path : Path
    height, width : int
        Size of the upright frames, in pixels.
    pixel_aspect : Fraction
        Width of an upright pixel divided by its height; 1 nearly always.
    bits : {8, 16}
        Depth of the arrays: uint8 or uint16.
    rate : Fraction
        Frames a second, on average; 25 for folders.
    time_base : Fraction
        Step of the time stamps, in seconds.
    declared : int or None
        Frames that the container promises, if it does.
    has_audio : bool
    stamp : Stamp
        Of the file or folder when it was opened; a file that is another one by now is not read on.
    marks : Marks
        What the source says of its pictures beside their values, for a `VideoWriter` of frames like them.
    lost : str or None
        What could not be decoded, or has another size than the first frame and is left out, as a sentence without its
        subject's name; set when an iteration reaches the end of the file, and None when nothing is lost or no iteration
        has come that far.

    Raises
    ------
    VideoError
        If the file or folder cannot be read, holds no pictures, or its first frame cannot be decoded.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)
        self._source = self._opened()
        self.height: int = self._source.height
        self.width: int = self._source.width
        self.pixel_aspect: Fraction = self._source.pixel_aspect
        self.bits: int = self._source.bits
        self.rate: Fraction = self._source.rate
        self.time_base: Fraction = self._source.time_base
        self.declared: int | None = self._source.declared
        self.has_audio: bool = self._source.has_audio
        if isinstance(self._source, FileSource):
            self.marks: Marks = self._source.marks
        else:
            said = read_metadata(self._source.files[0])
            self.marks, self._profile_lost = marks_of_picture(said), not holds_profile(said)
        self.stamp = self._source.stamp
        self.lost: str | None = None

    def _opened(self) -> FolderSource | FileSource:
        return FolderSource(self.path) if self.path.is_dir() else FileSource(self.path)

    def __repr__(self) -> str:
        return f"Video('{self.path}', {self.height} x {self.width}, {self.bits} bits, {float(self.rate):.4g} frames/s)"

    def frames(self, start: int = 0, stop: int | None = None, step: int = 1) -> Iterator[VideoFrame]:
        """Yield frames ``start``, ``start + step``, ... below ``stop``, by default all.

        The file is opened anew by each call and closed with the iterator. It is decoded from the beginning, because
        a jump would not be sure to land on the frame of that number; frames left out are not converted to RGB.

        Parameters
        ----------
        start, stop, step : int
            Numbers of frames, counted from 0; without ``stop``, to the end.

        Raises
        ------
        ValueError
            For a negative `start` or `stop`, or a `step` below 1.
        VideoError
            If the file has gone or was changed, or, in a folder, an image's size differs from that of the first.
        """
        start, step = operator.index(start), operator.index(step)
        if start < 0 or step < 1 or (stop is not None and operator.index(stop) < 0):
            raise ValueError(f"`start` and `stop` must be 0 or more and `step` 1 or more, got {start}, {stop}, {step}")
        return self._frames(start, stop, step)

    def _frames(self, start: int, stop: int | None, step: int) -> Iterator[VideoFrame]:
        if stop is not None and start >= stop:
            return
        for index, (time, pixels, patched) in enumerate(self._source.scan(self._report)):
            if index >= start and (index - start) % step == 0:
                yield VideoFrame(index, time, pixels(), patched)
            if stop is not None and index + 1 >= stop:
                return

    def count(self) -> int:
        """Return the number of frames, by decoding them all."""
        return sum(1 for _ in self._source.scan(self._report))

    @property
    def shifts(self) -> tuple[Fraction, ...]:
        """Seconds added to the times of the file at its beginning and each time they begin anew, as far as read."""
        return self._source.shifts if isinstance(self._source, FileSource) else (Fraction(0),)

    @property
    def beside(self) -> list[str]:
        """Data beside the pictures that frames do not carry, in plain words, as far as frames were read."""
        if isinstance(self._source, FileSource):
            return not_carried(self._source.beside)
        return ["the colour profile of its pictures"] if self._profile_lost else []

    def _report(self, lost: str | None) -> None:
        self.lost = lost


def open_video(path: str | os.PathLike[str]) -> Video:
    """Open a video file or a folder of images, to be read frame by frame.

    Parameters
    ----------
    path : str or path-like
        The file or folder.

    Returns
    -------
    Video
        What is known of it, and its frames as they are asked for.

    Raises
    ------
    VideoError
        As `Video`.
    """
    return Video(path)


def read_frames(path: str | os.PathLike[str], start: int = 0, count: int | None = None) -> np.ndarray:
    """Read frames of a video into one array.

    Parameters
    ----------
    path : str or path-like
        A video file, or a folder of images.
    start : int
        Number of the first frame, counted from 0.
    count : int, optional
        How many frames at most; by default all.

    Returns
    -------
    ndarray
        (N, H, W, 3) RGB, upright; uint8, or uint16 at full scale (65535) for sources of more than 8 bits.

    Raises
    ------
    VideoError
        As `open_video`, and if there is no frame of number `start`.
    ValueError
        For a negative `start` or a `count` below 1.
    """
    if count is not None and operator.index(count) < 1:
        raise ValueError(f"`count` must be 1 or more, got {count}")
    video = open_video(path)
    frames = [frame.pixels for frame in itertools.islice(video.frames(start), count)]
    if not frames:
        raise VideoError(f"'{path}' has only {video.count()} frames; choose a `start` below that, not {start}")
    return np.stack(frames)
