"""Frames on their way through a pipeline, each with those around it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rainopt.video.background_subtraction import Backdrop
from rainopt.video.motion import Step
from rainopt.video.small_things import SmallThing


@dataclass(frozen=True)
class Seen:
    """A frame on its way.

    Attributes
    ----------
    pixels
        (H, W, 3) uint8 or uint16.
    guide
        (h, w) uint8, see `rainopt.video.motion.guide_of`.
    step
        The movement to the next frame; None of the last.
    backdrop
        The background in the frame's light, of a still camera.
    behind
        (H, W, 3): what lies behind, by the frames around it, of a camera that moves.
    excess
        (H, W) float32: luminance over what lies behind, of a camera that moves.
    light
        (h, w) float32: luminance at the scale of the guide, in [0, 1], of a still camera.
    small
        (h, w) float32: luminance over what lies behind, at the scale of the guide.
    believed, repeated
        As `rainopt.video.time_bound.Bound` has it, of a camera that moves.
    stays
        (h, w) bool: what is bright at its place for longer than rain can, of a still camera.
    things
        Small ones that move, of a still camera.
    """

    pixels: np.ndarray
    guide: np.ndarray
    step: Step | None = None
    backdrop: Backdrop | None = None
    behind: np.ndarray | None = None
    excess: np.ndarray | None = None
    light: np.ndarray | None = None
    small: np.ndarray | None = None
    believed: np.ndarray | None = None
    repeated: np.ndarray | None = None
    stays: np.ndarray | None = None
    things: Sequence[SmallThing] = ()

    @cached_property
    def grey(self) -> np.ndarray:
        """Its luminance, (H, W) uint8."""
        return grey_of(self.pixels)


Window = dict[int, Seen]


def windows(items: Iterable[Any], reach: int) -> Iterator[dict[int, Any]]:
    """Yield each item with up to ``reach`` before and after it, by number counted from it."""
    held: deque[Any] = deque()
    place = 0  # in `held`, of the next item to go

    def around() -> dict[int, Any]:
        first, last = max(place - reach, 0), min(place + reach + 1, len(held))
        return {k - place: held[k] for k in range(first, last)}

    for item in items:
        held.append(item)
        if len(held) - place > reach:
            yield around()
            place += 1
        if place > reach:
            held.popleft()
            place -= 1
    while place < len(held):
        yield around()
        place += 1


def steps_of(window: Window) -> dict[int, Step]:
    """Return the movements between the frames of a window, by the number of the first of two."""
    return {number: one.step for number, one in window.items() if one.step is not None and number + 1 in window}


def excesses_of(window: Window) -> dict[int, np.ndarray]:
    """Return the excesses of the frames of a window at the scale of their guides, by their number."""
    return {number: small_excess(one) for number, one in window.items()}


def small_excess(one: Seen) -> np.ndarray:
    """Return the excess of a frame at the scale of its guide, (h, w) float32.

    Raises
    ------
    ValueError
        If it has not been looked for yet.
    """
    if one.small is None:
        raise ValueError("a frame must be looked at before its window")
    return one.small


def grey_of(pixels: np.ndarray) -> np.ndarray:
    """Return the luminance (H, W) uint8 of a frame (H, W, 3) uint8 or uint16."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(grey if grey.dtype == np.uint8 else cv2.convertScaleAbs(grey, alpha=1 / 257))
