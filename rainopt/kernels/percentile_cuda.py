"""A percentile of every byte of a stack of frames, and the vote on which one, on a CUDA device.

A thread looks at a word of neighbouring values, or at a pixel, in all frames. For every bit of a percentile it reads
them again, by then from the caches.
"""

from __future__ import annotations

import math
from functools import cache, reduce
from typing import Any

import numba
import numpy as np

from rainopt.kernels.launch import Kernel, Place, address, blocks, cuda, flat, numpy_dtype, threads

LEVELS = 256  # of the luminance whose mode is taken
MARKS = 102  # percentiles and the end
THREADS = threads(128, 4)
# Threads of a block that votes, each with a histogram of 512 bytes; half as many where its counts need 32 bits.
VOTERS = threads(64, 4)
MOST_COUNTED = 65535  # frames that 16 bits count
WORD = 4  # bytes


def vote(frames: Any, white: int) -> tuple[Any, Any]:
    """Return the votes (2, 101) int64 of pixels whose mode is below ``white`` and of the others, and the modes.

    ``frames`` are (N, H, W) or (N, H, W, C) uint8 or uint16; the modes, (H, W) uint8, are of 8-bit luminance.
    """
    count, (height, width) = int(frames.shape[0]), (int(n) for n in frames.shape[1:3])
    pixels = height * width
    with Place(frames) as place:
        modes, marks = place.empty((height, width), np.uint8), place.zeros((2, MARKS), np.int64)
        if pixels:
            # A copy, if the frames have gaps, must live as long as its view.
            row = place.xp.reshape(frames, (-1,))
            dtype = numpy_dtype(frames)
            channels = int(frames.shape[3]) if frames.ndim == 4 else 1
            wide = count > MOST_COUNTED
            voters = VOTERS // 2 if wide else VOTERS
            place.start(
                count_votes(voters, channels, 8 * dtype.itemsize, wide),
                blocks(pixels, voters),
                voters,
                flat(row),
                count,
                pixels,
                white,
                flat(modes),
                flat(marks),
                moved=row.shape[0] * dtype.itemsize + pixels,
            )
        return place.xp.cumulative_sum(marks, axis=1)[:, :-1], modes


def percentile(frames: Any, rank: int, rest: int, near: float) -> tuple[Any, Any, Any, Any]:
    """Return the value ``rest`` hundredths of the way from rank to rank + 1 over time, and how frames lie around it.

    ``frames`` are (N, H, W) or (N, H, W, C) uint8 or uint16, the values (H, W) or (H, W, C) float32 in [0, 1]. The
    share of the frames within ``near`` of it, the share of those further below, and the mean distance are (H, W), of
    the channel that speaks against the background most.
    """
    scale = int(np.iinfo(numpy_dtype(frames)).max)
    shape = tuple(frames.shape[1:])
    with Place(frames) as place:
        results = [place.empty(shape, np.float32) for _ in range(4)]
        numbers = rank, np.float32(rest), np.float32(near * scale), np.float32(scale)
        _over_words(place, write_percentile, frames, numbers, results)
        image, seen, darker, spread = results
        if len(shape) == 3:
            xp = place.xp
            # Channel by channel: libraries are slow along a last axis of three.
            seen, darker, spread = (
                reduce(choose, [field[..., c] for c in range(shape[2])])
                for choose, field in ((xp.minimum, seen), (xp.maximum, darker), (xp.maximum, spread))
            )
        return image, seen, darker, spread


def off_centre(frames: Any, image: Any, near: float) -> Any:
    """Return how far the mean of the values within ``near`` of an image lies from it, shaped as the image."""
    scale = int(np.iinfo(numpy_dtype(frames)).max)
    with Place(frames) as place:
        out = place.empty(tuple(frames.shape[1:]), np.float32)
        given = place.xp.reshape(place.xp.astype(image, place.xp.float32, copy=False), tuple(frames.shape[1:]))
        _over_words(place, write_off_centre, frames, (np.float32(near * scale), np.float32(scale)), [given, out])
        return place.xp.reshape(out, tuple(image.shape))


