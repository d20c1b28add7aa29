"""Speed and memory of the parts that work on video; `benchmarks.speed` runs all of them.

Alone, this runs `rainopt derain` on a clip of 1080p from a still camera and on one from a camera that pans, file to
file, and nothing else.

  python -m benchmarks.video.speed --frames 60
"""

from __future__ import annotations

import json
import re
import statistics
import tempfile
import time
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.command import raindata_command, rainopt_command, run_command
from benchmarks.common import finish, print_table, timed
from benchmarks.options import Json, benchmark
from benchmarks.solver.limits import measure
from benchmarks.video.clips import rainy_frames, write_clip
from rainopt import percentile_background
from rainopt.io.video.read import open_video
from rainopt.parallel.threads import num_threads
from rainopt.video.percentiles import percentile_layers, vote

HD = (1080, 1920)
MEDIAN_SIZE = (720, 1280)
FOUR_K = (2160, 3840)


@dataclass(frozen=True)
class Amount:
    """How many frames the parts are given.

    Attributes
    ----------
    held
        Of the background in memory, and of the clips that datasets are built of.
    built
        Height and width of these clips.
    warm
        Builds of each that are not counted.
    median, radius
        Of the clip that FFmpeg's median is held against, and to either side in that median.
    four_k
        Of the 4K clip whose background is found.
    derained
        Of the clips that are derained.
    """

    held: int = 100
    built: tuple[int, int] = HD
    warm: int = 1
    median: int = 70
    radius: int = 30
    four_k: int = 300
    derained: int = 144  # more than one stretch


FULL = Amount()
QUICK = Amount(held=12, built=(540, 960), warm=0, median=16, radius=6, four_k=6, derained=8)

Frames = Annotated[int, typer.Option("--frames", min=1, metavar="N", help="Frames of each clip.")]


@benchmark(__doc__)
def main(frames: Frames = FULL.derained, target: Json = None) -> None:
    """Derain a still and a panning clip."""
    finish({"benchmark": "video_speed", "frames": frames, "derain_1080p": _derain(frames)}, target)


def bench_video(repeat: int, amount: Amount = FULL) -> dict[str, Any]:
    """Time the background, against numpy and FFmpeg's median, and deraining from file to file; watch the memory."""
    results = {
        "background_in_memory": _in_memory(repeat, amount.held),
        "tmedian": _against_tmedian(amount.median, amount.radius),
        "background_4k": _four_k(amount.four_k),
        "derain_1080p": _derain(amount.derained),
    }
    return results


def _in_memory(repeat: int, count: int) -> dict[str, Any]:
    frames = np.stack(list(rainy_frames(*HD, count)))
    whole, estimate = timed(lambda: percentile_background(frames), repeat)
    ballot, _ = timed(lambda: vote(frames), repeat)
    layers, _ = timed(lambda: percentile_layers(frames, estimate.percentile), repeat)
    start = time.perf_counter()
    by_numpy = np.percentile(frames, estimate.percentile, axis=0)
    numpy_s = time.perf_counter() - start
    agreement = float(np.abs(by_numpy / 255 - estimate.image).max())
    # All bytes are read twice, once for the vote and once for the percentile.
    floor = 2 * frames.nbytes / measure(num_threads()).bytes_per_second
    rows = [
        ("vote", f"{ballot.median:.3f}"),
        ("percentile and diagnostics", f"{layers.median:.3f}"),
        ("percentile_background", f"{whole.median:.3f}"),
        ("floor: the bytes, twice, over the bandwidth", f"{floor:.3f}"),
        ("np.percentile of the same frames, once", f"{numpy_s:.3f}"),
    ]
    print_table(f"Background of {count} frames {HD[1]} x {HD[0]}, RGB uint8, in memory", ("part", "seconds"), rows)
    return {
        **whole.as_dict(),
        "vote_s": ballot.median,
        "percentile_s": layers.median,
        "floor_s": floor,
        "numpy_percentile_s": numpy_s,
        "largest_difference_to_numpy": agreement,
    }


