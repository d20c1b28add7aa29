"""What a result keeps of a picture where no rain is: the other side of what it leaves of the rain."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from benchmarks.rain.streak_profiles import Streaks, planes_of
from rainopt.image import luminance

AWAY = 8.0  # pixels from every streak; there a picture is to be kept
LEAST = 0.01  # share of the picture that must be away from streaks
UNTOUCHED = 100.0  # dB, of a picture that is left alone


class Kept(NamedTuple):
    """What is kept.

    Attributes
    ----------
    detail
        ``Σ ∇result · ∇rainy / Σ |∇rainy|²`` on luminance, at most 1: 1 for the picture itself, 0 for a flat one.
    psnr
        Against the rainy picture in dB, on all colours, at most `UNTOUCHED`.
    """

    detail: float
    psnr: float


def away_from(shape: tuple[int, int], streaks: Streaks) -> np.ndarray:
    """Return where on a working picture no streak is within `AWAY` pixels, (h, w) bool."""
    wet = np.zeros(shape, bool)
    counts = np.maximum(np.ceil(streaks.length).astype(int), 1)
    owner = np.repeat(np.arange(len(counts)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    places = streaks.select(owner).at(np.arange(len(owner)) - first - (counts[owner] - 1) / 2, 0.0)
    row, column = (np.rint(np.clip(at, 0, size - 1)).astype(int) for at, size in zip(places, shape, strict=True))
    wet[row, column] = True
    return np.asarray(ndimage.distance_transform_edt(~wet) > AWAY) if wet.any() else ~wet


def kept_of(rainy: np.ndarray, result: np.ndarray, away: np.ndarray) -> Kept | None:
    """Return what a result keeps of a picture; None where less than `LEAST` of it is away from the rain.

    Parameters
    ----------
    rainy, result
        (H, W) or (H, W, C), uint8, uint16 or float in [0, 1], of the same height and width.
    away
        (h, w) bool, of the working picture; see `away_from`.

    Raises
    ------
    ValueError
        If the pictures differ in size.
    """
    before, after = planes_of(rainy, result)
    if not away.mean() >= LEAST:
        return None
    one, other = (np.stack([*np.gradient(luminance(planes))])[:, away] for planes in (before, after))
    energy = float((one**2).sum())
    error = float(((before - after)[:, away] ** 2).mean())
    return Kept(
        min(float((one * other).sum()) / energy, 1.0) if energy > 0 else 1.0,
        min(float(-10 * np.log10(error)), UNTOUCHED) if error > 0 else UNTOUCHED,
    )
