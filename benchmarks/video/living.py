"""What deraining does to whatever lives in a scene: persons, cars, birds, lights, signs, clocks, lightning.

Twenty scenes of `benchmarks.video.scenes`, made here and always the same for a seed: 100 frames of 384 x 216 from a
camera that stands still, by day and by night, under rain. Frames are derained as the command does it, in memory.

  contrast   what is left of a thing: Σ (result - bare) (clean - bare) / Σ (clean - bare)² over its pixels; bare is
             the scene without anything that lives in it. The least and the mean over the frames in which it is
             there, every second one, and the first and the last that it is lit in. 100 % is all of it.
  events     of a motion detector, OpenCV's MOG2 with an opening by 3 x 3 pixels and blobs of 16 pixels, after 20
             frames of learning. "Rain": frames in which something fires where nothing does in the clean clip; "lost":
             blobs of the clean clip where nothing fires. "Again" is the clean clip with other noise of the camera: what
             the detector does by chance.
  darker     the most pixels of a frame that are at least 40 levels of luma below the clean frame.
  dB         PSNR on the luma of y_matlab, mean over frames.
  ramp       the largest step of the mean brightness from frame to frame where the light rises evenly for 240 frames.

  python -m benchmarks.video.living --seed 1 --json living.json --save FOLDER
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import finish, print_table
from benchmarks.options import Json, benchmark
from benchmarks.pictures import PROTOCOL
from benchmarks.video.motion import compare_events, firing
from benchmarks.video.program import derained_by_rainopt
from benchmarks.video.scenes import FRAMES, SCENES, Clip, Scene, clip_of, ramp_clip
from benchmarks.video.scores import mean_psnr, most_darker
from benchmarks.video.things import Thing
from rainopt.app.sheet import Row, write_sheet
from rainopt.video.settings import VideoSettings

LEAST_COVER = 0.5  # of the most that a thing covers: where its pixels are
LEAST_CONTRAST = 8  # levels, of a pixel that counts
LEAST_SEEN = 6  # pixels of a thing in a frame that counts
EVERY = 2  # frame is looked at
METHODS = ("again", "input", "rainopt")

Seed = Annotated[int, typer.Option("--seed", help="Of backgrounds, rain and noise.")]
Only = Annotated[list[str] | None, typer.Option("--only", metavar="NAME", help="Only this scene; may be repeated.")]
Background = Annotated[
    bool, typer.Option("--background/--no-background", help="As of `rainopt derain`: whether time is used.")
]
Save = Annotated[
    Path | None, typer.Option("--save", metavar="FOLDER", help="Write the worst frame of each scene here, to look at.")
]


@benchmark(__doc__)
def main(
    seed: Seed = 0, only: Only = None, background: Background = True, save: Save = None, target: Json = None
) -> None:
    """Run the scenes and print what is left of each thing, the events, and the worst."""
    names = [*SCENES, "ramp"]
    unknown = sorted(set(only or ()) - set(names))
    if unknown:
        raise typer.BadParameter(f"'{unknown[0]}' is none of {', '.join(names)}", param_hint="--only")
    settings = VideoSettings(background=background)
    chosen = [name for name in names if not only or name in only]
    results: dict[str, Any] = {"benchmark": "video_living", "seed": seed, "background": background}
    results["scenes"] = {name: run(name, seed, settings, save) for name in chosen if name != "ramp"}
    if "ramp" in chosen:
        results["ramp"] = ramp(seed, settings)
    report(results)
    finish(results, target)


def run(name: str, seed: int, settings: VideoSettings, save: Path | None = None) -> dict[str, Any]:
    """Return what became of a scene."""
    scene = SCENES[name]
    clip = clip_of(scene, [seed, list(SCENES).index(name)])
    result = derained_by_rainopt(clip.rainy, settings)
    kept = contrasts(result, clip, scene)
    fired = firing(clip.clean)
    seen = {"again": clip.again, "input": clip.rainy, "rainopt": result}
    events = {method: compare_events(firing(frames), fired) for method, frames in seen.items()}
    if save is not None:
        worst = min(kept.values(), key=lambda shares: min(shares.values()))
        _show(save / f"{name}.png", min(worst, key=worst.__getitem__), clip, result)
    return {
        "things": {thing: _summary(shares) for thing, shares in kept.items()},
        "events": {method: found._asdict() for method, found in events.items()},
        "darker": most_darker(result, clip.clean),
        "psnr": {method: mean_psnr(seen[method], clip.clean, PROTOCOL) for method in ("input", "rainopt")},
    }


def contrasts(result: np.ndarray, clip: Clip, scene: Scene) -> dict[str, dict[int, float]]:
    """Return of each thing, and each change of light, what is left of its contrast in the frames that are looked at."""
    kept: dict[str, dict[int, float]] = {}
    for thing in scene.things:
        kept[thing.name] = {}
        for frame in _looked_at(thing):
            cover, _ = thing.cover(frame, clip.clean.shape[1:3])
            if cover.max() > 0:
                share = contrast_kept(result[frame], clip.clean[frame], clip.bare[frame], cover)
                if share is not None:
                    kept[thing.name][frame] = share
    unlit = np.median(clip.bare, axis=0)
    for event, frames in scene.events.items():
        everywhere = np.ones(unlit.shape[:2])
        shares = {k: contrast_kept(result[k], clip.clean[k], unlit, everywhere) for k in frames}
        kept[event] = {k: share for k, share in shares.items() if share is not None}
    # Over some backgrounds a thing may hardly be seen.
    return {name: shares for name, shares in kept.items() if shares}


def contrast_kept(result: np.ndarray, clean: np.ndarray, bare: np.ndarray, cover: np.ndarray) -> float | None:
    """Return the share of a thing's contrast that is left; None where there is too little to see of it."""
    contrast = clean.astype(np.float64) - bare
    where = (cover > LEAST_COVER * cover.max()) & (np.abs(contrast).max(axis=-1) > LEAST_CONTRAST)
    if where.sum() < LEAST_SEEN:
        return None
    left = (result.astype(np.float64) - bare)[where]
    return float(np.sum(left * contrast[where]) / np.sum(np.square(contrast[where])))


