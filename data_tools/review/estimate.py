"""Estimate the background of a window again, with more frames: beside the old one, which stays as it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from data_tools.build.notes import Window
from data_tools.build.pair_window import pair_window
from data_tools.build.plan import VideoJob
from data_tools.build.settings import BuildSettings
from data_tools.build.video import frame_from
from data_tools.manifest.file import MANIFEST_NAME, write_manifest
from data_tools.manifest.record import ManifestHeader, PairRecord
from rainopt.io.claim import claimed
from rainopt.io.video.read import VideoFrame, open_video
from rainopt.video.scenes import split_scenes


class EstimateError(ValueError):
    """There is no better background; the message says why."""


@dataclass(frozen=True)
class Task:
    """A window whose background is to be estimated again.

    Attributes
    ----------
    source, name
        The video, and its name in the dataset.
    start
        Number of the first frame.
    frames
        How many the last estimate was made of.
    more
        How often somebody has asked for more.
    corners
        Of the crops, (top, left) each.
    settings
        Of the dataset.
    place
        Folder of the result.
    """

    source: Path
    name: str
    start: int
    frames: int
    more: int
    corners: tuple[tuple[int, int], ...]
    settings: BuildSettings
    place: Path


def estimate_again(task: Task, report: Callable[[float, str], None]) -> None:
    """Do a task that nobody has done yet, and report the share that is done; its manifest is written last.

    Raises
    ------
    EstimateError
        If the video holds no more frames of the scene, or the new background is refused.
    ClaimedError
        If another process does it.
    ValueError, OSError
        If the video cannot be read, or the disk is full.

    Notes
    -----
    Source: Wang et al. 2019, Sec. 3.1: 10, 20 or 50 frames more each time that a person rejects a background.
    """
    task.place.parent.mkdir(parents=True, exist_ok=True)
    with claimed(task.place.with_name(f".{task.place.name}.lock"), task.place):
        if (task.place / MANIFEST_NAME).exists():
            return  # another server has done it meanwhile
        # Of a run that was killed; without its manifest it counts for nothing.
        shutil.rmtree(task.place, ignore_errors=True)
        try:
            window = _window(task, report)
            if not window.accepted:
                raise EstimateError(f"the new background was refused: {window.reason}")
            if window.frames <= task.frames:
                raise EstimateError(f"the scene has no more than the {task.frames} frames that were used")
        except BaseException:
            shutil.rmtree(task.place, ignore_errors=True)
            raise
        records = [PairRecord.parse(values) for values in window.records]
        note = {"again": {"video": task.name, "start": task.start, "more": task.more, "frames": window.frames}}
        write_manifest(task.place, records, ManifestHeader.parse(note))


def _window(task: Task, report: Callable[[float, str], None]) -> Window:
    video = open_video(task.source)

    def read() -> Iterator[VideoFrame]:
        for frame in video.frames():
            if frame.index < task.start and frame.index % 50 == 0:
                report(0.0, f"at frame {frame.index} of {task.start}")
            yield frame

    def taken(share: float) -> None:
        report(share, "")

    job = VideoJob(task.source, task.name, task.place, task.settings)
    for number, scene in enumerate(split_scenes(read())):
        first = frame_from(scene, task.start)
        if first is not None and first.index == task.start:
            return pair_window(
                job, task.settings, first, scene, number, more=task.more, corners=task.corners, progress=taken
            )
        if first is not None:
            break
    raise EstimateError(f"'{task.source}' holds no frame {task.start} that is whole")
