"""Votes for a percentile over time, and the percentile itself: the definition for all array libraries, and a fast one.

Frames are (N, H, W) or (N, H, W, C), C being 1 or 3, uint8 or uint16.
"""

from __future__ import annotations

from typing import NamedTuple

import array_api_compat
import numpy as np

from rainopt.arrays import Array, kernel, namespace
from rainopt.host_steps import number, truth

PERCENTILES = 101  # 0, 1, ... 100
LEVELS = 256  # of the luminance whose mode is taken
# Luminance of these levels from which a pixel is over-exposed: where rain saturates, the mode says nothing.
WHITE = 250
# A frame shows the background where no channel is further from it than this: about three deviations of the noise of
# compressed video.
NEAR = 8 / 255


class Ballot(NamedTuple):
    """How pixels vote.

    Attributes
    ----------
    votes
        (101,) int64, or (2, 101): of pixels whose mode is below `WHITE`, and of the others.
    mode
        (H, W) float32 in [0, 1]: the most frequent luminance.
    """

    votes: Array
    mode: Array


class PercentileLayers(NamedTuple):
    """A percentile over time and how the frames lie around it; see `rainopt.video.background.BackgroundEstimate`."""

    image: Array
    seen: Array
    darker: Array
    spread: Array


def elected(votes: Array) -> tuple[Array, int]:
    """Return the votes that count, (101,), and the percentile that has most.

    Those of over-exposed pixels count where there are no others.
    """
    xp = namespace(votes)
    counted = votes[0, ...] if truth(xp.any(votes[0, ...] > 0), "percentile votes") else votes[1, ...]
    return counted, int(number(xp.argmax(counted), "percentile votes"))


def vote(frames: Array) -> Ballot:
    """Let every pixel vote for the percentiles that give its mode; votes are (2, 101)."""
    xp = namespace(frames)
    fast = kernel("percentile_vote", frames)
    votes, mode = fast(frames, WHITE) if fast is not None else _vote_reference(frames)
    width = (_full_scale(frames) + 1) // LEVELS
    values = ((np.arange(LEVELS) + 0.5) * width - 0.5) / _full_scale(frames)
    table = xp.asarray(values.astype(np.float32), device=array_api_compat.device(frames))
    index = xp.reshape(xp.astype(mode, xp.int64), (-1,))
    return Ballot(votes, xp.reshape(xp.take(table, index, axis=0), tuple(mode.shape)))


def percentile_layers(frames: Array, p: int) -> PercentileLayers:
    """Return the p-th percentile over time of every channel, and how the frames lie around it."""
    rank, rest = _rank(p, frames.shape[0])
    fast = kernel("percentile", frames)
    return PercentileLayers(
        *(fast(frames, rank, rest, NEAR) if fast is not None else _layers_reference(frames, rank, rest))
    )


def off_centre(frames: Array, image: Array, near: float) -> Array:
    """Return how far the mean of the values within ``near`` of an image lies from it, shaped as the image, in [0, 1].

    A percentile that is right lies in the middle of the noise; below it, this is positive, and above it negative. It is
    0 where no value is near.
    """
    fast = kernel("off_centre", frames, image)
    if fast is not None:
        return fast(frames, image, near)
    xp, scale = namespace(frames), _full_scale(frames)
    values, centre = xp.astype(frames, xp.float32), image * scale
    here = xp.abs(values - centre) <= float(np.float32(near * scale))
    count = xp.sum(xp.astype(here, xp.float32), axis=0)
    total = xp.sum(xp.where(here, values, xp.zeros_like(values)), axis=0)
    mean = total / xp.where(count > 0, count, xp.ones_like(count)) / scale
    return xp.where(count > 0, mean - image, xp.zeros_like(image))


def _vote_reference(frames: Array) -> tuple[Array, Array]:
    """Return votes (2, 101) and modes (H, W) of 8-bit luminance in the functions that all array libraries share."""
    xp = namespace(frames)
    count = frames.shape[0]
    wide = xp.astype(frames, xp.int64)
    luma = wide
    if frames.ndim == 4:
        luma = wide[..., 0]
        if frames.shape[-1] == 3:
            luma = (19595 * wide[..., 0] + 38470 * wide[..., 1] + 7471 * wide[..., 2] + 32768) // 65536
    luma = luma // ((_full_scale(frames) + 1) // LEVELS)
    most, mode, first, below = (xp.zeros_like(luma[0, ...]) for _ in range(4))
    for level in range(LEVELS):
        here = xp.sum(xp.astype(luma == level, xp.int64), axis=0)
        mode = xp.where(here > most, xp.full_like(mode, level), mode)
        first = xp.where(here > most, below, first)
        most = xp.where(here > most, here, most)
        below = below + here
    last = first + most - 1
    held = [(100 * first <= p * count) & (p * count <= 100 * last) for p in range(PERCENTILES)]
    votes = [
        xp.stack([xp.sum(xp.astype(holds & voters, xp.int64)) for holds in held])
        for voters in (mode < WHITE, mode >= WHITE)
    ]
    return xp.stack(votes), mode


def _layers_reference(frames: Array, rank: int, rest: int) -> tuple[Array, Array, Array, Array]:
    """Return the fields of `PercentileLayers` in the functions that all array libraries share."""
    xp, scale = namespace(frames), _full_scale(frames)
    ordered = xp.astype(xp.sort(frames, axis=0), xp.float32)
    low, high = ordered[rank, ...], ordered[min(rank + 1, frames.shape[0] - 1), ...]
    image = low + (high - low) * rest / 100
    near = float(np.float32(NEAR * scale))
    seen = xp.mean(xp.astype(xp.abs(ordered - image) <= near, xp.float32), axis=0)
    darker = xp.mean(xp.astype(image - ordered > near, xp.float32), axis=0)
    spread = xp.mean(xp.abs(ordered - xp.round(image)), axis=0) / scale
    if frames.ndim == 4:
        seen, darker, spread = xp.min(seen, axis=-1), xp.max(darker, axis=-1), xp.max(spread, axis=-1)
    return image / scale, seen, darker, spread


def _full_scale(frames: Array) -> int:
    return 255 if frames.dtype == namespace(frames).uint8 else 65535


def _rank(p: int, count: int) -> tuple[int, int]:
    """Return the rank at or below the p-th percentile of ``count`` values, and how many hundredths are of the next.

    Hundredths, since their products are whole numbers: levels that the percentile hits are hit in float32, too.
    """
    return divmod(p * (count - 1), 100)
