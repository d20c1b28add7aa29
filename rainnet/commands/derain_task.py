"""What ``rainnet derain`` does with each input: an image or a video."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rainnet.commands.derain_options import Options
from rainopt.app.results import results_of
from rainopt.app.task import FileRecord, Progress
from rainopt.commands.derain_video import video_results
from rainopt.io.video.read import is_video


@dataclass(frozen=True)
class Derain:
    """Deraining by a network with its options, as a `rainopt.app.task.Task`."""

    options: Options
    done: ClassVar[str] = "derained"
    header: ClassVar[str | None] = None

    def __call__(self, source: Path, target: Path | None, progress: Progress | None = None) -> FileRecord:
        """Derain one file."""
        if target is None:
            raise ValueError(f"'{source}' has no place for its result")
        if is_video(source):
            from rainnet.commands.derain_video import derain_video_file

            return derain_video_file(source, target, self.options, progress)
        from rainnet.commands.derain_photo import derain_picture

        return derain_picture(source, target, self.options, progress)

    def failed(self, source: Path, target: Path | None, error: str) -> FileRecord:
        """Return the record of a file that could not be worked on."""
        return FileRecord(str(source), None if target is None else str(target), "failed", error=error)


def results(target: Path, options: Options) -> Iterable[Path]:
    """Return the files that a run with these options writes for one target."""
    return (video_results if is_video(target) else results_of)(target, options).values()
