"""Things that live in a scene: how they look, where they are, when they are seen, and what they do to a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

# Places of the exposure that a moving thing is seen at; the shutter is open for half a frame, as it is for the rain.
EXPOSURE, BLURS = 0.5, 4

Course = Callable[[float], tuple[float, float]]  # frame → row and column of the middle
Look = tuple[np.ndarray, np.ndarray]  # (h, w) cover in [0, 1] and (h, w, 3) colour in [0, 1]


@dataclass(frozen=True)
class Thing:
    """Something that is in the scene for a time.

    Attributes
    ----------
    name
        What it is.
    look
        How it looks in a frame; its cover is 1 where nothing behind it is seen.
    course
        Where its middle is, in rows and columns of the picture.
    shown
        Whether it is there, or lit, in a frame.
    burnt_in
        Whether it is drawn into the picture by the camera: over the rain.
    """

    name: str
    look: Callable[[int], Look]
    course: Course
    shown: Callable[[int], bool] = lambda frame: True
    burnt_in: bool = False

    def cover(self, frame: int, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Return the cover (H, W) and the colour times the cover (H, W, 3) of a frame, blurred by the motion."""
        total, light = np.zeros(shape, np.float32), np.zeros((*shape, 3), np.float32)
        if not self.shown(frame):
            return total, light
        alpha, colour = self.look(frame)
        moving = self.course(frame) != self.course(frame + EXPOSURE)
        times = [frame + EXPOSURE * k / BLURS for k in range(BLURS)] if moving else [float(frame)]
        both = np.dstack([alpha, colour * alpha[..., None]]).astype(np.float32)
        for time in times:
            placed = _placed(both, self.course(time), shape)
            total += placed[..., 0] / len(times)
            light += placed[..., 1:] / len(times)
        return total, light


def _placed(sprite: np.ndarray, middle: tuple[float, float], shape: tuple[int, int]) -> np.ndarray:
    """Return a sprite on an empty picture, its middle anywhere between pixels."""
    import cv2

    down, across = (at - (side - 1) / 2 for at, side in zip(middle, sprite.shape[:2], strict=True))
    move = np.array([[1, 0, across], [0, 1, down]], np.float64)
    return np.asarray(cv2.warpAffine(sprite, move, (shape[1], shape[0]), flags=cv2.INTER_LINEAR))


def straight(start: tuple[float, float], step: tuple[float, float]) -> Course:
    """Return the course of what moves evenly: rows and columns at frame 0, and a frame."""
    return lambda frame: (start[0] + step[0] * frame, start[1] + step[1] * frame)


def standing(row: float, column: float) -> Course:
    """Return the course of what stays."""
    return straight((row, column), (0, 0))


def blinking(on: int, off: int, first: int = 0) -> Callable[[int], bool]:
    """Return when something is lit that is on and off by turns, from a frame on."""
    return lambda frame: frame >= first and (frame - first) % (on + off) < on


def box(height: int, width: int, colour: tuple[float, float, float]) -> Callable[[int], Look]:
    """Return the look of a plain rectangle."""
    look = np.ones((height, width)), np.broadcast_to(np.array(colour), (height, width, 3))
    return lambda frame: look


def person(height: int, coat: float, legs: float) -> Callable[[int], Look]:
    """Return the look of somebody who walks, a third as wide as high: head, coat, and legs that swing."""
    width = max(3, round(height * 0.36))
    rows, columns = np.mgrid[:height, :width]
    down, across = (rows + 0.5) / height, (columns + 0.5) / width - 0.5
    head = (down < 0.18) & (np.abs(across) < 0.25)
    trunk = (down >= 0.18) & (down < 0.6)
    shade = np.where(head, 0.62, np.where(trunk, coat, legs))
    colour = shade[..., None] * np.array([1.0, 0.96, 0.9])

    def look(frame: int) -> Look:
        swing = 0.28 * np.sin(frame * 0.7) * (down - 0.6) / 0.4
        leg = (down >= 0.6) & (np.minimum(np.abs(across - swing), np.abs(across + swing)) < 0.2)
        return (head | trunk | leg).astype(float), colour

    return look


def car(length: int, paint: float) -> Callable[[int], Look]:
    """Return the look of a car from the side: body, cabin with windows, wheels."""
    height = max(4, round(0.4 * length))
    rows, columns = np.mgrid[:height, :length]
    down, across = (rows + 0.5) / height, (columns + 0.5) / length
    body = (down > 0.45) & (down < 0.88)
    cabin = (down <= 0.45) & (across > 0.22) & (across < 0.78)
    wheels = (down >= 0.7) & (np.minimum(np.abs(across - 0.22), np.abs(across - 0.78)) < 0.09)
    window = cabin & (down > 0.12) & (np.abs(across - 0.5) > 0.04)
    shade = np.where(wheels, 0.08, np.where(window, 0.2, paint))
    look = (body | cabin | wheels).astype(float), shade[..., None] * np.array([1.0, 0.98, 0.95])
    return lambda frame: look


def lamp(
    size: float, colour: tuple[float, float, float] = (1.0, 0.97, 0.88), halo: float = 0.25
) -> Callable[[int], Look]:
    """Return the look of a light: a disc, and a glow around it."""
    reach = int(np.ceil(1.5 * size + 3))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    away = np.hypot(rows, columns)
    disc = np.clip(size / 2 + 0.5 - away, 0, 1)
    glow = halo * np.exp(-0.5 * (away / (0.6 * size + 1)) ** 2)
    look = np.maximum(disc, glow), np.broadcast_to(np.array(colour), (*away.shape, 3))
    return lambda frame: look


def bird(span: int, shade: float) -> Callable[[int], Look]:
    """Return the look of a bird: a body, and wings that beat."""
    rows, columns = np.mgrid[: span + 1, : span + 1] - span / 2
    body = np.hypot(rows, columns) < max(1.0, span / 5)
    colour = np.full((*rows.shape, 3), shade)

    def look(frame: int) -> Look:
        bend = np.sin(frame * 1.3) * 0.8
        wings = (np.abs(rows + bend * np.abs(columns) / 2) < 0.9) & (np.abs(columns) <= span / 2)
        return (body | wings).astype(float), colour

    return look


def text(words: Callable[[int], str], size: int, shade: float = 1.0) -> Callable[[int], Look]:
    """Return the look of letters; all words are as long as the first."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size)
    left, top, right, bottom = font.getbbox(words(0))
    shape = (int(bottom - top) + 2, int(right - left) + 4)

    def look(frame: int) -> Look:
        page = Image.new("L", (shape[1], shape[0]))
        ImageDraw.Draw(page).text((1 - left, 1 - top), words(frame), font=font, fill=255)
        return np.asarray(page) / 255, np.full((*shape, 3), shade)

    return look


def flag(height: int, width: int) -> Callable[[int], Look]:
    """Return the look of a striped flag that waves."""
    rows, columns = np.mgrid[: height + 4, :width]

    def look(frame: int) -> Look:
        wave = 2 + 1.5 * np.sin(0.5 * columns - 0.6 * frame) * columns / width
        inside = (rows >= wave) & (rows < wave + height)
        red = np.floor((rows - wave) / height * 3) % 2 == 0
        return inside.astype(float), np.where(red[..., None], (0.85, 0.2, 0.2), (0.95, 0.95, 0.95))

    return look


def on_for(thing: Thing, first: int, count: int) -> Thing:
    """Return a thing that is there for some frames only."""
    return replace(thing, shown=lambda frame: first <= frame < first + count)
