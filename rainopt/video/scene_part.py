"""The part of a frame that is scene although it is not what lies behind its rain: what lives, shines, or is new.

Persistence decides, not size: what is brighter than its background for longer than rain can be, at its place or along
its own track, is scene; so is what is darker, since rain darkens nothing; and so is what is bright over more than a
streak is wide, in every direction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rainopt.video.percentiles import NEAR
from rainopt.video.persistence import (
    DENSE,
    MOST_AT_PLACE,
    MOST_ON_TRACK,
    Rank,
    lasting,
    lasting_height,
    rank_for,
    ranked,
    run_length,
)
from rainopt.video.tracks import Track

# Chance that rain is found along a track for as long as is asked for.
TRACK_CHANCE, LONG_TRACK_CHANCE = 0.03, 1e-3
# Chance that rain stays at a place for so long that its size does not matter.
SURE = 1e-5
# Share of the pieces that chance leaves of runs of unrelated frames that are ordinary, and the least size in pixels of
# one that is not.
ORDINARY, LEAST_SIZE = 0.995, 9
# In pixels of pictures of 480 rows: the side of what is wider than streaks that run together, of the least thing, and
# of what is wider than streaks if it is there for some frames in a row, as what has just been uncovered is; and how far
# things are grown.
WIDE, LEAST, BROAD, MARGIN = 36, 3, 11, 3
LEAST_WIDE = 16  # pixels: streaks of small pictures are wider in proportion
# Rain that covers more than this share of the frames hides things from the few frames around.
HIDDEN = 0.7
# Frames to either side in which what is broad must be there, and in which the middle one tells what is dark.
BROAD_REACH, DARK_REACH = 4, 2


@dataclass(frozen=True)
class TimeSettings:
    """How the frames around one help it.

    Attributes
    ----------
    coverage
        Share of the frames in which rain covers a place, in the median over the picture, 0 to 1.
    height
        Brightness that nine tenths of the streaks do not exceed, above 0 and at most 1.
    size
        Pixels of guides of a piece that is larger than what chance leaves of short runs, see `size_of_chance`.
    least
        From which height on what is there for 2, 3, ... frames in a row is more than rain, see
        `rainopt.video.persistence.least_heights`; none where the camera moves.
    """

    coverage: float
    height: float = 1.0
    size: int = LEAST_SIZE
    least: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "least", tuple(self.least))  # JSON has lists

    @property
    def rank(self) -> Rank:
        """Which of the values of aligned frames lies behind rain."""
        return rank_for(self.coverage)

    @property
    def at_place(self) -> int | None:
        """Frames in a row that tell what is larger than chance and stays at its place; None where rain hides it."""
        return run_length(self.coverage, MOST_AT_PLACE)

    @property
    def long_at_place(self) -> int | None:
        """Frames in a row that tell what stays at its place, whatever its size."""
        return run_length(self.coverage, MOST_AT_PLACE, SURE)

    @property
    def on_track(self) -> int | None:
        """Frames in a row that tell what stays along its track; None where rain is too dense to tell."""
        return run_length(self.coverage, MOST_ON_TRACK, TRACK_CHANCE)

    @property
    def long_on_track(self) -> int | None:
        """Frames in a row that tell what stays along its track, whatever its size."""
        return run_length(self.coverage, MOST_ON_TRACK, LONG_TRACK_CHANCE)

    @property
    def dense(self) -> bool:
        """Whether streaks run together into what looks wide, and hide what is dark."""
        return self.coverage > DENSE

    @property
    def fine_reach(self) -> int:
        """Frames to either side that are looked at along the tracks of small things."""
        return max((self.long_on_track or self.on_track or 1) - 1, DARK_REACH)


class ScenePart(NamedTuple):
    """Where a frame is scene in front of what lies behind its rain; all (h, w) bool.

    Attributes
    ----------
    there
        All of it, with a margin.
    stays
        What is there at its place or along its track for longer than rain can.
    flashes
        What is bright over more than a streak is wide, and not in the frames around it.
    """

    there: np.ndarray
    stays: np.ndarray
    flashes: np.ndarray


def bright(excess: np.ndarray) -> np.ndarray:
    """Return where an excess is more than noise, bool."""
    return np.asarray(excess > NEAR)


def scene_part(
    excess: Mapping[int, np.ndarray],
    coarse: Mapping[int, Track],
    along: Mapping[int, np.ndarray],
    settings: TimeSettings,
    stays: np.ndarray | None,
) -> ScenePart:
    """Tell what of a frame is scene in front of what lies behind its rain.

    Parameters
    ----------
    excess
        (h, w) float32 luminance in [-1, 1] of frames over what lies behind them, at the scale of the guides, by number
        counted from the frame in question.
    coarse
        Where its pixels lie in those frames, by the flow of large things.
    along
        (h, w) bool: where those frames are `bright` along the tracks of what is bright in the frame in question, by the
        flow of small things, see `rainopt.video.tracks.found_along`.
    settings
        How much rain there is.
    stays
        (h, w) bool: where something is bright at its place for longer than rain can, see `staying`; None where the
        camera moves, and tracks alone tell.
    """
    here = excess[0]
    scale = here.shape[0] / 480
    lasts = np.zeros(here.shape, bool)
    if settings.on_track is not None:
        there = {**along, 0: bright(here)}
        lasts = large(lasting(there, settings.on_track), settings.size)
        if settings.long_on_track is not None:
            lasts |= opened(lasting(there, settings.long_on_track), 2)
    if stays is not None:
        lasts = lasts | stays
    around = [here]
    for number, track in coarse.items():
        if abs(number) <= DARK_REACH and number in excess:
            around.append(np.where(track.closed, track.brings(excess[number]), here))
    middle = ranked(around, len(around) // 2)
    dark = middle < -NEAR
    flashes = np.zeros(here.shape, bool)
    if not settings.dense:
        dark |= here < -NEAR
        wide = opened(bright(here), max(WIDE * scale, LEAST_WIDE))
        flashes = wide & ~bright(middle)
        lasts |= wide & ~flashes
    broad = np.zeros(here.shape, bool)
    if stays is not None:
        nearby = {number: bright(one) for number, one in excess.items() if abs(number) <= BROAD_REACH}
        run = BROAD_REACH + 1 if settings.coverage <= HIDDEN else 2 * BROAD_REACH + 1
        broad = opened(lasting(nearby, min(run, len(nearby))), BROAD * scale)
    flashes = grown(flashes, MARGIN * scale)
    there_at_all = grown(opened(dark, LEAST * scale) | lasts | broad, MARGIN * scale) | flashes
    return ScenePart(there_at_all, grown(lasts, LEAST * scale / 3), flashes)


def staying(there: Mapping[int, np.ndarray], settings: TimeSettings) -> np.ndarray:
    """Return where something is bright at its place for longer than rain can, (h, w) bool.

    What is larger than chance leaves it need not stay for as long as what might be many streaks, one after the other.

    Parameters
    ----------
    there
        `bright` of the frames around one, (h, w) bool, by number counted from it.
    settings
        How much rain there is.
    """
    found = np.zeros(there[0].shape, bool)
    if settings.at_place is not None:
        found |= large(lasting(there, settings.at_place), settings.size)
    if settings.long_at_place is not None:
        found |= opened(lasting(there, settings.long_at_place), 2)
    return found


def height_of_scene(
    greys: Mapping[int, np.ndarray], behind: np.ndarray, settings: TimeSettings, kept: float = 1.0
) -> np.ndarray:
    """Return by how many levels a frame stands above what is thought to lie behind it without rain, at least, (H, W)
    uint8: what is bright and stays so, in the frames before it or after, where rain so bright does not; 0 elsewhere.

    Parameters
    ----------
    greys
        (H, W) uint8 luminance of frames of a camera that stands still, by number counted from the frame in question.
    behind
        (H, W) uint8 luminance of what is thought to lie behind it.
    settings
        How bright rain is for how long.
    kept
        Share of their height that things have in these pictures.
    """
    import cv2

    if not settings.least:
        return np.zeros_like(behind)
    least = [kept * height for height in settings.least]
    found = lasting_height({number: cv2.subtract(grey, behind) for number, grey in greys.items()}, least)
    if not found.any():
        return found
    side = max(LEAST, round(LEAST * found.shape[0] / 480))
    return np.asarray(cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((side, side), np.uint8)))


def size_of_chance(masks: Sequence[np.ndarray], length: int) -> int:
    """Return the pixels of a piece that are more than rain leaves by chance of a run of frames.

    Parameters
    ----------
    masks
        `bright` of frames far from one another, (h, w) bool: what they have in common is chance.
    length
        Frames of a run.
    """
    count = min(max(length, 1), len(masks))
    runs = (np.logical_and.reduce(masks[first : first + count]) for first in range(len(masks) - count + 1))
    sizes = np.concatenate([_pieces(opened(run, 2))[1] for run in runs])
    return LEAST_SIZE if len(sizes) == 0 else max(round(float(np.quantile(sizes, ORDINARY))), LEAST_SIZE)


def large(mask: np.ndarray, size: int) -> np.ndarray:
    """Return the pieces of a mask (h, w) bool that have at least so many pixels, without what is one pixel thin."""
    labels, sizes = _pieces(opened(mask, 2))
    return np.asarray(np.concatenate([[False], sizes >= size])[labels])


def _pieces(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of the piece that each pixel belongs to, from 1, and the pixels of each."""
    import cv2

    _, labels, facts, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8))
    return labels, facts[1:, cv2.CC_STAT_AREA]


def opened(mask: np.ndarray, side: float) -> np.ndarray:
    """Return a mask (h, w) bool without what is narrower than a square."""
    import cv2

    if not mask.any():
        return mask
    width = max(2, round(side))
    square, centre = np.ones((width, width), np.uint8), width // 2
    # A square of an even side has its centre beside the middle, and must be mirrored for the way back.
    kept = cv2.erode(mask.view(np.uint8), square, anchor=(centre, centre))
    return np.asarray(cv2.dilate(kept, square, anchor=(width - 1 - centre, width - 1 - centre))).view(bool)


def grown(mask: np.ndarray, margin: float) -> np.ndarray:
    """Return a mask (h, w) bool grown by a margin."""
    import cv2

    if not mask.any():
        return mask
    side = 2 * max(1, round(margin)) + 1
    return np.asarray(cv2.dilate(mask.view(np.uint8), np.ones((side, side), np.uint8))).view(bool)
