"""How good the background of rain video is, how far its own judgement is right, and what video deraining makes of it.

DIR/video/clean_static_indoor.mp4 is a clip without rain from a camera that stands still, and DIR/clean/NAME are clean
photographs; neither is a part of the project. Rain of the presets light, medium and heavy is rendered over both,
without the veil: a veil stands still, and no statistic over time tells it from the scene.

  authors     percentile_background of a part of DIR/video/rain_yard.mp4, real rain, against the authors' algorithm,
              pixel by pixel: sorted values, first and last rank of the mode, the percentile that most ranges hold.
              Their luminance is cut off to whole levels and ours rounded; both are compared.
  background  percentile_background of 20, 100 and 200 frames against the median of the clean frames, on pixels that
              stay within 10 levels of it; beside it the mean and the median of the same rainy frames.
  judgement   Spearman's rank correlation of the decibels that `rainopt.video.quality` expects with those that are true,
              over numbers of frames, rain, right and wrong percentiles, and shaken frames of photographs. It takes
              every ninth photograph by name, from the fifth on. The judgement was tuned on the first, tenth, ... and on
              the frames of the clip from 1000 on, so other frames are taken here.
  derain      frames derained as `rainopt derain` does, with the background and without: PSNR against the clean frames,
              means over frames, and the deviation over time on the same pixels.

  python -m benchmarks.video.quality --data DIR --json results.json --sheet sheet.png
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from benchmarks.common import finish, print_table
from benchmarks.options import Data, Json, Sheet, benchmark
from benchmarks.pictures import pictures
from benchmarks.video.clips import spec_for
from benchmarks.video.program import held
from data_tools import rain_video
from rainopt import percentile_background, read_frames, read_image
from rainopt.app.sheet import Row, write_sheet
from rainopt.video.background import BackgroundEstimate, background_of_store
from rainopt.video.percentiles import percentile_layers
from rainopt.video.quality import assess
from rainopt.video.settings import VideoSettings
from rainopt.video.stretches import derained, stretch_settings

REAL = Path("video", "rain_yard.mp4")
REAL_PART = (slice(300, 380), slice(20, 120))  # wet concrete, a wall and leaves; no white sky
CLIP = Path("video", "clean_static_indoor.mp4")
START, JUDGED, MOST = 1000, 250, 200
PRESETS = ("light", "medium", "heavy")
COUNTS = (20, 100, 200)  # frames
STATIC = 10 / 255
PERCENTS = np.arange(101)
WRONG = (-15, 15)  # percentiles beside the voted one
PART = (200, 240)  # pixels of the photographs


@benchmark(__doc__)
def main(data: Data, sheet: Sheet = None, target: Json = None) -> None:
    """Run all four and print them."""
    clean = read_frames(data / CLIP, START, MOST)
    rows: list[tuple[str, list[np.ndarray]]] = []
    results = {
        "benchmark": "video_quality",
        "authors": against_authors(read_frames(data / REAL, 0, 100)[:, *REAL_PART]),
        "background": backgrounds(clean, rows),
        "judgement": judgement(read_frames(data / CLIP, JUDGED, MOST), pictures(data / "clean")[4::9]),
        "derain": deraining(clean[:100], rows),
    }
    if sheet is not None:
        write_sheet(sheet, [Row(images, title=title) for title, images in rows], width=560)
    finish(results, target)


def against_authors(frames: np.ndarray) -> dict[str, Any]:
    """Compare with the authors' algorithm, as it is written down, over (N, H, W, 3) uint8 frames."""
    ours = percentile_background(frames)
    weighted = frames.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    results: dict[str, Any] = {"frames": len(frames), "pixels": ours.seen.size, "percentile": ours.percentile}
    rows = []
    for name, luma in (("rounded", np.rint(weighted)), ("cut off", np.floor(weighted + 1e-9))):
        votes = np.zeros(101, np.int64)
        for values in luma.astype(np.int64).reshape(len(frames), -1).T:
            ordered = np.sort(values)
            ranks = np.flatnonzero(ordered == np.bincount(ordered).argmax())
            votes += (100 * ranks[0] <= PERCENTS * len(frames)) & (PERCENTS * len(frames) <= 100 * ranks[-1])
        p = int(votes.argmax())
        apart = float(np.abs(np.percentile(frames, p, axis=0) / 255 - ours.image).max())
        same = int(np.abs(votes - ours.votes).max())
        results[name] = {"percentile": p, "largest_vote_difference": same, "largest_image_difference": apart}
        rows.append((name, p, ours.percentile, same, f"{apart:.1e}"))
    header = ("their luminance", "their percentile", "ours", "votes apart", "image apart")
    print_table(f"The authors' algorithm on {len(frames)} frames of real rain, {ours.seen.size} pixels", header, rows)
    return results


