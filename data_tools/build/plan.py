"""Which videos a dataset is built from, and what each is called in it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from data_tools.build.settings import VideoSettings
from rainopt.app.kinds import VIDEOS
from rainopt.app.search import find
from rainopt.io.video.folder import files_of

PROBE_BYTES = 1 << 20  # read at each end of a file, to make its name
NAME_BYTES = 80
NOTES = ".build"  # folder in the dataset that says what is done, with a folder for each video


@dataclass(frozen=True)
class VideoJob:
    """One video that pairs or sequences are to be made of."""

    source: Path
    name: str  # its name in the dataset, made of its content, so that a video that was moved keeps it
    folder: Path
    settings: VideoSettings


@dataclass(frozen=True)
class Plan:
    """Videos to work on, and sentences about inputs that are no videos or come twice."""

    jobs: tuple[VideoJob, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def plan_videos(inputs: Iterable[str | Path], folder: Path, settings: VideoSettings) -> Plan:
    """Find videos in files, folders and globs; a folder of images is a video. The same content is taken once.

    What an earlier run has named keeps its name, also if the file was renamed since.
    """
    named = {place.name.rpartition("-")[2]: place.name for place in sorted((folder / NOTES).glob("*"))}
    jobs: dict[str, VideoJob] = {}
    named_inputs = [os.fspath(one) for one in inputs]
    problems = ["'' names no video; is a variable unset?" for one in named_inputs if not one]
    found = find([one for one in named_inputs if one], folder, VIDEOS)
    notes = list(found.notes())
    inside = os.path.join(os.path.realpath(folder), "")
    for job in found.inputs:
        if job.problem is not None:
            problems.append(job.problem)
            continue
        if os.path.realpath(job.source).startswith(inside):
            continue
        try:
            name = video_name(job.source)
        except OSError as error:
            problems.append(f"'{job.source}' cannot be read ({error.strerror or error})")
            continue
        content = name.rpartition("-")[2]
        if content in jobs:
            notes.append(f"'{job.source}' is the same video as '{jobs[content].source}' and is taken once")
        else:
            jobs[content] = VideoJob(job.source, named.get(content, name), folder, settings)
    return Plan(tuple(sorted(jobs.values(), key=lambda job: job.name)), tuple(problems), tuple(notes))


def video_name(source: Path) -> str:
    """Return a name of a video by its file's name and content: two videos of one name differ, two copies of one do not.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    digest = hashlib.sha256()
    stem = source.stem
    if source.is_dir():
        stem = Path(os.path.realpath(source)).name
        files = files_of(source)
        for file in files:
            digest.update(f"{file.name}\0{file.stat().st_size}\0".encode(errors="surrogateescape"))
        ends = [files[0], files[-1]] if files else []
    else:
        ends = [source]
    for file in ends:
        size = file.stat().st_size
        digest.update(str(size).encode())
        with open(file, "rb") as content:
            digest.update(content.read(PROBE_BYTES))
            content.seek(max(size - PROBE_BYTES, 0))
            digest.update(content.read(PROBE_BYTES))
    # Replace what a path in a manifest may not hold and what file systems dislike.
    plain = re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", stem.encode(errors="replace").decode()).strip(". ") or "video"
    short = plain.encode()[:NAME_BYTES].decode(errors="ignore")
    return f"{short}-{digest.hexdigest()[:10]}"
