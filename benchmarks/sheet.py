"""A contact sheet: rows of pictures with captions, in one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

CELL = (360, 250)  # width, height that a picture is fitted into
CAPTION = 20
GAP = 6
TEXT_SIZE = 13


@dataclass(frozen=True)
class Row:
    """Pictures side by side, uint8 (H, W) or (H, W, 3), and a caption below each."""

    images: list[np.ndarray]
    captions: list[str]


def write_sheet(path: Path, rows: list[Row]) -> None:
    """Write ``rows`` of equally many pictures as one picture, black on white.

    Raises
    ------
    ValueError
        If there is no row.
    """
    if not rows:
        raise ValueError("`rows` must hold at least one row")
    width, height = CELL[0] + GAP, CELL[1] + CAPTION + GAP
    columns = max(len(row.images) for row in rows)
    sheet = Image.new("RGB", (columns * width + GAP, len(rows) * height + GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(TEXT_SIZE)
    for i, row in enumerate(rows):
        for j, (image, caption) in enumerate(zip(row.images, row.captions, strict=True)):
            left, top = GAP + j * width, GAP + i * height
            picture = Image.fromarray(image).convert("RGB")
            picture.thumbnail(CELL, Image.Resampling.LANCZOS)
            sheet.paste(picture, (left, top))
            draw.text((left, top + picture.height + 2), caption, fill="black", font=font)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
