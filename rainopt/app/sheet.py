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
    """Pictures side by side, (H, W) or (H, W, C), uint8, uint16 or float in [0, 1], and what is written beside them.

    Attributes
    ----------
    images
        At least one.
    captions
        One below each picture, or none at all.
    title
        A line above the row.
    """

    images: Sequence[np.ndarray]
    captions: Sequence[str] = ()
    title: str = ""


def sheet_of(rows: Sequence[Row], cell: tuple[int, int] = CELL, *, width: int | None = None) -> np.ndarray:
    """Return rows as one picture (H, W, 3) uint8, black on white; rows may differ in length.

    Parameters
    ----------
    rows
        At least one.
    cell
        Width and height in pixels that each picture is fitted into; smaller ones keep their size.
    width
        If given, every picture is made this wide instead, small ones too, and each row is as high as its highest.

    Raises
    ------
    ValueError
        If there is no row, a row holds no picture, or one has captions but not as many as pictures.
    """
    from PIL import Image, ImageDraw, ImageFont

    if not rows or not all(len(row.images) for row in rows):
        raise ValueError("`rows` must hold at least one row, and each row a picture")
    for row in rows:
        if row.captions and len(row.captions) != len(row.images):
            raise ValueError(f"`captions` must be one a picture or none, got {len(row.captions)} of {len(row.images)}")
    pictures = [[_sized(image, cell, width) for image in row.images] for row in rows]
    heights = [cell[1] if width is None else max(picture.height for picture in line) for line in pictures]
    column = (cell[0] if width is None else width) + GAP
    tops, top = [], GAP
    for row, height in zip(rows, heights, strict=True):
        top += CAPTION if row.title else 0
        tops.append(top)
        top += height + (CAPTION if row.captions else 0) + GAP
    sheet = Image.new("RGB", (max(map(len, pictures)) * column + GAP, top), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(TEXT_SIZE)
    for row, line, top in zip(rows, pictures, tops, strict=True):
        if row.title:
            draw.text((GAP, top - CAPTION + 2), _fitted(row.title, sheet.width - 2 * GAP, font), "black", font)
        for j, picture in enumerate(line):
            left = GAP + j * column
            sheet.paste(picture, (left, top))
            if row.captions:
                caption = _fitted(row.captions[j], column - GAP, font)
                draw.text((left, top + picture.height + 2), caption, "black", font)
    return np.asarray(sheet)


def write_sheet(
    path: str | os.PathLike[str],
    rows: Sequence[Row],
    *,
    cell: tuple[int, int] = CELL,
    width: int | None = None,
    overwrite: bool = True,
) -> Path:
    """Write `sheet_of` to a file, its folder too if it is not there.

    Raises
    ------
    ValueError
        As `sheet_of`, and if the file cannot be written.
    """
    sheet = sheet_of(rows, cell, width=width)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return write_image(path, sheet, overwrite=overwrite)


def _sized(image: np.ndarray, cell: tuple[int, int], width: int | None) -> Any:
    from PIL import Image

    picture = Image.fromarray(shrunk(image, 1))
    # Blocks are averaged first where that leaves enough for a good filter: it is faster.
    if width is not None:
        height = max(1, round(image.shape[0] * width / image.shape[1]))
        return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    picture.thumbnail(cell, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return picture


def _fitted(caption: str, width: int, font: Any) -> str:
    """Return a caption that the font has letters for, cut at its beginning where it is wider than its picture."""
    text = caption.encode("latin-1", "backslashreplace").decode("latin-1")
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"...{text}") > width:
        text = text[1:]
    return f"...{text}"
