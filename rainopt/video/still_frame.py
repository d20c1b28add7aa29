"""A frame of a camera that stands still without its rain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from rainopt.geometry.boxes import box_mean
from rainopt.video.background_subtraction import Backdrop
from rainopt.video.motion import Step
from rainopt.video.parts import (
    ENOUGH,
    LITTLE,
    NEARLY,
    TRUST,
    Solve,
    aligned_around,
    along_tracks,
    known_of,
    margin_of,
)
from rainopt.video.persistence import Rank
from rainopt.video.regions import Region, regions_of
from rainopt.video.scene_part import DARK_REACH, HIDDEN, ScenePart, TimeSettings, bright, grown, scene_part
from rainopt.video.small_things import share_of_things
from rainopt.video.standing import may_stand, not_below_scene, with_small_things
from rainopt.video.time_bound import bound_of, rain_share, without
from rainopt.video.tracks import found_along, tracks_of
from rainopt.video.windows import Window, excesses_of, steps_of

# Pixels over which the background passes into whatever is in front of it.
FEATHER = 5
LEAST_REACH = 2  # pixels of a guide around what it shows of something
# Frames to either side that tell what lies behind the rain over things.
BY_TIME_REACH = 3
# Where a frame at an end of a clip is as bright as its background within this, it shows it: on the side that is missing
# may be all frames that see what has just been uncovered.
NEARLY_AT_ENDS = 24 / 255


class _Part(NamedTuple):
    """What is in front of the background in a part of a frame, on its way; all are of what is around the part.

    Attributes
    ----------
    backdrop
        Its background.
    there
        (h, w) bool: where it shows something else.
    excess
        (h, w) float32: luminance over the background.
    clean
        (h, w, 3): without rain, by the frames around it.
    doubt
        (h, w) bool: where these cannot be believed.
    """

    backdrop: Backdrop
    there: np.ndarray
    excess: np.ndarray
    clean: np.ndarray
    doubt: np.ndarray


def still_frame(
    window: Window, unsure: np.ndarray, settings: TimeSettings, angles: tuple[float, ...], solve: Solve
) -> np.ndarray:
    """Return the frame of a window without its rain.

    It is its background, but where it shows something in front of it, or the background is ``unsure``, (h, w) bool at
    the scale of the guides: those parts alone are worked on.
    """
    one = window[0]
    backdrop = one.backdrop
    if backdrop is None or one.stays is None or one.light is None:
        raise ValueError("`window` must hold frames over a background")
    steps, excesses = steps_of(window), excesses_of(window)
    masks = {number: bright(excess) for number, excess in excesses.items()}
    along = found_along(masks, steps, settings.fine_reach, masks[0])
    scene = scene_part(excesses, tracks_of(steps, DARK_REACH), along, settings, one.stays)
    clean = backdrop.behind(one.pixels)
    there = scene.there | unsure
    if float(np.mean(there)) <= LITTLE / 10:
        there[:] = False
    things = share_of_things({number: seen.things for number, seen in window.items()}, one.light, excesses[0])
    # What feathers reach is changed as well.
    there = grown(there, FEATHER) | grown(may_stand(window, settings), LEAST_REACH)
    if things is not None:
        there |= grown(things > 0, LEAST_REACH)
    shape = one.pixels.shape
    regions = regions_of(there, shape, margin_of(shape))
    parts = [_part(window, backdrop, region, scene, steps, settings, angles) for region in regions]
    worked_on = list(zip(regions, parts, strict=True))
    near = NEARLY if {-BY_TIME_REACH, BY_TIME_REACH} <= window.keys() else NEARLY_AT_ENDS
    doubtful = sum(int(np.count_nonzero(part.doubt[region.within])) for region, part in worked_on if part)
    for region, part in worked_on:
        front = clean[region.around]
        if part is not None:
            solved = part
            if doubtful > LITTLE * shape[0] * shape[1] and part.doubt.any():
                solution = solve(one.pixels[region.around], known_of(part.excess, ~part.there, TRUST))
                solved = part._replace(clean=np.where(part.doubt[..., None], solution, part.clean))
            front = _over(front, solved, near)
        behind = backdrop.like(clean)[region.around]
        front = not_below_scene(front, window, behind, region, settings)
        if things is not None:
            front = with_small_things(front, window, behind, region, things)
        clean[region.box] = front[region.within]
    return clean


def _part(
    window: Window,
    backdrop: Backdrop,
    region: Region,
    scene: ScenePart,
    steps: Mapping[int, Step],
    settings: TimeSettings,
    angles: tuple[float, ...],
) -> _Part | None:
    """Return a part of a frame in which something is in front of the background; None where nothing is."""
    pixels, behind = window[0].pixels[region.around], backdrop.part(region.around)
    there = region.mask(scene.there[region.small]) | ~behind.valid
    if not there[region.within].any():
        return None
    excess = behind.difference(pixels)
    if settings.coverage > HIDDEN:
        return _Part(behind, there, excess, pixels, there)
    clean, doubt = _by_time(window, excess, region, scene, steps, settings, angles)
    return _Part(behind, there, excess, clean, doubt & there)


def _by_time(
    window: Window,
    above: np.ndarray,
    region: Region,
    scene: ScenePart,
    steps: Mapping[int, Step],
    settings: TimeSettings,
    angles: tuple[float, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Return a part of a frame derained by those around it, and where they cannot be believed (h, w) bool."""
    pixels = window[0].pixels[region.around]
    others = aligned_around(window, tracks_of(steps, BY_TIME_REACH, part=region.small), region)
    dry = 1 - settings.coverage
    rank = Rank(BY_TIME_REACH, min(max(int((2 * BY_TIME_REACH + 1) * dry / 2), 1), BY_TIME_REACH))
    behind, excess, believed, repeated, spread = bound_of(pixels, others, rank, spreads=True)
    share = rain_share(excess, angles, settings.height, rows=region.shape[0], spread=spread)
    clean = without(pixels, behind, share * ~repeated)
    clean = not_below_scene(clean, window, behind, region, settings)
    stays = region.mask(scene.stays[region.small])
    if stays.any():
        clean = np.where(stays[..., None], along_tracks(window, above, steps, region, settings, angles), clean)
    return clean, ((believed < ENOUGH) & ~stays) | region.mask(scene.flashes[region.small])


def _over(behind: np.ndarray, part: _Part, near: float) -> np.ndarray:
    """Return a part of a frame: what is in front, and ``behind`` it what the background shows, where it is as bright
    within ``near``.
    """
    # Where the background shows, nothing is darker than it.
    shows = (np.abs(part.excess) <= near) & part.backdrop.valid
    front = np.where(shows[..., None], np.maximum(part.clean, behind), part.clean)
    sure = (~part.there).astype(np.float32)
    known = np.asarray(box_mean(box_mean(sure, FEATHER, -1), FEATHER, -2)) * sure
    return _mixed(front, behind, known)


def _mixed(one: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return a frame with a share (H, W) in [0, 1] of the other one."""
    part = share[..., None]
    return np.asarray(np.rint(one + (other.astype(np.float32) - one) * part)).astype(one.dtype)
