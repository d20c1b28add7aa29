"""What ``rainnet derain`` does with each input: an image or a video."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rainopt.command.derain_video import video_results
from rainopt.command.results import results_of
from rainopt.command.task import FileRecord, Progress
from rainopt.video import is_video

if TYPE_CHECKING:
    from rainnet.models.base import Network


@dataclass(frozen=True)
class Options:
    """What is done with every file of a run; see `rainnet.derain`."""

    model: Path
    angle: float | str | None = None
    device: str = "cpu"
    tile: int | None = None
    batch: int = 1
    polish: int = 0
    ensemble: int = 1
    save_rain: bool = False
    compare: bool = False
    overwrite: bool = False
    quality: int = 95
    crf: int = 18  # of videos


@lru_cache(maxsize=1)
def network(model: Path, device: str) -> Network:
    """Return the network of a file, read once in each process, and let torch use as many threads as `rainopt` may."""
    import torch

    from rainnet.checkpoint import load
    from rainopt.threads import num_threads

    torch.set_num_threads(num_threads())
    return load(model, device=device)


@dataclass(frozen=True)
class Derain:
    """Deraining by a network with its options, as a `rainopt.command.task.Task`."""

    options: Options
    done: ClassVar[str] = "derained"
    header: ClassVar[str | None] = None

    def __call__(self, source: Path, target: Path | None, progress: Progress | None = None) -> FileRecord:
        """Derain one file."""
        if target is None:
            raise ValueError(f"'{source}' has no place for its result")
        if is_video(source):
            from rainnet.command.derain_video import derain_video_file

            return derain_video_file(source, target, self.options, progress)
        from rainnet.command.derain_picture import derain_picture

        return derain_picture(source, target, self.options, progress)

    def failed(self, source: Path, target: Path | None, error: str) -> FileRecord:
        """Return the record of a file that could not be worked on."""
        return FileRecord(str(source), None if target is None else str(target), "failed", error=error)


def results(target: Path, options: Options) -> Iterable[Path]:
    """Return the files that a run with these options writes for one target."""
    return (video_results if is_video(target) else results_of)(target, options).values()
