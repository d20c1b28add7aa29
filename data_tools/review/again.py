"""The work on "more frames": what is wanted, what is done, one window at a time in a process of its own."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_tools.build.settings import BuildSettings
from data_tools.decisions.board import Board
from data_tools.decisions.rounds import MOST, read_round, round_folder, rounds_of, window_of
from data_tools.decisions.scenes import Scene
from data_tools.manifest.file import MANIFEST_NAME
from data_tools.review.dataset import ReviewDataset
from data_tools.review.estimate import Task, estimate_again
from data_tools.review.sources import Sources
from rainopt.parallel.apart import Apart, ApartError

STEP = 0.3  # seconds between two reports
WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"


@dataclass
class _Job:
    """The next round of a window, and the scenes that wait for it."""

    place: Path
    number: int
    scenes: set[str]
    state: str = WAITING
    share: float = 0.0
    text: str = ""
    stamp: int = 0

    def told(self) -> dict[str, Any]:
        return {"state": self.state, "share": round(self.share, 3), "text": self.text}


class Again:
    """The rounds that reviewers of a dataset have asked for: done until `close`, and gone on with at the next start."""

    def __init__(self, dataset: ReviewDataset, board: Board, videos: Iterable[str] = ()) -> None:
        self._dataset, self._board = dataset, board
        self._sources = Sources(dataset.folder, videos)
        self._jobs: dict[Path, _Job] = {}
        self._running: tuple[_Job, Apart] | None = None
        self._count = 0
        self._ended = False
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self.look(board.scenes())

    def why_not(self, scene: Scene, number: int) -> str | None:
        """Return why a scene cannot be estimated again after a round, None if it can."""
        if window_of(scene) is None or not isinstance(self._dataset.header.extra.get("build"), dict):
            return "only backgrounds that `raindata build` has made of videos can be estimated again"
        if number >= MOST:
            return f"more frames were asked for {MOST} times already; accept the background, or reject it"
        return self._sources.find(scene.video)[1]

    def look(self, scenes: Iterable[str]) -> None:
        """Look again at what is wanted of some scenes: begin what is new, and give up what nobody wants any more."""
        with self._changed:
            for name in scenes:
                number = self._dataset.numbers.get(name)
                if number is not None:
                    self._look_at(self._dataset.scenes[number].scene)
            self._changed.notify_all()

    def _look_at(self, scene: Scene) -> None:
        asked = {one.round + 1 for one in self._board.opinions(scene.name) if one.verdict == "more"}
        if not (asked or self._jobs) or window_of(scene) is None:
            return
        wanted = {round_folder(self._dataset.folder, scene, k): k for k in asked if k <= MOST}
        there = rounds_of(self._dataset.folder, scene)
        for place, job in list(self._jobs.items()):
            if scene.name in job.scenes and place not in wanted:
                job.scenes.discard(scene.name)
                if not job.scenes:
                    del self._jobs[place]
                    if self._running is not None and self._running[0] is job:
                        self._running[1].give_up()
        for place, k in wanted.items():
            if k <= there:
                continue
            job = self._jobs.setdefault(place, _Job(place, k, set()))
            job.scenes.add(scene.name)
            if job.state == FAILED:
                self._tell(job, WAITING)
            if self._thread is None and not self._ended:
                self._thread = threading.Thread(target=self._work, name="more frames", daemon=True)
                self._thread.start()

    def state(self, scene: str) -> dict[str, Any] | None:
        """Return how far the work on a scene is that somebody has asked for; None without."""
        with self._changed:
            jobs = [job for job in self._jobs.values() if scene in job.scenes]
            if not jobs:
                return None
            job = max(jobs, key=lambda job: job.number)
            # Another server may have done it.
            if job.state == FAILED and (job.place / MANIFEST_NAME).is_file():
                self._tell(job, DONE, 1.0)
            return job.told()

    def news(self, since: int) -> tuple[int, dict[str, dict[str, Any]]]:
        """Return how much has been told until now, and what of it came after `since`, by scene."""
        with self._changed:
            # A number of another server, or of this one before it was begun anew.
            begin = since if since <= self._count else -1
            new = [job for job in self._jobs.values() if job.stamp > begin]
            return self._count, {scene: job.told() for job in new for scene in job.scenes}

    def close(self) -> None:
        """Give up what is at work; what was asked for stays asked for."""
        with self._changed:
            self._ended = True
            if self._running is not None:
                self._running[1].give_up()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _tell(self, job: _Job, state: str, share: float = 0.0, text: str = "") -> None:
        with self._changed:
            self._count += 1
            job.state, job.share, job.text, job.stamp = state, share, text, self._count

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._ended and not any(job.state == WAITING for job in self._jobs.values()):
                    self._changed.wait()
                if self._ended:
                    return
                job = next(job for job in self._jobs.values() if job.state == WAITING)
                try:
                    task = self._task(job)
                except (ValueError, OSError) as error:
                    self._tell(job, FAILED, text=str(error))
                    continue
                worker = Apart(estimate_again, task)
                self._running = job, worker
                self._tell(job, RUNNING)
            self._follow(job, worker)
            with self._changed:
                self._running = None

    def _follow(self, job: _Job, worker: Apart) -> None:
        last = 0.0

        def report(share: float, text: str) -> None:
            nonlocal last
            if time.monotonic() - last >= STEP:
                last = time.monotonic()
                self._tell(job, RUNNING, share, text)

        try:
            worker.watch(report)
        except ApartError as error:
            self._tell(job, FAILED, text=str(error))
        else:
            self._tell(job, DONE, 1.0)

    def _task(self, job: _Job) -> Task:
        """Return what is to be done for a job.

        Raises
        ------
        ValueError, OSError
            If it cannot be done; the message says why.
        """
        scene = self._dataset.scenes[self._dataset.numbers[min(job.scenes)]].scene
        window = window_of(scene)
        source, why = self._sources.find(scene.video)
        if window is None or source is None:
            raise ValueError(why)
        video, start, _ = window
        corners = []
        for listed in self._dataset.scenes:
            other = window_of(listed.scene)
            if other is not None and other[:2] == (video, start) and other[2]:
                top, left = other[2].strip("_").split("_")
                corners.append((int(top), int(left)))
        before = read_round(self._dataset.folder, scene, job.number - 1)
        frames = max((int(record.extra.get("background_frames", 0)) for record in before), default=0)
        settings: Any = self._dataset.header.extra["build"]
        place = Path(os.path.realpath(job.place))
        return Task(source, video, start, frames, job.number, tuple(sorted(corners)), BuildSettings(**settings), place)
