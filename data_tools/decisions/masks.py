"""Masks of what people have marked as invalid: PNG files named by their content, which are never written twice."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from data_tools.manifest.folder import REVIEW_FOLDER
from rainopt.io import read_image
from rainopt.io.atomic import replacing
from rainopt.io.journal import sync_folder

FOLDER = "invalid"
SET = 127  # above it a pixel is invalid


class MaskError(ValueError):
    """A mask is not as it must be; the message says what was expected, and what came."""


def decode_mask(content: bytes, shape: tuple[int, int]) -> np.ndarray:
    """Return a mask of a scene, (H, W) bool, from the bytes of a PNG file with one channel.

    Raises
    ------
    MaskError
        If they are no such file, or of another size; it is known before pixels are decoded.
    """
    import cv2

    # Signature, and width, height, depth and colours of the first chunk: no bomb is decoded.
    is_png = content[:8] == b"\x89PNG\r\n\x1a\n" and content[12:16] == b"IHDR" and len(content) > 29
    if not is_png:
        raise MaskError("`mask` must be a PNG file")
    size = int.from_bytes(content[20:24], "big"), int.from_bytes(content[16:20], "big")
    if size != shape:
        raise MaskError(f"`mask` must have the size of the scene, {shape[0]} x {shape[1]}, got {size[0]} x {size[1]}")
    if content[24] > 8 or content[25] != 0:
        raise MaskError("`mask` must have one channel of at most 8 bits")
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    if image is None or image.shape != shape:
        raise MaskError("`mask` cannot be decoded")
    return np.asarray(image > SET)


def write_mask(dataset: Path, mask: np.ndarray) -> str | None:
    """Write a mask, (H, W) bool, to the disk; return its name, None for one in which nothing is invalid.

    Raises
    ------
    WriteError
        If it cannot be written.
    """
    import cv2

    if not mask.any():
        return None
    done, content = cv2.imencode(".png", mask.astype(np.uint8) * 255)
    if not done:
        raise MaskError("`mask` cannot be encoded")
    data = content.tobytes()
    name = hashlib.sha256(data).hexdigest()
    place = mask_path(dataset, name)
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place, True) as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        sync_folder(place.parent)
    return name


def mask_path(dataset: Path, name: str) -> Path:
    """Return where a mask lies."""
    return dataset / REVIEW_FOLDER / FOLDER / f"{name}.png"


def union_of(dataset: Path, names: Iterable[str]) -> np.ndarray | None:
    """Return what is invalid by any of several masks, (H, W) bool; None without masks.

    Raises
    ------
    ValueError, OSError
        If one cannot be read, or they differ in size.
    """
    found: np.ndarray | None = None
    for name in names:
        mask = read_image(mask_path(dataset, name)) > SET
        if found is not None and found.shape != mask.shape:
            raise MaskError(f"'{mask_path(dataset, name)}' has another size than the scene's other masks")
        found = mask if found is None else found | mask
    return found
