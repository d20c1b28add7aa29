"""One video from file to file, whatever it is that derains."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rainopt.app.results import OutputSettings, results_of, wanted_of
from rainopt.app.task import NO_RAIN, FileRecord, error_message, writing_alone
from rainopt.app.video_parts import write_comparison
from rainopt.io.video.cut import CutVideo
from rainopt.io.video.formats import WRITABLE_SUFFIXES, is_video
from rainopt.io.video.read import VideoError
from rainopt.io.video.trial import require_codec


@dataclass(frozen=True)
class VideoRecord(FileRecord):
    """What became of one video.

    ``angles`` are those of the strongest rain, of each stretch in which rain was seen; ``still`` is the share of the
    frames that a background helped. ``iterations`` are the most of a stretch, of frames or parts of them that are
    solved by themselves, and ``gap`` is the largest duality gap that they leave, as a share of the energy. ``copied``
    says that the source was copied as it is, since nothing was done; ``told`` is what the result lacks of the source,
    in sentences. Of a video that became pictures, ``output`` is the first and ``last`` the last.
    """

    last: str | None = None
    frames: int | None = None
    scenes: int | None = None
    angles: list[float] | None = None
    dry: float | None = None
    still: float | None = None
    iterations: int | None = None
    gap: float | None = None
    kept_parts: int | None = None
    lost: str | None = None
    copied: bool | None = None
    told: list[str] | None = None
    height: int | None = None
    width: int | None = None
    seconds: float | None = None

    def line(self) -> str:
        """Return the result and what was done."""
        if self.frames is None:
            return f"{self.input} → {self.output}  was there; compared"
        seconds, frames = self.seconds or 1e-9, self.frames
        facts = [f"{frames} frames" + (f" in {self.scenes} scenes" if (self.scenes or 1) > 1 else "")]
        if self.angles:
            low, high = min(self.angles), max(self.angles)
            facts.append(f"rain at {low:+.1f}°" if high - low < 0.1 else f"rain at {low:+.1f}° to {high:+.1f}°")
        if self.dry:
            facts.append(f"no rain seen in {100 * self.dry:.0f} % of them, left as they are (--angle derains them)")
        if self.copied:
            facts.append("copied as it is")
        if self.iterations and self.gap is not None:
            facts.append(f"where time cannot tell, solved in {self.iterations} iterations to a gap of {self.gap:.1%}")
        if self.still:
            facts.append(f"{100 * self.still:.0f} % helped by the background of a still camera")
        if self.lost:
            facts.append(self.lost)
        result = f"{self.output} to {Path(self.last).name}" if self.last else self.output
        return f"{self.input} → {result}  {'; '.join(facts)}, {seconds:.1f} s ({frames / seconds:.1f} frames/s)"


def video_to_video(
    source: Path,
    target: Path,
    output: OutputSettings,
    of_images: Mapping[str, bool],
    work: Callable[[CutVideo], dict[str, Any]],
) -> VideoRecord:
    """Derain one video and write it with its time stamps and its sound, or as pictures; never raises for a bad file.

    A second run that would write the same files at the same time is refused.
    ``of_images`` are options that mean nothing for a video, and whether they were given; ``work`` writes the derained
    video and returns fields of the record.
    """
    begin = time.perf_counter()
    try:
        if not wanted_of(results_of(target, output), output.overwrite):
            return VideoRecord(str(source), str(target), "skipped")
        refuse_of_images(of_images)
        if target.suffix.lower() not in WRITABLE_SUFFIXES and output.folders is None:
            raise VideoError(f"'{target}' cannot be written; use {', '.join(sorted(WRITABLE_SUFFIXES))}")
        video = CutVideo(source, output.span, output.folders)
        output.keep.pixels(video.height, video.width, source)  # a region that does not fit ends it here
        if output.codec is not None and is_video(target):
            size = video.height, video.width
            require_codec(output.codec, target.suffix.lower(), size, video.bits, output.crf)
        with writing_alone(target):
            # Another run may have written it in the meantime.
            wanted = wanted_of(results_of(target, output), output.overwrite)
            if not wanted:
                return VideoRecord(str(source), str(target), "skipped")
            facts: dict[str, Any] = {}
            if "derained" in wanted:
                facts = work(video)
            if "compare" in wanted:
                write_comparison(video, target, wanted["compare"], output)
        if facts.get("dry") == 1:
            facts["untouched"] = NO_RAIN
        seconds = round(time.perf_counter() - begin, 3)
        facts |= {"height": video.height, "width": video.width, "lost": video.lost, "seconds": seconds}
        return VideoRecord(str(source), str(target), "ok", **facts)
    # Anything that goes wrong with one video must leave the others to be done.
    except Exception as error:
        return VideoRecord(str(source), str(target), "failed", error=error_message(error, source, target))


def refuse_of_images(options: Mapping[str, bool]) -> None:
    """Refuse options that mean nothing for a video, where they were given.

    Raises
    ------
    VideoError
        If one was; it is named.
    """
    for name, given in options.items():
        if given:
            raise VideoError(f"{name} is for images; leave it out for videos")