def _against_tmedian(count: int, radius: int) -> dict[str, Any]:
    """Time FFmpeg's temporal median over the same file, in the same run, once."""
    import av

    with tempfile.TemporaryDirectory() as folder:
        clip = write_clip(Path(folder) / "clip.mp4", rainy_frames(*MEDIAN_SIZE, count), *MEDIAN_SIZE)
        ours, _ = timed(lambda: percentile_background(clip), 3)
        start = time.perf_counter()
        pictures = 0
        with av.open(str(clip)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            graph = av.filter.Graph()
            source = graph.add_buffer(template=stream)
            median = graph.add("tmedian", f"radius={radius}:percentile=0.4")
            sink = graph.add("buffersink")
            source.link_to(median)
            median.link_to(sink)
            graph.configure()
            for frame in container.decode(stream):
                graph.push(frame)
                pictures += _pulled(graph)
        theirs = time.perf_counter() - start
    rows = [
        ("percentile_background, file to picture", f"{ours.median:.2f}", "1"),
        (f"tmedian, radius {radius}, file to pictures", f"{theirs:.2f}", str(pictures)),
    ]
    print_table(f"{count} frames {MEDIAN_SIZE[1]} x {MEDIAN_SIZE[0]} from a file", ("", "seconds", "pictures"), rows)
    return {
        "ours_s": ours.median,
        "tmedian_s": theirs,
        "tmedian_pictures": pictures,
        "times_slower_whole_file": theirs / ours.median,
        "times_slower_a_picture": theirs / max(pictures, 1) / ours.median,
    }


def _pulled(graph: Any) -> int:
    import av

    count = 0
    while True:
        try:
            graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return count
        count += 1


def _four_k(count: int) -> dict[str, Any]:
    """Find the most memory that a command holds for many 4K frames."""
    with tempfile.TemporaryDirectory() as folder:
        some = list(rainy_frames(*FOUR_K, 6))
        frames = (some[k % len(some)] for k in range(count))
        clip = write_clip(Path(folder) / "clip.mp4", frames, *FOUR_K, quality=28)
        run = run_command([*rainopt_command(), "background", str(clip), "-o", str(Path(folder) / "b.png"), "-n", "0"])
    row = (f"{count}", f"{run.seconds:.1f}", f"{run.peak_bytes / 2**20:.0f}")
    print_table("rainopt background of a 4K file, all frames", ("frames", "seconds", "peak MiB"), [row])
    return {"frames": count, "seconds": run.seconds, "peak_mib": run.peak_bytes / 2**20}


def _derain(count: int) -> dict[str, Any]:
    results: dict[str, Any] = {}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, pan in (("still", 0), ("panning", 4)):
            clip = write_clip(Path(folder) / f"{name}.mp4", rainy_frames(*HD, count, pan=pan), *HD)
            out = Path(folder) / f"{name}_clean.mp4"
            run = run_command([*rainopt_command(), "derain", str(clip), "-o", str(out)])
            said = re.search(r"([\d.]+) frames/s", run.output)
            result = {
                "frames_per_s": count / run.seconds,
                "frames_per_s_without_start": float(said[1]) if said else None,
                "core_seconds_a_frame": run.cpu_seconds / count,
                "peak_mib": run.peak_bytes / 2**20,
            }
            flicker = ("", "")
            if not pan:
                result |= {"deviation_input": _deviation(clip), "deviation_output": _deviation(out)}
                flicker = (f"{result['deviation_input']:.2f}", f"{result['deviation_output']:.2f}")
            results[name] = result
            numbers = (
                f"{result['frames_per_s']:.2f}",
                said[1] if said else "",
                f"{result['core_seconds_a_frame']:.3f}",
                f"{result['peak_mib']:.0f}",
            )
            rows.append((name, *numbers, *flicker))
    header = ("camera", "frames/s", "as it says", "core-s a frame", "peak MiB", "deviation before", "after")
    print_table(f"rainopt derain of {count} frames {HD[1]} x {HD[0]}, file to file", header, rows)
    return results


def bench_build(repeat: int, amount: Amount = FULL) -> dict[str, Any]:
    """Measure what a clip costs ``raindata build``, for sparse and for dense rain; see docs/scale.md."""
    results: dict[str, Any] = {}
    rows = []
    for preset in ("light", "heavy"):
        with tempfile.TemporaryDirectory() as top:
            folder = Path(top) / "videos"
            folder.mkdir()
            clip = write_clip(folder / "clip.mp4", rainy_frames(*amount.built, amount.held, preset), *amount.built)
            runs = []
            for k in range(amount.warm + repeat):
                out = Path(top) / f"dataset{k}"
                runs.append(run_command([*raindata_command(), "build", str(folder), "-o", str(out), "--json"]))
            said = json.loads(runs[-1].output.splitlines()[-1])
            written = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
            result = {
                "seconds": statistics.median(run.seconds for run in runs[amount.warm :]),
                "core_seconds": statistics.median(run.cpu_seconds for run in runs[amount.warm :]),
                "peak_mib": max(run.peak_bytes for run in runs) / 2**20,
                "read_mb": clip.stat().st_size / 1e6,
                "written_mb": written / 1e6,
                "files": sum(file.is_file() for file in out.rglob("*")),
                "pairs": said["pairs"],
            }
        results[preset] = result
        rows.append((preset, *(f"{value:.1f}" for value in result.values())))
    header = ("rain", "seconds", "core-seconds", "peak MiB", "read MB", "written MB", "files", "pairs")
    print_table(
        f"raindata build of one clip of {amount.held} frames {amount.built[1]} x {amount.built[0]}", header, rows
    )
    return results


def _deviation(clip: Path) -> float:
    """Return the temporal standard deviation, in levels, root mean square over a part of the pixels of a still clip."""
    frames = [frame.pixels[::4, ::4].astype(np.float32) for frame in islice(open_video(clip).frames(), 60)]
    return float(np.sqrt(np.stack(frames).var(axis=0).mean()))


if __name__ == "__main__":
    main()
