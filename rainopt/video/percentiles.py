"""Votes for a percentile over time, and the percentile itself: the definition for all array libraries, and a fast one.

Frames are (N, H, W) or (N, H, W, C), C being 1 or 3, uint8 or uint16.
"""

from __future__ import annotations

from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from rainopt.arrays import Array, namespace
from rainopt.parallel.threads import num_threads, run_all

PERCENTILES = 101  # 0, 1, ... 100
LEVELS = 256  # of the luminance whose mode is taken
# Luminance of these levels from which a pixel is over-exposed: where rain saturates, the mode says nothing.
WHITE = 250
# A frame shows the background where no channel is further from it than this: about three deviations of the noise of
# compressed video.
NEAR = 8 / 255
VOTE_TILE, PERCENTILE_TILE = 512, 1024  # columns of a tile


class Ballot(NamedTuple):
    """How pixels vote.

    Attributes
    ----------
    votes
        (101,) int64, or (2, 101) of pixels whose mode is below `WHITE`, and of the others.
    mode
        (H, W) float32 in [0, 1]: the most frequent luminance.
    """

    votes: Array
    mode: Array


class Layers(NamedTuple):
    """A percentile over time and how the frames lie around it; see `rainopt.video.background.BackgroundEstimate`."""

    image: Array
    seen: Array
    darker: Array
    spread: Array


