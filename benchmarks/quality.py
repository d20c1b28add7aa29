"""How good rainopt and the networks that ship are: all figures of quality that need no training, in one result.

Each part is a benchmark of its own, run here with the same pictures, and its tables are the same; pictures one by one
are in the results of those benchmarks alone:

  still       benchmarks.solver.quality: PSNR and SSIM on pairs, and what clean photographs lose
  angle       benchmarks.angle.accuracy: errors of the angle, and what its confidence is worth
  background  benchmarks.video.quality: the background of rain video, and frames derained with it
  video       benchmarks.video.rows, rainopt alone: derained video of still and moving cameras
  living      benchmarks.video.living: what lives in rain video, and a motion detector's events
  flicker     benchmarks.video.flicker: whether derained video is still where the scene is
  traces      benchmarks.traces: what is left of rain in photographs, by rainopt and by the networks that ship
  networks    benchmarks.networks.quality: the networks that ship on pairs, and on the same without rain
  darker      benchmarks.darker: pairs sixteen times darker

DIR is the folder that these take; parts for which it holds nothing are left out, and it is said. Without DIR, rain is
rendered over photographs that come with scikit-image: figures to compare trees with, not to compare with others.

  python -m benchmarks.quality --quick                       a few pictures of each, from nothing but the checkout
  python -m benchmarks.quality --data DIR --json quality.json
  python -m benchmarks.quality --only angle --only traces
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks import darker
from benchmarks.angle.accuracy import summarise
from benchmarks.angle.sets import collect, examine
from benchmarks.angle.tables import print_all
from benchmarks.common import finish
from benchmarks.networks import quality as networks
from benchmarks.options import MODEL, Json, OptionalData, Quick, benchmark
from benchmarks.pictures import PROTOCOL, pictures, sets_of_pairs
from benchmarks.rain.left_in_photographs import INPUT, look_at, means_of, of_truths, report
from benchmarks.sample_data import still_clip, write_sample_data
from benchmarks.solver import quality as solver
from benchmarks.traces import methods_of
from benchmarks.video import flicker, living, rows
from benchmarks.video import quality as video
from benchmarks.video.cases import CASES, MOVING
from rainnet.evaluate.methods import find_methods
from rainnet.zoo import shipped
from rainopt import read_frames
from rainopt.video.settings import VideoSettings

QUICK = 2  # pictures of each set
QUICK_CASES = ("handheld_medium", "pan")
QUICK_SCENES = ("day_walker_dark",)
QUICK_COUNTS = (20, 60)  # frames
QUICK_PART = (slice(0, 120), slice(0, 180))  # of the frames of a still camera
STILL = (320, 480)  # pixels of the made clip


class LeftOutError(ValueError):
    """A part for which the folder holds nothing; the sentence says what it lacks."""


@dataclass(frozen=True)
class Work:
    """What is measured.

    Attributes
    ----------
    data
        The folder of pictures.
    sample
        True if it was made of sample photographs.
    quick
        Whether a few pictures do.
    """

    data: Path
    sample: bool
    quick: bool

    @property
    def limit(self) -> int | None:
        """The most pictures of a set."""
        return QUICK if self.quick else None

    def pairs(self) -> list[Path]:
        """Return the sets of pairs."""
        found = sets_of_pairs(self.data)
        if not found:
            raise LeftOutError("no sets of pairs in a folder 'pairs'")
        return found

    def still_frames(self, start: int, count: int) -> Any:
        """Return frames of a still camera without rain."""
        if self.sample:
            frames = still_clip(*STILL, count)
        else:
            self.needs(video.CLIP)
            frames = read_frames(self.data / video.CLIP, start, count)
        return frames[:, *QUICK_PART] if self.quick else frames

    def needs(self, place: Path) -> None:
        """Leave the part out unless the folder holds this."""
        if not (self.data / place).exists():
            raise LeftOutError(f"no {place.as_posix()}")


def still(work: Work) -> dict[str, Any]:
    """Measure pairs, clean photographs, and rain rendered over these."""
    if not (work.data / "pairs").is_dir() and not (work.data / "clean").is_dir():
        raise LeftOutError("no folder 'pairs' and no folder 'clean'")
    return solver.figures(work.data, work.limit)[0]


def angle(work: Work) -> dict[str, Any]:
    """Measure angles and confidences."""
    try:
        findings = [examine(picture) for picture in collect(work.data, work.limit)]
    except FileNotFoundError as error:
        raise LeftOutError(str(error)) from None
    if not findings:
        raise LeftOutError("no pictures in a folder 'clean', 'photos_labelled', 'photos' or 'pairs'")
    results = summarise(findings, with_tilt=False, with_fit=False, with_speed=False)
    print_all(results)
    return results


def background(work: Work) -> dict[str, Any]:
    """Measure the background of video; without a folder of clips there is no real rain, and too little to rank."""
    counts, derained = (QUICK_COUNTS, QUICK_COUNTS[-1]) if work.quick else (video.COUNTS, 100)
    clean = work.still_frames(video.START, counts[-1])
    results: dict[str, Any] = {"background": video.backgrounds(clean, [], counts)}
    results["derain"] = video.deraining(clean[:derained], [])
    if not work.sample and not work.quick:
        work.needs(video.REAL)
        results["authors"] = video.against_authors(read_frames(work.data / video.REAL, 0, 100)[:, *video.REAL_PART])
        judged = read_frames(work.data / video.CLIP, video.JUDGED, video.MOST)
        results["judgement"] = video.judgement(judged, pictures(work.data / "clean")[4::9])
    return results


def moving(work: Work) -> dict[str, Any]:
    """Measure derained clips of still and moving cameras."""
    names = QUICK_CASES if work.quick else tuple(MOVING) if work.sample else tuple(CASES)
    clips = {}
    for name in names:
        try:
            clips[name] = rows.run(name, work.data, peers=False)
        except (OSError, ValueError) as error:
            raise LeftOutError(f"no clip '{name}': {error}") from None
    rows.print_rows(clips, list(rows.ALONE))
    return clips


def alive(work: Work) -> dict[str, Any]:
    """Measure what lives in rain video; these scenes are made."""
    settings = VideoSettings()
    names = QUICK_SCENES if work.quick else tuple(living.SCENES)
    results: dict[str, Any] = {"scenes": {name: living.run(name, 0, settings) for name in names}}
    if not work.quick:
        results["ramp"] = living.ramp(0, settings)
    living.report(results)
    return results


def flickering(work: Work) -> dict[str, Any]:
    """Measure flicker."""
    clips = ["photograph"] if work.sample or work.quick else list(flicker.CLIPS)
    if "indoor" in clips:
        work.needs(video.CLIP)
    if work.quick:
        return flicker.figures(None, clips, video.PRESETS[1:2], QUICK_PART)
    return flicker.figures(work.data, clips, video.PRESETS)


def traces(work: Work) -> dict[str, Any]:
    """Measure what is left of rain, in real photographs, or without any in the rainy sides of pairs."""
    folders = [folder / "rain" for folder in work.pairs()] if work.sample else [work.data / "photos"]
    photos = [photo for folder in folders if folder.is_dir() for photo in pictures(folder, work.limit)]
    looked = look_at(photos, methods_of(list(shipped())))
    if not looked.each:
        raise LeftOutError("no photographs with clear streaks in a folder 'photos'")
    means, truths = means_of(looked.each), of_truths(work.data, work.limit)
    report(means, len(looked.each), {why: len(names) for why, names in looked.left_out.items()}, truths)
    return {"photographs": len(looked.each), "means": means, "truths": truths}


def nets(work: Work) -> dict[str, Any]:
    """Measure the networks that ship on pairs, each as its command runs it."""
    compared = find_methods([INPUT, "rainopt", *shipped()], device="cpu")
    return networks.figures(work.pairs(), compared, work.limit)[0]


def dimmed(work: Work) -> dict[str, Any]:
    """Measure one set of pairs darker and darker."""
    sets = {folder.name: folder for folder in work.pairs()}
    folder = sets.get("rain100l_dev", next(iter(sets.values())))
    return {"set": folder.name, "psnr": darker.figures(folder, darker.methods(MODEL), 1.0, work.limit)}


class Part(StrEnum):
    """What can be asked for alone."""

    STILL = "still"
    ANGLE = "angle"
    BACKGROUND = "background"
    VIDEO = "video"
    LIVING = "living"
    FLICKER = "flicker"
    TRACES = "traces"
    NETWORKS = "networks"
    DARKER = "darker"


PARTS: dict[Part, Callable[[Work], dict[str, Any]]] = {
    Part.STILL: still,
    Part.ANGLE: angle,
    Part.BACKGROUND: background,
    Part.VIDEO: moving,
    Part.LIVING: alive,
    Part.FLICKER: flickering,
    Part.TRACES: traces,
    Part.NETWORKS: nets,
    Part.DARKER: dimmed,
}


@benchmark(__doc__)
def main(
    data: OptionalData = None,
    only: Annotated[
        list[Part] | None, typer.Option(metavar="|".join(Part), help="This part alone; may be given again.")
    ] = None,
    quick: Quick = False,
    target: Json = None,
) -> None:
    """Run the parts that were asked for."""
    results: dict[str, Any] = {"pictures": "sample photographs" if data is None else "DIR"}
    left_out: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        work = Work(write_sample_data(Path(folder) / "data") if data is None else data, data is None, quick)
        for name in [one for one in PARTS if one in (only or PARTS)]:
            try:
                results[str(name)] = without_each(PARTS[name](work))
            except LeftOutError as error:
                left_out[str(name)] = str(error)
    for what, why in left_out.items():
        print(f"left out: {what}, because --data holds {why}")
    finish({"benchmark": "quality", "protocol": PROTOCOL, **results, "left_out": left_out}, target)


def without_each(results: Any) -> Any:
    """Return results without those of single pictures."""
    if isinstance(results, dict):
        named = {"each", "highest"} | {
            key for key, value in results.items() if key == "worst" and isinstance(value, list)
        }
        return {key: without_each(value) for key, value in results.items() if key not in named}
    return [without_each(one) for one in results] if isinstance(results, list) else results


if __name__ == "__main__":
    main()
