"""One video from file to file, stretch after stretch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from rainopt import __version__
from rainopt.command.derain_file import Options
from rainopt.command.parts import Parts
from rainopt.command.task import FileRecord, Progress, error_message, is_there
from rainopt.footage import Care, Wishes, care_again, care_for, derained
from rainopt.frame_store import FrameStore
from rainopt.scenes import split_scenes
from rainopt.treatment import treatment_from
from rainopt.video import Video, VideoError, VideoFrame, open_video
from rainopt.video_write import WRITABLE_SUFFIXES, VideoWriter, join_parts

# Frames of a stretch: what is treated alike, and lost at most when a run is stopped. At least `rainopt.footage.FEW`.
STRETCH = 120


@dataclass(frozen=True)
class VideoRecord(FileRecord):
    """What became of one video.

    ``angles`` are those of the strongest rain, of each stretch in which rain was seen; ``still`` is the share of the
    frames that a background helped.
    """

    frames: int | None = None
    scenes: int | None = None
    angles: list[float] | None = None
    dry: float | None = None
    still: float | None = None
    kept_parts: int | None = None
    lost: str | None = None
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
        if self.still:
            facts.append(f"{100 * self.still:.0f} % helped by the background of a still camera")
        if self.lost:
            facts.append(self.lost)
        return f"{self.input} → {self.output}  {'; '.join(facts)}, {seconds:.1f} s ({frames / seconds:.1f} frames/s)"


def video_results(target: Path, options: Options) -> dict[str, Path]:
    """Return the files that a run with these options writes for one video."""
    files = {"derained": target}
    if options.compare:
        files["compare"] = target.with_name(f"{target.stem}_compare.png")
    return files


def derain_video_file(source: Path, target: Path, options: Options, progress: Progress | None = None) -> VideoRecord:
    """Derain one video and write it with its time stamps and its sound; never raises for a bad file.

    Stretches of frames are written as parts in a hidden folder beside the result and joined in the end; a run that was
    stopped goes on with the first one that is missing.
    """
    begin = time.perf_counter()
    try:
        wanted = video_results(target, options)
        if not options.overwrite:
            wanted = {kind: path for kind, path in wanted.items() if not is_there(path)}
        if not wanted:
            return VideoRecord(str(source), str(target), "skipped")
        refuse_options(options)
        if target.suffix.lower() not in WRITABLE_SUFFIXES:
            raise VideoError(f"'{target}' cannot be written; use {', '.join(sorted(WRITABLE_SUFFIXES))}")
        video = open_video(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        facts: dict[str, Any] = {}
        if "derained" in wanted:
            facts = _derain(video, target, options, progress)
        if "compare" in wanted:
            _write_comparison(video, target, wanted["compare"], options)
        seconds = round(time.perf_counter() - begin, 3)
        facts |= {"height": video.height, "width": video.width, "lost": video.lost, "seconds": seconds}
        return VideoRecord(str(source), str(target), "ok", **facts)
    # Anything that goes wrong with one video must leave the others to be done.
    except Exception as error:
        return VideoRecord(str(source), str(target), "failed", error=error_message(error, source, target))


def refuse_options(options: Options) -> None:
    """Raise for options that are of images only."""
    for name, given in (("--save-rain", options.save_rain), ("--veil", options.veil)):
        if given:
            raise VideoError(f"{name} is for images; leave it out for videos")


def _derain(video: Video, target: Path, options: Options, progress: Progress | None) -> dict[str, Any]:
    wishes = Wishes(options.angle, options.weights, options.strength, options.max_iter, options.tol, options.background)
    stat = video.path.stat()
    settings = {
        "version": __version__,
        "source": [str(video.path.resolve()), stat.st_size, stat.st_mtime_ns],
        "wishes": asdict(wishes),
        "crf": options.crf,
        "stretch": STRETCH,
    }
    parts = Parts(target, settings)
    done = _Done(video, progress)
    before: Care | None = None
    number = -1
    try:
        for scene, frames in _stretches(done):
            if scene != number:
                number, before = scene, None
            first = next(frames)
            frames = chain([first], frames)
            note = parts.finished(first.index)
            if note is None:
                note, before = _stretch(video, frames, parts.file(first.index), options, wishes, before)
                parts.note(first.index, note)
            else:
                done.kept += 1
                # Only the stretch that is gone on from has to be looked at again; a shorter one ends a scene.
                last = note["frames"] == STRETCH and parts.finished(first.index + STRETCH) is None
                before = _care_of_kept(frames, note) if last else None
                for _ in frames:
                    pass
            done.notes.append(note)
        files = [parts.file(note["first"]) for note in done.notes]
        join_parts(files, target, audio_from=video.path if video.has_audio else None, overwrite=options.overwrite)
    except BaseException:
        parts.remove_if_none_is_finished()
        raise
    parts.remove()
    return done.facts(number + 1)


class _Done:
    """The frames of a video as they are read, and what has been noted of them."""

    def __init__(self, video: Video, progress: Progress | None) -> None:
        self._video, self._progress = video, progress
        self.notes: list[dict[str, Any]] = []
        self.kept = 0

    def __iter__(self) -> Iterator[VideoFrame]:
        for frame in self._video.frames():
            yield frame
            if self._progress and self._video.declared:
                self._progress(min((frame.index + 1) / self._video.declared, 0.99))

    def facts(self, scenes: int) -> dict[str, Any]:
        """Return the fields of a record."""
        frames = sum(note["frames"] for note in self.notes)
        if self._progress:
            self._progress(1.0)
        return {
            "frames": frames,
            "scenes": scenes,
            "angles": [note["angle"] for note in self.notes if note["angle"] is not None],
            "dry": sum(note["frames"] for note in self.notes if note["angle"] is None) / frames,
            "still": sum(note["frames"] for note in self.notes if note["still"]) / frames,
            "kept_parts": self.kept,
        }


def _stretches(frames: _Done) -> Iterator[tuple[int, Iterator[VideoFrame]]]:
    """Yield (number of the scene, frames) for stretches of at most `STRETCH` frames of one scene."""
    for number, scene in enumerate(split_scenes(frames)):
        for first in scene:
            yield number, chain([first], islice(scene, STRETCH - 1))


def _stretch(
    video: Video,
    frames: Iterator[VideoFrame],
    file: Path,
    options: Options,
    wishes: Wishes,
    before: Care | None,
) -> tuple[dict[str, Any], Care]:
    """Derain one stretch into a file; returns what is noted about it, and how it was treated."""
    with FrameStore() as store:
        times = []
        for frame in frames:
            store.append(frame.pixels)
            times.append((frame.index, frame.time))
        care = care_for(store, wishes, before)
        with VideoWriter(
            file,
            height=video.height,
            width=video.width,
            rate=video.rate,
            time_base=video.time_base,
            bits=video.bits,
            quality=options.crf,
            pixel_aspect=video.pixel_aspect,
        ) as writer:
            for (_, at), pixels in zip(times, derained(store, care), strict=True):
                writer.write(pixels, at)
        note = {
            "first": times[0][0],
            "frames": len(store),
            "angle": None if care.dry else round(care.treatment.directions[0].angle, 2),
            "still": care.backdrop is not None,
            "treatment": asdict(care.treatment),
        }
    return note, care


def _care_of_kept(frames: Iterator[VideoFrame], note: dict[str, Any]) -> Care:
    """Return how a stretch was treated that an earlier run has finished."""
    with FrameStore() as store:
        for frame in frames:
            store.append(frame.pixels)
        return care_again(store, treatment_from(note["treatment"]), note["still"])


def _write_comparison(video: Video, target: Path, place: Path, options: Options) -> None:
    """Write the middle frame before and after, and their difference."""
    import numpy as np

    from rainopt.command.compare import side_by_side
    from rainopt.io import write_image

    result = open_video(target)
    middle = (result.declared or result.count()) // 2
    pair = [next(one.frames(middle), None) for one in (video, result)]
    rainy, clean = (np.asarray(frame.pixels) for frame in pair if frame is not None)
    scale = np.iinfo(rainy.dtype).max
    taken = np.clip(rainy.astype(np.float32) / scale - clean.astype(np.float32) / np.iinfo(clean.dtype).max, 0, 1)
    write_image(place, side_by_side(rainy, clean, taken.mean(axis=-1)), overwrite=options.overwrite)
