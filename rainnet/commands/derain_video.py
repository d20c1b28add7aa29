"""One video through a network: one angle for each stretch, and no more taken off than the frames around let be rain."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rainnet.commands.networks import NetworkSettings
from rainnet.infer.angle import SOLVER, checked_angle, middle_angle
from rainnet.infer.derain import derain, find_angle
from rainnet.infer.heap import kept
from rainopt.app.preview import video_to_preview
from rainopt.app.results import OutputSettings
from rainopt.app.stretches import in_stretches
from rainopt.app.task import FileRecord, Progress
from rainopt.app.video import video_to_video
from rainopt.commands.derain_video import AROUND
from rainopt.direction.estimate import PRESENT, estimate_angle
from rainopt.geometry.lines import line_angle
from rainopt.image import exposure, quantise
from rainopt.io.video.cut import CutVideo
from rainopt.video.frames import FrameStore
from rainopt.video.settings import PARALLEL, VideoSettings
from rainopt.video.stretches import FOLLOW, LEAST_FRAMES, StretchSettings, derained, recalled, stretch_settings

# Frames of a stretch: what has one angle, and is lost at most when a run is stopped; seconds a frame are usual without
# a GPU. At least `rainopt.video.stretches.FEW`.
STRETCH = 40
# Frames of a stretch whose angles are found; their median counts.
SAMPLES = 7


def derain_video(
    source: Path, target: Path, settings: NetworkSettings, output: OutputSettings, progress: Progress | None = None
) -> FileRecord:
    """Derain one video file by a network, or a frame of it, as `rainopt.app.video.video_to_video`."""
    of_images = {"--save-rain": output.save_rain, **{f"--{name}": True for name in output.extras}}
    if output.preview is not None:
        with kept():
            return video_to_preview(source, target, output.preview, output, of_images, Net(settings, STRETCH))

    def work(video: CutVideo) -> dict[str, Any]:
        with kept():
            done = in_stretches(video, target, Net(settings, STRETCH), output, progress)
        frames = sum(note["frames"] for note in done.notes)
        return done.facts() | {
            "dry": sum(note["frames"] for note in done.notes if note["dry"]) / frames,
            "still": sum(note["frames"] for note in done.notes if note["still"] and not note["dry"]) / frames,
        }

    return video_to_video(source, target, output, of_images, work)


@dataclass(frozen=True)
class Chosen:
    """How the frames of a stretch are derained.

    Attributes
    ----------
    angle
        That of the rain, None where none was seen or the network needs none.
    unit
        Of brightness.
    timed
        How the frames around one tell what of it is rain; None where each is derained alone.
    """

    angle: float | None
    unit: float = 1.0
    timed: StretchSettings | None = None

    @property
    def dry(self) -> bool:
        """Whether the frames around each show no rain, so that all stay as they are."""
        return self.timed is not None and self.timed.dry

    def note(self) -> dict[str, Any]:
        """Return what `recall` needs, besides the frames, as JSON has it."""
        timed = None if self.timed is None else self.timed.note()
        return {
            "angle": self.angle,
            "dry": self.dry,
            "still": timed is not None and timed["still"],
            "timed": timed,
        }


@dataclass(frozen=True)
class Net:
    """A network's work on the frames of a scene, as a `rainopt.app.stretches.StretchWork` and for previews.

    A network has seen one frame, and takes what looks like rain for it, a twig or an edge. What stays is none: of each
    frame it may take no more than the frames around it let be rain.
    """

    asked: NetworkSettings
    length: int = STRETCH

    @property
    def around(self) -> int:
        """How many frames on each side help to derain one."""
        return AROUND if self.asked.background else 0

    def choose(self, store: FrameStore, before: Chosen | None) -> Chosen:
        """Return how the frames of a stretch are derained."""
        unit, asked = float(exposure(*store)), self.asked
        last = Chosen(None) if before is None else before
        if not asked.background or (last.timed is None and len(store) < LEAST_FRAMES):
            return Chosen(_angle(store, asked, last.angle), unit)
        if asked.angle is not None:
            angle = _angle(store, asked, last.angle)
            return Chosen(angle, unit, stretch_settings(store, VideoSettings(angle=angle), last.timed))
        # Many frames tell the angle surer than any of them alone, and whether there is rain.
        timed = stretch_settings(store, VideoSettings(), last.timed)
        if timed.dry or not (asked.network.directional or asked.polish):
            return Chosen(None, unit, timed)
        return Chosen(round(timed.scene.directions[0].angle, 3), unit, timed)

    def part(self, chosen: Chosen, frames: slice | None) -> Chosen:
        """Return how some of the frames of a stretch are derained by themselves, or frames that follow later."""
        timed = chosen.timed
        if timed is None or timed.gains is None:
            return chosen
        return replace(chosen, timed=replace(timed, gains=None if frames is None else timed.gains[frames]))

    def derained(
        self, store: FrameStore, chosen: Chosen, wanted: Collection[int] | None = None
    ) -> Iterator[np.ndarray]:
        """Yield frames without their rain, of those ``wanted`` if that is given; the others only help.

        A dry stretch comes back as it is. Frames are bounded in threads a few ahead of the network.
        """
        numbers = range(len(store)) if wanted is None else wanted
        if chosen.timed is None:
            yield from (self._alone(store[number], chosen) for number in numbers)
        elif chosen.dry:
            yield from (store[number] for number in numbers)
        else:
            for number, by_time in enumerate(derained(store, chosen.timed)):
                if number in numbers:
                    pixels = store[number]
                    yield np.maximum(self._alone(pixels, chosen), np.minimum(by_time, pixels))

    def _alone(self, pixels: np.ndarray, chosen: Chosen) -> np.ndarray:
        """Return what the network makes of one frame."""
        options = self.asked.options()
        result = derain(self.asked.network, pixels, angle=chosen.angle, unit=chosen.unit, **options)
        return np.asarray(quantise(result.background, pixels.dtype))

    def angle(self, chosen: Chosen) -> float | None:
        """Return the angle of the rain, None where none was seen or looked for."""
        if chosen.angle is None and chosen.timed is not None and not chosen.dry:
            return round(chosen.timed.scene.directions[0].angle, 2)
        return chosen.angle

    @property
    def settings(self) -> dict[str, Any]:
        """What the frames of the result depend on besides the video, as JSON has it."""
        asked = self.asked
        stat = asked.model.stat()
        return {
            "model": [str(asked.model.resolve()), stat.st_size, stat.st_mtime_ns],
            "angle": checked_angle(asked.angle, asked.network),
            "polish": asked.polish,
            "ensemble": asked.ensemble,
            "precision": asked.precision,
            "background": asked.background,
        }

    def note(self, chosen: Chosen) -> dict[str, Any]:
        """Return what `recall` needs besides the frames."""
        return chosen.note()

    def recall(self, store: FrameStore, note: dict[str, Any]) -> Chosen:
        """Return how a finished stretch was derained; the unit is that of each stretch by itself."""
        return Chosen(note["angle"], timed=None if note["timed"] is None else recalled(store, note["timed"]))


def _angle(store: FrameStore, settings: NetworkSettings, before: float | None) -> float | None:
    """Return the angle of all frames of a stretch; found, it comes half-way from the one before."""
    wish = checked_angle(settings.angle, settings.network)
    if isinstance(wish, float):
        return wish
    if isinstance(wish, tuple):
        raise ValueError(f"several angles are for photographs; a video takes one, got {len(wish)}")
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
