"""One video by the solver, stretch after stretch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rainopt.app.results import OutputSettings
from rainopt.app.task import Progress
from rainopt.app.video import VideoRecord, in_stretches, part_writer, video_to_video
from rainopt.io.video.read import Video, VideoFrame
from rainopt.video.frames import FrameStore
from rainopt.video.settings import SceneSettings, VideoSettings
from rainopt.video.stretches import StretchSettings, derained, same_again, stretch_settings

# Frames of a stretch: what is derained alike, and lost at most when a run is stopped. At least
# `rainopt.video.stretches.FEW`.
STRETCH = 120


def derain_video(
    source: Path,
    target: Path,
    settings: VideoSettings,
    output: OutputSettings,
    of_images: dict[str, bool],
    progress: Progress | None = None,
) -> VideoRecord:
    """Derain one video file; ``of_images`` as `rainopt.app.video.video_to_video`."""

    def work(video: Video) -> dict[str, Any]:
        done = in_stretches(video, target, _Solver(video, settings, output.crf, STRETCH), output.overwrite, progress)
        frames = sum(note["frames"] for note in done.notes)
        return done.facts() | {
            "dry": sum(note["frames"] for note in done.notes if note["angle"] is None) / frames,
            "still": sum(note["frames"] for note in done.notes if note["still"]) / frames,
        }

    return video_to_video(source, target, output, of_images, work)


@dataclass(frozen=True)
class _Solver:
    """The solver's work on a video, as a `rainopt.app.video.StretchWork`."""

    video: Video
    asked: VideoSettings
    crf: int
    length: int

    @property
    def settings(self) -> dict[str, Any]:
        return {"asked": asdict(self.asked), "crf": self.crf}

    def derain(
        self, frames: Iterator[VideoFrame], file: Path, before: StretchSettings | None
    ) -> tuple[dict[str, Any], StretchSettings]:
        with FrameStore() as store:
            times = []
            for frame in frames:
                store.append(frame.pixels)
                times.append((frame.index, frame.time))
            chosen = stretch_settings(store, self.asked, before)
            with part_writer(self.video, file, self.crf) as writer:
                for (_, at), pixels in zip(times, derained(store, chosen), strict=True):
                    writer.write(pixels, at)
            note = {
                "first": times[0][0],
                "frames": len(store),
                "angle": None if chosen.dry else round(chosen.scene.directions[0].angle, 2),
                "dry": chosen.dry,
                "still": chosen.backdrop is not None,
                "scene": asdict(chosen.scene),
            }
        return note, chosen

    def recall(self, frames: Iterator[VideoFrame], note: dict[str, Any]) -> StretchSettings:
        with FrameStore() as store:
            for frame in frames:
                store.append(frame.pixels)
            return same_again(store, SceneSettings.from_json(note["scene"]), note["still"])
