"""Notes of the work on a video: which windows are finished, so that a run that was killed goes on."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from data_tools.build.plan import NOTES, VideoJob
from data_tools.manifest.record import PairRecord
from rainopt.io.atomic import replacing


@dataclass(frozen=True)
class Window:
    """Outcome of the frames from one number on.

    Attributes
    ----------
    start : int
        Number of the first frame.
    next : int
        Number of the frame after the last one read.
    scene : int
        Number of the scene.
    frames : int
        Frames that the background was made of.
    accepted : bool
        Whether pairs, or a sequence, were made of them.
    expected_psnr : float
        Decibels that the background is expected to have.
    static : bool
        Whether the camera stood still.
    sharpness, drift : float
        Of the background beside the frames, and pixels by which these seem to lie astray; see `data_tools.build.marks`.
    reason : str
        Why no pairs were made; where sequences were, why not of all the frames.
    fingerprint : int
        Fingerprint of the background; 0 for a flat one.
    records : tuple of dict
        The records of the pairs, or of the frames of sequences.
    also : tuple of int
        Fingerprints of further backgrounds, where there are several sequences.
    """

    start: int
    next: int
    scene: int
    frames: int
    accepted: bool
    expected_psnr: float
    static: bool
    sharpness: float = 1.0
    drift: float = 0.0
    reason: str = ""
    fingerprint: int = 0
    records: tuple[dict[str, Any], ...] = ()
    also: tuple[int, ...] = ()

    @property
    def fingerprints(self) -> set[int]:
        """Those of all its backgrounds that are not flat."""
        return {self.fingerprint, *self.also} - {0}


@dataclass(frozen=True)
class VideoResult:
    """Outcome of a video; `error` ended it, `lost` tells of frames that could not be decoded."""

    name: str
    source: str
    windows: tuple[Window, ...] = ()
    frames: int = 0
    lost: str | None = None
    error: str | None = None

    @property
    def records(self) -> list[PairRecord]:
        """All pairs, or frames of sequences."""
        return [PairRecord.parse(values) for window in self.windows for values in window.records]


def note_window(job: VideoJob, window: Window) -> None:
    """Note that a window is finished and its files are written."""
    values = asdict(window)
    if not window.also:
        del values["also"]
    _write(job, f"{window.start:06}", values)


def note_result(job: VideoJob, result: VideoResult) -> None:
    """Note that all windows of a video are finished."""
    starts = [window.start for window in result.windows]
    _write(job, "video", {"windows": starts, "frames": result.frames, "lost": result.lost})


def note_source(job: VideoJob) -> None:
    """Note where the video lies, unless it is found where an earlier run has noted it."""
    before = noted_source(job.folder, job.name)
    if before is None or not before.exists():
        _write(job, "source", {"source": os.path.realpath(job.source)})


def noted_source(folder: Path, name: str) -> Path | None:
    """Return where the video of a name was when it was worked on; it may be gone since."""
    source = (_read(folder / NOTES / name / "source.json") or {}).get("source")
    return Path(source) if isinstance(source, str) and source else None


def noted_window(job: VideoJob, start: int) -> Window | None:
    """Return a window that an earlier run finished, if all its files are there."""
    window = _window_of(_read(_file(job, f"{start:06}")))
    if window is None:
        return None
    files = [path for record in window.records for path in record["checksums"]]
    return window if all((job.folder / path).is_file() for path in files) else None


def noted_result(job: VideoJob) -> VideoResult | None:
    """Return the result of a video that an earlier run finished, if all its files are there."""
    finished = _read(_file(job, "video"))
    if finished is None or not {"windows", "frames", "lost"} <= finished.keys():
        return None
    windows = [noted_window(job, start) for start in finished["windows"]]
    whole = tuple(window for window in windows if window is not None)
    if len(whole) < len(windows):
        return None
    return VideoResult(job.name, str(job.source), whole, finished["frames"], finished["lost"])


def noted_fingerprints(folder: Path) -> set[tuple[str, int]]:
    """Return name and fingerprint of all windows that gave pairs, also of videos of earlier runs."""
    found = set()
    for file in (folder / NOTES).glob("*/*.json"):
        window = _window_of(_read(file))
        if window is not None:
            found |= {(file.parent.name, one) for one in window.fingerprints}
    return found


def _file(job: VideoJob, name: str) -> Path:
    return job.folder / NOTES / job.name / f"{name}.json"


def _write(job: VideoJob, name: str, values: dict[str, Any]) -> None:
    file = _file(job, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file, True) as out:
        out.write(json.dumps(values).encode())
        out.flush()
        os.fsync(out.fileno())


def _read(file: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None  # not done, or half written by a disk that lied: done again
    return values if isinstance(values, dict) else None


def _window_of(values: dict[str, Any] | None) -> Window | None:
    try:
        if values is None:
            return None
        return Window(**{**values, "records": tuple(values["records"]), "also": tuple(values.get("also", ()))})
    except (KeyError, TypeError):
        return None  # notes of a video, or of another version
