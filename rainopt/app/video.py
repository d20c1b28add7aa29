"""One video from file to file, stretch after stretch, whatever it is that derains."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

from rainopt import __version__
from rainopt.app.parts import Parts
from rainopt.app.results import OutputSettings, results_of, wanted_of
from rainopt.app.task import NO_RAIN, FileRecord, Progress, error_message, writing_alone
from rainopt.app.video_parts import Written, write_comparison, write_result
from rainopt.io.video.cut import CutVideo
from rainopt.io.video.formats import WRITABLE_SUFFIXES, is_video
from rainopt.io.video.join import PartsError
from rainopt.io.video.read import VideoError, VideoFrame
from rainopt.io.video.trial import require_codec
from rainopt.parallel.ahead import ahead
from rainopt.video.scenes import split_scenes

AHEAD, AHEAD_BYTES = 120, 64 << 20
"""Frames, and bytes of them, that are decoded before they are wanted."""


@dataclass(frozen=True)
class VideoRecord(FileRecord):
    """What became of one video.

    ``angles`` are those of the strongest rain, of each stretch in which rain was seen; ``still`` is the share of the
    frames that a background helped. ``iterations`` are the most of a stretch, of frames or parts of them that are
    solved by themselves, and ``gap`` is the largest duality gap that they leave, as a share of the energy. ``copied``
    says that the source was copied as it is, since nothing was done; ``told`` is what the result lacks of the source,
    in sentences. Of a video that became pictures, ``output`` is the first and ``last`` the last.
    """

    last: str | None = None
    frames: int | None = None
    scenes: int | None = None
    angles: list[float] | None = None
    dry: float | None = None
    still: float | None = None
    iterations: int | None = None
    gap: float | None = None
    kept_parts: int | None = None
    lost: str | None = None
    copied: bool | None = None
    told: list[str] | None = None
    height: int | None = None
    width: int | None = None
    seconds: float | None = None

    def line(self) -> str:
        """Return the result and what was done."""
        if self.frames is None:
            return f"{self.input} → {self.output}  was there; compared"
        seconds, frames = self.seconds or 1e-9, self.frames
        facts = [f"{frames} frames" + (f" in {self.scenes} scenes" if (self.scenes or 1) > 1 else "")]
        if self.angles:
            low, high = min(self.angles), max(self.angles)
            facts.append(f"rain at {low:+.1f}°" if high - low < 0.1 else f"rain at {low:+.1f}° to {high:+.1f}°")
        if self.dry:
            facts.append(f"no rain seen in {100 * self.dry:.0f} % of them, left as they are (--angle derains them)")
        if self.copied:
            facts.append("copied as it is")
        if self.iterations and self.gap is not None:
            facts.append(f"where time cannot tell, solved in {self.iterations} iterations to a gap of {self.gap:.1%}")
        if self.still:
            facts.append(f"{100 * self.still:.0f} % helped by the background of a still camera")
        if self.lost:
            facts.append(self.lost)
        result = f"{self.output} to {Path(self.last).name}" if self.last else self.output
        return f"{self.input} → {result}  {'; '.join(facts)}, {seconds:.1f} s ({frames / seconds:.1f} frames/s)"


def video_to_video(
    source: Path,
    target: Path,
    output: OutputSettings,
    of_images: dict[str, bool],
    work: Callable[[CutVideo], dict[str, Any]],
) -> VideoRecord:
    """Derain one video and write it with its time stamps and its sound, or as pictures; never raises for a bad file.

    A second run that would write the same files at the same time is refused.
    ``of_images`` are options that mean nothing for a video, and whether they were given; ``work`` writes the derained
    video and returns fields of the record.
    """
    begin = time.perf_counter()
    try:
        if not wanted_of(results_of(target, output), output.overwrite):
            return VideoRecord(str(source), str(target), "skipped")
        for name, given in of_images.items():
            if given:
                raise VideoError(f"{name} is for images; leave it out for videos")
        if target.suffix.lower() not in WRITABLE_SUFFIXES and output.folders is None:
            raise VideoError(f"'{target}' cannot be written; use {', '.join(sorted(WRITABLE_SUFFIXES))}")
        video = CutVideo(source, output.span, output.folders)
        output.keep.pixels(video.height, video.width, source)  # a region that does not fit ends it here
        if output.codec is not None and is_video(target):
            size = video.height, video.width
            require_codec(output.codec, target.suffix.lower(), size, video.bits, output.crf)
        with _vanishing_if_empty(target.parent, output), writing_alone(target):
            # Another run may have written it in the meantime.
            wanted = wanted_of(results_of(target, output), output.overwrite)
            if not wanted:
                return VideoRecord(str(source), str(target), "skipped")
            facts: dict[str, Any] = {}
            if "derained" in wanted:
                facts = work(video)
            if "compare" in wanted:
                write_comparison(video, target, wanted["compare"], output)
        if facts.get("dry") == 1:
            facts["untouched"] = NO_RAIN
        seconds = round(time.perf_counter() - begin, 3)
        facts |= {"height": video.height, "width": video.width, "lost": video.lost, "seconds": seconds}
        return VideoRecord(str(source), str(target), "ok", **facts)
    # Anything that goes wrong with one video must leave the others to be done.
    except Exception as error:
        return VideoRecord(str(source), str(target), "failed", error=error_message(error, source, target))


class StretchWork(Protocol):
    """What `in_stretches` asks of the work on a video."""

    @property
    def length(self) -> int:
        """Most frames of a stretch; a cut ends one, too."""

    @property
    def settings(self) -> dict[str, Any]:
        """What the frames of the result depend on besides the video and the output's settings, as JSON has it."""

    def derain(self, frames: Iterator[VideoFrame], file: Path, before: Any) -> tuple[dict[str, Any], Any]:
        """Write a stretch to a file, after one that was derained as ``before`` says, or None.

        Returns a note with "first", "frames" and "angle", "dry" if all frames are as they were, and how this one was
        derained.
        """

    def recall(self, frames: Iterator[VideoFrame], note: dict[str, Any]) -> Any:
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
    the share of the frames that have been read.
    """
    stamp = video.stamp
    source = [str(video.path.resolve()), stamp.size, stamp.changed]
    made = {"version": __version__, "source": source, "stretch": work.length} | output.frames_as_json()
    parts = Parts(target, made | work.settings, output.codec)
    notes: list[dict[str, Any]] = []
    before: Any = None
    number, kept = -1, 0
    try:
        with closing(_read(video, progress)) as reading:
            for scene, frames in stretches_of(reading, work.length):
                if scene != number:
                    number, before = scene, None
                first = next(frames)
                frames = chain([first], frames)
                note = parts.finished(first.index)
                if note is None:
                    note, before = work.derain(frames, parts.file(first.index), before)
                    parts.note(first.index, note)
                else:
                    kept += 1
                    # Only the stretch that is gone on from has to be looked at again; a shorter one ends a scene.
                    last = note["frames"] == work.length and parts.finished(first.index + work.length) is None
                    before = work.recall(frames, note) if last else None
                    for _ in frames:
                        pass
                notes.append(note)
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


@contextmanager
def _vanishing_if_empty(folder: Path, output: OutputSettings) -> Iterator[None]:
    """Remove the folder that pictures were to be written to, if there are none in the end."""
    try:
        yield
    except BaseException:
        if output.folders is not None:
            with suppress(OSError):
                folder.rmdir()
        raise


def _read(video: CutVideo, progress: Progress | None) -> Generator[VideoFrame, None, None]:
    """Yield the frames of a video, some of which are decoded beforehand, beside the work on those before."""
    size = video.height * video.width * 3 * video.bits // 8
    with closing(ahead(video.frames(), max(1, min(AHEAD_BYTES // size, AHEAD)))) as frames:
        for frame in frames:
            yield frame
            if progress and video.declared:
                progress(min((frame.index + 1) / video.declared, 0.99))


def stretches_of(frames: Iterator[VideoFrame], length: int) -> Iterator[tuple[int, Iterator[VideoFrame]]]:
    """Yield (number of the scene, frames) for stretches of at most ``length`` frames of one scene."""
    for number, scene in enumerate(split_scenes(frames)):
        for first in scene:
            yield number, chain([first], islice(scene, length - 1))
