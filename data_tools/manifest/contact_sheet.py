"""A contact sheet: pictures in rows with their names, to be looked at instead of read about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

SHEET_NAME = "contact_sheet.png"  # of a dataset, in its folder
GAP = 6
CAPTION = 20


def contact_sheet(rows: Sequence[tuple[str, Sequence[np.ndarray]]], width: int = 360) -> np.ndarray:
    """Return one picture (H, W, 3) uint8: a row of pictures under each caption.

    Parameters
    ----------
    rows
        (caption, pictures) with pictures (H, W) or (H, W, 3), uint8, uint16 or float in [0, 1], of any size; at least
        one row, and one picture in each.
    width
        Width of every picture in the sheet, in pixels.
    """
    from PIL import Image, ImageDraw, ImageFont

    if not rows or not all(len(pictures) for _, pictures in rows):
        raise ValueError("`rows` must hold at least one row, and each row a picture")
    font = ImageFont.load_default(size=13)
    tiles = [[_tile(picture, width) for picture in pictures] for _, pictures in rows]
    heights = [max(tile.height for tile in row) for row in tiles]
    columns = max(len(row) for row in tiles)
    sheet = Image.new("RGB", (columns * (width + GAP) - GAP, sum(heights) + len(rows) * (CAPTION + GAP) - GAP), "white")
    draw, top = ImageDraw.Draw(sheet), 0
    for (caption, _), row, height in zip(rows, tiles, heights, strict=True):
        draw.text((4, top + 2), caption.encode("ascii", "backslashreplace").decode(), fill="black", font=font)
        for column, tile in enumerate(row):
            sheet.paste(tile, (column * (width + GAP), top + CAPTION))
        top += height + CAPTION + GAP
    return np.asarray(sheet)


def _tile(picture: np.ndarray, width: int) -> Any:
    from PIL import Image

    if picture.dtype.kind == "f":
        levels = np.rint(picture.clip(0, 1) * 255).astype(np.uint8)
    else:
        levels = picture if picture.dtype == np.uint8 else (picture >> 8).astype(np.uint8)
    image = Image.fromarray(levels).convert("RGB")
    return image.resize((width, max(1, round(image.height * width / image.width))), Image.Resampling.LANCZOS)
