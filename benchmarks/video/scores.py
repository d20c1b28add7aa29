"""How near a derained clip is to its truth."""

from __future__ import annotations

import numpy as np

from benchmarks.video.cases import Case
from rainopt.metrics.fidelity import psnr, ssim

SSIM_FRAMES = 60  # at most, evenly over the clip
MOST = 100.0  # decibels: of a frame that equals its truth
RAIN = 8  # levels by which a channel of a pixel under rain is brighter than the truth, at least
DARKER = 40  # levels of luma
# Luma as y_matlab has it, between 16 and 235; and of full range.
_MATLAB = np.array([65.481, 128.553, 24.966]) / 255
_FULL = np.array([0.299, 0.587, 0.114])


def scores(result: np.ndarray, case: Case) -> dict[str, float]:
    """Return PSNR and SSIM, means over frames, and what else a case asks for.

    ``psnr`` and ``ssim`` are on the luma of the case's protocol. ``psnr_rain`` and ``psnr_dry``, of y_matlab, are over
    the pixels that are brighter than the truth by more than `RAIN` levels in a channel, and over the others. ``darker``
    is the largest number of pixels of a frame that are at least `DARKER` levels of luma below the truth.
    """
    pairs = list(zip(result, case.clean, strict=True))
    found = {
        "psnr": mean_psnr(result, case.clean, case.protocol),
        "ssim": float(np.mean([ssim(a, b, case.protocol) for a, b in pairs[:: -(-len(pairs) // SSIM_FRAMES)]])),
    }
    if case.rain_apart:
        apart = [_apart(*three) for three in zip(result, case.clean, case.rainy, strict=True)]
        found["psnr_rain"], found["psnr_dry"] = (float(value) for value in np.mean(apart, axis=0))
    if case.darker:
        found["darker"] = most_darker(result, case.clean)
    return found


def mean_psnr(result: np.ndarray, clean: np.ndarray, protocol: str) -> float:
    """Return the mean over frames of the PSNR, of each at most `MOST`."""
    return float(np.mean([min(psnr(a, b, protocol), MOST) for a, b in zip(result, clean, strict=True)]))


def most_darker(result: np.ndarray, clean: np.ndarray) -> int:
    """Return the largest number of pixels of a frame that are at least `DARKER` levels of luma below the truth."""
    return max(int((_below(a, b) >= DARKER).sum()) for a, b in zip(result, clean, strict=True))


def _apart(result: np.ndarray, clean: np.ndarray, rainy: np.ndarray) -> tuple[float, float]:
    under = (rainy.astype(np.int16) - clean).max(axis=-1) > RAIN
    squares = np.square((result.astype(np.float64) - clean) @ _MATLAB / 255)
    rain, dry = (-10 * np.log10(squares[where].mean()) for where in (under, ~under))
    return float(rain), float(dry)


def _below(result: np.ndarray, clean: np.ndarray) -> np.ndarray:
    return np.asarray((clean.astype(np.float64) - result) @ _FULL)
