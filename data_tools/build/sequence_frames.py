"""Which frames of a scene that stays as it is become a sequence: those with rain, no two with the same."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from data_tools.build.masks import DENSE, repeats, run_of
from data_tools.build.pairs import LEAST_RAIN, LEAST_VALID
from data_tools.build.still_parts import LIT, light_between
from rainopt.image import frame_luminance
from rainopt.video.adaptive_background import Settled
from rainopt.video.camera_motion import JITTER, stabiliser_of
from rainopt.video.copies import small_copy
from rainopt.video.foreground import moving
from rainopt.video.frames import FrameStore
from rainopt.video.percentiles import NEAR
from rainopt.video.registration.register import Alignment, AlignmentError, Stabiliser

# From this correlation of the masks of their rain on, two frames show the same: that of frames a moment apart is near 0
# where it falls, and near 1 where a video was slowed down, or its frames were doubled.
SAME = 0.5
# Share of the pixels that may be darker than the background: rain darkens nothing, and what moves is said apart.
DARKER = 0.25


class SequenceFrame(NamedTuple):
    """A frame of a sequence."""

    place: int  # in the store
    rain: float  # share of the pixels that are brighter than the background, where nothing is in front of it
    living: float  # share of the pixels in which something else than background and rain shows
    gain: float  # how bright its light is, the middle of the frames that can be used being 1
    astray: float = 0.0  # pixels that a corner of it seems to lie off the background; 0 where that cannot be told


def choose_sequence(settled: Settled, store: FrameStore, count: int) -> tuple[list[SequenceFrame], list[str]]:
    """Choose frames evenly over those of a scene that can be used; returns them, and why others were left out.

    A frame can be used if it shows rain, as `data_tools.build.pairs.choose_frames` asks for it; if that is another than
    in those before; if no more than half of it is in front of the background, and most of the rest is no darker; if it
    does not lie astray; and if its light is that of the others: of those in use, no two differ by more than
    `data_tools.build.still_parts.LIT`.
    """
    background = frame_luminance(settled.estimate.image)
    unit = np.float32(np.iinfo(store.dtype).max)
    lights = np.array([light_between(background, frame_luminance(frame / unit)) for frame in store])
    gains = lights / usual_light(lights)
    # Dense rain is wide in many places; what is dark is none.
    dense = run_of(settled.estimate.seen) > DENSE
    usable: list[SequenceFrame] = []
    left_out: list[str] = []
    before: np.ndarray | None = None
    rains: list[tuple[int, np.ndarray]] = []  # numbers of usable frames, and where rain is in them
    for place, (number, gain) in enumerate(zip(settled.numbers, gains.tolist(), strict=True)):
        frame = store[place]
        if before is not None and repeats(frame, before):
            left_out.append(f"frame {number} repeats frame {rains[-1][0]}")
            continue
        if abs(math.log(gain)) > LIT / 2:
            left_out.append(f"frame {number} is {100 * abs(gain - 1):.1f} % {'brighter' if gain > 1 else 'darker'}")
            continue
        difference = frame_luminance(frame / unit) - background
        lives = moving(np.minimum(difference, 0) if dense else difference)
        there = settled.valid & ~lives
        rainy = (difference > NEAR) & there
        rain = float(np.mean(rainy))
        if float(np.mean(there)) < LEAST_VALID:
            left_out.append(f"frame {number} shows too much that moves")
        elif rain < LEAST_RAIN:
            left_out.append(f"frame {number} shows no rain")
        elif float(np.mean(difference[there] < -NEAR)) > DARKER:
            left_out.append(f"frame {number} shows another background")
        elif (same := next((one for one, its in rains if _correlation(its, rainy) > SAME), None)) is not None:
            left_out.append(f"frame {number} shows the rain of frame {same}")
        else:
            usable.append(SequenceFrame(place, rain, float(np.mean(lives)), gain))
            rains.append((number, rainy))
            before = frame
    chosen: list[SequenceFrame] = []
    stabiliser = stabiliser_of(small_copy(settled.estimate.image))
    for k in sorted({round(k) for k in np.linspace(0, len(usable) - 1, count)}) if usable else ():
        astray = 0.0 if stabiliser is None else _astray(stabiliser, store[usable[k].place])
        if astray > JITTER:
            left_out.append(f"frame {settled.numbers[usable[k].place]} lies {astray:.1f} pixels astray")
        else:
            chosen.append(usable[k]._replace(astray=astray))
    return chosen, left_out


def usual_light(lights: np.ndarray) -> float:
    """Return the middle of the range, as wide as frames of one sequence may differ, that most lights (N,) lie in."""
    logarithms = np.sort(np.log(lights))
    within = np.searchsorted(logarithms, logarithms + LIT, side="right") - np.arange(len(logarithms))
    first = int(np.argmax(within))
    return math.exp(float(logarithms[first] + logarithms[first + int(within[first]) - 1]) / 2)


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Return the correlation coefficient of two masks, 0 where one of them is the same everywhere."""
    a, b = float(np.mean(one)), float(np.mean(other))
    spread = math.sqrt(a * (1 - a) * b * (1 - b))
    return (float(np.mean(one & other)) - a * b) / spread if spread else 0.0


def _astray(stabiliser: Stabiliser, frame: np.ndarray) -> float:
    """Return by how many pixels a frame lies astray; 0 where that cannot be told."""
    copy = small_copy(frame)
    try:
        found = stabiliser.align(copy, start=Alignment(np.eye(2, 3), 1.0, 0.0))
    except AlignmentError:
        return 0.0  # dense rain, or somebody in front of the camera
    return found.shift * max(frame.shape[:2]) / max(copy.shape[:2])
