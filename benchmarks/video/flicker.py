"""Whether derained video flickers: how still the pixels of a still scene are over time, beside the clean clip.

  indoor      our rain over frames 250 to 309 of DIR/video/clean_static_indoor.mp4: a still camera, nobody there
  photograph  our rain over a photograph that stands still, with a camera's noise of 1.5 levels

Both under the presets light, medium and heavy. Looked at are the pixels that stay within 10 levels of their median in
the clean clip.

  deviation   standard deviation over time, root mean square over the pixels, in levels
  steps       mean of what a pixel changes by from one frame to the next, in levels
  pumping     standard deviation over time of the mean over the pixels, in levels: what the whole picture does

"Not above the clean clip's" is what a result should be.

  python -m benchmarks.video.flicker --data DIR --json flicker.json
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import finish, large_photograph, print_table
from benchmarks.options import Data, Json, benchmark
from benchmarks.video.clips import NOISE
from benchmarks.video.program import derained_by_rainopt
from benchmarks.video.quality import CLIP, PRESETS, rain_over, static_truth
from rainopt import read_frames

START, COUNT = 250, 60
PHOTOGRAPH = (320, 480)
SEED = 7
WHOLE = (slice(None), slice(None))


@benchmark(__doc__)
def main(data: Data, target: Json = None) -> None:
    """Measure both clips under all presets, and print them."""
    finish({"benchmark": "video_flicker", "clips": figures(data, CLIPS, PRESETS)}, target)


def figures(
    data: Path | None, clips: Iterable[str], presets: Iterable[str], part: tuple[slice, slice] = WHOLE
) -> dict[str, dict[str, Any]]:
    """Measure a part of clips of `CLIPS` under presets, and print it; "photograph" needs no folder."""
    results: dict[str, dict[str, Any]] = {}
    for name in clips:
        clean, noise = (frames[:, *part] for frames in CLIPS[name](data))
        _, still = static_truth(_noisy(clean, noise))
        for preset in presets:
            seen = {"clean": _noisy(clean, noise), "input": _noisy(rain_over(clean, preset, SEED), noise)}
            seen["rainopt"] = derained_by_rainopt(seen["input"])
            results[f"{name}, {preset}"] = {method: flicker(frames, still) for method, frames in seen.items()}
    rows = [
        (name, method, *(f"{value:.2f}" for value in found.values()))
        for name, one in results.items()
        for method, found in one.items()
    ]
    print_table("Flicker of static pixels, levels", ("clip", "", "deviation", "steps", "pumping"), rows)
    return results


def flicker(frames: np.ndarray, where: np.ndarray) -> dict[str, float]:
    """Return the three measures of frames (N, H, W, 3) uint8 over some pixels (H, W)."""
    values = frames[:, where].astype(np.float32)
    return {
        "deviation": float(np.sqrt(values.var(axis=0).mean())),
        "steps": float(np.abs(np.diff(values, axis=0)).mean()),
        "pumping": float(values.mean(axis=(1, 2), dtype=np.float64).std()),
    }


def _indoor(data: Path | None) -> tuple[np.ndarray, np.ndarray]:
    if data is None:
        raise ValueError("`data` must be a folder for the clip 'indoor', got None")
    clean = read_frames(data / CLIP, START, COUNT)
    return clean, np.zeros((COUNT, 1, 1, 1), np.float32)


def _photograph(_: Path | None) -> tuple[np.ndarray, np.ndarray]:
    clean = np.repeat(large_photograph(*PHOTOGRAPH)[None], COUNT, axis=0)
    noise = np.random.default_rng(SEED).normal(0, NOISE, (*clean.shape[:3], 1)).astype(np.float32)
    return clean, noise


def _noisy(frames: np.ndarray, noise: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(frames + noise), 0, 255).astype(np.uint8)


# Clean frames, and the noise that is added to them after the rain: a file has its own.
CLIPS: dict[str, Callable[[Path | None], tuple[np.ndarray, np.ndarray]]] = {
    "indoor": _indoor,
    "photograph": _photograph,
}


if __name__ == "__main__":
    main()
