"""The background of one video, from file to file."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from rainopt.app.compare import RAIN_GAIN, captioned
from rainopt.app.devices import elsewhere
from rainopt.app.results import wanted_of
from rainopt.app.task import FileRecord, Progress, error_message, writing_alone
from rainopt.commands.background_colours import colours_of
from rainopt.io import write_image
from rainopt.io.video.cut import CutVideo
from rainopt.io.video.read import Video, VideoError, VideoFrame
from rainopt.io.video.span import WHOLE, Span
from rainopt.video.adaptive_background import Settled, settle
from rainopt.video.frames import FrameStore
from rainopt.video.quality import ACCEPTED
from rainopt.video.scenes import split_scenes


@dataclass(frozen=True)
class BackgroundSettings:
    """What is done with every video of a run; `frames` None: as many as it takes, 0: all."""

    frames: int | None = None
    span: Span = WHOLE
    step: int = 1
    stabilise: bool = True
    maps: bool = False
    compare: bool = False
    overwrite: bool = False
    scratch: Path | None = None
    device: str = "cpu"


@dataclass(frozen=True)
class BackgroundRecord(FileRecord):
    """What became of one video.

    ``frames`` were used, of the scene that begins at frame ``start``; ``next_scene`` is where another one begins, if
    the frames were read that far. The rest is of `rainopt.video.quality.Acceptance` and
    `rainopt.video.adaptive_background.Settled`.
    """

    start: int | None = None
    frames: int | None = None
    percentile: int | None = None
    expected_psnr: float | None = None
    agreement: float | None = None
    bias: float | None = None
    centring: float | None = None
    residual: float | None = None
    sharpness: float | None = None
    angle: float | None = None
    valid: float | None = None
    static: bool | None = None
    refused: int | None = None
    knocked: int | None = None
    next_scene: int | None = None
    lost: str | None = None
    height: int | None = None
    width: int | None = None
    seconds: float | None = None

    def line(self) -> str:
        """Return the result, what it is worth, and what to know about it."""
        facts = [f"{self.frames} frames, percentile {self.percentile}, expected {self.expected_psnr:.1f} dB"]
        if (self.expected_psnr or 0) < ACCEPTED:
            facts.append(f"below the {ACCEPTED:.0f} that make a good one: more frames (--step, --start) may help")
        if (self.valid or 0) < 0.995:
            facts.append(f"{100 * (1 - (self.valid or 0)):.1f} % of the pixels not to be trusted (--maps shows them)")
        if not self.static:
            facts.append("camera moves: stabilised" + (f", {self.refused} frames left out" if self.refused else ""))
        if self.knocked is not None:
            facts.append(f"the camera was moved at frame {self.knocked} (--start {self.knocked}f goes on from there)")
        if self.next_scene is not None:
            facts.append(f"another scene begins at frame {self.next_scene} (--start {self.next_scene}f takes it)")
        if self.lost:
            facts.append(self.lost)
        return f"{self.input} → {self.output}  {'; '.join(facts)}, {self.seconds:.1f} s"


@dataclass(frozen=True)
class FindBackground:
    """`background_file` with its settings, as a `Task`."""

    settings: BackgroundSettings
    done: ClassVar[str] = "backgrounds found"
    header: ClassVar[str | None] = None

    def __call__(self, source: Path, target: Path | None, progress: Progress | None = None) -> BackgroundRecord:
        """Find one background."""
        if target is None:
            raise ValueError(f"'{source}' has no place for its result")
        return background_file(source, target, self.settings, progress)

    def results(self, target: Path) -> Iterable[Path]:
        """Return the files that are written for one target."""
        return results_of(target, self.settings).values()

    def failed(self, source: Path, target: Path | None, error: str) -> BackgroundRecord:
        """Return the record of a video that could not be worked on."""
        return BackgroundRecord(str(source), None if target is None else str(target), "failed", error=error)


def results_of(target: Path, settings: BackgroundSettings) -> dict[str, Path]:
    """Return the files that a run with these settings writes for one target."""
    files = {"background": target}
    if settings.maps:
        files["valid"] = target.with_name(f"{target.stem}_valid.png")
        files["seen"] = target.with_name(f"{target.stem}_seen.png")
    if settings.compare:
        files["compare"] = target.with_name(f"{target.stem}_compare.png")
    return files


def background_file(
    source: Path, target: Path, settings: BackgroundSettings, progress: Progress | None = None
) -> BackgroundRecord:
    """Find the background of one video and write what is asked for; never raises for a bad file.

    Files that are there are kept unless ``settings.overwrite``; where all are, nothing is computed. A second run that
    would write the same files at the same time is refused.
    """
    begin = time.perf_counter()
    try:
        if not wanted_of(results_of(target, settings), settings.overwrite):
            return BackgroundRecord(str(source), str(target), "skipped")
        video = CutVideo(source, settings.span)
        with writing_alone(target), FrameStore(scratch=settings.scratch) as store:
            # Another run may have written some of it in the meantime.
            wanted = wanted_of(results_of(target, settings), settings.overwrite)
            if not wanted:
                return BackgroundRecord(str(source), str(target), "skipped")
            scene = FirstScene(video, settings)
            count = (1 << 62) if settings.frames == 0 else settings.frames
            place = elsewhere(settings.device)
            settled = settle(
                scene, store, count=count, stabilise=settings.stabilise, progress=progress, elsewhere=place
            )
            _write(settled, store, video, wanted, target, settings)
        return _record(source, target, settled, scene, video, begin)
    # Anything that goes wrong with one video must leave the others to be done.
    except Exception as error:
        return BackgroundRecord(str(source), str(target), "failed", error=error_message(error, source, target))


class FirstScene:
    """The frames of the first scene of a stretch of video; knows afterwards where the next one begins."""

    def __init__(self, video: CutVideo, settings: BackgroundSettings) -> None:
        frames = video.frames(step=settings.step)
        # Numbered as in the whole video.
        self._frames = (replace(frame, index=video.first + frame.index) for frame in frames)
        self._name = video.path
        self.next_scene: int | None = None

    def __iter__(self) -> Iterator[VideoFrame]:
        scenes = split_scenes(self._frames)
        first = next(scenes, None)
        if first is None:
            raise VideoError(f"'{self._name}' has no frames; obtain a fresh copy")
        yield from first
        after = next(scenes, None)
        if after is not None:
            self.next_scene = next(after).index


def _write(
    settled: Settled,
    store: FrameStore,
    video: Video,
    wanted: dict[str, Path],
    target: Path,
    settings: BackgroundSettings,
) -> None:
    image = settled.estimate.image
    deep = 16 if video.bits == 16 and target.suffix.lower() in (".png", ".tif", ".tiff") else 8
    pictures: dict[str, np.ndarray] = {"valid": settled.valid.astype(np.float32), "seen": settled.estimate.seen}
    if "compare" in wanted:
        # A frame with much rain shows best what was done.
        sample = max(range(0, len(store), max(len(store) // 8, 1)), key=lambda k: float(store[k].mean()))
        frame = store[sample].astype(np.float32) / np.iinfo(store.dtype).max
        rain = np.abs(frame - image).mean(axis=-1)
        panels = [
            (f"frame {settled.numbers[sample]}", frame, 1.0),
            (f"background, percentile {settled.estimate.percentile} of {len(store)} frames", image, 1.0),
            (f"difference x{RAIN_GAIN}", rain, float(RAIN_GAIN)),
            ("trusted", pictures["valid"], 1.0),
        ]
        pictures["compare"] = captioned(panels)
    for kind in ("valid", "seen", "compare"):
        if kind in wanted:
            write_image(wanted[kind], pictures[kind], overwrite=settings.overwrite)
    # Last: where it is, the rest is.
    if "background" in wanted:
        colours = colours_of(video.path, settled.numbers, video.marks)
        write_image(wanted["background"], image, metadata=colours, bits=deep, overwrite=settings.overwrite)


def _record(
    source: Path, target: Path, settled: Settled, scene: FirstScene, video: Video, begin: float
) -> BackgroundRecord:
    worth = settled.acceptance
    return BackgroundRecord(
        str(source),
        str(target),
        "ok",
        start=settled.numbers[0],
        frames=len(settled.numbers),
        percentile=settled.estimate.percentile,
        expected_psnr=round(worth.expected_psnr, 2),
        agreement=round(worth.agreement, 6),
        bias=round(worth.bias, 6),
        centring=round(worth.centring, 6),
        residual=None if worth.residual is None else round(worth.residual, 4),
        sharpness=round(worth.sharpness, 4),
        angle=None if worth.angle is None else round(worth.angle, 2),
        valid=round(float(np.mean(settled.valid)), 5),
        static=settled.static,
        refused=settled.refused,
        knocked=settled.knocked,
        next_scene=scene.next_scene,
        lost=video.lost,
        height=settled.estimate.image.shape[0],
        width=settled.estimate.image.shape[1],
        seconds=round(time.perf_counter() - begin, 3),
    )
