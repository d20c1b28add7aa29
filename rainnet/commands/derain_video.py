"""One video through a network: one angle for each stretch, so that nothing flickers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rainnet.commands.networks import NetworkSettings
from rainnet.infer.angle import SOLVER, checked_angle, middle_angle
from rainnet.infer.derain import derain, find_angle
from rainnet.infer.heap import kept
from rainopt.app.preview import video_to_preview
from rainopt.app.results import OutputSettings
from rainopt.app.task import FileRecord, Progress
from rainopt.app.video import in_stretches, video_to_video
from rainopt.app.video_parts import part_writer, write_frames
from rainopt.direction.estimate import PRESENT, estimate_angle
from rainopt.geometry.lines import line_angle
from rainopt.image import exposure, quantise
from rainopt.io.video.cut import CutVideo
from rainopt.io.video.read import VideoFrame
from rainopt.video.frames import FrameStore
from rainopt.video.settings import PARALLEL
from rainopt.video.stretches import FOLLOW

# Frames of a stretch: what has one angle, and is lost at most when a run is stopped; seconds a frame are usual without
# a GPU.
STRETCH = 40
Chosen = tuple[float | None, float]  # the angle of the rain, and the unit of brightness
# Frames of a stretch whose angles are found; their median counts.
SAMPLES = 7


def derain_video(
    source: Path, target: Path, settings: NetworkSettings, output: OutputSettings, progress: Progress | None = None
) -> FileRecord:
    """Derain one video file by a network, or a frame of it, as `rainopt.app.video.video_to_video`."""
    of_images = {"--save-rain": output.save_rain}
    if output.preview is not None:
        with kept():
            return video_to_preview(source, target, output.preview, output, Net(settings, STRETCH))

    def work(video: CutVideo) -> dict[str, Any]:
        treated = _Stretches(video, Net(settings, STRETCH), output, progress)
        with kept():
            done = in_stretches(video, target, treated, output)
        if progress:
            progress(1.0)
        return done.facts()

    return video_to_video(source, target, output, of_images, work)


@dataclass(frozen=True)
class Net:
    """A network's work on the frames of a scene, as a `rainopt.app.preview.PreviewWork`; each is derained alone."""

    asked: NetworkSettings
    length: int = STRETCH
    around: int = 0

    def choose(self, store: FrameStore, before: Chosen | None) -> Chosen:
        """Return the angle and the unit of the frames of a stretch."""
        angle = None if before is None else before[0]
        return _angle(store, self.asked, angle), float(exposure(*store))

    def part(self, chosen: Chosen, frames: slice | None) -> Chosen:
        """Return the settings, which are the same for all frames."""
        return chosen

    def derained(self, store: FrameStore, chosen: Chosen) -> Iterator[np.ndarray]:
        """Yield frames without their rain."""
        angle, unit = chosen
        for pixels in store:
            result = derain(self.asked.network, pixels, angle=angle, unit=unit, **self.asked.options())
            yield np.asarray(quantise(result.background, pixels.dtype))

    def angle(self, chosen: Chosen) -> float | None:
        """Return the angle of the rain."""
        return chosen[0]


@dataclass(frozen=True)
class _Stretches:
    """A network's work on a video, as a `rainopt.app.video.StretchWork`."""

    video: CutVideo
    net: Net
    output: OutputSettings
    progress: Progress | None

    @property
    def length(self) -> int:
        return self.net.length

    @property
    def settings(self) -> dict[str, Any]:
        asked = self.net.asked
        stat = asked.model.stat()
        return {
            "model": [str(asked.model.resolve()), stat.st_size, stat.st_mtime_ns],
            "angle": checked_angle(asked.angle, asked.network),
            "polish": asked.polish,
            "ensemble": asked.ensemble,
        }

    def derain(self, frames: Iterator[VideoFrame], file: Path, before: Chosen | None) -> tuple[dict[str, Any], Chosen]:
        with FrameStore() as store:
            times = []
            for frame in frames:
                store.append(frame.pixels)
                times.append((frame.index, frame.time))
            chosen, first = self.net.choose(store, before), times[0][0]
            with part_writer(self.video, file, self.output) as writer:
                shown = (at for _, at in times)
                write_frames(writer, self.video, self.output, shown, store, self._told(first, store, chosen))
            return {"first": first, "frames": len(store), "angle": chosen[0]}, chosen

    def _told(self, first: int, store: FrameStore, chosen: Chosen) -> Iterator[np.ndarray]:
        """Yield the derained frames of a store, and tell how far it is."""
        for index, pixels in enumerate(self.net.derained(store, chosen), first):
            yield pixels
            if self.progress and self.video.declared:
                self.progress(min((index + 1) / self.video.declared, 0.99))

    def recall(self, frames: Iterator[VideoFrame], note: dict[str, Any]) -> Chosen:
        return note["angle"], 1.0


def _angle(store: FrameStore, settings: NetworkSettings, before: float | None) -> float | None:
    """Return the angle of all frames of a stretch; found, it comes half-way from the one before."""
    wish = checked_angle(settings.angle, settings.network)
    if isinstance(wish, float):
        return wish
    numbers = sorted({round(k) for k in np.linspace(0, len(store) - 1, SAMPLES)})

    def found(by: str) -> list[float]:
        if by == SOLVER:
            return _seen_by_solver([store[number] for number in numbers], before)
        angles = (find_angle(settings.network, store[number], by=by, device=settings.device) for number in numbers)
        return [angle for angle in angles if angle is not None]

    # The solver needs an angle even where the network needs none.
    known = (found(wish) if wish else []) or (found(SOLVER) if settings.polish else [])
    if not known:
        return None
    now = middle_angle(known)
    turn = 0.0 if before is None else line_angle(now - before)
    if before is not None and abs(turn) <= PARALLEL:
        now = line_angle(before + FOLLOW * turn)
    # As the note will have it, for a run that goes on from here.
    return round(now, 3)


def _seen_by_solver(frames: Sequence[np.ndarray], before: float | None) -> list[float]:
    """Return the angles of the frames in which rain is seen; of none, that before, or else the best guesses."""
    estimates = [estimate_angle(frame) for frame in frames]
    sure = [estimate.angle for estimate in estimates if estimate.confidence >= PRESENT]
    if sure:
        return sure
    return [estimate.angle for estimate in estimates] if before is None else [before]
