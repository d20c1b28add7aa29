"""Deraining files, whatever it is that derains: images and videos, from file to file."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from rainopt.app.keep import put_back
from rainopt.app.results import OutputSettings, results_of, wanted_of, write_results
from rainopt.app.task import NO_RAIN, FileRecord, Progress, error_message, writing_alone
from rainopt.io.unchanged import Stamp
from rainopt.io.video.formats import is_video
from rainopt.io.video.numbering import siblings_of

if TYPE_CHECKING:
    import numpy as np

    from rainopt.app.preview import PreviewWork


@dataclass(frozen=True, kw_only=True)
class DerainTask(ABC):
    """Deraining as a `rainopt.app.task.Task`: the one place where images and videos part."""

    output: OutputSettings
    done: ClassVar[str] = "derained"
    header: ClassVar[str | None] = None

    @abstractmethod
    def photo(self, source: Path, target: Path, progress: Progress | None) -> FileRecord:
        """Derain one image file; never raises for a bad one."""

    @abstractmethod
    def video(self, source: Path, target: Path, progress: Progress | None) -> FileRecord:
        """Derain one video file; never raises for a bad one."""

    @abstractmethod
    def live(self) -> PreviewWork:
        """Return what derains a stream while it comes."""

    def __call__(self, source: Path, target: Path | None, progress: Progress | None = None) -> FileRecord:
        """Derain one file."""
        if target is None:
            raise ValueError(f"'{source}' has no place for its result")
        if os.path.isdir(source) or is_video(source):
            return self.video(source, target, progress)
        option = "--preview-at is" if self.output.preview else "--sequence and numbered results are"
        if self.output.preview or self.output.folders:
            return self.failed(source, target, f"'{source}': {option} for videos; leave them out for images")
        return self.photo(source, target, progress)

    def failed(self, source: Path, target: Path | None, error: str) -> FileRecord:
        """Return the record of a file that could not be worked on."""
        return FileRecord(str(source), None if target is None else str(target), "failed", error=error)

    def results(self, target: Path) -> Iterable[Path]:
        """Return the files that are written for one target; of numbered pictures, those that are there."""
        files = results_of(target, self.output)
        if self.output.folders is None or self.output.preview or is_video(target) or not os.path.isfile(target):
            return files.values()
        return {*siblings_of(target), *files.values()}


class Derained(NamedTuple):
    """What became of the pixels of a photograph.

    Attributes
    ----------
    background
        Shaped as the photograph, in its dtype or float32 in [0, 1].
    rain
        (H, W) float32 in [0, 1].
    untouched
        Whether the photograph was left as it is, so that its very file may be copied.
    facts
        Fields of the record; "untouched" says why the photograph was left as it is, where that is not for want of rain.
    extras
        Further pictures, (H, W) or (H, W, 3) uint8, by the names that ``OutputSettings.extras`` asks for.
    """

    background: np.ndarray
    rain: np.ndarray
    untouched: bool
    facts: dict[str, Any]
    extras: Mapping[str, np.ndarray] = MappingProxyType({})


def photo_to_photo(
    source: Path,
    target: Path,
    output: OutputSettings,
    work: Callable[[np.ndarray], Derained],
    record: type[FileRecord],
) -> FileRecord:
    """Derain one image file and write what is asked for; never raises for a bad file.

    Depth, alpha, profile and EXIF data of the file are kept, the result is upright. Files that are already there
    are kept too unless ``output.overwrite``; where all are there, nothing is computed. So a run that was
    interrupted goes on where it stopped. A second run that would write the same files at the same time is refused.
    ``work`` derains the pixels, and ``record`` holds its facts, and besides them "height", "width", "rain", the mean of
    the rain layer, "untouched" and "seconds".
    """
    start = time.perf_counter()
    try:
        if not wanted_of(results_of(target, output), output.overwrite):
            return record(str(source), str(target), "skipped")
        import numpy as np

        from rainopt.io import read_image_file

        stamp = Stamp.of(source) if os.path.exists(source) else None
        file = read_image_file(source)
        kept = output.keep.pixels(file.pixels.shape[0], file.pixels.shape[1], source)
        with writing_alone(target):
            # Another run may have written some of it in the meantime.
            wanted = wanted_of(results_of(target, output), output.overwrite)
            if not wanted:
                return record(str(source), str(target), "skipped")
            done = work(file.pixels)
            if kept is not None:
                # What is kept loses no light, either.
                background, rain = put_back(done.background, file.pixels, kept), np.where(kept, 0, done.rain)
                done = done._replace(background=background, rain=rain.astype(done.rain.dtype))
            write_results(source, file, wanted, done.background, done.rain, output, done.untouched, stamp, done.extras)
        height, width = file.pixels.shape[:2]
        facts: dict[str, Any] = {"height": height, "width": width, "rain": float(done.rain.mean(dtype=float))}
        facts |= {"untouched": NO_RAIN} if done.untouched else {}
        facts |= done.facts
        return record(str(source), str(target), "ok", seconds=round(time.perf_counter() - start, 4), **facts)  # type: ignore[call-arg]
    # Anything that goes wrong with one image, in a decoder or on a device, must leave the others to be done.
    except Exception as error:
        return record(str(source), str(target), "failed", error=error_message(error, source, target))
