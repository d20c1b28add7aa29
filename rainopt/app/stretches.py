"""A video stretch after stretch: what derains one is chosen while the one before is written.

Stretches are written as parts, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rainopt import __version__
from rainopt.app.parts import Parts
from rainopt.app.results import OutputSettings
from rainopt.app.task import Progress
from rainopt.app.video_parts import Written, part_writer, write_frames, write_result
from rainopt.io.video.cut import CutVideo
from rainopt.io.video.join import PartsError
from rainopt.io.video.read import VideoError, VideoFrame
from rainopt.parallel.ahead import ahead
from rainopt.parallel.threads import num_threads
from rainopt.video.frames import FrameStore
from rainopt.video.scenes import split_scenes

AHEAD, AHEAD_BYTES = 120, 64 << 20
"""Frames, and bytes of them, that are decoded before they are wanted."""
NEARLY = 0.99  # share of the work that is done when all frames are; parts are joined then


class StretchWork(Protocol):
    """What `in_stretches` asks of the work on a video. How a stretch is derained is chosen in another thread than the
    one that derains the stretch before.
    """

    @property
    def length(self) -> int:
        """Most frames of a stretch; a cut ends one, too."""

    @property
    def settings(self) -> dict[str, Any]:
        """What the frames of the result depend on besides the video and the output's settings, as JSON has it."""

    def choose(self, store: FrameStore, before: Any) -> Any:
        """Return how the frames of a stretch are derained, after one that was derained as ``before`` says, or None."""

    def derained(self, store: FrameStore, chosen: Any) -> Iterator[np.ndarray]:
        """Yield the frames of a stretch without their rain."""

    def note(self, chosen: Any) -> dict[str, Any]:
        """Return what `recall` needs besides the frames, as JSON has it; with "angle", and "dry" if frames stay."""

    def recall(self, store: FrameStore, note: dict[str, Any]) -> Any:
        """Return how a finished stretch was derained, from its frames and its note."""


@dataclass(frozen=True)
class StretchNotes:
    """What has been noted of the stretches of a video, the number of its scenes, how many parts were there, and what
    became of them.
    """

    notes: list[dict[str, Any]]
    scenes: int
    kept: int
    written: Written

    def facts(self) -> dict[str, Any]:
        """Return fields of a record."""
        return {
            "frames": sum(note["frames"] for note in self.notes),
            "scenes": self.scenes,
            "angles": [note["angle"] for note in self.notes if note["angle"] is not None],
            "kept_parts": self.kept,
            "copied": self.written.copied or None,
            "told": self.written.told or None,
            "last": None if self.written.last is None else str(self.written.last),
        }


def in_stretches(
    video: CutVideo, target: Path, work: StretchWork, output: OutputSettings, progress: Progress | None = None
) -> StretchNotes:
    """Write a video stretch after stretch, and go on where an earlier run has stopped.

    Stretches are written as parts in a hidden folder beside the result and joined in the end; a run that was stopped
    goes on with the first one that is missing. A file in which nothing was done is copied. ``progress`` is called with
    the share of the frames that are done.
    """
    stamp = video.stamp
    source = [str(video.path.resolve()), stamp.size, stamp.changed]
    made = {"version": __version__, "source": source, "stretch": work.length} | output.frames_as_json()
    parts = Parts(target, made | work.settings, output.codec)
    notes: list[dict[str, Any]] = []
    number, kept = -1, 0
    coming = _Coming(video, work, parts)
    try:
        with closing(coming.stretches()) as stretches:
            for stretch in stretches:
                number, note = stretch.scene, stretch.note
                if note is None:
                    note = _written(stretch, video, parts.file(stretch.first), work, output, progress)
                    parts.note(stretch.first, note)
                else:
                    kept += 1
                notes.append(note)
                _tell(progress, video, note["first"] + note["frames"])
        files = [parts.file(note["first"]) for note in notes]
        written = write_result(video, target, files, all(note.get("dry") for note in notes), output)
    except PartsError as error:
        # They would end every later run as well.
        parts.remove()
        raise VideoError(f"{error}; they are thrown away: run again") from None
    except BaseException:
        parts.remove_if_none_is_finished()
        raise
    parts.remove()
    if progress:
        progress(1.0)
    return StretchNotes(notes, number + 1, kept, written)


