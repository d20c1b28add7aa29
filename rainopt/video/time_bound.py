"""What lies behind the rain of a frame, as the frames around it show it, and what of the frame is rain above it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np

from rainopt.image import LUMA
from rainopt.video.aligned import Aligned
from rainopt.video.percentiles import NEAR
from rainopt.video.persistence import Rank, ranked

# An excess over what lies behind is rain from `NOISE` on, and for sure from three times as much.
NOISE = 1.5 / 255
# Its mean along a streak is that of a streak from `LINE` on, and for sure from three times as much.
LINE = 1.25 / 255
# Length of that mean, and the sides of the boxes in which errors of the alignment are looked for, in pixels of pictures
# of 480 rows.
LENGTH, ERRORS, LINE_ERRORS = 11, 7, 9
# An excess and a lack are counted up to these in the mean along a streak, so that a single bright pixel is no streak.
MOST, LEAST = 20 / 255, -10 / 255
# How many times the mean lack around a pixel an excess must exceed: rain darkens nothing, so what is darker in one of
# two aligned frames is an error of the alignment, and up to twice as much of what is brighter may be one.
AGAINST = 2.0
# An excess is that of a streak up to `HIGH` times the height of bright ones, and no more from `HIGHEST` times: in seven
# clips, of ours and of others, one pixel of rain in a hundred exceeded 2.1 times, one in a thousand 3 times.
HIGH, HIGHEST = 2.0, 3.0
ALIKE = 5 / 255  # what is as near as this is the same
# Share of the spread of the darkest of aligned frames that may be an error along a line: where they are well aligned
# the dry ones among them are alike, and where hair or an edge has slipped, they are not.
SPREAD = 0.2


class Bound(NamedTuple):
    """What the frames around one say of it.

    Attributes
    ----------
    behind
        (H, W, 3) in the frame's dtype: what lies behind its rain.
    excess
        (H, W) float32 in [-1, 1]: its luminance less that; where a channel is darker, the difference of the darkest.
    seen
        (H, W) uint8: how many of the frames around it could be believed.
    repeated
        (H, W) bool: whether as many of them as lie to one side show the very value that it shows. Two streaks are
        seldom equally bright; what has just been uncovered, or is about to be covered, is.
    spread
        (H, W) float32: luminance of what lies behind over that of the darkest frame; None if it was not asked for.
    """

    behind: np.ndarray
    excess: np.ndarray
    seen: np.ndarray
    repeated: np.ndarray
    spread: np.ndarray | None = None


def bound_of(frame: np.ndarray, others: Sequence[Aligned], rank: Rank, *, spreads: bool = False) -> Bound:
    """Return what lies behind the rain of a frame (H, W, 3): of each value the one of a rank among the aligned frames.

    A frame that cannot be believed at a place is replaced there by the frame in question, which takes rain off less,
    and never more. At the ends of a clip there are fewer frames, and the rank is lowered with their number.

    Parameters
    ----------
    frame
        (H, W, 3) uint8 or uint16.
    others
        The frames around it, in order.
    rank
        Which of the values lies behind.
    spreads
        Whether to tell how far the darkest of them lie apart.
    """
    import cv2

    values = [frame, *(_believed(other, frame) for other in others)]
    place = round(rank.rank * len(others) / (2 * rank.reach))
    behind = ranked(values, place)
    spread = _excess(behind, reduce(cv2.min, values)) if spreads else None
    seen = np.zeros(frame.shape[:2], np.uint8)
    for other in others:
        seen += other.valid
    repeated = _alike(frame, others) >= max(rank.reach, 2)
    return Bound(behind, _excess(frame, behind), seen, repeated, spread)


def _excess(frame: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """Return the luminance of a frame less that of what lies behind; where a channel is darker by more than noise, the
    difference of the darkest: rain darkens no channel.
    """
    from rainopt.kernels.excess_cpu import excess

    return excess(frame, behind, np.array(LUMA, np.float32), NEAR)


def _believed(other: Aligned, frame: np.ndarray) -> np.ndarray:
    """Return an aligned frame with the one in question where it cannot be believed."""
    import cv2

    if other.valid.all():
        return other.pixels
    return np.asarray(cv2.copyTo(frame, (~other.valid).view(np.uint8), other.pixels.copy()))


def _alike(frame: np.ndarray, others: Sequence[Aligned]) -> np.ndarray:
    """Return how many aligned frames show about the same as a frame at each pixel, in the middle channel, (H, W)."""
    import cv2

    here = cv2.extractChannel(frame, 1)
    near = round(ALIKE * np.iinfo(frame.dtype).max)
    count = np.zeros(here.shape, np.uint8)
    for other in others:
        apart = cv2.absdiff(here, cv2.extractChannel(other.pixels, 1))
        count += (apart <= near) & other.valid
    return count


def rain_share(
    excess: np.ndarray,
    angles: Sequence[float],
    height: float = 1.0,
    against: float = AGAINST,
    rows: int | None = None,
    spread: np.ndarray | None = None,
) -> np.ndarray:
    """Return how far an excess (H, W) float32 over what lies behind is rain, in [0, 1].

    It must exceed noise, and the errors of the alignment as its negative part shows them; it must be one of a streak, a
    line in one of the directions ``angles``, degrees; and it must not be much brighter than the bright streaks are,
    whose ``height`` in [0, 1] nine tenths do not exceed: an edge that has moved is. Where the excess is that of a part
    of a picture, ``rows`` are those of the picture. A ``spread`` (H, W) float32, see `Bound`, counts among the errors
    along lines.
    """
    import cv2

    from rainopt.kernels import excess_cpu as kernel

    scale = (rows or excess.shape[0]) / 480
    lack, part, part_lack, share = (np.empty_like(excess) for _ in range(4))
    kernel.split_excess(excess, np.float32(LEAST), np.float32(MOST), lack, part, part_lack)
    lines = [kernel.line_mean(part, streak(angle, LENGTH * scale)) for angle in angles]
    if not lines:
        return np.zeros_like(excess)
    if spread is not None:
        part_lack += np.minimum(spread * np.float32(SPREAD), np.float32(-LEAST))
    kernel.write_share(
        excess,
        cv2.blur(lack, _box(ERRORS, scale)),
        reduce(cv2.max, lines),
        cv2.blur(part_lack, _box(LINE_ERRORS, scale)),
        *map(np.float32, (against, NOISE, LINE, height, HIGH, HIGHEST)),
        share,
    )
    return share


def without(frame: np.ndarray, behind: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return a frame (H, W, 3) less a share (H, W) in [0, 1] of what is brighter in it than what lies behind."""
    import cv2

    full = np.iinfo(frame.dtype).max
    weight = np.rint(share * full).astype(frame.dtype)
    above = cv2.subtract(frame, behind)
    taken = cv2.multiply(above, cv2.merge([weight] * 3), scale=1 / full)
    return np.asarray(cv2.subtract(frame, taken))


