"""One frame of a video before and after, as one picture: what a run over the whole would give, in seconds."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rainopt.app.compare import side_by_side, taken
from rainopt.app.keep import put_back
from rainopt.app.results import OutputSettings, results_of, wanted_of
from rainopt.app.stretches import stretches_of
from rainopt.app.task import NO_RAIN, FileRecord, error_message, writing_alone
from rainopt.app.video import refuse_of_images
from rainopt.io import write_image
from rainopt.io.video.cut import CutVideo
from rainopt.io.video.read import VideoError, VideoFrame
from rainopt.io.video.span import Moment
from rainopt.video.frames import FrameStore

JUMP = 30
"""Seconds that are rather decoded than jumped over, since frames are numbered surely then."""


@dataclass(frozen=True)
class PreviewRecord(FileRecord):
    """What was shown of one video: its ``frame`` of that number at ``time``, in seconds.

    ``angle`` is that of the strongest rain of its stretch, None where none was seen.
    """

    frame: int | None = None
    time: float | None = None
    angle: float | None = None
    height: int | None = None
    width: int | None = None
    seconds: float | None = None

    def line(self) -> str:
        """Return the picture and what it shows."""
        rain = f"{NO_RAIN}, left as it is" if self.angle is None else f"rain at {self.angle:+.1f}°"
        return f"{self.input} → {self.output}  frame {self.frame} at {self.time:.2f} s; {rain}, {self.seconds:.1f} s"


class PreviewWork(Protocol):
    """What a preview asks of the work on a video."""

    @property
    def length(self) -> int:
        """Most frames of a stretch."""

    @property
    def around(self) -> int:
        """How many frames on each side may help to derain one."""

    def choose(self, store: FrameStore, before: Any) -> Any:
        """Return how the frames of a stretch are derained, after one that was derained as ``before`` says, or None."""

    def part(self, chosen: Any, frames: slice | None) -> Any:
        """Return how some of the frames of a stretch are derained by themselves; None are frames that follow later."""

    def derained(self, store: FrameStore, chosen: Any, wanted: Collection[int] | None = None) -> Iterator[np.ndarray]:
        """Yield frames without their rain, of those ``wanted`` if that is given; the others only help."""

    def angle(self, chosen: Any) -> float | None:
        """Return the angle of the strongest rain, None where none was seen."""


def video_to_preview(
    source: Path,
    target: Path,
    moment: Moment,
    output: OutputSettings,
    of_images: Mapping[str, bool],
    work: PreviewWork,
) -> PreviewRecord:
    """Derain one frame of a video, and write it before and after, and its rain; never raises for a bad file.

    ``of_images`` are options that mean nothing for a video, and whether they were given.
    """
    begin = time.perf_counter()
    try:
        wanted = wanted_of(results_of(target, output), output.overwrite)
        if not wanted:
            return PreviewRecord(str(source), str(target), "skipped")
        refuse_of_images(of_images)
        video = CutVideo(source, output.span, output.folders)
        kept = output.keep.pixels(video.height, video.width, source)
        # A little of what is before the stretch ahead of its own, so that nothing depends on where a jump lands.
        early = moment.at(video.rate) - (2 * work.length + 1) / video.rate
        if early > JUMP:
            video.skip_to(early)
        with writing_alone(target):
            frame, clean, angle = shown(video, video.number_of(moment), work)
            clean = put_back(clean, frame.pixels, kept)
            sheet = side_by_side(frame.pixels, clean, taken(frame.pixels, clean))
            write_image(target, sheet, overwrite=output.overwrite)
        return PreviewRecord(
            str(source),
            str(target),
            "ok",
            frame=video.first + frame.index,
            time=round(float(video.between[0] + frame.time), 4),
            angle=None if angle is None else round(angle, 2),
            height=video.height,
            width=video.width,
            seconds=round(time.perf_counter() - begin, 3),
        )
    # Anything that goes wrong with one video must leave the others to be done.
    except Exception as error:
        return PreviewRecord(str(source), str(target), "failed", error=error_message(error, source, target))


def shown(video: CutVideo, number: int, work: PreviewWork) -> tuple[VideoFrame, np.ndarray, float | None]:
    """Return a frame of a video, what it is derained, and the angle of its rain.

    Its stretch, and the one before, are looked at; stretches are taken to begin as they do where there is no cut. So a
    frame of the first two comes out as in the whole video; farther on, the direction may differ by what it would have
    remembered of earlier ones.
    """
    begin = number // work.length * work.length
    frames = video.frames(max(0, begin - work.length), begin + 2 * work.length)
    last, before = -1, None
    for scene, stretch in stretches_of(frames, work.length):
        before, last = (before if scene == last else None), scene
        with FrameStore() as store:
            times = []
            for frame in stretch:
                store.append(frame.pixels)
                times.append(frame.time)
            chosen = work.choose(store, before)
            at = number - (frame.index - len(times) + 1)
            if at >= len(times):
                before = chosen
                continue
            low = max(0, at - work.around)
            with FrameStore() as near:
                for k in range(low, min(at + work.around + 1, len(times))):
                    near.append(store[k])
                clean = next(work.derained(near, work.part(chosen, slice(low, low + len(near))), [at - low]))
                return VideoFrame(number, times[at], store[at].copy()), np.array(clean), work.angle(chosen)
    raise VideoError(f"'{video.path}' has no frame {number}; choose another moment")
