"""Rain over video: drops that move between frames as fast as their streaks are long, with the truth of each frame."""

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from data_tools.rain.parts import as_array, checked_number
from data_tools.rain.spec import RainSpec
from data_tools.rain.synth import Rain, Rainy, unit_image


def rain_video(
    frames: ArrayLike | Iterable[ArrayLike],
    spec: RainSpec,
    rng: np.random.Generator,
    *,
    fps: float = 25.0,
    exposure: float | None = None,
    start: int = 0,
    count: int | None = None,
    depth: ArrayLike | None = None,
) -> Iterator[Rainy]:
    """Put moving rain over a clean video, or over one picture that stands still.

    A streak is the way of a drop during the exposure T, so a drop whose streak is l pixels long moves at l / T and is
    l / (T fps) further on in the next frame: near rain faster than far rain, long streaks faster than short ones.
    Each drop keeps its brightness while it is in the picture. Frame k is the rain at time k / fps whatever was
    rendered before it: the same generator state gives the same frame k for every `start`, and frame 0 is that of
    `add_rain`. The veil stands still. One frame is held at a time.

    Parameters
    ----------
    frames : (H, W) or (H, W, C) array, C = 1 or 3, or iterable of such arrays
        One clean picture, or the clean frames from frame `start` on, all of one size; uint8, uint16 or float in [0,
        1]. An array of frames, of whatever library, counts as an iterable of them, and nested lists of numbers as an
        array; one of shape (H, W, 1) or (H, W, 3) is a picture.
    spec : RainSpec
        What the rain looks like.
    rng : numpy.random.Generator
        Where the rain is; drawn from in this call, as by `add_rain`, and not while iterating.
    fps : float
        Frames per second, > 0.
    exposure : float, optional
        T in seconds, in (0, 1 / fps]; half of that if left out, the usual shutter of a film camera.
    start : int
        Number of the first frame, >= 0.
    count : int, optional
        How many frames, >= 0; if left out, as many as `frames` has, or without end over one picture.
    depth : (H, W) array, optional
        Distance of the scene, the same in all frames, as for `add_rain`.

    Yields
    ------
    Rainy
        Frame after frame, with its truth.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described; for frames after the first, when they are reached.
    """
    fps = checked_number("fps", fps, 0.0, math.inf, low_open=True)
    exposure = 0.5 / fps if exposure is None else checked_number("exposure", exposure, 0.0, 1.0 / fps, low_open=True)
    for name, number in (("start", start), ("count", 0 if count is None else count)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 0:
            raise ValueError(f"`{name}` must be a whole number of at least 0, got {number!r}")

    clean = _pictures(frames)
    first = next(clean, None)
    if first is None:
        return iter(())
    rain = Rain.draw((first.shape[0], first.shape[1]), spec, rng, depth)
    step = 1.0 / (fps * exposure)

    def render() -> Iterator[Rainy]:
        for k, picture in enumerate(itertools.islice(itertools.chain([first], clean), count), start):
            if picture.shape != first.shape:
                raise ValueError(f"`frames` must be of one shape, {first.shape}, got {picture.shape} as frame {k}")
            yield rain.over(picture, k * step)

    return render()


def _pictures(frames: Any) -> Iterator[np.ndarray]:
    """Return the frames as checked float32 pictures, one at a time."""
    if isinstance(frames, memoryview | np.ma.MaskedArray) or _is_nested_numbers(frames):
        frames = as_array("frames", frames)
    # Of arrays of any library, which give their rows when they are iterated over.
    shape = getattr(frames, "shape", None)
    if isinstance(shape, tuple) and (len(shape) < 3 or (len(shape) == 3 and shape[2] in (1, 3))):
        return itertools.repeat(unit_image("frames", frames))
    if not isinstance(frames, Iterable):
        raise TypeError(f"`frames` must be a picture or an iterable of pictures, got {type(frames).__name__}")
    return (unit_image("frames", frame) for frame in frames)


def _is_nested_numbers(values: object) -> bool:
    """Tell whether lists hold lists, and so on down to numbers or rows of them: an array, and no list of arrays."""
    if not isinstance(values, list | tuple):
        return False
    while isinstance(values, list | tuple) and values:
        values = values[0]
    return isinstance(values, int | float) or len(getattr(values, "shape", (0, 0))) < 2
