"""A pair as it is scored, and the scores of one result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data_tools.layouts.halves import read_picture
from data_tools.layouts.read import Pair
from rainnet.evaluate.report import Score
from rainopt.image import quantise, unit_range
from rainopt.metrics.fidelity import psnr, ssim

LEAST_SSIM, MARGIN = 11, 5  # pixels on a side, and of the border that is in no middle of a window


def read_pair(pair: Pair) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Return rainy picture, truth, and where that can be trusted: (H, W) bool, None for everywhere.

    Raises
    ------
    ValueError
        If one cannot be read, they are of different sizes, or no pixel can be trusted.
    """
    rainy = read_picture(pair.rainy)
    if pair.clean is None:
        return rainy, None, None
    truth = read_picture(pair.clean)
    if rainy.shape[:2] != truth.shape[:2]:
        raise ValueError(f"'{pair.rainy}' has {_size(rainy)} pixels and its truth '{pair.clean}' {_size(truth)}")
    return rainy, truth, _valid_pixels(pair, rainy.shape[:2])


def rounded(image: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return a result as a file of the depth of another picture would hold it.

    Raises
    ------
    ValueError, TypeError
        If it is of another size, or no picture.
    """
    if image.ndim not in (2, 3):
        raise ValueError(f"the result must be (H, W) or (H, W, C), got shape {image.shape}")
    if image.shape[:2] != like.shape[:2]:
        raise ValueError(f"the result has {_size(image)} pixels and the picture {_size(like)}")
    return quantise(unit_range(image), like.dtype)


def score_of(
    result: np.ndarray,
    truth: np.ndarray | None,
    valid: np.ndarray | None,
    protocols: Sequence[str],
    *,
    name: str,
    niqe: bool,
    seconds: float | None,
) -> Score:
    """Return the scores of a `rounded` result, in valid pixels; without truth, or where it is asked for, NIQE."""
    natural = _niqe(result) if niqe or truth is None else None
    if truth is None:
        return Score(name, niqe=natural, seconds=seconds)
    a, b = in_same_channels(result, truth)
    small = min(a.shape[:2]) < LEAST_SSIM
    # Nor is there a window whose middle is valid, where all that is lies along the border.
    small = small or (valid is not None and not valid[MARGIN:-MARGIN, MARGIN:-MARGIN].any())
    return Score(
        name,
        {protocol: psnr(a, b, protocol, valid) for protocol in protocols},
        {protocol: None if small else ssim(a, b, protocol, valid) for protocol in protocols},
        natural,
        seconds,
        None if valid is None else float(valid.mean()),
    )


def in_same_channels(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two pictures (H, W, C) without alpha; where one is coloured, a grey one gets three equal channels."""
    planes = [image[..., None] if image.ndim == 2 else image for image in (a, b)]
    planes = [image[..., : 3 if image.shape[2] > 2 else 1] for image in planes]
    most = max(image.shape[2] for image in planes)
    first, second = (np.repeat(image, most // image.shape[2], axis=2) for image in planes)
    return first, second


def _valid_pixels(pair: Pair, shape: tuple[int, ...]) -> np.ndarray | None:
    if pair.valid is None:
        return None
    valid = read_picture(pair.valid)
    valid = (valid if valid.ndim == 2 else valid[..., 0]) > 0
    if valid.shape != shape:
        raise ValueError(f"the mask '{pair.valid}' has {_size(valid)} pixels, and '{pair.rainy}' has others")
    if not valid.any():
        raise ValueError(f"the mask '{pair.valid}' says that no pixel can be trusted; leave the pair out")
    return valid


def _niqe(image: np.ndarray) -> float | None:
    """Return NIQE; None for pictures that are too small."""
    from rainopt import niqe

    try:
        return niqe(image)
    except ValueError:
        return None


def _size(image: np.ndarray) -> str:
    return " x ".join(str(side) for side in image.shape[:2])
