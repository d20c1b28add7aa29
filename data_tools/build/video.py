"""One video made into pairs, window after window; what is done of it is noted so that a killed run goes on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from data_tools.build.pairs import choose_crops, choose_frames
from data_tools.build.plan import NOTES, BuildOptions, VideoJob
from data_tools.manifest.paths import checksum, resolve_path
from data_tools.manifest.record import PairRecord
from data_tools.verify.pair_checks import fingerprint
from rainopt.app.task import error_message
from rainopt.image import frame_luminance, quantise
from rainopt.io import write_image
from rainopt.io.atomic import replacing
from rainopt.io.video.read import Video, VideoFrame, open_video
from rainopt.video.adaptive_background import Settled, settle
from rainopt.video.frames import FrameStore
from rainopt.video.quality import Acceptance
from rainopt.video.scenes import split_scenes

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Window:
    """What became of the frames from one number on; ``accepted`` False says that no pairs were made of them.

    ``next`` is the number of the frame after the last one read, ``fingerprint`` of the background, 0 for a flat one.
    """

    start: int
    next: int
    scene: int
    frames: int
    accepted: bool
    expected_psnr: float
    static: bool
    reason: str = ""
    fingerprint: int = 0
    records: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class VideoResult:
    """What became of a video; ``error`` ends it, ``lost`` tells of frames that could not be decoded."""

    name: str
    source: str
    windows: tuple[Window, ...] = ()
    frames: int = 0
    lost: str | None = None
    error: str | None = None

    @property
    def records(self) -> list[PairRecord]:
        """All pairs."""
        return [PairRecord.parse(values) for window in self.windows for values in window.records]


def build_video(job: VideoJob, progress: Progress | None = None) -> VideoResult:
    """Make pairs of one video and write their files; never raises for a bad video.

    Windows that an earlier run finished are not done again. The result depends on nothing but the job.
    """
    windows: list[Window] = []
    try:
        finished = _read_notes(job, "video")
        if finished is not None and {"windows", "frames", "lost"} <= finished.keys():
            noted = [_noted(job, start) for start in finished["windows"]]
            windows = [window for window in noted if window is not None]
            if len(windows) == len(noted):
                return VideoResult(job.name, str(job.source), tuple(windows), finished["frames"], finished["lost"])
        windows = []
        reader = _Reader(open_video(job.source), progress)
        for number, scene in enumerate(split_scenes(reader)):
            first = next(scene, None)
            while first is not None:
                window = _noted(job, first.index)
                if window is None:
                    window = _window(job, first, scene, number)
                    _write_notes(job, f"{first.index:06}", asdict(window))
                windows.append(window)
                first = _from(scene, window.next, first.time + Fraction(str(job.options.every)))
        starts, lost = [window.start for window in windows], reader.video.lost
        _write_notes(job, "video", {"windows": starts, "frames": reader.count, "lost": lost})
        return VideoResult(job.name, str(job.source), tuple(windows), reader.count, lost)
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


def _from(scene: Iterator[VideoFrame], number: int, seconds: Fraction) -> VideoFrame | None:
    """Return the first frame of a scene from a number and a time on."""
    return next((frame for frame in scene if frame.index >= number and frame.time >= seconds), None)


def _window(job: VideoJob, first: VideoFrame, scene: Iterator[VideoFrame], number: int) -> Window:
    options, read = job.options, first.index

    def watched() -> Iterator[VideoFrame]:
        nonlocal read
        for frame in chain([first], scene):
            read = frame.index
            yield frame

    with FrameStore() as store:
        settled = settle(watched(), store, most=options.most, accept=options.accept, stabilise=options.stabilise)
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
        if not worth.reaches(options.accept):
            reason = _shortfall(worth, len(store), options)
            return Window(**facts, accepted=False, reason=reason)
        if worth.angle is None:
            return Window(**facts, accepted=False, reason="no rain is seen in the frames")
        chosen, left_out = choose_frames(settled, store, options.pairs)
        if not chosen:
            return Window(**facts, accepted=False, reason="; ".join(left_out[:1]) or "no frame")
        records = _write_pairs(job, settled, store, chosen, first, number)
        if not records:
            return Window(**facts, accepted=False, reason=f"no crop of {options.crop} pixels can be trusted")
        grey = frame_luminance(settled.estimate.image)
        return Window(
            **facts,
            accepted=True,
            fingerprint=fingerprint(grey) or 0,
            records=tuple(record.model_dump() for record in records),
        )


def _shortfall(worth: Acceptance, frames: int, options: BuildOptions) -> str:
    """Say why a background was not taken."""
    if worth.expected_psnr >= options.accept:
        return f"only {100 * worth.valid:.0f} % of the pixels can be trusted: too much moves, or rain hides too much"
    count = f"{frames} frame{'s' if frames != 1 else ''}"
    few = f"only {count}" if frames < options.most else f"{count} do not suffice"
    return f"expected {worth.expected_psnr:.1f} dB of {options.accept:g} ({few})"


def _write_pairs(
    job: VideoJob, settled: Settled, store: FrameStore, chosen: list[Any], first: VideoFrame, number: int
) -> list[PairRecord]:
    options, height, width = job.options, *settled.valid.shape
    window = f"{first.index:06}"
    clean = quantise(settled.estimate.image, store.dtype)
    parts = {"": (slice(0, height), slice(0, width))}
    if options.crop is not None:
        corners = choose_crops(settled, options.crop, options.crops)
        parts = {
            f"_{top}_{left}": (slice(top, top + options.crop), slice(left, left + options.crop))
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
            records.append(
                PairRecord(
                    id=stem,
                    rainy=names["rainy"],
                    clean=names["clean"],
                    scene=f"{job.name}/{number:03}",
                    licence=options.licence,
                    source=Path(os.path.realpath(job.source)).name.encode(errors="replace").decode(),
                    checksums=sums,
                    angle=None if worth.angle is None else round(worth.angle, 2),
                    # What no other kind of dataset has.
                    valid=names["valid"],
                    valid_share=round(float(np.mean(valid)), 5),
                    frame=number_in_video,
                    rain_share=round(frame.rain, 6),
                    expected_psnr=round(worth.expected_psnr, 2),
                    percentile=settled.estimate.percentile,
                    background_frames=len(store),
                    stabilised=not settled.static,
                )
            )
    return records


def _write(job: VideoJob, name: str, image: np.ndarray) -> str:
    place = resolve_path(job.folder, name)
    place.parent.mkdir(parents=True, exist_ok=True)
    return checksum(write_image(place, image))


def _notes_file(job: VideoJob, name: str) -> Path:
    return job.folder / NOTES / job.name / f"{name}.json"


def _write_notes(job: VideoJob, name: str, values: dict[str, Any]) -> None:
    file = _notes_file(job, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file, True) as out:
        out.write(json.dumps(values).encode())
        out.flush()
        os.fsync(out.fileno())


def _read_notes(job: VideoJob, name: str) -> dict[str, Any] | None:
    return _read_json(_notes_file(job, name))


def _read_json(file: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None  # not done, or half written by a disk that lied: done again
    return values if isinstance(values, dict) else None


def _window_of(values: dict[str, Any] | None) -> Window | None:
    try:
        return None if values is None else Window(**{**values, "records": tuple(values["records"])})
    except (KeyError, TypeError):
        return None  # of a video, or of another version


def noted_fingerprints(folder: Path) -> set[tuple[str, int]]:
    """Return name and fingerprint of all windows that gave pairs, also of videos of earlier runs."""
    found = set()
    for file in (folder / NOTES).glob("*/*.json"):
        window = _window_of(_read_json(file))
        if window is not None and window.fingerprint:
            found.add((file.parent.name, window.fingerprint))
    return found


def _noted(job: VideoJob, start: int) -> Window | None:
    """Return a window that an earlier run finished, if all its files are there."""
    window = _window_of(_read_notes(job, f"{start:06}"))
    if window is None:
        return None
    files = [path for record in window.records for path in record["checksums"]]
    return window if all((job.folder / path).is_file() for path in files) else None
