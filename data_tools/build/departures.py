"""How far some frames lie from their background beyond noise and rain: where an alignment misses, light changes, or a
thing stays.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

GROUP = 6  # frames: two interleaved medians of three
SPARSE = (slice(None, None, 4), slice(None, None, 4))  # pixels that tell where most of a picture lies
NOISIEST = 6 / 255  # further apart are two medians for other reasons


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
