"""The pictures of a scene as a browser shows them: smaller, differences in colours, medians of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rainopt.image import frame_luminance, quantise
from rainopt.io import read_image

SIDES = {"thumb": 320, "screen": 1600, "full": None}
"""Longest side in pixels, by the name of a size."""
QUALITY = {"thumb": 80, "screen": 92}
# What a median of frames is taken of, and what is shown of a difference: of full scale, white from 1 / GAIN on.
MEDIAN_OF, GAIN = 9, 4.0
BRIGHTER, DARKER = np.array([1.0, 0.78, 0.45], np.float32), np.array([0.35, 0.6, 1.0], np.float32)


def opened(path: Path, size: str) -> np.ndarray:
    """Return a picture as RGB, (H, W, 3) uint8, no larger than a size.

    Raises
    ------
    ValueError, OSError
        If it cannot be read.
    """
    return _smaller(_plain(read_image(path)), SIDES[size])


def median_of(paths: Sequence[Path], size: str) -> np.ndarray:
    """Return the median of some pictures spread over a sequence, which stands for a background where there is none."""
    chosen = [paths[k] for k in sorted({round(k) for k in np.linspace(0, len(paths) - 1, MEDIAN_OF)})]
    frames = [opened(path, size) for path in chosen]
    least = min(frame.shape[0] for frame in frames), min(frame.shape[1] for frame in frames)
    stack = np.stack([frame[: least[0], : least[1]] for frame in frames])
    return np.asarray(np.median(stack, axis=0).astype(np.uint8))


def difference_of(rainy: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """Return by how much a picture is brighter than its background, as colours on black.

    Warm is brighter, as rain is, and cold darker, which rain is not; a difference of a quarter of full scale has full
    colour.
    """
    height, width = min(rainy.shape[0], clean.shape[0]), min(rainy.shape[1], clean.shape[1])
    apart = _grey(rainy[:height, :width]) - _grey(clean[:height, :width])
    signed = np.clip(GAIN * apart, -1, 1)[..., None]
    return np.asarray(quantise(np.maximum(signed, 0) * BRIGHTER + np.maximum(-signed, 0) * DARKER, np.dtype(np.uint8)))


def mask_of(path: Path, size: str) -> np.ndarray:
    """Return a mask, (H, W) uint8 of 0 and 255, no larger than a size."""
    import cv2

    image = read_image(path)
    image = image if image.ndim == 2 else image[..., 0]
    mask = np.where(image > np.iinfo(image.dtype).max // 2, 255, 0).astype(np.uint8)
    scale = _scale(mask.shape, SIDES[size])
    if scale == 1:
        return mask
    return np.asarray(cv2.resize(mask, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST))


def as_jpeg(image: np.ndarray, size: str) -> bytes:
    """Return the bytes of a JPEG file."""
    return _encoded(".jpg", image, [1, QUALITY.get(size, 95)])  # 1 is cv2.IMWRITE_JPEG_QUALITY


def as_png(image: np.ndarray) -> bytes:
    """Return the bytes of a PNG file."""
    return _encoded(".png", image, [16, 1])  # 16 is cv2.IMWRITE_PNG_COMPRESSION, and 1 is fast


def _encoded(suffix: str, image: np.ndarray, settings: list[int]) -> bytes:
    import cv2

    done, content = cv2.imencode(suffix, image if image.ndim == 2 else image[..., ::-1], settings)
    if not done:
        raise ValueError(f"a picture of {image.shape} cannot be encoded as {suffix}")
    return content.tobytes()


def _plain(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    elif image.dtype != np.uint8:
        image = np.asarray(quantise(np.clip(image, 0, 1), np.dtype(np.uint8)))
    if image.ndim == 2 or image.shape[2] < 3:
        grey = image if image.ndim == 2 else image[..., 0]
        return np.repeat(grey[..., None], 3, axis=2)
    return np.ascontiguousarray(image[..., :3])


def _grey(image: np.ndarray) -> np.ndarray:
    return np.asarray(frame_luminance(image / np.float32(255)))


def _scale(shape: tuple[int, ...], side: int | None) -> float:
    return 1 if side is None else min(side / max(shape[:2]), 1)


def _smaller(image: np.ndarray, side: int | None) -> np.ndarray:
    import cv2

    scale = _scale(image.shape, side)
    if scale == 1:
        return image
    size = max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
