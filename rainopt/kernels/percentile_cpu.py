"""A percentile of every byte of a stack of frames, and the vote on which one, in tiles that stay in the cache.

A tile is a run of neighbouring pixels, or channel values, in all frames. Every inner loop runs along it over integers
as narrow as they can be, so that one instruction does dozens of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from rainopt.kernels.compiler import compiled
from rainopt.parallel.threads import num_threads, run_all

LEVELS = 256  # of the luminance whose mode is taken
VOTE_TILE, PERCENTILE_TILE = 512, 1024  # columns of a tile


def vote(frames: np.ndarray, white: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the votes (2, 101) int64 of pixels whose mode is below ``white`` and of the others, and the modes.

    ``frames`` are (N, H, W) or (N, H, W, C) uint8 or uint16; the modes, (H, W) uint8, are of 8-bit luminance.
    """
    count, frames = len(frames), np.ascontiguousarray(frames)
    columns = frames.reshape(count, -1, frames.shape[3] if frames.ndim == 4 else 1)
    modes = np.empty(columns.shape[1], np.uint8)

    def span(first: int, last: int) -> np.ndarray:
        marks = np.zeros((2, 102), np.int64)
        hist = np.zeros((VOTE_TILE, LEVELS), _counter(count))
        count_votes(columns, first, last, 8 * (frames.itemsize - 1), white, hist, modes, marks)
        return marks

    marks = reduce(np.add, run_all(span, _spans(columns.shape[1], VOTE_TILE)))
    return np.cumsum(marks, axis=1)[:, :-1], modes.reshape(frames.shape[1:3])


