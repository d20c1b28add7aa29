"""Work on one video, window after window, and note each finished window, so that a killed run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from data_tools.build.notes import (
    VideoResult,
    Window,
    note_result,
    note_source,
    note_window,
    noted_result,
    noted_window,
)
from data_tools.build.pair_window import pair_window
from data_tools.build.plan import VideoJob
from data_tools.build.sequence_window import sequence_window
from data_tools.build.settings import SequenceSettings
from rainopt.app.task import error_message
from rainopt.io.video.read import Video, VideoFrame, open_video
from rainopt.video.scenes import split_scenes

Progress = Callable[[float], None]


def build_video(job: VideoJob, progress: Progress | None = None) -> VideoResult:
    """Make pairs or sequences of one video and write their files; never raises for a bad video.

    Windows that an earlier run finished are not done again. The result depends on nothing but the job.
    """
    windows: list[Window] = []
    try:
        note_source(job)
        finished = noted_result(job)
        if finished is not None:
            return finished
        reader = _Reader(open_video(job.source), progress)
        for number, scene in enumerate(split_scenes(reader)):
            first = frame_from(scene)
            while first is not None:
                window = noted_window(job, first.index)
                if window is None:
                    window = _window(job, first, scene, number)
                    note_window(job, window)
                windows.append(window)
                first = frame_from(scene, window.next, first.time + Fraction(str(job.settings.every)))
        result = VideoResult(job.name, str(job.source), tuple(windows), reader.count, reader.video.lost)
        note_result(job, result)
        return result
    # One bad video must leave the others to be done.
    except Exception as error:
        message = error_message(error, job.source, job.folder / job.name)
        return VideoResult(job.name, str(job.source), tuple(windows), error=message)


def _window(job: VideoJob, first: VideoFrame, scene: Iterator[VideoFrame], number: int) -> Window:
    if isinstance(job.settings, SequenceSettings):
        return sequence_window(job, job.settings, first, scene, number)
    return pair_window(job, job.settings, first, scene, number)


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


def frame_from(scene: Iterator[VideoFrame], number: int = 0, seconds: Fraction = Fraction(0)) -> VideoFrame | None:
    """Return the first frame of a scene, from a number and a time on, of which the decoder has invented nothing."""
    whole = (frame for frame in scene if not frame.patched)
    return next((frame for frame in whole if frame.index >= number and frame.time >= seconds), None)
