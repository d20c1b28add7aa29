"""What was found, drawn into pictures, to look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.tasks.asked import Seen
from benchmarks.tasks.boxes import Box, match

COLOURS = {True: (40, 220, 40), False: (255, 50, 50), None: (160, 160, 160), "missed": (70, 150, 255)}


def with_boxes(
    picture: np.ndarray, found: Sequence[Seen], truths: Sequence[Box], ignored: Sequence[Box] = ()
) -> tuple[np.ndarray, str]:
    """Return a picture with boxes, and how many are right, false and missing.

    Right ones are green, false ones red, people who were missed blue, what lies in a region where nobody counts grey.
    """
    from PIL import Image, ImageDraw

    page = Image.fromarray(picture)
    draw = ImageDraw.Draw(page)
    right, missed = match([(one.box, one.score) for one in found], truths, ignored)
    for k in missed:
        draw.rectangle(truths[k], outline=COLOURS["missed"], width=2)
    for one, so in zip(found, right, strict=True):
        draw.rectangle(one.box, outline=COLOURS[so], width=3)
    return np.asarray(page), f"{right.count(True)} right, {right.count(False)} false, {len(missed)} missed"


def with_lines(picture: np.ndarray, found: Sequence[Seen]) -> np.ndarray:
    """Return a picture with what was read, where it was read."""
    from PIL import Image, ImageDraw, ImageFont

    page = Image.fromarray(picture)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(11)
    for one in found:
        draw.rectangle(one.box, outline=COLOURS[True])
        # The font that Pillow comes with knows the letters of Western languages; the reader knows more.
        text = one.text.encode("latin-1", "replace").decode("latin-1")
        spot = draw.textbbox((one.box[0], one.box[3] + 1), text, font=font)
        draw.rectangle(spot, fill=(0, 0, 0))
        draw.text((one.box[0], one.box[3] + 1), text, fill=(255, 255, 0), font=font)
    return np.asarray(page)