def elected(votes: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the votes that count, (101,), and the percentile that has most.

    Those of over-exposed pixels count where there are no others.
    """
    counted = votes[0] if votes[0].any() else votes[1]
    return counted, int(np.argmax(counted))


def vote(frames: np.ndarray) -> Ballot:
    """Let every pixel vote for the percentiles that give its mode; votes are (2, 101)."""
    from rainopt.kernels import percentile_cpu

    count = len(frames)
    columns = frames.reshape(count, -1, frames.shape[3] if frames.ndim == 4 else 1)
    shift = 8 * (frames.itemsize - 1)
    modes = np.empty(columns.shape[1], np.uint8)

    def span(first: int, last: int) -> np.ndarray:
        marks = np.zeros((2, PERCENTILES + 1), np.int64)
        hist = np.zeros((VOTE_TILE, LEVELS), _counter(count))
        percentile_cpu.vote(columns, first, last, shift, WHITE, hist, modes, marks)
        return marks

    marks = reduce(np.add, run_all(span, _spans(columns.shape[1], VOTE_TILE)))
    values = ((np.arange(LEVELS) + 0.5) * (1 << shift) - 0.5) / _full_scale(frames)
    mode = values.astype(np.float32)[modes].reshape(frames.shape[1:3])
    return Ballot(np.cumsum(marks, axis=1)[:, :PERCENTILES], mode)


def percentile_layers(frames: np.ndarray, p: int) -> Layers:
    """Return the p-th percentile over time of every channel, and how the frames lie around it."""
    from rainopt.kernels import percentile_cpu

    count, scale = len(frames), _full_scale(frames)
    flat = frames.reshape(count, -1)
    rank, rest = _rank(p, count)
    bits = np.array([1 << k for k in reversed(range(8 * frames.itemsize))], frames.dtype)
    image, seen, darker, spread = (np.empty(flat.shape[1], np.float32) for _ in range(4))
    settings = (np.float32(rest), bits, np.float32(NEAR * scale), np.float32(scale))

    def span(first: int, last: int) -> None:
        scratch = np.empty(PERCENTILE_TILE, _counter(count)), np.empty(PERCENTILE_TILE, _counter(count * scale))
        percentile_cpu.percentile(flat, first, last, rank, *settings, *scratch, image, seen, darker, spread)

    run_all(span, _spans(flat.shape[1], PERCENTILE_TILE))
    shape = frames.shape[1:]

    def over_channels(choose: Any, values: np.ndarray) -> np.ndarray:
        # Channel by channel: along a last axis of three numpy is slow.
        planes = values.reshape(shape)
        return reduce(choose, np.moveaxis(planes, -1, 0)) if planes.ndim == 3 else planes

    return Layers(
        image.reshape(shape),
        over_channels(np.minimum, seen),
        over_channels(np.maximum, darker),
        over_channels(np.maximum, spread),
    )


def off_centre(frames: np.ndarray, image: np.ndarray, near: float) -> np.ndarray:
    """Return how far the mean of the values within ``near`` of an image lies from it, shaped as the image, in [0, 1].

    A percentile that is right lies in the middle of the noise; below it, this is positive, and above it negative.
    """
    from rainopt.kernels import percentile_cpu

    count, scale = len(frames), _full_scale(frames)
    flat = frames.reshape(count, -1)
    given, out = np.ascontiguousarray(image).reshape(-1), np.empty(flat.shape[1], np.float32)

    def span(first: int, last: int) -> None:
        counts, total = np.empty(PERCENTILE_TILE, _counter(count)), np.empty(PERCENTILE_TILE, _counter(count * scale))
        limits = np.float32(near * scale), np.float32(scale)
        percentile_cpu.off_centre(flat, first, last, given, *limits, counts, total, out)

    run_all(span, _spans(flat.shape[1], PERCENTILE_TILE))
    return out.reshape(image.shape)


def reference(frames: Array) -> tuple[Ballot, int, Layers]:
    """Return ballot, percentile and layers in the functions that all array libraries share: the definition."""
    xp = namespace(frames)
    count, scale = frames.shape[0], _full_scale(frames)
    wide = xp.astype(frames, xp.int64)
    luma = wide
    if frames.ndim == 4:
        luma = wide[..., 0]
        if frames.shape[-1] == 3:
            luma = (19595 * wide[..., 0] + 38470 * wide[..., 1] + 7471 * wide[..., 2] + 32768) // 65536
    width = (scale + 1) // LEVELS
    luma = luma // width
    most, mode, first, below = (xp.zeros_like(luma[0, ...]) for _ in range(4))
    for level in range(LEVELS):
        here = xp.sum(xp.astype(luma == level, xp.int64), axis=0)
        mode = xp.where(here > most, xp.full_like(mode, level), mode)
        first = xp.where(here > most, below, first)
        most = xp.where(here > most, here, most)
        below = below + here
    last = first + most - 1
    held = [(100 * first <= p * count) & (p * count <= 100 * last) for p in range(PERCENTILES)]
    votes, others = (
        xp.stack([xp.sum(xp.astype(holds & voters, xp.int64)) for holds in held])
        for voters in (mode < WHITE, mode >= WHITE)
    )
    votes = votes if bool(xp.any(votes > 0)) else others
    p = int(xp.argmax(votes))
    rank, rest = _rank(p, count)
    ordered = xp.astype(xp.sort(frames, axis=0), xp.float32)
    low, high = ordered[rank, ...], ordered[min(rank + 1, count - 1), ...]
    image = low + (high - low) * rest / 100
    near = float(np.float32(NEAR * scale))
    seen = xp.mean(xp.astype(xp.abs(ordered - image) <= near, xp.float32), axis=0)
    darker = xp.mean(xp.astype(image - ordered > near, xp.float32), axis=0)
    spread = xp.mean(xp.abs(ordered - xp.round(image)), axis=0) / scale
    if frames.ndim == 4:
        seen, darker, spread = xp.min(seen, axis=-1), xp.max(darker, axis=-1), xp.max(spread, axis=-1)
    luminance = ((xp.astype(mode, xp.float32) + 0.5) * width - 0.5) / scale
    return Ballot(votes, luminance), p, Layers(image / scale, seen, darker, spread)


def _full_scale(frames: Array) -> int:
    return 255 if frames.dtype == namespace(frames).uint8 else 65535


def _rank(p: int, count: int) -> tuple[int, int]:
    """Return the rank at or below the p-th percentile of ``count`` values, and how many hundredths are of the next.

    Hundredths, since their products are whole numbers: levels that the percentile hits are hit in float32, too.
    """
    return divmod(p * (count - 1), 100)


def _counter(greatest: int) -> Any:
    """Return the narrowest unsigned dtype that holds a count."""
    return next(dtype for dtype in (np.uint8, np.uint16, np.uint32, np.uint64) if greatest <= np.iinfo(dtype).max)


def _spans(columns: int, tile: int) -> list[tuple[int, int]]:
    """Divide columns among threads, a few spans each, in whole tiles."""
    step = max(-(-columns // (8 * num_threads()) // tile) * tile, tile)
    return [(first, min(first + step, columns)) for first in range(0, columns, step)]
