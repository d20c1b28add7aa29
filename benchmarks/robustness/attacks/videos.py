"""Mutated video files, read to their end."""

from __future__ import annotations

import itertools
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.robustness.attacks.pictures import changed_picture
from benchmarks.robustness.case import Case
from benchmarks.robustness.corpus import pictures, videos
from benchmarks.robustness.mutations import mutated
from benchmarks.robustness.structure import restructured

MOST = 60  # frames; the clips have six


def video_read(random: Random) -> Case:
    """Return a mutated video file to be read."""
    from rainopt import open_video
    from rainopt.io.video.common import VideoError

    seeds = videos()
    name = random.choice(sorted(seeds))
    data = seeds[name]
    if random.random() < 0.5:
        data = restructured(data, random)
    if random.random() < 0.5 or data == seeds[name]:
        data = mutated(data, random, list(seeds.values()))
    file = f"clip{Path(name).suffix}"

    def call(folder: Path) -> Any:
        return _frames(open_video(folder / file))

    return Case(f"open_video({name} changed)", call, (VideoError,), {file: data}, file, _rising)


def folder_read(random: Random) -> Case:
    """Return a folder of images, some of them mutated, to be read as a video."""
    from rainopt import open_video
    from rainopt.io.video.common import VideoError

    good = sorted(pictures())
    files = {}
    for k in range(random.choice((1, 2, 3))):
        name, data = changed_picture(random) if random.random() < 0.5 else (good[0], pictures()[good[0]])
        files[f"clip/{k}{Path(name).suffix}"] = data

    def call(folder: Path) -> Any:
        return _frames(open_video(folder / "clip"))

    return Case("open_video(folder of images)", call, (VideoError,), files, "clip", _rising)


def _frames(video: Any) -> list[Any]:
    return [(frame.time, frame.pixels.dtype, frame.pixels.shape) for frame in video.frames(stop=MOST)]


def _rising(frames: list[Any]) -> str | None:
    """Say what is wrong with frames that were read."""
    times = [time for time, _, _ in frames]
    if any(b <= a for a, b in itertools.pairwise(times)):
        return f"times do not rise: {[float(t) for t in times][:8]}"
    kinds = {(dtype, shape) for _, dtype, shape in frames}
    if len(kinds) > 1 or any(dtype not in (np.uint8, np.uint16) or len(shape) != 3 for dtype, shape in kinds):
        return f"frames are {kinds}"
    return None