def rain_over(clean: np.ndarray, preset: str, seed: int) -> np.ndarray:
    """Return clean frames (N, H, W, 3) uint8 under moving rain."""
    spec = spec_for(preset, clean.shape[1], clean.shape[2], seed)
    parts = rain_video(clean, spec, np.random.default_rng(seed))
    return np.stack([np.rint(one.rainy * 255).astype(np.uint8) for one in parts])


def static_truth(clean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the median of clean frames, float32 in [0, 1], and where all stay near it, (H, W)."""
    truth = np.median(clean, axis=0).astype(np.float32) / 255
    still = np.ones(truth.shape[:2], bool)
    for frame in clean:
        still &= np.abs(frame / np.float32(255) - truth).max(axis=-1) < STATIC
    return truth, still


def decibels(image: np.ndarray, truth: np.ndarray, where: np.ndarray) -> float:
    """Return the PSNR over some pixels, of all channels."""
    return -10 * float(np.log10(np.mean((image - truth)[where] ** 2, dtype=np.float64) + 1e-12))


def backgrounds(
    clean: np.ndarray, sheet: list[tuple[str, list[np.ndarray]]], counts: Sequence[int] = COUNTS
) -> list[dict[str, Any]]:
    """Measure backgrounds of so many frames against the truth."""
    results = []
    for preset in PRESETS:
        rainy = rain_over(clean, preset, 11)
        for count in counts:
            truth, still = static_truth(clean[:count])
            with held(rainy[:count]) as store:
                estimate = background_of_store(store)
                worth = assess(store, estimate)
            mean, median = rainy[:count].mean(axis=0) / 255, np.median(rainy[:count], axis=0) / 255
            result = {
                "preset": preset,
                "frames": count,
                "percentile": estimate.percentile,
                "static_share": float(still.mean()),
                "psnr": decibels(estimate.image, truth, still),
                "psnr_mean": decibels(mean, truth, still),
                "psnr_median": decibels(median, truth, still),
                "expected_psnr": worth.expected_psnr,
            }
            results.append(result)
        sheet.append(
            (f"{preset}: a frame, background of {counts[-1]}, truth", [rainy[len(rainy) // 2], estimate.image, truth])
        )
    rows = [
        (
            r["preset"],
            r["frames"],
            r["percentile"],
            *(f"{r[k]:.1f}" for k in ("psnr", "psnr_mean", "psnr_median", "expected_psnr")),
        )
        for r in results
    ]
    header = ("rain", "frames", "percentile", "background dB", "mean dB", "median dB", "expected dB")
    print_table("Background of rendered rain over a still camera's clip, static pixels", header, rows)
    return results


def judgement(clean: np.ndarray, photographs: list[Path]) -> dict[str, Any]:
    """Compare expected with true decibels, and rank them."""
    found: dict[str, list[tuple[float, float]]] = {"clip": [], "photographs": [], "shaken": []}
    for k, preset in enumerate((*PRESETS, *PRESETS)):
        part = clean[100 * (k // 3) :][:100, 60:300, 250:650]
        rainy = rain_over(part, preset, 60 + k)
        for count in (20, 60, 100):
            truth, still = static_truth(part[:count])
            found["clip"] += _judged(rainy[:count], truth, still)
    rng = np.random.default_rng(8)
    for k, file in enumerate(photographs):
        picture = read_image(file)
        picture = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
        picture = np.ascontiguousarray(picture[: PART[0], : PART[1], :3])
        truth, everywhere = picture / np.float32(255), np.ones(picture.shape[:2], bool)
        for count in (20, 60):
            preset = PRESETS[(k + count) % 3]
            rainy = rain_over(np.repeat(picture[None], count, axis=0), preset, int(rng.integers(1000)))
            noisy = rainy + rng.normal(0, rng.choice([0.8, 2.5]), rainy.shape)
            frames = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
            found["photographs"] += _judged(frames, truth, everywhere)
            moved = np.stack([_moved(frame, rng.normal(0, rng.choice([0.5, 1.5]), 2)) for frame in frames])
            found["shaken"] += _judged(moved, truth, everywhere)
    groups = {**found, "all": [pair for pairs in found.values() for pair in pairs]}
    results, rows = {}, []
    for name, pairs in groups.items():
        expected, true = np.array(pairs).T
        rank = float(spearmanr(expected, true).statistic)
        bias = float(np.median(expected - true))
        results[name] = {"spearman": rank, "results": len(pairs), "median_excess_db": bias}
        rows.append((name, len(pairs), f"{rank:.3f}", f"{bias:+.1f}"))
    print_table(
        "Judgement of backgrounds without the truth", ("set", "results", "Spearman", "expected - true, dB"), rows
    )
    return results


def _judged(frames: np.ndarray, truth: np.ndarray, where: np.ndarray) -> list[tuple[float, float]]:
    """Return (expected, true) decibels of the voted percentile and of wrong ones."""
    results = []
    with held(frames) as store:
        voted = background_of_store(store)
        for offset in (0, *WRONG):
            p = min(max(voted.percentile + offset, 0), 100)
            estimate: BackgroundEstimate = voted
            if p != voted.percentile:
                layers = percentile_layers(frames, p)
                estimate = replace(voted, percentile=p, image=layers.image, seen=layers.seen, darker=layers.darker)
            results.append((assess(store, estimate).expected_psnr, decibels(estimate.image, truth, where)))
    return results


def _moved(frame: np.ndarray, shift: np.ndarray) -> np.ndarray:
    import cv2

    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float64)
    size = (frame.shape[1], frame.shape[0])
    return np.asarray(cv2.warpAffine(frame, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))


def deraining(clean: np.ndarray, sheet: list[tuple[str, list[np.ndarray]]]) -> list[dict[str, Any]]:
    """Measure derained frames."""
    results = []
    _, still = static_truth(clean)
    for preset in PRESETS:
        rainy = rain_over(clean, preset, 31)
        result: dict[str, Any] = {"preset": preset, "psnr_input": _mean_psnr(rainy, clean)}
        result["deviation_input"], result["deviation_clean"] = _deviation(rainy, still), _deviation(clean, still)
        shown = [rainy[len(rainy) // 2]]
        for name, background in (("frames_alone", False), ("with_background", True)):
            with held(rainy) as store:
                chosen = stretch_settings(store, VideoSettings(background=background))
                out = np.stack(list(derained(store, chosen)))
            result |= {f"psnr_{name}": _mean_psnr(out, clean), f"deviation_{name}": _deviation(out, still)}
            shown.append(out[len(out) // 2])
        result["background_used"] = chosen.backdrop is not None
        results.append(result)
        sheet.append((f"{preset}: frame, derained alone, with the background", shown))
    keys = ("psnr_input", "psnr_frames_alone", "psnr_with_background")
    deviations = ("deviation_clean", "deviation_input", "deviation_frames_alone", "deviation_with_background")
    rows = [(r["preset"], *(f"{r[k]:.1f}" for k in keys), *(f"{r[k]:.2f}" for k in deviations)) for r in results]
    header = ("rain", "input dB", "alone", "with background", "deviation clean", "input", "alone", "with background")
    print_table("Derained frames, all pixels; deviation over time on static pixels, levels", header, rows)
    return results


def _mean_psnr(frames: np.ndarray, clean: np.ndarray) -> float:
    everywhere = np.ones(clean.shape[1:3], bool)
    pairs = zip(frames, clean, strict=True)
    return float(np.mean([decibels(a / np.float32(255), b / np.float32(255), everywhere) for a, b in pairs]))


def _deviation(frames: np.ndarray, still: np.ndarray) -> float:
    return float(np.sqrt(frames[:, still].astype(np.float32).var(axis=0).mean()))


if __name__ == "__main__":
    main()
