"""Scenes in which something lives before a still photograph: walkers, lamps, signs, clocks, birds, flashes of light.

Every scene is frames without rain; the first photograph is its background, which is therefore known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

SIZE = (180, 240)
COUNT = 60
NIGHT = 0.22  # of the brightness of day

Draw = Callable[[np.ndarray, int], None]


@dataclass(frozen=True)
class Scene:
    """Frames without rain, and what they are without what lives.

    Attributes
    ----------
    name
        What lives in it, and how large and fast it is.
    frames
        (N, H, W, 3) uint8.
    background
        (H, W, 3) float32 in [0, 1].
    """

    name: str
    frames: np.ndarray
    background: np.ndarray


def scenes(photograph: np.ndarray, count: int = COUNT) -> Iterator[Scene]:
    """Yield all scenes over a photograph (H, W, 3) uint8 of at least `SIZE` pixels."""
    day = photograph[: SIZE[0], : SIZE[1], :3].astype(np.float32) / 255
    night = day * np.float32(NIGHT)
    for name, dark, draw in (
        ("walker, light coat, 24 x 60, 1 px", False, _walker(24, 60, 1.0, (0.85, 0.8, 0.7))),
        ("walker, dark coat, 12 x 32, 2 px", False, _walker(12, 32, 2.0, (0.12, 0.12, 0.16))),
        ("walker, grey coat, 10 x 26, 0.5 px", False, _walker(10, 26, 0.5, (0.45, 0.45, 0.48))),
        ("person, light coat, 6 x 16, 0.7 px", False, _walker(6, 16, 0.7, (0.9, 0.88, 0.8))),
        ("runner, light coat, 8 x 20, 5 px", False, _walker(8, 20, 5.0, (0.9, 0.85, 0.85))),
        ("headlamps by night, 5 px, 3 px", True, _lamps(5, 3.0)),
        ("headlamps by night, 8 px, 11 px", True, _lamps(8, 11.0)),
        ("sign that blinks, 5 of 12 frames", False, _blinking(12, 5)),
        ("lamp that blinks by night, 3 of 20 frames", True, _blinking(20, 3)),
        ("clock whose digits change", False, _clock),
        ("dark bird, 5 px, 8 px", False, _bird(5, 8.0, 0.05)),
        ("white bird, 5 px, 8 px", False, _bird(5, 8.0, 0.97)),
        ("flashes of light", True, _flash),
    ):
        base = night if dark else day
        frames = np.empty((count, *base.shape), np.uint8)
        for k in range(count):
            picture = base.copy()
            draw(picture, k)
            frames[k] = np.rint(np.clip(picture, 0, 1) * 255)
        yield Scene(name, frames, np.rint(base * 255) / np.float32(255))


def _soft(shape: tuple[int, ...], top: float, left: float, height: float, width: float) -> np.ndarray:
    """Return how far each pixel is covered by a rectangle whose sides lie anywhere, (H, W) in [0, 1]."""
    rows, columns = (np.arange(side, dtype=np.float32) for side in shape[:2])
    down = np.clip(np.minimum(rows + 1, top + height) - np.maximum(rows, top), 0, 1)
    across = np.clip(np.minimum(columns + 1, left + width) - np.maximum(columns, left), 0, 1)
    return np.outer(down, across)


def _disc(shape: tuple[int, ...], y: float, x: float, size: float) -> np.ndarray:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    distance = np.sqrt((rows - y) ** 2 + (columns - x) ** 2)
    return np.asarray(np.clip(size / 2 - distance + 0.5, 0, 1), np.float32)


def _paint(picture: np.ndarray, cover: np.ndarray, colour: tuple[float, ...] | np.ndarray) -> None:
    picture += cover[..., None] * (np.asarray(colour, np.float32) - picture)


def _walker(width: float, height: float, speed: float, coat: tuple[float, float, float]) -> Draw:
    def draw(picture: np.ndarray, k: int) -> None:
        left = (30 + speed * k) % (SIZE[1] + 2 * width) - width
        top = SIZE[0] - height - 20 + 0.6 * np.sin(k * 0.7)
        stride = 0.25 * width * np.sin(k * 0.5)
        _paint(picture, _soft(picture.shape, top, left + 0.3 * width, 0.22 * height, 0.4 * width), (0.75, 0.58, 0.48))
        _paint(picture, _soft(picture.shape, top + 0.2 * height, left, 0.42 * height, width), coat)
        for side in (-1, 1):
            leg = left + 0.35 * width + side * stride
            cover = _soft(picture.shape, top + 0.6 * height, leg, 0.4 * height, 0.3 * width)
            _paint(picture, cover, (0.2, 0.2, 0.28))

    return draw


def _lamps(size: float, speed: float) -> Draw:
    def draw(picture: np.ndarray, k: int) -> None:
        x, y = (speed * k) % (SIZE[1] + 40) - 20, 0.72 * SIZE[0]
        for lamp in (x, x + 3 * size):
            _paint(picture, _disc(picture.shape, y, lamp, size), (1.0, 0.97, 0.85))

    return draw


def _blinking(period: int, lit: int) -> Draw:
    def draw(picture: np.ndarray, k: int) -> None:
        if k % period < lit:
            _paint(picture, _soft(picture.shape, 50, 60, 6, 26), (0.95, 0.35, 0.2))
            _paint(picture, _disc(picture.shape, 100, 170, 7), (0.9, 0.9, 0.95))

    return draw


# Of each digit: top, upper left, upper right, middle, lower left, lower right, bottom.
_SEGMENTS = "1110111 0010010 1011101 1011011 0111010 1101011 1101111 1010010 1111111 1111011".split()  # noqa: SIM905


def _clock(picture: np.ndarray, k: int) -> None:
    seconds = 48 + k // 25
    for place, digit in enumerate(divmod(seconds, 10)):
        left, (w, h, t) = 20 + 14 * place, (9, 16, 2)
        bars: list[tuple[float, float, float, float]] = [(0, 0, t, w), (0, 0, h / 2, t), (0, w - t, h / 2, t)]
        bars += [(h / 2 - 1, 0, t, w), (h / 2, 0, h / 2, t), (h / 2, w - t, h / 2, t), (h - t, 0, t, w)]
        for on, (down, across, high, wide) in zip(_SEGMENTS[digit], bars, strict=True):
            if on == "1":
                _paint(picture, _soft(picture.shape, 12 + down, left + across, high, wide), (1.0, 1.0, 1.0))


def _bird(size: float, speed: float, level: float) -> Draw:
    def draw(picture: np.ndarray, k: int) -> None:
        x, y = (speed * k) % (SIZE[1] + 20) - 10, 40 + 10 * np.sin(k * 0.3)
        _paint(picture, _disc(picture.shape, y, x, size), (level, level, level))

    return draw


def _flash(picture: np.ndarray, k: int) -> None:
    if k % 17 in (7, 8):
        rows = np.linspace(1.0, 0.4, picture.shape[0], dtype=np.float32)[:, None, None]
        picture *= 1 + 1.5 * rows
        picture += 0.04 * rows
