"""Rainy, derained and rain layer side by side, for people who would rather look than read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rainopt.io import ImageMetadata

# A panel is at most this wide: a screen shows no more, and a larger picture only takes longer to open.
PANEL_WIDTH = 1280
GAP = 8
CAPTION = 28
# The layer is dark beside a photograph; this brightens it without hiding that streaks differ.
RAIN_GAIN = 3


def side_by_side(rainy: np.ndarray, derained: np.ndarray, rain: np.ndarray) -> np.ndarray:
    """Return one picture (H, W, 3) uint8 of three captioned panels.

    Parameters
    ----------
    rainy, derained
        (H, W) or (H, W, C), uint8, uint16 or float in [0, 1]; alpha is left out.
    rain
        (H, W) float in [0, 1]; shown brightened.
    """
    return captioned([("rainy", rainy, 1), ("derained", derained, 1), (f"rain x{RAIN_GAIN}", rain, RAIN_GAIN)])


def colours_of(metadata: ImageMetadata) -> ImageMetadata:
    """Return what a file says of its colours, as far as it is true of a comparison, which is RGB."""
    icc = metadata.icc if metadata.icc and metadata.icc[16:20] == b"RGB " else None
    return ImageMetadata(icc, colour=metadata.colour)


def captioned(panels: Sequence[tuple[str, np.ndarray, float]]) -> np.ndarray:
    """Return panels of (caption, picture, gain) beside one another; all pictures are of the size of the first."""
    from PIL import Image, ImageDraw, ImageFont

    step = -(-panels[0][1].shape[1] // PANEL_WIDTH)
    small = [shrunk(picture, step, gain) for _, picture, gain in panels]
    height, width = small[0].shape[:2]
    sheet = Image.new("RGB", (len(small) * (width + GAP) - GAP, height + CAPTION), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=16)
    for k, (panel, (caption, _, _)) in enumerate(zip(small, panels, strict=True)):
        left = k * (width + GAP)
        draw.text((left + 6, 4), caption, fill="black", font=font)
        sheet.paste(Image.fromarray(panel), (left, CAPTION))
    return np.asarray(sheet)


def shrunk(image: np.ndarray, step: int, gain: float = 1) -> np.ndarray:
    """Bring an image to RGB uint8, averaging blocks of ``step`` × ``step`` pixels (fewer at the edges)."""
    if image.ndim == 2:
        image = image[..., None]
    colour = image[..., :3] if image.shape[-1] >= 3 else image[..., :1]
    full = np.iinfo(image.dtype).max if image.dtype.kind == "u" else 1.0
    columns = np.arange(0, colour.shape[1], step)
    widths = np.diff(np.append(columns, colour.shape[1]))
    panel = np.empty((-(-colour.shape[0] // step), len(columns), 3), np.uint8)
    # A row of blocks at a time: the whole image in floats would be many times the image.
    for row, target in enumerate(panel):
        block = colour[row * step : (row + 1) * step]
        total = np.add.reduceat(block.sum(axis=0, dtype=np.float64), columns, axis=0)
        target[...] = np.rint(total / (widths[:, None] * len(block)) * (255 * gain / full)).clip(0, 255)
    return panel
