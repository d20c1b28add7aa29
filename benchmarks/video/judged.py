"""Whether the judgement of built pairs is right, and what deraining makes of pairs from real rain.

DIR/video holds the clips; see benchmarks/README.md.

  moving   `raindata build` of DIR/video/ntu_a1/rain, a camera that moves: the decibels that its pairs are expected to
           have over their valid pixels, and those that they have against DIR/video/ntu_a1/truth, aligned alike.
  living   The same of rain rendered over DIR/video/clean_static_indoor.mp4 from frame 600 on, where a person stands and
           then walks away, and over scenes of a photograph with walkers, lamps, signs, a clock, birds and flashes; the
           truth is the frame without rain. "Erased" is the share of pixels that are valid, of those in which the frame
           and the pair's background are 10 levels apart or more.
  real     Pairs of DIR/video/rain_yard.mp4 and DIR/video/ntu_ra1, real rain: decibels over valid pixels against the
           pairs' own backgrounds, of the rainy frame, of the video path of `rainopt`, and of the network that ships, in
           videos and alone (`--no-background`).

  python -m benchmarks.video.judged --data DIR --json results.json --sheet sheet.png
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import finish, photograph, print_table
from benchmarks.options import MODEL, Data, Json, Sheet, benchmark
from benchmarks.video.judged_scenes import Scene, scenes
from benchmarks.video.quality import decibels, held, rain_over
from data_tools.build.plan import VideoJob
from data_tools.build.settings import BuildSettings
from data_tools.build.video import build_video
from data_tools.manifest.record import PairRecord
from rainopt import read_frames, read_image
from rainopt.app.preview import PreviewWork
from rainopt.app.sheet import Row, write_sheet
from rainopt.commands.derain_video import Solver
from rainopt.io import write_image
from rainopt.io.video.read import open_video
from rainopt.video.registration.register import Alignment, Stabiliser
from rainopt.video.settings import VideoSettings

MOVING = Path("video", "ntu_a1")
CLIP, START, COUNT, PART = Path("video", "clean_static_indoor.mp4"), 600, 140, (slice(0, 432), slice(200, 680))
REAL = (Path("video", "rain_yard.mp4"), Path("video", "ntu_ra1"))
PRESETS = ("light", "medium")
LIVES = 10 / 255
PAIRS = 8
MOST = 100  # frames that a background of real rain may take: all of them are derained
INDOOR = "indoor, person"
NOISE = 1.0  # levels, of the camera

Lines = list[tuple[str, list[np.ndarray]]]


@benchmark(__doc__)
def main(data: Data, sheet: Sheet = None, target: Json = None) -> None:
    """Run all three and print them."""
    rows: Lines = []
    results = {
        "benchmark": "video_judged",
        "moving": moving(data / MOVING, rows),
        "living": living(data / CLIP, rows),
        "real": real([data / clip for clip in REAL], rows),
    }
    if sheet is not None:
        write_sheet(sheet, [Row(images, title=title) for title, images in rows], width=480)
    finish(results, target)


@dataclass(frozen=True)
class Built:
    """One pair that was written, read back."""

    record: PairRecord
    rainy: np.ndarray
    clean: np.ndarray
    valid: np.ndarray

    @property
    def frame(self) -> int:
        """Number of the frame in its video."""
        return int(self.record.extra["frame"])


def built(source: Path, **settings: Any) -> tuple[list[Built], list[str]]:
    """Return the pairs that are built of a video, in whole frames, and why windows of it gave none."""
    with tempfile.TemporaryDirectory() as folder:
        job = VideoJob(source, "clip", Path(folder), BuildSettings(**{"pairs": PAIRS, "every": 3600.0} | settings))
        result = build_video(job)
        if result.error:
            raise ValueError(result.error)

        def read(record: PairRecord) -> Built:
            names = (record.rainy, record.clean, record.extra["valid"])
            rainy, clean, valid = (read_image(Path(folder) / str(name)) for name in names)
            return Built(record, rainy, clean, valid > 0)

        reasons = [window.reason for window in result.windows if window.reason]
        return [read(record) for record in result.records], reasons


def built_of(frames: np.ndarray, **settings: Any) -> tuple[list[Built], list[str]]:
    """Return the pairs that are built of frames (N, H, W, 3) uint8, written without loss."""
    with tempfile.TemporaryDirectory() as folder:
        for k, frame in enumerate(frames):
            write_image(Path(folder) / f"{k:04}.png", frame)
        return built(Path(folder), **settings)


def _judged(name: str, pairs: Sequence[Built], reasons: Sequence[str], truth_of: Callable[[Built], np.ndarray]) -> Any:
    """Return expected and true decibels of pairs over their valid pixels, means over the pixels of all."""
    if not pairs:
        return {"name": name, "pairs": 0, "reason": "; ".join(reasons)}
    apart = [((pair.clean / np.float32(255) - truth_of(pair)) ** 2)[pair.valid] for pair in pairs]
    error = float(np.mean(np.concatenate(apart), dtype=np.float64))
    expected = [10 ** (-pair.record.extra["expected_psnr"] / 10) for pair in pairs]
    return {
        "name": name,
        "pairs": len(pairs),
        "status": pairs[0].record.extra.get("status"),
        "valid": float(np.mean([pair.valid.mean() for pair in pairs])),
        "expected_psnr": -10 * float(np.log10(np.mean(expected))),
        "true_psnr": -10 * float(np.log10(error + 1e-12)),
    }


def _table(title: str, results: Sequence[dict[str, Any]]) -> None:
    rows = []
    for r in results:
        if not r["pairs"]:
            rows.append((r["name"], 0, "", "", "", "", "", r["reason"][:60]))
            continue
        apart = r["expected_psnr"] - r["true_psnr"]
        living = "" if r.get("living_valid") is None else f"{100 * r['living_valid']:.1f} %"
        numbers = (f"{r['expected_psnr']:.1f}", f"{r['true_psnr']:.1f}", f"{apart:+.1f}")
        rows.append((r["name"], r["pairs"], f"{100 * r['valid']:.0f} %", *numbers, living, r["status"] or ""))
    header = ("clip", "pairs", "valid", "expected dB", "true dB", "apart", "erased", "status")
    print_table(title, header, rows)


def moving(folder: Path, sheet: Lines) -> list[dict[str, Any]]:
    """Judge the pairs of a camera that moves; the truth is aligned as the rainy frame was."""
    truth = read_frames(folder / "truth")

    def truth_of(pair: Built) -> np.ndarray:
        return _aligned(truth[pair.frame], pair) / np.float32(255)

    results = []
    for accept, settings in ((40.0, {}), (30.0, {"most": 20, "every": 0.8})):
        pairs, reasons = built(folder / "rain", accept=accept, **settings)
        said = ", ".join(f"{key} {value:g}" for key, value in {"accept": accept, **settings}.items())
        results.append(_judged(f"ntu_a1, {said}", pairs, reasons, truth_of))
    if pairs:
        sheet.append(("ntu_a1: rainy, background, valid", [pairs[0].rainy, pairs[0].clean, pairs[0].valid]))
    _table("Pairs of a camera that moves, valid pixels", results)
    return results


def living(clip: Path, sheet: Lines) -> list[dict[str, Any]]:
    """Judge pairs of rendered rain over scenes in which something lives."""
    results = []
    for preset in PRESETS:
        for scene in (_indoor(clip), *scenes(photograph(400, 400))):
            clean = _noisy(scene.frames) if scene.name != INDOOR else scene.frames
            frames = rain_over(clean, preset, 71)
            pairs, reasons = built_of(frames, accept=30.0, stabilise=False)
            result = _judged(f"{preset}: {scene.name}", pairs, reasons, partial(_of_frames, clean))
            alive = valid = 0
            for pair in pairs:
                lives = np.abs(_frame(scene, pair) - pair.clean / np.float32(255)).max(axis=-1) > LIVES
                alive, valid = alive + int(lives.sum()), valid + int((lives & pair.valid).sum())
            result["living_valid"] = valid / alive if alive else None
            results.append(result)
            if pairs:
                middle = pairs[len(pairs) // 2]
                sheet.append((f"{preset}: {scene.name}", [middle.rainy, middle.clean, middle.valid]))
    _table("Pairs of rendered rain where something lives, valid pixels", results)
    return results


def _indoor(clip: Path) -> Scene:
    frames = read_frames(clip, START, COUNT)[:, *PART][:, ::2, ::2]
    background = np.median(read_frames(clip, 1000, 20)[:, *PART][:, ::2, ::2], axis=0).astype(np.float32) / 255
    return Scene(INDOOR, np.ascontiguousarray(frames), background)


def _noisy(frames: np.ndarray) -> np.ndarray:
    grain = np.random.default_rng(5).normal(0, NOISE, (*frames.shape[:3], 1))
    return np.clip(np.rint(frames + grain), 0, 255).astype(np.uint8)


def _of_frames(frames: np.ndarray, pair: Built) -> np.ndarray:
    return np.asarray(frames[pair.frame] / np.float32(255))


def _frame(scene: Scene, pair: Built) -> np.ndarray:
    return scene.frames[pair.frame] / np.float32(255)


def real(clips: Sequence[Path], sheet: Lines) -> list[dict[str, Any]]:
    """Measure deraining on pairs of real rain."""
    results, rows = [], []
    for clip in clips:
        pairs, reasons = built(clip, accept=30.0, most=MOST)
        if not pairs:
            results.append({"name": clip.stem, "pairs": 0, "reason": "; ".join(reasons)})
            rows.append((clip.stem, 0, "", "", "", "", "; ".join(reasons)[:60]))
            continue
        made: dict[str, list[float]] = {}
        for pair, of_pair in zip(pairs, _derained(clip, pairs), strict=True):
            for name, result in ({"input": pair.rainy} | of_pair).items():
                numbers = made.setdefault(name, [])
                numbers.append(decibels(result / np.float32(255), pair.clean / np.float32(255), pair.valid))
        means = {name: float(np.mean(values)) for name, values in made.items()}
        results.append({"name": clip.stem, "pairs": len(pairs), **means})
        rows.append((clip.stem, len(pairs), *(f"{means[name]:.1f}" for name in made), pairs[0].record.extra["status"]))
        sheet.append((f"{clip.stem}: rainy, background, valid", [pairs[0].rainy, pairs[0].clean, pairs[0].valid]))
    print_table(
        "Pairs of real rain, PSNR against their backgrounds over valid pixels",
        ("clip", "pairs", "input dB", "rainopt dB", "rainnet dB", "alone dB", "status"),
        rows,
    )
    return results


def _derained(clip: Path, pairs: Sequence[Built]) -> Iterator[dict[str, np.ndarray]]:
    """Yield what the video paths make of each pair's frame, in the pair's coordinates: that of `rainopt`, and that of
    `rainnet`, with the frames around and alone.
    """
    from rainnet.commands.derain_video import Net
    from rainnet.commands.networks import NetworkSettings
    from rainnet.weights.checkpoint import resolve

    numbers = sorted({pair.frame for pair in pairs})
    frames = np.stack([frame.pixels for frame in open_video(clip).frames(stop=numbers[-1] + 8)])
    works: dict[str, PreviewWork] = {"rainopt": Solver(VideoSettings())}
    for name, background in (("rainnet", True), ("rainnet_alone", False)):
        works[name] = Net(NetworkSettings(model=resolve(MODEL), background=background))
    with held(frames) as store:
        results = {
            name: dict(zip(numbers, work.derained(store, work.choose(store, None), numbers), strict=True))
            for name, work in works.items()
        }
    for pair in pairs:
        yield {name: _aligned(made[pair.frame], pair) for name, made in results.items()}


def _aligned(frame: np.ndarray, pair: Built) -> np.ndarray:
    """Return a frame in the coordinates of a pair that was made of it."""
    matrix = pair.record.extra.get("alignment")
    if matrix is None:
        return frame
    stabiliser, matrix = Stabiliser(frame), np.array(matrix)
    still = np.allclose(matrix, np.eye(*matrix.shape), atol=1e-9)
    return stabiliser.warp(frame, Alignment(matrix, 1.0, 0.0 if still else np.inf))[0]


if __name__ == "__main__":
    main()
