"""The direction of rain where its layer is known: the truth that estimates from the rainy picture are held against."""

from __future__ import annotations

import numpy as np

from rainopt.direction.ridges import turn
from rainopt.geometry.lines import line_angle

SIGMA = 1.0  # pixels, of the gradients and of the window of the tensor
BIN_SMOOTHING = 2.0  # degrees
NEAR = 8.0  # degrees around the peak that its refinement looks at


def layer_angle(rain: np.ndarray) -> float:
    """Return the dominant direction of a rain layer.

    Each pixel of the structure tensor ``J = G_σ * ∇L ∇Lᵀ`` of the layer L votes for the direction along which L changes
    least, by how much more it changes across, ``λ₁ - λ₂``. The peak of the votes, and not their mean, is the answer:
    rain may fall in two directions.

    Parameters
    ----------
    rain
        (H, W) layer, such as the luminance of a rainy picture minus that of the clean one.

    Returns
    -------
    float
        Degrees in (-90, 90]; 0 is vertical, positive moves right going down. NaN for a layer without any change.
    """
    from scipy import ndimage

    layer = np.asarray(rain, dtype=np.float64)
    # Derivatives of a Gaussian turn with the picture, which differences of pixels do not quite.
    down = ndimage.gaussian_filter(layer, SIGMA, order=(1, 0), mode="nearest")
    right = ndimage.gaussian_filter(layer, SIGMA, order=(0, 1), mode="nearest")
    rr, cc, rc = (ndimage.gaussian_filter(product, SIGMA) for product in (down * down, right * right, down * right))
    strength = np.hypot(rr - cc, 2 * rc)
    if not strength.max() > 0:
        return float("nan")
    # uᵀJu of u = (cos θ, sin θ) is (rr + cc)/2 + (rr - cc)/2 cos 2θ + rc sin 2θ, least opposite to the maximum.
    angle = np.degrees(0.5 * np.arctan2(-2 * rc, cc - rr))
    votes = np.histogram(angle, bins=360, range=(-90.0, 90.0), weights=strength)[0]
    votes = ndimage.gaussian_filter1d(votes, 2 * BIN_SMOOTHING, mode="wrap")
    peak = -89.75 + 0.5 * float(np.argmax(votes))
    for _ in range(5):
        offset = turn(angle - peak)
        weight = strength * (np.abs(offset) <= NEAR)
        peak += float((weight * offset).sum() / weight.sum())
    return line_angle(float(turn(np.asarray(peak))))


def angle_error(a: float, b: float) -> float:
    """Return the angle between two lines, degrees in [0, 90]."""
    return abs(float(turn(np.asarray(a - b))))
