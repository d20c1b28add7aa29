"""One video by the solver, stretch after stretch."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rainopt.app.devices import elsewhere
from rainopt.app.preview import video_to_preview
from rainopt.app.results import OutputSettings
from rainopt.app.stretches import in_stretches
from rainopt.app.task import FileRecord, Progress
from rainopt.app.video import video_to_video
from rainopt.io.video.cut import CutVideo
from rainopt.video.frames import FrameStore
from rainopt.video.settings import VideoSettings
from rainopt.video.stretches import StretchSettings, derained, recalled, stretch_settings

# Frames of a stretch: what is derained alike, and lost at most when a run is stopped. At least
# `rainopt.video.stretches.FEW`.
STRETCH = 120
# Frames on each side that a frame is derained with; those farther away do not help.
AROUND = 24


def derain_video(
    source: Path,
    target: Path,
    settings: VideoSettings,
    output: OutputSettings,
    of_images: dict[str, bool],
    progress: Progress | None = None,
    device: str = "cpu",
) -> FileRecord:
    """Derain one video file, or a frame of it, on a device; ``of_images`` as `rainopt.app.video.video_to_video`."""
    solver = Solver(settings, STRETCH, device=device)
    if output.preview is not None:
        return video_to_preview(source, target, output.preview, output, of_images, solver)

    def work(video: CutVideo) -> dict[str, Any]:
        done = in_stretches(video, target, solver, output, progress)
        frames = sum(note["frames"] for note in done.notes)
        return done.facts() | {
            "dry": sum(note["frames"] for note in done.notes if note["dry"]) / frames,
            "still": sum(note["frames"] for note in done.notes if note["still"] and not note["dry"]) / frames,
            "iterations": max((note["iterations"] for note in done.notes if note["iterations"]), default=None),
            "gap": max((note["gap"] for note in done.notes if note["gap"] is not None), default=None),
        }

    return video_to_video(source, target, output, of_images, work)


@dataclass(frozen=True)
class Solver:
    """The solver's work on the frames of a scene, as a `rainopt.app.stretches.StretchWork` and for previews."""

    asked: VideoSettings
    length: int = STRETCH
    around: int = AROUND
    device: str = "cpu"

    def choose(self, store: FrameStore, before: StretchSettings | None) -> StretchSettings:
        """Return how the frames of a stretch are derained."""
        return stretch_settings(store, self.asked, before, elsewhere(self.device))

    def part(self, chosen: StretchSettings, frames: slice | None) -> StretchSettings:
        """Return how some of the frames of a stretch are derained by themselves, or frames that follow later."""
        if chosen.gains is None:
            return chosen
        return replace(chosen, gains=None if frames is None else chosen.gains[frames])

    def derained(
        self, store: FrameStore, chosen: StretchSettings, wanted: Collection[int] | None = None
    ) -> Iterator[np.ndarray]:
        """Yield frames without their rain, of those ``wanted`` if that is given; the others only help."""
        results = derained(store, chosen, elsewhere(self.device))
        return results if wanted is None else (result for k, result in enumerate(results) if k in wanted)

    def angle(self, chosen: StretchSettings) -> float | None:
        """Return the angle of the strongest rain, None where none was seen."""
        return None if chosen.dry else round(chosen.scene.directions[0].angle, 2)

    @property
    def settings(self) -> dict[str, Any]:
        """What the frames of the result depend on besides the video, as JSON has it."""
        return {"asked": asdict(self.asked)}

    def note(self, chosen: StretchSettings) -> dict[str, Any]:
        """Return what `recall` needs besides the frames."""
        return {"dry": chosen.dry} | chosen.note()

    def recall(self, store: FrameStore, note: dict[str, Any]) -> StretchSettings:
        """Return how a finished stretch was derained."""
        return recalled(store, note)
