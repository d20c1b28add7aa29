"""Make pairs of one video, window after window, and note each finished window, so that a killed run goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from data_tools.build.marks import Mark, mark_of, mark_of_pair
from data_tools.build.notes import VideoResult, Window, note_result, note_window, noted_result, noted_window
from data_tools.build.pairs import ChosenFrame, choose_crops, choose_frames
from data_tools.build.plan import VideoJob
from data_tools.build.settings import BuildSettings
from data_tools.manifest.paths import checksum, resolve_path
from data_tools.manifest.record import PairRecord
from data_tools.verify.fingerprints import fingerprint
from rainopt.app.task import error_message
from rainopt.image import frame_luminance, quantise
from rainopt.io import write_image
from rainopt.io.video.read import Video, VideoFrame, open_video
from rainopt.video.adaptive_background import Settled, settle
from rainopt.video.frames import FrameStore
from rainopt.video.quality import Acceptance
from rainopt.video.scenes import split_scenes

Progress = Callable[[float], None]


def build_video(job: VideoJob, progress: Progress | None = None) -> VideoResult:
    """Make pairs of one video and write their files; never raises for a bad video.

    Windows that an earlier run finished are not done again. The result depends on nothing but the job.
    """
    windows: list[Window] = []
    try:
        finished = noted_result(job)
        if finished is not None:
            return finished
        reader = _Reader(open_video(job.source), progress)
        for number, scene in enumerate(split_scenes(reader)):
            first = _from(scene)
            while first is not None:
                window = noted_window(job, first.index)
                if window is None:
                    window = _window(job, first, scene, number)
                    note_window(job, window)
                windows.append(window)
                first = _from(scene, window.next, first.time + Fraction(str(job.settings.every)))
        result = VideoResult(job.name, str(job.source), tuple(windows), reader.count, reader.video.lost)
        note_result(job, result)
        return result
    # One bad video must leave the others to be done.
    except Exception as error:
        message = error_message(error, job.source, job.folder / job.name)
        return VideoResult(job.name, str(job.source), tuple(windows), error=message)


class _Reader:
    """The frames of a video, counted."""

    def __init__(self, video: Video, progress: Progress | None) -> None:
        self.video, self._progress, self.count = video, progress, 0

    def __iter__(self) -> Iterator[VideoFrame]:
        for frame in self.video.frames():
            self.count += 1
            if self._progress and self.video.declared:
                self._progress(min(self.count / self.video.declared, 1.0))
            yield frame


def _from(scene: Iterator[VideoFrame], number: int = 0, seconds: Fraction = Fraction(0)) -> VideoFrame | None:
    """Return the first frame of a scene, from a number and a time on, of which the decoder has invented nothing."""
    whole = (frame for frame in scene if not frame.patched)
    return next((frame for frame in whole if frame.index >= number and frame.time >= seconds), None)


def _window(job: VideoJob, first: VideoFrame, scene: Iterator[VideoFrame], number: int) -> Window:
    settings, read = job.settings, first.index

    def watched() -> Iterator[VideoFrame]:
        nonlocal read
        for frame in chain([first], scene):
            read = frame.index
            yield frame

    with FrameStore() as store:
        settled = settle(watched(), store, most=settings.most, accept=settings.accept, stabilise=settings.stabilise)
        worth = settled.acceptance
        facts: dict[str, Any] = {
            "start": first.index,
            # Also behind frames that were refused: what follows must not depend on whether this window was noted.
            "next": read + 1,
            "scene": number,
            "frames": len(store),
            "expected_psnr": round(worth.expected_psnr, 2),
            "static": settled.static,
        }
        if not worth.reaches(settings.accept):
            reason = _shortfall(worth, len(store), settings)
            return Window(**facts, accepted=False, reason=reason)
        if worth.angle is None:
            return Window(**facts, accepted=False, reason="no rain is seen in the frames")
        mark = mark_of(settled, store)
        facts |= {"sharpness": round(mark.sharpness, 3), "drift": round(worth.drift, 3)}
        if mark.status == "refused":
            return Window(**facts, accepted=False, reason="; ".join(mark.doubts))
        chosen, left_out = choose_frames(settled, store, settings.pairs)
        if not chosen:
            return Window(**facts, accepted=False, reason="; ".join(left_out[:1]) or "no frame")
        records = _write_pairs(job, settled, store, chosen, mark, first, number)
        if not records:
            return Window(**facts, accepted=False, reason=f"no crop of {settings.crop} pixels can be trusted")
        grey = frame_luminance(settled.estimate.image)
        return Window(
            **facts,
            accepted=True,
            fingerprint=fingerprint(grey) or 0,
            records=tuple(record.model_dump() for record in records),
        )


def _shortfall(worth: Acceptance, frames: int, settings: BuildSettings) -> str:
    """Say why a background was not taken."""
    if worth.expected_psnr >= settings.accept:
        return f"only {100 * worth.valid:.0f} % of the pixels can be trusted: too much moves, or rain hides too much"
    count = f"{frames} frame{'s' if frames != 1 else ''}"
    few = f"only {count}" if frames < settings.most else f"{count} do not suffice"
    return f"expected {worth.expected_psnr:.1f} dB of {settings.accept:g} ({few})"


def _write_pairs(
    job: VideoJob,
    settled: Settled,
    store: FrameStore,
    chosen: list[ChosenFrame],
    mark: Mark,
    first: VideoFrame,
    number: int,
) -> list[PairRecord]:
    settings, height, width = job.settings, *settled.valid.shape
    window = f"{first.index:06}"
    clean = quantise(settled.estimate.image, store.dtype)
    parts = {"": (slice(0, height), slice(0, width))}
    if settings.crop is not None:
        corners = choose_crops(settled, settings.crop, settings.crops)
        parts = {
            f"_{top}_{left}": (slice(top, top + settings.crop), slice(left, left + settings.crop))
            for top, left in corners
        }
    records = []
    for suffix, part in parts.items():
        names = {"clean": f"clean/{job.name}/{window}{suffix}.png"}
        digests = {names["clean"]: _write(job, names["clean"], clean[part])}
        for frame in chosen:
            number_in_video = settled.numbers[frame.place]
            stem = f"{job.name}/{window}_{number_in_video:06}{suffix}"
            names |= {"rainy": f"rainy/{stem}.png", "valid": f"valid/{stem}.png"}
            valid = frame.valid[part]
            sums = digests | {
                names["rainy"]: _write(job, names["rainy"], store[frame.place][part]),
                names["valid"]: _write(job, names["valid"], valid.astype(np.uint8) * 255),
            }
            worth = settled.acceptance
            own = mark_of_pair(mark, frame.expected_psnr, settings.accept)
            records.append(
                PairRecord(
                    id=stem,
                    rainy=names["rainy"],
                    clean=names["clean"],
                    scene=f"{job.name}/{number:03}",
                    licence=settings.licence,
                    source=Path(os.path.realpath(job.source)).name.encode(errors="replace").decode(),
                    checksums=sums,
                    angle=None if worth.angle is None else round(worth.angle, 2),
                    # Fields that only datasets built of videos have.
                    valid=names["valid"],
                    valid_share=round(float(np.mean(valid)), 5),
                    frame=number_in_video,
                    rain_share=round(frame.rain, 6),
                    expected_psnr=round(frame.expected_psnr, 2),
                    background_psnr=round(worth.expected_psnr, 2),
                    status=own.status,
                    doubts=list(own.doubts),
                    sharpness=round(mark.sharpness, 3),
                    drift=round(worth.drift, 3),
                    percentile=settled.estimate.percentile,
                    background_frames=len(store),
                    stabilised=not settled.static,
                    **_aligned(settled, frame.place),
                )
            )
    return records


def _aligned(settled: Settled, place: int) -> dict[str, Any]:
    """Return what maps (x, y) of a pair to (x, y) of the frame of the video, where the frame was aligned."""
    return {"alignment": settled.alignments[place].matrix.tolist()} if settled.alignments else {}


def _write(job: VideoJob, name: str, image: np.ndarray) -> str:
    place = resolve_path(job.folder, name)
    place.parent.mkdir(parents=True, exist_ok=True)
    return checksum(write_image(place, image))
