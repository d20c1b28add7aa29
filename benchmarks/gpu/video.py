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
from rainopt.commands.derain_video import Solver
from rainopt.io.video.read import open_video
from rainopt.io.video.write import VideoWriter
from rainopt.video.frames import FrameStore
from rainopt.video.settings import VideoSettings

DRAWN = 12  # frames of rain; the others are these again
SHORT, LONG = 120, 480  # frames: one stretch, and four; what both have is start, and what the longer has more is speed
COMMANDS: dict[str, tuple[str, list[str], tuple[int, ...]]] = {
    "each frame alone, cuda": ("cuda", ["--no-background"], (SHORT, LONG)),
    "each frame alone, angle given, cuda": ("cuda", ["--no-background", "--angle", "10"], (LONG,)),
    "each frame alone, cpu": ("cpu", ["--no-background"], (SHORT,)),
    "helped by time, cuda": ("cuda", [], (SHORT,)),
}
REHEARSED = "each frame alone, cpu"


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


def stages(clip: Path, device: str) -> dict[str, float]:
    """Return the milliseconds a frame that the stages of a stretch take one after the other, each frame alone, once
    everything is compiled.
    """
    work = Solver(VideoSettings(background=False), device=device)
    found = dict[str, float]()
    # The first pass compiles.
    for _ in range(2):
        marks = [time.perf_counter()]
        with FrameStore() as store:
            for frame in open_video(clip).frames():
                store.append(frame.pixels)
            marks.append(time.perf_counter())
            chosen = work.choose(store, None)
            marks.append(time.perf_counter())
            count = sum(1 for _ in work.derained(store, chosen))
            marks.append(time.perf_counter())
        names = ("decoded into a store", "settings chosen", "derained")
        found = {name: 1e3 * (b - a) / count for name, a, b in zip(names, marks, marks[1:], strict=False)}
    return found


def main() -> None:
    """Write the clips and derain them."""
    asked = arguments()
    until = time.perf_counter() + asked.seconds - 3
    notes = Notes(asked.notes)
    size, lengths = ((96, 128), (8, 16)) if asked.rehearse else ((1080, 1920), (SHORT, LONG))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frames = list(rainy_frames(*size, lengths[-1]))
        clips = {count: write_clip(folder / f"rain{count}.mp4", iter(frames[:count]), *size) for count in lengths}
        notes.note("clips", {"height": size[0], "width": size[1]} | {str(n): clips[n].stat().st_size for n in lengths})
        notes.attempt("decoded alone", partial(decoded, clips[lengths[0]]))
        notes.attempt("coded alone", partial(coded, frames[: lengths[0]], folder / "again.mp4"))
        stage = "cpu" if asked.rehearse else "cuda:0"
        notes.attempt(f"stages in ms a frame, {stage}", partial(stages, clips[lengths[0]], stage))
        for title, (device, options, wanted) in COMMANDS.items():
            if asked.rehearse and title != REHEARSED:
                continue
            took: dict[int, float] = {}
            for count in lengths if asked.rehearse else wanted:
                target = folder / f"{title.replace(' ', '_')}_{count}.mp4"
                left = max(until - time.perf_counter(), 1.0)
                work = partial(derained, clips[count], target, [*options, "--device", device], count, left)
                found = notes.attempt(f"{title}, {count} frames", work)
                target.unlink(missing_ok=True)
                if found is not None:
                    took[count] = found["seconds"]
            if len(took) > 1:
                (few, less), (many, more) = took.items()
                notes.note(f"{title}, beyond the start", {"frames_per_s": (many - few) / max(more - less, 1e-3)})


if __name__ == "__main__":
    main()
