"""Words on signs of several sizes and contrasts over photographs: text whose truth is known to the letter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.tasks.boxes import Box

CELLS = (2, 3)  # signs, down and across
SIZES = (12, 15, 19, 24, 30, 38)  # of the font, in pixels
# Shorter words for larger letters, so that each fits into its cell.
WORDS = (
    ("Conservatory", "Northbridge", "Underground", "Ticket Office", "Laboratory", "Restaurant"),
    ("Platform 12", "Riverside", "Bookshop", "Exhibition", "Reception", "Boulevard"),
    ("Pharmacy", "Harbour", "Museum", "Library", "Terminal", "Hospital"),
    ("Bakery", "Market", "Street", "Garden", "Castle", "Bridge"),
    ("Hotel", "Taxis", "North", "Plaza", "Water", "Ferry"),
    ("EXIT", "Stop", "Park", "Bank", "Zoo", "Cafe"),
)
# Letters and plates: three of high contrast, two of low, and none at all: letters on the photograph.
COLOURS: tuple[tuple[tuple[int, int, int], tuple[int, int, int] | None], ...] = (
    ((20, 20, 20), (240, 240, 235)),
    ((245, 245, 245), (0, 80, 40)),
    ((255, 255, 255), (20, 50, 120)),
    ((110, 110, 105), (165, 165, 160)),
    ((190, 170, 60), (120, 60, 40)),
    ((250, 250, 250), None),
)
MARGIN = 0.35  # of the plate around the letters, in sizes of the font


@dataclass(frozen=True)
class Sign:
    """A word and the plate it is written on."""

    box: Box
    word: str


def with_signs(picture: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, list[Sign]]:
    """Return a picture (H, W, 3) uint8 with a sign of each size, somewhere in its own cell, and the signs.

    Sizes, words and colours are drawn; letters that have no plate are white with a dark edge, as subtitles are.
    """
    from PIL import Image, ImageDraw, ImageFont

    page = Image.fromarray(picture)
    draw = ImageDraw.Draw(page)
    height, width = picture.shape[0] // CELLS[0], picture.shape[1] // CELLS[1]
    colours = rng.permutation(len(COLOURS))
    signs = []
    for cell, k in enumerate(rng.permutation(len(SIZES))):
        size, word = SIZES[k], str(rng.choice(WORDS[k]))
        ink, plate = COLOURS[colours[cell]]
        font = ImageFont.load_default(size)
        left, top, right, bottom = draw.textbbox((0, 0), word, font=font)
        margin = round(MARGIN * size)
        wide, high = right - left + 2 * margin, bottom - top + 2 * margin
        x = cell % CELLS[1] * width + round(rng.random() * max(width - wide, 0))
        y = cell // CELLS[1] * height + round(rng.random() * max(height - high, 0))
        if plate:
            draw.rectangle((x, y, x + wide, y + high), fill=plate)
        draw.text(
            (x + margin - left, y + margin - top),
            word,
            fill=ink,
            font=font,
            stroke_width=0 if plate else 1,
            stroke_fill=(30, 30, 30),
        )
        signs.append(Sign((x, y, x + wide, y + high), word))
    return np.asarray(page), signs