def percentile(
    frames: np.ndarray, rank: int, rest: int, near: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the value ``rest`` hundredths of the way from rank to rank + 1 over time, and how frames lie around it.

    ``frames`` are (N, H, W) or (N, H, W, C) uint8 or uint16, the values (H, W) or (H, W, C) float32 in [0, 1]. The
    share of the frames within ``near`` of it, the share of those further below, and the mean distance are (H, W), of
    the channel that speaks against the background most.
    """
    count, scale, frames = len(frames), int(np.iinfo(frames.dtype).max), np.ascontiguousarray(frames)
    flat, shape = frames.reshape(count, -1), frames.shape[1:]
    bits = np.array([1 << k for k in reversed(range(8 * frames.itemsize))], frames.dtype)
    image, seen, darker, spread = (np.empty(flat.shape[1], np.float32) for _ in range(4))
    settings = (np.float32(rest), bits, np.float32(near * scale), np.float32(scale))

    def span(first: int, last: int) -> None:
        scratch = np.empty(PERCENTILE_TILE, _counter(count)), np.empty(PERCENTILE_TILE, _counter(count * scale))
        write_percentile(flat, first, last, rank, *settings, *scratch, image, seen, darker, spread)

    def over_channels(choose: Callable[..., Any], values: np.ndarray) -> np.ndarray:
        # Channel by channel: along a last axis of three numpy is slow.
        planes = values.reshape(shape)
        return reduce(choose, np.moveaxis(planes, -1, 0)) if planes.ndim == 3 else planes

    run_all(span, _spans(flat.shape[1], PERCENTILE_TILE))
    return (
        image.reshape(shape),
        over_channels(np.minimum, seen),
        over_channels(np.maximum, darker),
        over_channels(np.maximum, spread),
    )


def off_centre(frames: np.ndarray, image: np.ndarray, near: float) -> np.ndarray:
    """Return how far the mean of the values within ``near`` of an image lies from it, shaped as the image."""
    count, scale, frames = len(frames), int(np.iinfo(frames.dtype).max), np.ascontiguousarray(frames)
    flat = frames.reshape(count, -1)
    given, out = np.ascontiguousarray(image).reshape(-1), np.empty(flat.shape[1], np.float32)

    def span(first: int, last: int) -> None:
        counts, total = np.empty(PERCENTILE_TILE, _counter(count)), np.empty(PERCENTILE_TILE, _counter(count * scale))
        limits = np.float32(near * scale), np.float32(scale)
        write_off_centre(flat, first, last, given, *limits, counts, total, out)

    run_all(span, _spans(flat.shape[1], PERCENTILE_TILE))
    return out.reshape(image.shape)


def _counter(greatest: int) -> Any:
    """Return the narrowest unsigned dtype that holds a count."""
    return next(dtype for dtype in (np.uint8, np.uint16, np.uint32, np.uint64) if greatest <= np.iinfo(dtype).max)


def _spans(columns: int, tile: int) -> list[tuple[int, int]]:
    """Divide columns among threads, a few spans each, in whole tiles."""
    step = max(-(-columns // (8 * num_threads()) // tile) * tile, tile)
    return [(first, min(first + step, columns)) for first in range(0, columns, step)]


@compiled
def luma_tile(frame, start, shift, red, green, blue, out):
    """Write the BT.601 luma of ``out.size`` pixels of ``frame`` (P, C) from ``start``, rounded, shifted to 8 bits."""
    count = out.size
    if frame.shape[1] == 1:
        for j in range(count):
            out[j] = np.uint8(frame[start + j, 0] >> shift)
        return
    # Taken apart first: loops over one channel each are what the compiler makes wide.
    for j in range(count):
        red[j] = frame[start + j, 0]
        green[j] = frame[start + j, 1]
        blue[j] = frame[start + j, 2]
    for j in range(count):
        # Weights of 16 bits that add up to one; the sum stays below 2³² for 16-bit channels, too.
        total = np.uint32(19595) * np.uint32(red[j]) + np.uint32(38470) * np.uint32(green[j])
        total += np.uint32(7471) * np.uint32(blue[j]) + np.uint32(32768)
        out[j] = np.uint8((total >> np.uint32(16)) >> np.uint32(shift))


@compiled
def count_votes(frames, first, last, shift, white, hist, modes, marks):
    """Let the pixels ``first`` to ``last`` of ``frames`` (N, P, C) vote for the percentiles that give their mode.

    ``hist`` (pixels of a tile, 256) of zeros holds counts of N; it is zeros again afterwards. ``modes`` (P,) uint8 are
    the modes. ``marks`` (2, 102) int64 gains 1 at the first percentile of a pixel's range and loses 1 behind its last,
    so that its running sum is the vote: row 0 of pixels with a mode below ``white``, row 1 of the others.
    """
    count = frames.shape[0]
    tile = hist.shape[0]
    luma = np.empty(tile, np.uint8)
    low, high = np.empty(tile, np.uint8), np.empty(tile, np.uint8)
    red, green, blue = np.empty(tile, frames.dtype), np.empty(tile, frames.dtype), np.empty(tile, frames.dtype)
    for start in range(first, last, tile):
        size = min(tile, last - start)
        low[:] = np.uint8(255)
        high[:] = np.uint8(0)
        for k in range(count):
            luma_tile(frames[k], start, shift, red, green, blue, luma[:size])
            for j in range(size):
                low[j] = min(low[j], luma[j])
                high[j] = max(high[j], luma[j])
            for j in range(size):
                hist[j, luma[j]] += 1
        for j in range(size):
            row = hist[j]
            most, mode, before, total = np.int64(0), 0, np.int64(0), np.int64(0)
            for level in range(int(low[j]), int(high[j]) + 1):
                here = np.int64(row[level])
                if here > most:  # of several modes the lowest
                    most, mode = here, level
                    before = total
                total += here
                row[level] = 0
            # Percentiles p with 100 first <= p N <= 100 last.
            kind = 0 if mode < white else 1
            marks[kind, (100 * before + count - 1) // count] += 1
            marks[kind, 100 * (before + most - 1) // count + 1] -= 1
            modes[start + j] = np.uint8(mode)


@compiled
def count_below(block, limit, counts):
    """Count the values of each column of ``block`` (N, J) that are below its limit."""
    counts[:] = 0
    for k in range(block.shape[0]):
        row = block[k]
        for j in range(counts.size):
            counts[j] += row[j] < limit[j]


@compiled
def next_above(block, value, largest, counts, above):
    """Count the values of each column that are at most ``value``, and find the least one above it, or ``largest``."""
    counts[:] = 0
    above[:] = largest
    top = above.copy()
    for k in range(block.shape[0]):
        row = block[k]
        for j in range(counts.size):
            counts[j] += row[j] <= value[j]
        for j in range(counts.size):
            above[j] = min(above[j], row[j] if row[j] > value[j] else top[j])


@compiled
def count_within(block, lowest, highest, counts):
    """Count the values of each column from ``lowest`` to ``highest``."""
    counts[:] = 0
    for k in range(block.shape[0]):
        row = block[k]
        for j in range(counts.size):
            counts[j] += (row[j] >= lowest[j]) & (row[j] <= highest[j])


@compiled
def sum_distances(block, value, total):
    """Add up the distances of each column from ``value``."""
    total[:] = 0
    for k in range(block.shape[0]):
        row = block[k]
        for j in range(total.size):
            total[j] += max(row[j], value[j]) - min(row[j], value[j])


@compiled
def write_percentile(flat, first, last, rank, rest, bits, near, scale, counts, distance, out, seen, darker, spread):
    """Write a percentile of the columns ``first`` to ``last`` of ``flat`` (N, Q), and how the frames lie around it.

    Parameters
    ----------
    flat
        (N, Q) uint8 or uint16.
    rank, rest
        The percentile is ``x[rank] + (x[rank + 1] - x[rank]) rest / 100`` of the sorted column x; rest a whole number
        from 0 to 99, as float32.
    bits
        Powers of two of the dtype of ``flat``, the greatest first: a value is found a bit at a time.
    near
        A frame shows the background where it lies within this of it; float32.
    scale
        What the results are divided by: the greatest value, as float32.
    counts, distance
        (values of a tile,) of dtypes that hold N, and N times the greatest value; scratch.
    out, seen, darker, spread
        (Q,) float32: the percentile over ``scale``, the share of frames within ``near`` of it and of those further
        below, and their mean distance from it, rounded to the levels of ``flat``, over ``scale``.
    """
    frames, tile = flat.shape[0], counts.size
    block = np.empty((frames, tile), flat.dtype)
    value, trial = np.empty(tile, flat.dtype), np.empty(tile, flat.dtype)
    high = np.empty(tile, flat.dtype)
    largest = np.uint64(bits[0]) | (np.uint64(bits[0]) - np.uint64(1))
    for start in range(first, last, tile):
        # The last tile is moved back: the compiler likes lengths that stay the same.
        begin = max(min(start, last - tile), first)
        size = min(tile, last - begin)
        for k in range(frames):
            for j in range(size):
                block[k, j] = flat[k, begin + j]
        # The value of a rank is the greatest that no more than `rank` values lie below.
        value[:] = 0
        for bit in range(bits.size):
            for j in range(size):
                trial[j] = value[j] | bits[bit]
            count_below(block, trial, counts)
            for j in range(size):
                if counts[j] <= rank:
                    value[j] = trial[j]
        # The next one is the same value again, or the least above it.
        next_above(block, value, largest, counts, high)
        for j in range(size):
            here = np.float32(value[j])
            after = here if counts[j] > rank + 1 else np.float32(high[j])
            here += (after - here) * rest / np.float32(100)
            out[begin + j] = here / scale
            trial[j] = np.uint64(max(np.ceil(here - near), np.float32(0)))
            high[j] = np.uint64(min(np.floor(here + near), np.float32(largest)))
            value[j] = np.uint64(np.rint(here))
        count_within(block, trial, high, counts)
        for j in range(size):
            seen[begin + j] = np.float32(counts[j]) / np.float32(frames)
        count_below(block, trial, counts)
        for j in range(size):
            darker[begin + j] = np.float32(counts[j]) / np.float32(frames)
        sum_distances(block, value, distance)
        for j in range(size):
            spread[begin + j] = np.float32(distance[j]) / np.float32(frames) / scale


@compiled
def sum_within(block, lowest, highest, total):
    """Add up the values of each column from ``lowest`` to ``highest``."""
    total[:] = 0
    for k in range(block.shape[0]):
        row = block[k]
        for j in range(total.size):
            total[j] += row[j] if (row[j] >= lowest[j]) & (row[j] <= highest[j]) else 0


@compiled
def write_off_centre(flat, first, last, image, near, scale, counts, total, out):
    """Write how far the mean of the values near ``image`` lies from it, for the columns ``first`` to ``last``.

    ``image`` and ``out`` (Q,) are float32 in units of ``scale``, ``near`` in the values of ``flat`` (N, Q); the other
    arguments are as for `write_percentile`. 0 where no value is near.
    """
    frames, tile = flat.shape[0], counts.size
    block = np.empty((frames, tile), flat.dtype)
    low, high = np.empty(tile, flat.dtype), np.empty(tile, flat.dtype)
    for start in range(first, last, tile):
        begin = max(min(start, last - tile), first)
        size = min(tile, last - begin)
        for k in range(frames):
            for j in range(size):
                block[k, j] = flat[k, begin + j]
        for j in range(size):
            here = image[begin + j] * scale
            low[j] = np.uint64(max(np.ceil(here - near), np.float32(0)))
            high[j] = np.uint64(min(np.floor(here + near), scale))
        count_within(block, low, high, counts)
        sum_within(block, low, high, total)
        for j in range(size):
            out[begin + j] = np.float32(0)
            if counts[j] > 0:
                out[begin + j] = np.float32(total[j]) / np.float32(counts[j]) / scale - image[begin + j]
