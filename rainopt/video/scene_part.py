"""The part of a frame that is scene although it is not what lies behind its rain: what lives, shines, or is new.

Persistence decides, not size: what is brighter than its background for longer than rain can be, at its place or along
its own track, is scene; so is what is darker, since rain darkens nothing; and so is what is bright over more than a
streak is wide, in every direction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rainopt.video.percentiles import NEAR
from rainopt.video.persistence import DENSE, MOST_AT_PLACE, MOST_ON_TRACK, Rank, lasting, rank_for, ranked, run_length
from rainopt.video.tracks import Track, moved, moved_mask

# Chance that rain is found along a track for as long as is asked for.
TRACK_CHANCE = 0.03
# In pixels of pictures of 480 rows: the side of what is wider than any streak; of the least thing; of what is wider
# than streaks even where they run together, if it is there in all frames; and how far things are grown.
WIDE, LEAST, BROAD, MARGIN = 25, 3, 11, 3
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
    """

    coverage: float
    height: float = 1.0

    @property
    def rank(self) -> Rank:
        """Which of the values of aligned frames lies behind rain."""
        return rank_for(self.coverage)

    @property
    def at_place(self) -> int | None:
        """Frames in a row that tell what stays at its place; None where rain is too dense to tell."""
        return run_length(self.coverage, MOST_AT_PLACE)

    @property
    def on_track(self) -> int | None:
        """Frames in a row that tell what stays along its track; None where rain is too dense to tell."""
        return run_length(self.coverage, MOST_ON_TRACK, TRACK_CHANCE)

    @property
    def dense(self) -> bool:
        """Whether streaks run together into what looks wide, and hide what is dark."""
        return self.coverage > DENSE

    @property
    def reach(self) -> int:
        """Frames to either side that are looked at along tracks."""
        return max((self.on_track or 1) - 1, DARK_REACH)


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
    excess: Mapping[int, np.ndarray], tracks: Mapping[int, Track], settings: TimeSettings, stays: np.ndarray | None
) -> ScenePart:
    """Tell what of a frame is scene in front of what lies behind its rain.

    Parameters
    ----------
    excess
        (h, w) float32 luminance in [-1, 1] of frames over what lies behind them, at the scale of the guides, by number
        counted from the frame in question.
    tracks
        Where its pixels lie in those frames.
    settings
        How much rain there is.
    stays
        (h, w) bool: where something is bright at its place for longer than rain can, found by `lasting` of `bright`;
        None where the camera moves, and tracks alone tell.
    """
    here = excess[0]
    scale = here.shape[0] / 480
    lasts = np.zeros(here.shape, bool) if stays is None else stays
    if settings.on_track is not None:
        there = {0: bright(here)}
        for number, track in tracks.items():
            if abs(number) < settings.on_track and number in excess:
                there[number] = moved_mask(bright(excess[number]), track.fine) & track.fine_closed
        lasts = lasts | lasting(there, settings.on_track)
    lasts = opened(lasts, LEAST * scale)
    around = [here]
    for number, track in tracks.items():
        if abs(number) <= DARK_REACH and number in excess:
            around.append(np.where(track.coarse_closed, moved(excess[number], track.coarse), here))
    middle = ranked(around, len(around) // 2)
    dark = middle < -NEAR
    flashes = np.zeros(here.shape, bool)
    if not settings.dense:
        dark |= here < -NEAR
        wide = opened(bright(here), WIDE * scale)
        flashes = wide & ~bright(middle)
        lasts |= wide & ~flashes
    nearby = [excess[number] for number in range(-BROAD_REACH, BROAD_REACH + 1) if number in excess]
    broad = opened(bright(ranked(nearby, 0)), BROAD * scale) if stays is not None else np.zeros(here.shape, bool)
    flashes = grown(flashes, MARGIN * scale)
    there_at_all = grown(opened(dark, LEAST * scale) | lasts | broad, MARGIN * scale) | flashes
    return ScenePart(there_at_all, grown(lasts, LEAST * scale / 3), flashes)


def opened(mask: np.ndarray, side: float) -> np.ndarray:
    """Return a mask (h, w) bool without what is narrower than a square."""
    return _morphology("MORPH_OPEN", mask, max(2, round(side)))


def grown(mask: np.ndarray, margin: float) -> np.ndarray:
    """Return a mask (h, w) bool grown by a margin."""
    return _morphology("MORPH_DILATE", mask, 2 * max(1, round(margin)) + 1)


def _morphology(what: str, mask: np.ndarray, side: int) -> np.ndarray:
    import cv2

    if not mask.any():
        return mask
    return np.asarray(cv2.morphologyEx(mask.view(np.uint8), getattr(cv2, what), np.ones((side, side), np.uint8))).view(
        bool
    )
