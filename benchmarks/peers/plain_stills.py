"""Naive derainers of one photograph, written plainly; each takes (H, W, 3) float32 in [0, 1] and returns the same."""

from __future__ import annotations

import numpy as np

from benchmarks.peers.plain_admm import PlainAdmm
from rainopt import UDGWeights

LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def median_across(image: np.ndarray, width: int) -> np.ndarray:
    """Return the darker of each pixel and the median of its row around it: rain is bright, thin and nearly upright."""
    from scipy import ndimage

    return np.minimum(image, ndimage.median_filter(image, size=(1, width, 1), mode="nearest"))


def bilateral(image: np.ndarray, sigma: float) -> np.ndarray:
    """Return the darker of each pixel and OpenCV's bilateral filter, whose range is ``sigma`` of 1."""
    import cv2

    return np.minimum(image, cv2.bilateralFilter(image, 9, sigma, 3.0))


def guided(image: np.ndarray, radius: int, epsilon: float) -> np.ndarray:
    """Return the darker of each pixel and the low frequencies that its own guided filter leaves.

    Xu, Zhao, Liu, Tang: Removing rain and snow in a single image using guided filter, CSAE 2012, in its first step; the
    filter is that of He, Sun, Tang, ECCV 2010, channel by channel.
    """
    import cv2

    def mean(values: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.blur(values, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REFLECT))

    average = mean(image)
    variance = mean(image * image) - average * average
    slope = variance / (variance + epsilon)
    return np.minimum(image, mean(slope) * image + mean(average - slope * average))


def printed_udg(image: np.ndarray, angle: float, weights: UDGWeights, iterations: int, rho: float) -> np.ndarray:
    """Return O - R of Yu et al. 2021, Eq. (3) as printed, by its own algorithm with growing penalties.

    The luminance is turned by ``angle`` until the streaks are upright, and the rain layer is turned back.
    """
    from scipy import ndimage

    luma = image @ LUMA
    upright = ndimage.rotate(luma, -angle, order=1, mode="nearest")
    solver = PlainAdmm(upright, weights, rho=rho)
    solver.advance(iterations)
    rain = ndimage.rotate(solver.result()[1], angle, order=1, mode="nearest")
    top, left = ((have - want) // 2 for have, want in zip(rain.shape, luma.shape, strict=True))
    rain = rain[top : top + luma.shape[0], left : left + luma.shape[1]]
    return np.clip(image - rain[..., None], 0, 1)
