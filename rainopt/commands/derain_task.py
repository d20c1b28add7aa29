"""What ``rainopt derain`` does with each input: an image or a video."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rainopt.app.task import FileRecord, Progress
from rainopt.commands.derain_photo import Options, Record, derain_file, results_of
from rainopt.io.video.read import is_video


@dataclass(frozen=True)
class Derain:
    """Deraining with its options, as a `Task`."""

    options: Options
    done: ClassVar[str] = "derained"
    header: ClassVar[str | None] = None

    def __call__(self, source: Path, target: Path | None, progress: Progress | None = None) -> FileRecord:
        """Derain one file."""
        if target is None:
            raise ValueError(f"'{source}' has no place for its result")
        if is_video(source):
            from rainopt.commands.derain_video import derain_video_file

            return derain_video_file(source, target, self.options, progress)
        return derain_file(source, target, self.options, progress)

    def failed(self, source: Path, target: Path | None, error: str) -> FileRecord:
        """Return the record of a file that could not be worked on."""
        return Record(str(source), None if target is None else str(target), "failed", error=error)


def results(target: Path, options: Options) -> Iterable[Path]:
    """Return the files that a run with these options writes for one target."""
    if is_video(target):
        from rainopt.commands.derain_video import video_results

        return video_results(target, options).values()
    return results_of(target, options).values()