def _looked_at(thing: Thing) -> list[int]:
    """Return every second frame, and the first and the last of each time that the thing is there."""
    shown = [thing.shown(k) for k in range(FRAMES)]
    ends = {k + 1 if now else k for k, (before, now) in enumerate(pairwise(shown)) if before != now}
    return sorted(k for k in {*range(0, FRAMES, EVERY), *ends} if shown[k])


def _summary(shares: dict[int, float]) -> dict[str, float | int]:
    least = min(shares, key=shares.__getitem__)
    return {
        "least": shares[least],
        "frame": least,
        "mean": float(np.mean(list(shares.values()))),
        "below_90": float(np.mean(np.array(list(shares.values())) < 0.9)),
    }


def ramp(seed: int, settings: VideoSettings) -> dict[str, float]:
    """Return the largest step of the mean from frame to frame, in levels, of the clean clip and of the result."""
    clip = ramp_clip(seed)
    means = {"clean": clip.clean, "rainopt": derained_by_rainopt(clip.rainy, settings)}
    return {name: float(np.abs(np.diff(one.mean(axis=(1, 2, 3)))).max()) for name, one in means.items()}


def report(results: dict[str, Any]) -> None:
    """Print tables: things, scenes, and the worst of each."""
    scenes = results["scenes"]
    rows = [
        (name, thing, _percent(one["least"]), one["frame"], _percent(one["mean"]), _percent(one["below_90"]))
        for name, found in scenes.items()
        for thing, one in found["things"].items()
    ]
    header = ("scene", "thing", "least %", "in frame", "mean %", "frames below 90 %")
    print_table("Contrast kept of what lives", header, rows)
    rows = [
        (
            name,
            *(_percent(found["events"][method][kind]) for kind in ("rain", "lost") for method in METHODS),
            found["darker"],
            *(f"{decibels:.1f}" for decibels in found["psnr"].values()),
        )
        for name, found in scenes.items()
    ]
    columns = (
        "scene",
        *(f"{kind}, {method} %" for kind in ("rain", "lost") for method in METHODS),
        "darker",
        "input dB",
        "rainopt dB",
    )
    print_table("Events of a motion detector, pixels that are too dark, and PSNR", columns, rows)
    if scenes:
        every = [
            (one["least"], f"{thing}, {name}")
            for name, found in scenes.items()
            for thing, one in found["things"].items()
        ]
        print(
            f"worst contrast kept: {_percent(min(every)[0])} % ({min(every)[1]}); "
            f"{sum(least < 0.9 for least, _ in every)} of {len(every)} things fall below 90 % in a frame"
        )
        for kind in ("rain", "lost"):
            beyond = {
                name: found["events"]["rainopt"][kind] - found["events"]["again"][kind]
                for name, found in scenes.items()
            }
            name = max(beyond, key=beyond.__getitem__)
            print(f"most {kind} events beyond those by chance: {_percent(beyond[name])} % ({name})")
    if "ramp" in results:
        steps = results["ramp"]
        print(
            f"largest step of the mean on the ramp: clean {steps['clean']:.2f}, rainopt {steps['rainopt']:.2f} levels"
        )


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"


def _show(path: Path, frame: int, clip: Clip, result: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = [one[frame] for one in (clip.rainy, result, clip.clean)]
    write_sheet(
        path, [Row(shown, title=f"{path.stem}, frame {frame}: rainy, rainopt, clean")], width=640, overwrite=True
    )


if __name__ == "__main__":
    main()
