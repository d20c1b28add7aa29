"""A frame of a camera that moves without its rain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rainopt.video.parts import (
    ENOUGH,
    LITTLE,
    TRUST,
    TRUST_OF_RANK,
    Solve,
    aligned_around,
    along_tracks,
    known_of,
    margin_of,
)
from rainopt.video.persistence import Rank
from rainopt.video.regions import regions_of, whole
from rainopt.video.scene_part import DARK_REACH, TimeSettings, bright, scene_part
from rainopt.video.time_bound import bound_of, rain_share, without
from rainopt.video.tracks import found_along, tracks_of
from rainopt.video.windows import Seen, Window, excesses_of, steps_of


def bounded_frame(window: Window, rank: Rank) -> Seen:
    """Return the frame of a window with what lies behind its rain, by the frames around it."""
    one = window[0]
    region = whole(one.pixels.shape, one.guide.shape)
    others = aligned_around(window, tracks_of(steps_of(window), rank.reach), region)
    behind, excess, believed, repeated, _ = bound_of(one.pixels, others, rank)
    small = _reduced(excess, one.guide.shape)
    return replace(one, behind=behind, excess=excess, small=small, believed=believed, repeated=repeated)


def moving_frame(window: Window, settings: TimeSettings, angles: tuple[float, ...], solve: Solve) -> np.ndarray:
    """Return the frame of a window without its rain."""
    one = window[0]
    if one.behind is None or one.excess is None or one.believed is None or one.repeated is None:
        raise ValueError("`window` must hold frames with what lies behind them")
    steps, excesses = steps_of(window), excesses_of(window)
    masks = {number: bright(excess) for number, excess in excesses.items()}
    along = found_along(masks, steps, settings.fine_reach, masks[0])
    scene = scene_part(excesses, tracks_of(steps, DARK_REACH), along, settings, None)
    shape, region = one.pixels.shape, whole(one.pixels.shape, one.guide.shape)
    flashes = region.mask(scene.flashes)
    if settings.dense:
        known = known_of(one.excess, (one.believed >= ENOUGH) & ~flashes, TRUST_OF_RANK)
        return np.minimum(solve(one.pixels, known), np.where(flashes[..., None], one.pixels, one.behind))
    share = rain_share(one.excess, angles)
    share[flashes | one.repeated] = 0
    clean = without(one.pixels, one.behind, share)
    stays = region.mask(scene.stays)
    for part in regions_of(scene.stays, shape, margin_of(shape)):
        moving = along_tracks(window, one.excess[part.around], steps, part, settings, angles)[part.within]
        clean[part.box] = np.where(stays[part.box][..., None], moving, clean[part.box])
    doubt = ((one.believed < ENOUGH) & ~stays) | flashes
    if float(np.mean(doubt)) > LITTLE:
        for part in regions_of(doubt, shape, margin_of(shape)):
            known = known_of((one.excess * share)[part.around], ~doubt[part.around], TRUST)
            solution = solve(one.pixels[part.around], known)[part.within]
            clean[part.box] = np.where(doubt[part.box][..., None], solution, clean[part.box])
    return clean


def _reduced(excess: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    import cv2

    if excess.shape == shape:
        return excess
    return np.asarray(cv2.resize(excess, (shape[1], shape[0]), interpolation=cv2.INTER_AREA))
