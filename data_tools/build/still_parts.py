"""The parts of a scene in which camera and light stay as they are, told by backgrounds of groups of its frames."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from data_tools.build.marks import MANY_SAMPLES, SMEARED, sharpness
from rainopt.image import frame_luminance
from rainopt.video.background import percentile_background
from rainopt.video.camera_motion import stabiliser_of, stands_still
from rainopt.video.copies import small_copy
from rainopt.video.frames import FrameStore
from rainopt.video.light import BRIGHT, DARK, LEAST_TELLING
from rainopt.video.quality import trusted
from rainopt.video.registration.register import AlignmentError, Stabiliser

# Frames whose background is looked at as one, at least, where there are as many: so many leave little rain in it.
GROUP = 15
# Pixels that a corner of a group's background may lie away from that of the first. Over an edge of a fifth of full
# scale a pixel this is an error of a tenth; alignments of backgrounds scatter by a fifth of a pixel.
MOVED = 0.5
# Share of itself by which the light may differ from that of the first group. Two frames teach that what lies behind
# their rain is the same: at a mean brightness of 0.4, 2 % are 0.008, a little less than the 0.01 to 0.03 that light
# rain adds on average. More would be learnt as if it were rain.
LIT = 0.02
# Pixels of a small copy that are one place; by how much more than elsewhere its light may have changed before it
# counts, as what rain has left differs from group to group; and the share of such places from which on it is no rain,
# but a lamp, a shadow, or a car that was parked.
PLACE, PLACE_LIT, MANY_PLACES = 16, 0.05, 0.05
# Ratios of brightness that differ by no more are those of one light, in noise; how often their middle is sought; and
# what is left of the light in a picture that is black.
NOISE, SHIFTS, BLACK = 0.05, 8, 1e-3


@dataclass(frozen=True)
class ScenePart:
    """Frames in a row that show one background, or in which the camera moves.

    Attributes
    ----------
    places
        Of the frames, in their store.
    moves
        By how many pixels corners move, at most, within one or two dozen of the frames, if the camera does: infinite
        where frames cannot be aligned. None where it stands still.
    begins
        In what the background differs from that of the still part before; empty if in nothing that is known.
    """

    places: range
    moves: float | None = None
    begins: str = ""


class _Group(NamedTuple):
    places: range
    copies: list[np.ndarray]
    background: np.ndarray  # (h, w, C) float32 in [0, 1]
    valid: np.ndarray  # (h, w) bool: where it can be trusted

    def stands_still(self, shape: tuple[int, ...]) -> bool:
        """Tell whether the frames show their background, and are not strewn around it."""
        sharp = sharpness(self.background, self.valid, self.copies, MANY_SAMPLES)
        return sharp >= SMEARED and stands_still(self.copies, shape)


def parts_of_scene(store: FrameStore) -> list[ScenePart]:
    """Divide the frames of a scene, in order and evenly spread, where the camera moves or the light changes.

    Groups of one or two dozen frames are looked at. The camera stands still in a group if `stands_still` says so and
    the background is not smeared; groups in a row are one part if their backgrounds lie where that of the first does,
    and are as bright everywhere.
    """
    parts: list[ScenePart] = []
    first: tuple[Stabiliser | None, _Group] | None = None  # group with which the still part that goes on begins
    scale = max(store.shape[:2]) / max(small_copy(store[0]).shape[:2])
    for group in _groups(store):
        if not group.stands_still(store.shape):
            moves = _movement(group.copies) * scale
            if parts and parts[-1].moves is not None:
                both = range(parts[-1].places.start, group.places.stop)
                parts[-1] = ScenePart(both, max(parts[-1].moves, moves))
            else:
                parts.append(ScenePart(group.places, moves))
            first = None
            continue
        begins = "" if first is None else _change(*first, group, scale)
        if first is not None and not begins:
            parts[-1] = replace(parts[-1], places=range(parts[-1].places.start, group.places.stop))
        else:
            parts.append(ScenePart(group.places, begins=begins))
            first = stabiliser_of(group.background), group
    return parts


def _groups(store: FrameStore) -> Iterator[_Group]:
    bounds = np.linspace(0, len(store), max(len(store) // GROUP, 1) + 1).round().astype(int).tolist()
    for start, stop in pairwise(bounds):
        copies = [small_copy(store[place]) for place in range(start, stop)]
        estimate = percentile_background(np.stack(copies))
        yield _Group(range(start, stop), copies, np.asarray(estimate.image), trusted(estimate))


def _movement(copies: Sequence[np.ndarray]) -> float:
    """Return by how many pixels corners move between the first of some copies and another, at most; infinite if most
    of them cannot be aligned.
    """
    stabiliser = stabiliser_of(copies[0])
    if stabiliser is None:
        return math.inf
    shifts = []
    for copy in copies[1:]:
        try:
            shifts.append(stabiliser.align(copy).shift)
        except AlignmentError:
            continue
    return max(shifts) if 2 * len(shifts) >= len(copies) - 1 else math.inf


def _change(stabiliser: Stabiliser | None, first: _Group, now: _Group, scale: float) -> str:
    """Return what has changed from the background of one group to that of another, "" if nothing has."""
    gain = light_between(first.background, now.background)
    if abs(math.log(gain)) > LIT:
        return f"the light has changed by {100 * (gain - 1):+.1f} %"
    if stabiliser is not None:
        try:
            shift = stabiliser.align(now.background).shift * scale
        except AlignmentError:
            return "the background has become another one"
        if shift > MOVED:
            return f"the camera has moved by {shift:.1f} pixels"
    share = places_lit_anew(first.background, now.background, first.valid & now.valid, gain)
    return f"the light has changed in {100 * share:.0f} % of the picture" if share > MANY_PLACES else ""


def places_lit_anew(first: np.ndarray, now: np.ndarray, valid: np.ndarray, gain: float) -> float:
    """Return the share of the places of a scene whose brightness has changed otherwise than that of the whole.

    Parameters
    ----------
    first, now
        Pictures of one scene, (H, W, C) float32 in [0, 1].
    valid
        (H, W) bool: where both can be trusted.
    gain
        How many times as bright the second is as a whole.
    """
    before, after = frame_luminance(first), frame_luminance(now)
    telling = valid & (before > DARK) & (before < BRIGHT) & (after < BRIGHT)
    changed = places = 0
    for top in range(0, before.shape[0], PLACE):
        for left in range(0, before.shape[1], PLACE):
            place = np.s_[top : top + PLACE, left : left + PLACE]
            told = telling[place]
            if 2 * np.count_nonzero(told) < told.size:
                continue
            ratio = float(np.median(after[place][told] / before[place][told]))
            places += 1
            changed += abs(math.log(max(ratio, BLACK) / gain)) > PLACE_LIT
    return changed / places if places else 0.0


def light_between(first: np.ndarray, now: np.ndarray) -> float:
    """Return how many times as bright a picture is as another of one scene, (H, W) or (H, W, C) float32 in [0, 1].

    Of the ratios where the other is neither dark nor white, that around which most lie: what rain or things cover has
    others. 1 where little tells; more than 0.
    """
    before, after = frame_luminance(first), frame_luminance(now)
    telling = (before > DARK) & (before < BRIGHT)
    if np.count_nonzero(telling) < LEAST_TELLING:
        return 1.0
    ratios = after[telling] / before[telling]
    gain = max(float(np.median(ratios)), BLACK)
    for _ in range(SHIFTS):
        near = ratios[np.abs(ratios - gain) <= NOISE * gain]
        if not near.size:
            break
        gain = float(np.median(near))
    return gain
