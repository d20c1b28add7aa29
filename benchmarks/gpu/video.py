"""Step b, from file to file: a rainy clip of 1080p by the command, and how fast its parts are alone.

The clip is drawn and coded here, with few frames of rain that come again. What decodes and what codes alone says which
of them is the limit, if one of them is.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import large_photograph
from benchmarks.gpu.notes import Notes, arguments
from benchmarks.video.clips import RATE, spec_for, write_clip
from data_tools import add_rain
from rainopt.io.video.read import open_video
from rainopt.io.video.write import VideoWriter

DRAWN = 12  # frames of rain; the others are these again
COMMANDS: dict[str, list[str]] = {
    "each frame alone": ["--no-background"],
    "each frame alone, angle given": ["--no-background", "--angle", "10"],
    "helped by time": [],
}


def rainy_frames(height: int, width: int, count: int) -> Iterator[np.ndarray]:
    """Yield ``count`` frames (H, W, 3) uint8 of a still scene under rain."""
    scene = large_photograph(height, width)
    spec = spec_for("light", height, width, 3)

    def drawn(k: int) -> np.ndarray:
        return np.rint(add_rain(scene, spec, np.random.default_rng(k)).rainy * 255).astype(np.uint8)

    with ThreadPoolExecutor(8) as pool:
        few = list(pool.map(drawn, range(min(count, DRAWN))))
    return (few[5 * k % len(few)] for k in range(count))


def derained(clip: Path, target: Path, options: list[str], count: int, seconds: float) -> dict[str, Any]:
    """Run the command on a clip, imports and all; returns its speed as seen from outside and as it says."""
    command = [sys.executable, "-m", "rainopt", "derain", str(clip), "-o", str(target), "--json", *options]
    begun = time.perf_counter()
    told = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    took = time.perf_counter() - begun
    if told.returncode:
        raise RuntimeError(f"status {told.returncode}: {(told.stderr or told.stdout).strip()[-400:]}")
    record = json.loads(next(line for line in told.stdout.splitlines() if line.startswith("{")))
    inside = record.get("seconds") or float("nan")
    return {
        "frames_per_s": count / took,
        "frames_per_s_without_start": count / inside,
        "seconds": took,
        "dry": record.get("dry"),
        "angles": record.get("angles"),
        "iterations": record.get("iterations"),
    }


def decoded(clip: Path) -> dict[str, float]:
    """Return how fast the clip is decoded to RGB and nothing else is done."""
    begun = time.perf_counter()
    count = sum(1 for _ in open_video(clip).frames())
    return {"frames_per_s": count / (time.perf_counter() - begun)}


def coded(frames: list[np.ndarray], target: Path) -> dict[str, float]:
    """Return how fast frames are coded, as the command does it."""
    height, width = frames[0].shape[:2]
    begun = time.perf_counter()
    with VideoWriter(target, height=height, width=width, rate=RATE, quality=18) as writer:
        for frame in frames:
            writer.write(frame)
    return {"frames_per_s": len(frames) / (time.perf_counter() - begun)}


def main() -> None:
    """Write the clip and derain it."""
    asked = arguments()
    until = time.perf_counter() + asked.seconds - 3
    notes = Notes(asked.notes)
    size, count = ((96, 128), 8) if asked.rehearse else ((1080, 1920), 150)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frames = list(rainy_frames(*size, count))
        clip = write_clip(folder / "rain.mp4", iter(frames), *size)
        notes.note("clip", {"frames": count, "height": size[0], "width": size[1], "bytes": clip.stat().st_size})
        notes.attempt("decoded alone", lambda: decoded(clip))
        notes.attempt("coded alone", lambda: coded(frames, folder / "again.mp4"))
        asked_for = [("cuda", title) for title in COMMANDS] + [("cpu", next(iter(COMMANDS)))]
        for device, title in asked_for[-1:] if asked.rehearse else asked_for:
            options = [*COMMANDS[title], "--device", device]
            target = folder / f"{device}_{len(notes.found)}.mp4"
            left = max(until - time.perf_counter(), 1.0)
            notes.attempt(f"{title}, {device}", partial(derained, clip, target, options, count, left))


if __name__ == "__main__":
    main()
