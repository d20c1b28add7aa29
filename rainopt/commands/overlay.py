"""The direction of the rain drawn over a picture, for people who would rather look than read."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from rainopt.app.compare import shrunk
from rainopt.direction.estimate import Direction

SIDE = 1600  # pixels of the longer side at most: a screen shows no more
SPACING = 7  # lines along the longer side
COLOURS = ((255, 60, 60), (70, 220, 255), (255, 220, 60))  # strongest direction first
FEWEST_LENGTH = 12  # pixels


def draw_directions(image: np.ndarray, directions: Sequence[Direction], caption: str = "") -> np.ndarray:
    """Return the picture (h, w, 3) uint8, reduced to a screen, with short lines along each direction.

    Lines lie on a grid, a colour for each direction, as long as its share is large, so that each can be held against
    the streaks beside it.

    Parameters
    ----------
    image
        (H, W) or (H, W, C), uint8, uint16 or float in [0, 1]; alpha is left out.
    directions
        What to draw; none leaves the picture as it is.
    caption
        A line of text above the picture.
    """
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(shrunk(image, max(1, -(-max(image.shape[:2]) // SIDE))))
    draw = ImageDraw.Draw(picture)
    step = max(picture.size) / SPACING
    # At least one line, however narrow the picture.
    columns, rows = (max(1, round(side / step)) for side in picture.size)
    thick = max(2, round(max(picture.size) / 400))
    for k, direction in enumerate(directions):
        radians = math.radians(direction.angle)
        half = max(FEWEST_LENGTH, 0.7 * step * direction.share) / 2
        across, down = half * math.sin(radians), half * math.cos(radians)
        # Directions side by side, not one over the other.
        shift = (k + 0.5) / len(directions)
        for row in range(rows):
            for column in range(columns):
                x, y = (column + shift) * picture.width / columns, (row + 0.5) * picture.height / rows
                ends = (x - across, y - down, x + across, y + down)
                draw.line(ends, fill=(0, 0, 0), width=thick + 2)
                draw.line(ends, fill=COLOURS[k % len(COLOURS)], width=thick)
    if caption:
        font = ImageFont.load_default(size=16)
        sheet = Image.new("RGB", (picture.width, picture.height + 26), "white")
        sheet.paste(picture, (0, 26))
        ImageDraw.Draw(sheet).text((6, 3), caption, fill="black", font=font)
        picture = sheet
    return np.asarray(picture)
