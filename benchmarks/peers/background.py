"""The background of rain video from a camera that stands still: one picture out of N frames in memory.

Rain is rendered over a photograph, with the noise of a camera, so the truth is known: medium rain, heavy rain, and
medium rain while a car crosses the scene. Times are of the first clip. FFmpeg's filter is given the frames through PyAV
and asked for the one median of them all; it takes odd numbers of frames only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import repeat
from typing import Any

import numpy as np

from benchmarks.common import large_photograph
from benchmarks.peers.rows import Outcome, Peer, clocked, task
from benchmarks.video.clips import under_rain
from benchmarks.video.things import Thing, car, straight
from rainopt import percentile_background, psnr

SMALL, LARGE, QUICK = (61, 270, 480), (31, 1080, 1920), (21, 135, 240)  # frames, height, width
SLOW_LOOP = "loops over pixels in Python; the smaller task has it"

Method = Callable[[np.ndarray], np.ndarray]


def background(runs: int, quick: bool) -> list[dict[str, Any]]:
    """Compare backgrounds of a short small clip and of a large one."""
    sizes = [QUICK] if quick else [SMALL, LARGE]
    return [_compare(size, runs) for size in sizes]


def _compare(size: tuple[int, int, int], runs: int) -> dict[str, Any]:
    count, height, width = size
    truth = large_photograph(height, width)
    clips = dict(rainy_clips(truth, count, ["heavy"] if size == LARGE else ["medium", "heavy", "car"]))
    # By the clip that it is asked about.
    percentiles = {id(clip): percentile_background(clip).percentile for clip in clips.values()}

    def percentile(frames: np.ndarray) -> np.ndarray:
        return np.percentile(frames, percentiles[id(frames)], axis=0)

    def peer(name: str, module: str, method: Method, **more: Any) -> Peer:
        return Peer(name, partial(_outcome, method, clips, truth, runs), module, **more)

    ours = "rainopt percentile_background", partial(_outcome, ours_of, clips, truth, runs)
    slow = SLOW_LOOP if size == LARGE else None
    peers = [
        peer("FFmpeg tmedian, through PyAV", "av", tmedian),
        peer("numpy median", "numpy", lambda frames: np.median(frames, axis=0)),
        peer("numpy percentile, told which", "numpy", percentile),
        peer("OpenCV MOG2, background image", "cv2", mog2),
        peer("SPANet's percentile, pixel by pixel", "numpy", plain_percentile, plain=True, why_not=slow),
    ]
    return task("background of rain video", f"{count} frames of {width} x {height}, RGB uint8", ours, peers)


def rainy_clips(scene: np.ndarray, count: int, names: list[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and frames of clips of a scene: under rain of a preset, or a car in medium rain."""
    height, width, _ = scene.shape
    for name in names:
        frames = with_a_car(scene, count) if name == "car" else repeat(scene, count)
        preset = "medium" if name == "car" else name
        yield name, np.stack(list(under_rain(frames, height, width, count, preset)))


def _outcome(method: Method, clips: dict[str, np.ndarray], truth: np.ndarray, runs: int) -> Outcome:
    """Time a method on the first clip, and score its pictures, rounded to 8 bits, of all clips."""
    first, *others = clips
    clock, picture = clocked(partial(method, clips[first]), runs)
    pictures = {first: picture, **{name: method(clips[name]) for name in others}}
    return clock, {f"psnr_{name}_db": score(truth, picture) for name, picture in pictures.items()}


def score(truth: np.ndarray, picture: np.ndarray) -> float:
    """Return the PSNR on RGB of a picture in [0, 255]."""
    return float(psnr(truth, np.rint(picture).astype(np.uint8)))


def with_a_car(scene: np.ndarray, count: int) -> Iterator[np.ndarray]:
    """Yield the scene (H, W, 3) uint8, crossed by a car that takes all frames for its way."""
    height, width, _ = scene.shape
    length = width // 5
    step = (width + length) / count
    thing = Thing("car", car(length, 0.75), straight((0.7 * height, -length / 2), (0.0, step)))
    for frame in range(count):
        cover, light = thing.cover(frame, (height, width))
        yield np.rint(scene * (1 - cover[..., None]) + 255 * light).astype(np.uint8)


def ours_of(frames: np.ndarray) -> np.ndarray:
    """Return `percentile_background` of the frames, in [0, 255]."""
    return 255 * np.asarray(percentile_background(frames).image)


def tmedian(frames: np.ndarray) -> np.ndarray:
    """Return the median over an odd number of frames (N, H, W, 3) uint8 by FFmpeg's filter.

    Raises
    ------
    ValueError
        If the number of frames is even, or less than 3.
    """
    import av

    count, height, width, _ = frames.shape
    if count % 2 == 0 or count < 3:
        raise ValueError(f"`frames` must be an odd number of at least 3, got {count}")
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add_buffer(width=width, height=height, format=av.VideoFormat("rgb24"), time_base=Fraction(1, 25))
    # The filter knows planes only; RGB in planes is RGB still.
    planes, median = graph.add("format", "pix_fmts=gbrp"), graph.add("tmedian", f"radius={count // 2}")
    sink = graph.add("buffersink")
    source.link_to(planes)
    planes.link_to(median)
    median.link_to(sink)
    graph.configure()
    for k, pixels in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = k, Fraction(1, 25)
        graph.push(frame)
    picture: Any = graph.pull()
    return np.asarray(picture.to_ndarray(format="rgb24"))


def mog2(frames: np.ndarray) -> np.ndarray:
    """Return the background that OpenCV's mixture of Gaussians, with its defaults, has after the last frame."""
    import cv2

    model = cv2.createBackgroundSubtractorMOG2(detectShadows=False)
    for frame in frames:
        model.apply(frame)
    return np.asarray(model.getBackgroundImage())


def plain_percentile(frames: np.ndarray) -> np.ndarray:
    """Return the background of Wang et al. 2019 (SPANet), Eqs. (2)-(4), a pixel at a time.

    Luma of BT.601 cut to whole levels; a pixel votes for the percentiles from the first to the last rank of its mode
    among the sorted frames; the percentile with most votes is taken of each channel and cut to whole levels.
    """
    luma = (frames @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    count = len(frames)
    votes = np.zeros(101)
    grid = np.arange(101)
    for row in range(luma.shape[1]):
        for column in range(luma.shape[2]):
            values = np.sort(luma[:, row, column])
            found = np.flatnonzero(values == np.bincount(values).argmax())
            votes += (grid >= 100 * found[0] / count) & (grid <= 100 * found[-1] / count)
    return np.percentile(frames, int(votes.argmax()), axis=0).astype(np.uint8)