def stretches_of(frames: Iterator[VideoFrame], length: int) -> Iterator[tuple[int, Iterator[VideoFrame]]]:
    """Yield (number of the scene, frames) for stretches of at most ``length`` frames of one scene."""
    for number, scene in enumerate(split_scenes(frames)):
        for first in scene:
            yield number, chain([first], islice(scene, length - 1))


@dataclass(frozen=True)
class _Stretch:
    """A stretch whose first frame is number ``first`` of the video: what it takes to derain it, or its note."""

    scene: int
    first: int
    store: FrameStore
    times: list[Fraction]
    chosen: Any = None
    note: dict[str, Any] | None = None


class _StoppedError(Exception):
    """Nobody waits for the frames any more."""


class _Coming:
    """The stretches of a video in their order, the next of which is read and looked at while one is derained."""

    def __init__(self, video: CutVideo, work: StretchWork, parts: Parts) -> None:
        self._video, self._work, self._parts = video, work, parts
        self._stopping = threading.Event()

    def stretches(self) -> Generator[_Stretch, None, None]:
        """Yield them; the frames of one are let go when the next is asked for."""
        stores: list[FrameStore] = []
        made = self._made(stores)
        try:
            # Who is told to use one thread does one after the other.
            with closing(ahead(made, 1) if num_threads() > 1 else made) as coming:
                try:
                    for stretch in coming:
                        yield stretch
                        stretch.store.close()
                finally:
                    # Closing waits for the thread.
                    self._stopping.set()
        finally:
            for store in stores:
                store.close()

    def _made(self, stores: list[FrameStore]) -> Generator[_Stretch, None, None]:
        """Yield them, and put their stores into a list as well, for those that nobody gets to see."""
        number, before = -1, None
        length = self._work.length
        with closing(self._frames()) as reading:
            for scene, frames in stretches_of(reading, length):
                if scene != number:
                    number, before = scene, None
                first = next(frames)
                frames = chain([first], frames)
                store = FrameStore()
                stores.append(store)
                note, times = self._parts.finished(first.index), list[Fraction]()
                # Of those that are there only the one that is gone on from is looked at again; a shorter one ends a
                # scene.
                last = note and note["frames"] == length and self._parts.finished(first.index + length) is None
                for frame in frames:
                    if note is None or last:
                        store.append(frame.pixels)
                        times.append(frame.time)
                if note is None:
                    before = self._work.choose(store, before)
                else:
                    before = self._work.recall(store, note) if last else None
                yield _Stretch(scene, first.index, store, times, before, note)

    def _frames(self) -> Generator[VideoFrame, None, None]:
        """Yield the frames of the video, some of which are decoded beforehand, beside the work on those before."""
        size = self._video.height * self._video.width * 3 * self._video.bits // 8
        with closing(ahead(self._video.frames(), max(1, min(AHEAD_BYTES // size, AHEAD)))) as frames:
            for frame in frames:
                if self._stopping.is_set():
                    raise _StoppedError
                yield frame


def _written(
    stretch: _Stretch,
    video: CutVideo,
    file: Path,
    work: StretchWork,
    output: OutputSettings,
    progress: Progress | None,
) -> dict[str, Any]:
    """Write a stretch without its rain to a file; returns its note."""

    def told(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        for done, pixels in enumerate(frames, stretch.first + 1):
            yield pixels
            _tell(progress, video, done)

    with part_writer(video, file, output) as writer:
        derained = told(work.derained(stretch.store, stretch.chosen))
        write_frames(writer, video, output, stretch.times, stretch.store, derained)
    return {"first": stretch.first, "frames": len(stretch.store)} | work.note(stretch.chosen)


def _tell(progress: Progress | None, video: CutVideo, done: int) -> None:
    if progress and video.declared:
        progress(min(done / video.declared, NEARLY))
