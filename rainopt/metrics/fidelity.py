"""PSNR and SSIM under named protocols, because on one pair they differ by more than a decibel."""

from __future__ import annotations

import numpy as np

from rainopt.arrays import Array, to_numpy
from rainopt.image import split_channels

PROTOCOLS = ("rgb", "y_matlab", "y_full")
# MATLAB's rgb2ycbcr: luma between 16 and 235 of 255.
_MATLAB = np.array([65.481, 128.553, 24.966])
_FULL = np.array([0.299, 0.587, 0.114])


def psnr(a: Array, b: Array, protocol: str = "rgb", where: np.ndarray | None = None) -> float:
    """Peak signal-to-noise ratio in dB, peak 255 (or 1): ``10 log10(1 / mean (a - b)²)``; infinite for equal images.

    Parameters
    ----------
    a, b
        (H, W) or (H, W, C) images, uint8, uint16 or float in [0, 1]. Alpha is ignored.
    protocol
        ``"rgb"``: over all channels. ``"y_matlab"``: on the 16-235 luma of MATLAB's rgb2ycbcr, as most of the
        literature. ``"y_full"``: on full-range BT.601 luma; exactly 20 log10(255/219) = 1.32 dB below
        ``"y_matlab"``. Grey images count as their own luma, and as three equal channels.
    where
        (H, W) bool: the pixels that count; None: all of them.

    Returns
    -------
    float
        In dB.

    Raises
    ------
    ValueError
        For different shapes, an unknown protocol, or no pixel that counts.

    Examples
    --------
    A tenth of full scale off everywhere is 20 dB:

    >>> import numpy as np
    >>> import rainopt
    >>> a = np.full((16, 16, 3), 0.5)
    >>> round(rainopt.psnr(a, a + 0.1), 2)
    20.0

    On MATLAB's luma the same error is smaller, since black is 16 and white 235 there:

    >>> round(rainopt.psnr(a, a + 0.1, protocol="y_matlab"), 2)
    21.32
    >>> round(rainopt.psnr(a, a + 0.1, protocol="y_full"), 2)
    20.0
    """
    x, y = _planes(a, b, protocol)
    squares = (x - y) ** 2
    error = float(np.mean(squares if where is None else squares[:, _required(where, x)]))
    return float("inf") if error == 0 else float(-10 * np.log10(error))


def ssim(a: Array, b: Array, protocol: str = "rgb", where: np.ndarray | None = None) -> float:
    """Structural similarity, at most 1: Gaussian 11×11 window of σ 1.5, K 0.01 and 0.03, mean over the valid region
    and channels.

    Parameters
    ----------
    a, b, protocol
        As `psnr`; at least 11 pixels on each side.
    where
        (H, W) bool: the mean is over windows whose middle counts, and pixels that do not count are taken from `b` in
        both; None: all of them.

    Returns
    -------
    float
        1 for equal images.

    Raises
    ------
    ValueError
        As `psnr`, and for smaller images.

    Notes
    -----
    Source: Wang et al. 2004.
    """
    x, y = _planes(a, b, protocol)
    if min(x.shape[-2:]) < 11:
        raise ValueError(f"`a` must be at least 11 x 11 pixels for SSIM, got {x.shape[-2]} x {x.shape[-1]}")
    if where is None:
        return float(np.mean([_ssim_plane(p, q) for p, q in zip(x, y, strict=True)]))
    inner = _required(where, x)[5:-5, 5:-5]
    _required(inner, inner)
    return float(np.mean([_ssim_plane(np.where(where, p, q), q)[inner] for p, q in zip(x, y, strict=True)]))


def _required(where: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """Return a mask that fits planes (..., H, W) and holds something."""
    if where.dtype != np.bool_ or where.shape != planes.shape[-2:]:
        raise ValueError(f"`where` must be bool of shape {planes.shape[-2:]}, got {where.dtype} of {where.shape}")
    if not where.any():
        raise ValueError("`where` must be True for some pixel that can be scored, and is for none")
    return where


def _ssim_plane(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the similarity around each pixel of the valid region."""
    from scipy import ndimage

    kernel = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    kernel /= kernel.sum()

    def smooth(field: np.ndarray) -> np.ndarray:
        for axis in (0, 1):
            field = ndimage.correlate1d(field, kernel, axis=axis)
        return field[5:-5, 5:-5]

    mx, my = smooth(x), smooth(y)
    vx, vy, cov = smooth(x * x) - mx * mx, smooth(y * y) - my * my, smooth(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    return np.asarray((2 * mx * my + c1) * (2 * cov + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2)))


def _planes(a: Array, b: Array, protocol: str) -> tuple[np.ndarray, np.ndarray]:
    """Return float64 planes (C, H, W) of both images on the scale of the protocol."""
    if protocol not in PROTOCOLS:
        raise ValueError(f"`protocol` must be one of {', '.join(PROTOCOLS)}, got {protocol!r}")
    x, y = (to_numpy(split_channels(image).colour).astype(np.float64) for image in (a, b))
    if x.shape != y.shape:
        raise ValueError(f"`a` and `b` must have one shape, got {tuple(a.shape)} and {tuple(b.shape)}")
    if protocol == "rgb":
        return x, y
    weights = _FULL if protocol == "y_full" else _MATLAB / 255
    offset = 0.0 if protocol == "y_full" else 16 / 255
    if len(x) == 1:
        weights = np.array([weights.sum()])
    return np.tensordot(weights, x, 1)[None] + offset, np.tensordot(weights, y, 1)[None] + offset
