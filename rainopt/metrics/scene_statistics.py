"""Natural scene statistics: how contrasts and their products are distributed in the patches of a picture.

Take the local mean off the luminance of a natural photograph and divide by the local deviation: the result is
distributed much the same everywhere. Blur, noise and compression each change the distribution in a way of their own.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage, special

PATCH = 96  # pixels on each side, at full size
# Where the contrast is below this all over a patch, it is only rounding, and rounding has no statistics.
LEAST_CONTRAST = 0.01
EXPONENTS = (0.2, 10.0)  # the least and the greatest exponent that are told apart
# The neighbour (down, across) that each pixel is multiplied with.
NEIGHBOURS = {"across": (0, 1), "down": (1, 0), "diagonal": (1, 1), "antidiagonal": (1, -1)}
FEATURES = tuple(
    f"{size} size, {name}"
    for size in ("full", "half")
    for name in (
        "contrast: exponent",
        "contrast: width",
        *(f"{pair}: {what}" for pair in NEIGHBOURS for what in ("exponent", "mean", "left width", "right width")),
    )
)

_WINDOW = np.exp(-0.5 * (np.arange(-3, 4) / (7 / 6)) ** 2)
_WINDOW /= _WINDOW.sum()


def patch_features(luma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the features of the patches of a picture that have contrast, and how sharp each of these is.

    The patches lie side by side from the top left corner; what remains at the right and at the bottom is cut off
    before anything is computed. Patches are left out where the root mean square of `contrast` is below
    `LEAST_CONTRAST` at one of the sizes, or where all products of one direction are 0.

    Parameters
    ----------
    luma
        (H, W) float64 in 0 to 255, at least `PATCH` on each side.

    Returns
    -------
    features : (n, 36)
        In the order of `FEATURES`; n is at most ``(H // 96) (W // 96)``, and may be 0.
    sharpness : (n,)
        Mean of the local deviation at full size, grey levels of 255. Source: Mittal et al. 2013, Eq. (4).
    """
    rows, columns = (side // PATCH * PATCH for side in luma.shape)
    plane = luma[:rows, :columns]
    normalised, deviation = contrast(plane)
    sharpness = _patches(deviation, PATCH).mean(axis=(1, 2))
    sizes = [_patches(normalised, PATCH), _patches(contrast(halved(plane))[0], PATCH // 2)]
    features = np.concatenate([_features(patches) for patches in sizes], axis=1)
    visible = [np.sqrt(np.mean(patches**2, axis=(1, 2))) >= LEAST_CONTRAST for patches in sizes]
    usable = np.all([*visible, np.isfinite(features).all(axis=1)], axis=0)
    return features[usable], sharpness[usable]


def contrast(luma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean-subtracted contrast-normalised luminance, ``(I - μ) / (σ + 1)``, and the local deviation σ.

    μ and σ are mean and deviation under a Gaussian window of 7 x 7 pixels and deviation 7/6; beyond the border its
    pixel repeats. Source: Mittal et al. 2013, Eqs. (1) to (3).

    Parameters
    ----------
    luma
        (H, W) float64 in 0 to 255; the 1 in the denominator is one of these grey levels.
    """

    def smooth(field: np.ndarray) -> np.ndarray:
        for axis in (0, 1):
            field = ndimage.correlate1d(field, _WINDOW, axis=axis, mode="nearest")
        return field

    mean = smooth(luma)
    # Rounding may take the variance of a flat patch below 0.
    deviation = np.sqrt(np.maximum(smooth(luma**2) - mean**2, 0))
    return (luma - mean) / (deviation + 1), deviation


def halved(plane: np.ndarray) -> np.ndarray:
    """Return (H, W), both even, at half the size: cubic convolution, stretched by 2 against aliasing.

    The kernel is that of Keys 1981 with a = -0.5, and the picture is mirrored beyond its border; MATLAB's imresize,
    which the authors use, does so by default.
    """
    distance = np.abs(np.arange(8) - 3.5) / 2  # from the middle between two pixels, in pixels of the result
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    kernel = np.where(distance <= 1, near, far) / 2
    for axis in (0, 1):
        # The fourth and the fifth of the eight taps must lie on a pair of pixels.
        plane = ndimage.correlate1d(plane, kernel, axis=axis, mode="reflect", origin=-1)
        plane = plane[::2] if axis == 0 else plane[:, ::2]
    return plane


def fit_aggd(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit asymmetric generalised Gaussian distributions by their moments.

    The density is ``exp(-(|x| / β)^α)`` up to a factor, with β_l for x < 0 and β_r for x > 0. The exponent is read off
    ``(E|x|)² / E x² = Γ(2/α)² / (Γ(1/α) Γ(3/α))``, after a correction for the asymmetry; the widths are read off the
    root mean squares of the two sides. Source: Lasmar et al. 2009, "Multiscale skewed heavy tailed model for texture
    analysis".

    Parameters
    ----------
    samples
        (k, n): n samples of each of k distributions.

    Returns
    -------
    alpha, left, right : (k,)
        Exponent, within `EXPONENTS`; β_l and β_r. A side without samples has width 0. All are NaN where all samples
        are 0.
    """
    left, right = (
        np.sqrt(np.sum(side**2, axis=1) / np.maximum(np.count_nonzero(side, axis=1), 1))
        for side in (np.minimum(samples, 0), np.maximum(samples, 0))
    )
    with np.errstate(invalid="ignore"):
        ratio = np.mean(np.abs(samples), axis=1) ** 2 / np.mean(samples**2, axis=1)
        ratio *= (left**3 + right**3) * (left + right) / (left**2 + right**2) ** 2
    alpha = np.interp(ratio, *_moment_ratios())
    width = np.sqrt(special.gamma(1 / alpha) / special.gamma(3 / alpha))
    return alpha, left * width, right * width


def _moment_ratios() -> tuple[np.ndarray, np.ndarray]:
    """Return ascending ratios (E|x|)² / E x² and the exponents that have them."""
    alpha = np.geomspace(*EXPONENTS, 4000)
    log_ratio = 2 * special.gammaln(2 / alpha) - special.gammaln(1 / alpha) - special.gammaln(3 / alpha)
    return np.exp(log_ratio), alpha


def _features(patches: np.ndarray) -> np.ndarray:
    """Return the features (n, 18) of one size of patches (n, p, p)."""
    count, side = patches.shape[:2]
    alpha, left, right = fit_aggd(patches.reshape(count, -1))
    columns = [alpha, (left + right) / 2]
    for down, across in NEIGHBOURS.values():
        here = patches[:, : side - down, max(-across, 0) : side - max(across, 0)]
        there = patches[:, down:, max(across, 0) : side - max(-across, 0)]
        alpha, left, right = fit_aggd((here * there).reshape(count, -1))
        mean = (right - left) * special.gamma(2 / alpha) / special.gamma(1 / alpha)
        columns += [alpha, mean, left, right]
    return np.stack(columns, axis=1)


def _patches(field: np.ndarray, side: int) -> np.ndarray:
    """Cut (H, W), both multiples of ``side``, into patches (n, side, side), row by row."""
    rows, columns = (length // side for length in field.shape)
    return field.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side, side)