def _over_words(place: Place, kernel: Any, frames: Any, numbers: tuple[Any, ...], fields: list[Any]) -> None:
    """Start a kernel that takes (frames as words, N, words of a frame, numbers, flat fields)."""
    count, values = int(frames.shape[0]), math.prod(frames.shape[1:])
    if values == 0:
        return
    row, size = place.xp.reshape(frames, (-1,)), numpy_dtype(frames).itemsize
    seen, lanes = flat(row), 1
    if values * size % WORD == 0 and address(row) % WORD == 0:
        seen, lanes = seen.view(np.uint32), WORD // size
    words = values // lanes
    rows = [place.xp.reshape(field, (-1,)) for field in fields]
    place.start(
        kernel(lanes, 8 * size),
        blocks(words, THREADS),
        THREADS,
        seen,
        count,
        words,
        *numbers,
        *map(flat, rows),
        moved=count * values * size + len(fields) * values * 4,
    )


@cache
def count_votes(voters: int, channels: int, bits: int, wide: bool) -> Kernel:
    """Return the kernel of `vote`; ``wide``: counts may need more than 16 bits.

    It takes (frames, N, pixels, white, modes, marks); ``marks`` gain 1 at the first percentile of a pixel's range and
    lose 1 behind its last, so that their running sum is the vote.
    """
    counter = numba.uint32 if wide else numba.uint16
    shift, tallies = bits - 8, 2 * MARKS

    def percentile_vote(frames, count, pixels, white, modes, marks):
        hist = cuda.shared.array((LEVELS, voters), counter)
        tally = cuda.shared.array(tallies, numba.int32)
        t = cuda.threadIdx.x
        q = cuda.blockIdx.x * voters + t
        for level in range(LEVELS):
            hist[level, t] = 0
        for m in range(t, tallies, voters):
            tally[m] = 0
        cuda.syncthreads()
        if q < pixels:
            low, high = LEVELS - 1, 0
            at = q * channels
            for _ in range(count):
                if channels == 1:
                    luma = numba.int64(frames[at]) >> shift
                else:
                    # Weights of 16 bits that add up to one.
                    luma = 19595 * numba.int64(frames[at]) + 38470 * numba.int64(frames[at + 1])
                    luma = (luma + 7471 * numba.int64(frames[at + 2]) + 32768) >> (16 + shift)
                low, high = min(low, luma), max(high, luma)
                hist[luma, t] += 1
                at += pixels * channels
            most, mode, before, total = 0, 0, 0, 0
            for level in range(low, high + 1):
                here = numba.int64(hist[level, t])
                if here > most:  # of several modes the lowest
                    most, mode, before = here, level, total
                total += here
            # Percentiles p with 100 first <= p N <= 100 last.
            kind = 0 if mode < white else MARKS
            cuda.atomic.add(tally, kind + (100 * before + count - 1) // count, 1)
            cuda.atomic.add(tally, kind + 100 * (before + most - 1) // count + 1, -1)
            modes[q] = mode
        cuda.syncthreads()
        for m in range(t, tallies, voters):
            if tally[m] != 0:
                cuda.atomic.add(marks, m, numba.int64(tally[m]))

    return Kernel(percentile_vote)


@cache
def write_percentile(lanes: int, bits: int) -> Kernel:
    """Return the kernel of `percentile` for words of so many values of so many bits.

    It takes (words, N, words of a frame, rank, rest, near, scale, image, seen, darker, spread), see
    `rainopt.kernels.percentile_cpu.write_percentile`.
    """
    largest = (1 << bits) - 1
    total = numba.int32 if bits == 8 else numba.int64

    def percentile_layers(frames, count, words, rank, rest, near, scale, image, seen, darker, spread):
        value = cuda.local.array(lanes, numba.int32)
        trial = cuda.local.array(lanes, numba.int32)
        counts = cuda.local.array(lanes, numba.int32)
        above = cuda.local.array(lanes, numba.int32)
        lowest = cuda.local.array(lanes, numba.int32)
        highest = cuda.local.array(lanes, numba.int32)
        distance = cuda.local.array(lanes, total)
        q = cuda.grid(1)
        if q >= words:
            return
        for c in range(lanes):
            value[c] = 0
        # The value of a rank is the greatest that no more than `rank` values lie below, found a bit at a time.
        for turn in range(bits):
            bit = 1 << (bits - 1 - turn)
            for c in range(lanes):
                trial[c] = value[c] | bit
                counts[c] = 0
            at = q
            for _ in range(count):
                word = frames[at]
                at += words
                for c in range(lanes):
                    v = numba.int32((word >> (c * bits)) & largest)
                    if v < trial[c]:
                        counts[c] += 1
            for c in range(lanes):
                if counts[c] <= rank:
                    value[c] = trial[c]
        # The next one is the same value again, or the least above it.
        for c in range(lanes):
            counts[c] = 0
            above[c] = largest
        at = q
        for _ in range(count):
            word = frames[at]
            at += words
            for c in range(lanes):
                v = numba.int32((word >> (c * bits)) & largest)
                if v <= value[c]:
                    counts[c] += 1
                elif v < above[c]:
                    above[c] = v
        for c in range(lanes):
            here = numba.float32(value[c])
            after = here if counts[c] > rank + 1 else numba.float32(above[c])
            here += (after - here) * rest / numba.float32(100)
            image[q * lanes + c] = here / scale
            lowest[c] = max(numba.int32(math.ceil(here - near)), 0)
            highest[c] = min(numba.int32(math.floor(here + near)), largest)
            # To the nearest, of two the even one.
            whole = numba.int32(math.floor(here))
            part = here - numba.float32(whole)
            value[c] = whole
            if part > numba.float32(0.5) or (part == numba.float32(0.5) and whole % 2 == 1):
                value[c] = whole + 1
            counts[c] = 0
            trial[c] = 0
            distance[c] = 0
        at = q
        for _ in range(count):
            word = frames[at]
            at += words
            for c in range(lanes):
                v = numba.int32((word >> (c * bits)) & largest)
                if v < lowest[c]:
                    trial[c] += 1
                elif v <= highest[c]:
                    counts[c] += 1
                distance[c] += abs(v - value[c])
        frame_count = numba.float32(count)
        for c in range(lanes):
            at = q * lanes + c
            seen[at] = numba.float32(counts[c]) / frame_count
            darker[at] = numba.float32(trial[c]) / frame_count
            spread[at] = numba.float32(distance[c]) / frame_count / scale

    return Kernel(percentile_layers)


@cache
def write_off_centre(lanes: int, bits: int) -> Kernel:
    """Return the kernel of `off_centre`; it takes (words, N, words of a frame, near, scale, image, out)."""
    largest = (1 << bits) - 1
    total = numba.int32 if bits == 8 else numba.int64

    def percentile_off_centre(frames, count, words, near, scale, image, out):
        lowest = cuda.local.array(lanes, numba.int32)
        highest = cuda.local.array(lanes, numba.int32)
        counts = cuda.local.array(lanes, numba.int32)
        sums = cuda.local.array(lanes, total)
        q = cuda.grid(1)
        if q >= words:
            return
        for c in range(lanes):
            # Rounded here, and not together with the subtraction: that would leave out levels that are just near.
            here = cuda.fma(image[q * lanes + c], scale, numba.float32(0))
            lowest[c] = max(numba.int32(math.ceil(here - near)), 0)
            highest[c] = min(numba.int32(math.floor(here + near)), largest)
            counts[c] = 0
            sums[c] = 0
        at = q
        for _ in range(count):
            word = frames[at]
            at += words
            for c in range(lanes):
                v = numba.int32((word >> (c * bits)) & largest)
                if v >= lowest[c] and v <= highest[c]:
                    counts[c] += 1
                    sums[c] += v
        for c in range(lanes):
            at = q * lanes + c
            out[at] = numba.float32(0)
            if counts[c] > 0:
                out[at] = numba.float32(sums[c]) / numba.float32(counts[c]) / scale - image[at]

    return Kernel(percentile_off_centre)
