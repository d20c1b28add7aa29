"""How far frames lie from their background beyond noise and rain: where an alignment misses, light changes, or a thing
stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# Frames of two interleaved medians of three, and how many such groups are looked at over time.
GROUP, GROUPS = 6, 5
SPARSE = (slice(None, None, 4), slice(None, None, 4))  # pixels that tell where most of a picture lies
BLOCK, LEFT_OUT = 8, 0.1  # pixels on a side, and share of the pixels
NOISIEST = 6 / 255  # further apart are two medians for other reasons


def departures(frames: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Return the mean square distance of frames from an image, without their noise and rain, (H, W) float32.

    The median of `departure` over groups spread over time, since something may have passed in some; 0 for less than six
    frames.

    Parameters
    ----------
    frames
        (N, H, W) or (N, H, W, C) uint8 or uint16.
    image
        (H, W) or (H, W, C) float32 in [0, 1].
    """
    if len(frames) < GROUP:
        return np.zeros(image.shape[:2], np.float32)
    starts = sorted({round(k) for k in np.linspace(0, len(frames) - GROUP, min(GROUPS, len(frames) // GROUP))})
    return np.asarray(np.median([departure(frames[k : k + GROUP], image) for k in starts], axis=0), np.float32)


def widespread(departed: np.ndarray, where: np.ndarray) -> float:
    """Return the mean of departures over some pixels, without the blocks in which it is largest: what is there is in
    front of the background, most often, and a matter of masks.
    """
    rows, columns = (np.arange(0, side, BLOCK) for side in departed.shape)

    def sums(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(np.add.reduceat(values.astype(np.float64), rows, axis=0), columns, axis=1).ravel()

    counts, totals = sums(where), sums(np.where(where, departed, 0))
    counts, totals = counts[counts > 0], totals[counts > 0]
    order = np.argsort(totals / counts)
    kept = order[np.cumsum(counts[order]) <= (1 - LEFT_OUT) * counts.sum()]
    return float(totals[kept].sum() / counts[kept].sum()) if kept.size else float(totals.sum() / counts.sum())


def departure(frames: Sequence[np.ndarray] | np.ndarray, image: np.ndarray) -> np.ndarray:
    """Return the square distance of six frames in a row from an image; (H, W) float32, below 0 by chance.

    ``2 min(m₁ - B, 0) min(m₂ - B, 0) - σ² / π``, m₁ and m₂ being the medians of every other frame, and the last term
    what their noise σ makes of the first. Only what is darker counts, twice: rain darkens nothing, and what lies astray
    is darker as often as it is brighter. Distances are counted from where most of the picture lies, which is a little
    above a low percentile.
    """
    apart = [_median(*frames[half::2]).astype(np.float32) / _full(frames[half]) - image for half in (0, 1)]
    noise = float(np.mean(np.minimum(np.abs(apart[0][SPARSE] - apart[1][SPARSE]), NOISIEST) ** 2, dtype=np.float64)) / 2
    first, second = (np.minimum(one - np.median(one[SPARSE]), 0) for one in apart)
    product = 2 * first * second - np.float32(noise / np.pi)
    return np.asarray(product if product.ndim == 2 else product.mean(axis=-1), np.float32)


def _full(frame: np.ndarray) -> np.float32:
    return np.float32(np.iinfo(frame.dtype).max)


def _median(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    return np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
