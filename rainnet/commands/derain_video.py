"""One video from file to file, through a network: one angle for each stretch, so that nothing flickers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rainnet.commands.derain_options import Options, network
from rainnet.infer.angle import SOLVER, checked_angle, middle_angle
from rainnet.infer.derain import derain, find_angle
from rainopt.app.task import Progress
from rainopt.commands.derain_video import VideoRecord, in_stretches, part_writer, video_to_video
from rainopt.direction.estimate import PRESENT, estimate_angle
from rainopt.geometry.lines import line_angle
from rainopt.image import quantise
from rainopt.io.video.read import Video, VideoFrame
from rainopt.video.frames import FrameStore
from rainopt.video.settings import PARALLEL
from rainopt.video.stretches import FOLLOW

# Frames of a stretch: what has one angle, and is lost at most when a run is stopped; seconds a frame are usual without
# a GPU.
STRETCH = 40
# Frames of a stretch whose angles are found; their median counts.
SAMPLES = 7


def derain_video_file(source: Path, target: Path, options: Options, progress: Progress | None = None) -> VideoRecord:
    """Derain one video and write it with its time stamps and its sound; never raises for a bad file.

    A run that was stopped goes on with the first stretch that is missing.
    """
    of_images = {"--save-rain": options.save_rain}
    return video_to_video(source, target, options, of_images, lambda video: _derain(video, target, options, progress))


def _derain(video: Video, target: Path, options: Options, progress: Progress | None) -> dict[str, Any]:
    def treat(frames: Iterator[VideoFrame], file: Path, before: float | None) -> tuple[dict[str, Any], float | None]:
        note = _stretch(video, frames, file, options, before, progress)
        return note, note["angle"]

    def recall(frames: Iterator[VideoFrame], note: dict[str, Any]) -> float | None:
        return note["angle"]

    stat = options.model.stat()
    settings = {
        "model": [str(options.model.resolve()), stat.st_size, stat.st_mtime_ns],
        "angle": checked_angle(options.angle, network(options.model, options.device)),
        "polish": options.polish,
        "ensemble": options.ensemble,
        "crf": options.crf,
    }
    done = in_stretches(video, target, settings, STRETCH, treat, recall, options.overwrite)
    if progress:
        progress(1.0)
    return done.facts()


def _stretch(
    video: Video,
    frames: Iterator[VideoFrame],
    file: Path,
    options: Options,
    before: float | None,
    progress: Progress | None,
) -> dict[str, Any]:
    """Derain one stretch into a file, after one with the angle ``before``; returns what is noted about it."""
    net = network(options.model, options.device)
    with FrameStore() as store:
        times = []
        for frame in frames:
            store.append(frame.pixels)
            times.append((frame.index, frame.time))
        angle = _angle(store, options, before)
        with part_writer(video, file, options.crf) as writer:
            for (index, at), pixels in zip(times, store, strict=True):
                result = derain(
                    net,
                    pixels,
                    angle=angle,
                    tile=options.tile,
                    device=options.device,
                    batch=options.batch,
                    polish=options.polish,
                    ensemble=options.ensemble,
                )
                writer.write(np.asarray(quantise(result.background, pixels.dtype)), at)
                if progress and video.declared:
                    progress(min((index + 1) / video.declared, 0.99))
        return {"first": times[0][0], "frames": len(store), "angle": angle}


def _angle(store: FrameStore, options: Options, before: float | None) -> float | None:
    """Return the angle of all frames of a stretch; found, it comes half-way from the one before."""
    net = network(options.model, options.device)
    wish = checked_angle(options.angle, net)
    if isinstance(wish, float):
        return wish
    numbers = sorted({round(k) for k in np.linspace(0, len(store) - 1, SAMPLES)})

    def found(by: str) -> list[float]:
        if by == SOLVER:
            return _seen_by_solver([store[number] for number in numbers], before)
        angles = [find_angle(net, store[number], by=by, device=options.device) for number in numbers]
        return [angle for angle in angles if angle is not None]

    # The solver needs an angle even where the network needs none.
    known = (found(wish) if wish else []) or (found(SOLVER) if options.polish else [])
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
