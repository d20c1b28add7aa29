"""Rainy, derained and rain layer side by side, for people who would rather look than read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rainopt.io import ImageMetadata

# A panel is at most this wide: a screen shows no more, and a larger picture only takes longer to open.
PANEL_WIDTH = 1280
GAP = 8
CAPTION = 28
# The layer is dark beside a photograph; this brightens it without hiding that streaks differ.
RAIN_GAIN = 3
BAND_PIXELS = 1 << 18  # that are added up at a time


def side_by_side(
    before: np.ndarray, after: np.ndarray, rain: np.ndarray, captions: tuple[str, str] = ("rainy", "derained")
) -> np.ndarray:
    """Return one picture (H, W, 3) uint8 of three captioned panels.

    Parameters
    ----------
    before, after
        (H, W) or (H, W, C), uint8, uint16 or float in [0, 1]; alpha is left out.
    rain
        (H, W) float in [0, 1]; shown brightened.
    captions
        Of the first two.
    """
    panels = [(caption, picture, 1) for caption, picture in zip(captions, (before, after), strict=True)]
    return captioned([*panels, (f"rain x{RAIN_GAIN}", rain, RAIN_GAIN)])


def taken(rainy: np.ndarray, derained: np.ndarray) -> np.ndarray:
    """Return the light (H, W) float32 in [0, 1] that was taken off a frame (H, W, 3) uint8 or uint16."""
    before, after = (frame.astype(np.float32) / np.iinfo(frame.dtype).max for frame in (rainy, derained))
    return np.clip(before - after, 0, 1).mean(axis=-1)


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
    if image.dtype == np.uint8 and step == gain == 1:
        return np.repeat(colour, 3 // colour.shape[-1], axis=-1)
    full = np.iinfo(image.dtype).max if image.dtype.kind == "u" else 1.0
    columns = np.arange(0, colour.shape[1], step)
    widths = np.diff(np.append(columns, colour.shape[1]))
    panel = np.empty((-(-colour.shape[0] // step), len(columns), 3), np.uint8)
    row = 0
    for rows, totals in _row_sums(colour, step):
        means = (np.add.reduceat(totals, columns, axis=1) if step > 1 else totals) / (widths[:, None] * rows)
        panel[row : row + len(means)] = np.rint(means * (255 * gain / full)).clip(0, 255)
        row += len(means)
    return panel


def _row_sums(colour: np.ndarray, step: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield how many rows were added up each, and the sums, many at a time; the last ones may be of fewer rows."""
    # A band at a time: the whole image in floats would be many times the image.
    whole, band = len(colour) // step, max(1, BAND_PIXELS // (step * colour.shape[1]))
    for first in range(0, whole, band):
        rows = colour[first * step : min(first + band, whole) * step]
        yield step, rows.reshape(-1, step, *colour.shape[1:]).sum(axis=1, dtype=np.float64)
    if len(colour) % step:
        rest = colour[whole * step :]
        yield len(rest), rest.sum(axis=0, dtype=np.float64)[None]
