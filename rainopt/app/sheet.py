"""A contact sheet: rows of pictures with captions, in one file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rainopt.app.compare import shrunk
from rainopt.io import write_image

CELL = (360, 250)  # width, height that a picture is fitted into
CAPTION = 20
GAP = 6
TEXT_SIZE = 13


@dataclass(frozen=True)
class Row:
    """Pictures side by side, (H, W) or (H, W, C), uint8, uint16 or float in [0, 1], and a caption below each."""

    images: Sequence[np.ndarray]
    captions: Sequence[str]


def sheet_of(rows: Sequence[Row], cell: tuple[int, int] = CELL) -> np.ndarray:
    """Return rows as one picture (H, W, 3) uint8, black on white; rows may differ in length.

    Parameters
    ----------
    rows
        At least one.
    cell
        Width and height in pixels that each picture is fitted into; smaller ones keep their size.

    Raises
    ------
    ValueError
        If there is no row, or one has not as many captions as pictures.
    """
    from PIL import Image, ImageDraw, ImageFont

    if not rows:
        raise ValueError("`rows` must hold at least one row")
    width, height = cell[0] + GAP, cell[1] + CAPTION + GAP
    columns = max(len(row.images) for row in rows)
    sheet = Image.new("RGB", (columns * width + GAP, len(rows) * height + GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(TEXT_SIZE)
    for i, row in enumerate(rows):
        for j, (image, caption) in enumerate(zip(row.images, row.captions, strict=True)):
            left, top = GAP + j * width, GAP + i * height
            # Blocks are averaged first where that leaves enough for a good filter: it is faster.
            step = max(1, min(image.shape[0] // (2 * cell[1]), image.shape[1] // (2 * cell[0])))
            picture = Image.fromarray(shrunk(image, step))
            picture.thumbnail(cell, Image.Resampling.LANCZOS)
            sheet.paste(picture, (left, top))
            draw.text((left, top + picture.height + 2), _fitted(caption, cell[0], font), fill="black", font=font)
    return np.asarray(sheet)


def write_sheet(
    path: str | os.PathLike[str], rows: Sequence[Row], *, cell: tuple[int, int] = CELL, overwrite: bool = True
) -> Path:
    """Write `sheet_of` to a file, its folder too if it is not there.

    Raises
    ------
    ValueError
        As `sheet_of`, and if the file cannot be written.
    """
    sheet = sheet_of(rows, cell)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return write_image(path, sheet, overwrite=overwrite)


def _fitted(caption: str, width: int, font: Any) -> str:
    """Return a caption that the font has letters for, cut at its beginning where it is wider than its picture."""
    text = caption.encode("latin-1", "backslashreplace").decode("latin-1")
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"...{text}") > width:
        text = text[1:]
    return f"...{text}"