@lru_cache(64)
def streak(angle: float, length: float) -> np.ndarray:
    """Return the mean along a line of some pixels at an angle in degrees, as a kernel for convolutions; read-only."""
    half = max(length, 3) / 2
    side = 2 * int(half) + 1
    turn = np.deg2rad(angle)
    kernel = np.zeros((side, side), np.float32)
    centre = side // 2
    for at in np.arange(-centre, centre + 0.01, 0.25):
        row, column = centre + at * np.cos(turn), centre + at * np.sin(turn)
        top, left = int(np.floor(row)), int(np.floor(column))
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            if 0 <= top + i < side and 0 <= left + j < side:
                kernel[top + i, left + j] += (1 - abs(row - top - i)) * (1 - abs(column - left - j))
    kernel /= kernel.sum()
    kernel.flags.writeable = False  # every part of every frame uses the same
    return kernel


def luminance_of(frame: np.ndarray) -> np.ndarray:
    """Return the luminance (H, W) float32 in [0, 1] of a frame (H, W, 3) uint8 or uint16."""
    import cv2

    scale = 1 / np.iinfo(frame.dtype).max
    weights = np.array([[weight * scale for weight in LUMA]], np.float32)
    return np.asarray(cv2.transform(frame.astype(np.float32), weights))


def _box(side: int, scale: float) -> tuple[int, int]:
    side = max(3, round(side * scale)) | 1
    return side, side
