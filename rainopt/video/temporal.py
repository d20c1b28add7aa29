"""Frames without their rain, helped by the frames around them: one pipeline for cameras that stand still or move."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from rainopt.geometry.boxes import box_mean
from rainopt.optim.objectives import RainPrior
from rainopt.parallel.threads import in_order
from rainopt.video.aligned import Aligned, aligned, along
from rainopt.video.background_subtraction import Backdrop
from rainopt.video.copies import small_copy
from rainopt.video.motion import GUIDE, Step, guide_of, step_between
from rainopt.video.persistence import Rank
from rainopt.video.scene_part import (
    BROAD_REACH,
    DARK_REACH,
    HIDDEN,
    ScenePart,
    TimeSettings,
    bright,
    height_of_scene,
    scene_part,
    staying,
)
from rainopt.video.small_things import REACH as THINGS_REACH
from rainopt.video.small_things import SmallThing, share_of_things, small_things
from rainopt.video.time_bound import bound_of, luminance_of, rain_share, without
from rainopt.video.tracks import Track, tracks_of

# Where less than this share of the pixels is in doubt, they are left as they are; more is worth a solution.
LITTLE = 2e-3
# Pixels over which the background passes into whatever is in front of it.
FEATHER = 5
# Frames to either side, and how many times the errors of the alignment an excess must exceed, in what moves.
NEARBY, SURER = 2, 2.0
# Frames to either side that tell what lies behind the rain over things, of a still camera.
BY_TIME_REACH = 3
# Neighbours that must be believed before time has a say.
ENOUGH = 2
# Where a frame is as bright as its background within this, it shows it.
NEARLY = 8 / 255

# Trust in what the frames around one say of its rain, in the energy, see `rainopt.optim.objectives.RainPrior`. Of a
# rank among few frames less: in dense rain it has left some.
TRUST, TRUST_OF_RANK = 0.1, 0.02

Solve = Callable[[np.ndarray, RainPrior], np.ndarray]


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
    grey
        (H, W) uint8: luminance, of a still camera.
    light
        (h, w) float32: the same at the scale of the guide, in [0, 1].
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
    grey: np.ndarray | None = None
    light: np.ndarray | None = None
    small: np.ndarray | None = None
    believed: np.ndarray | None = None
    repeated: np.ndarray | None = None
    stays: np.ndarray | None = None
    things: Sequence[SmallThing] = ()


Window = dict[int, Seen]


def still_frames(
    frames: Iterable[tuple[np.ndarray, float]],
    backdrop: Backdrop,
    settings: TimeSettings,
    angles: tuple[float, ...],
    solve: Solve,
) -> Iterator[np.ndarray]:
    """Yield the frames of a camera that stands still without their rain.

    Parameters
    ----------
    frames
        (H, W, 3) uint8 or uint16, each with the gain of its light.
    backdrop
        What lies behind.
    settings
        How much rain there is.
    angles
        The directions of the rain, degrees.
    solve
        Derains a frame by its energy, given what is known of its rain: where the background and the frames around it
        cannot be believed.
    """
    small = backdrop.reduced(*small_copy(backdrop.image, GUIDE).shape[:2])
    seen = _with_steps(in_order(partial(_above, backdrop=backdrop, small=small), frames), still=True)
    staying_seen = _with_things(_with_staying(seen, settings), settings, angles)
    work = partial(_still_frame, settings=settings, angles=angles, solve=solve)
    return in_order(work, windows(staying_seen, max(settings.fine_reach, BROAD_REACH)))


def moving_frames(
    frames: Iterable[np.ndarray], settings: TimeSettings, angles: tuple[float, ...], solve: Solve
) -> Iterator[np.ndarray]:
    """Yield the frames of a camera that moves without their rain; as `still_frames`."""
    work = partial(_moving_frame, settings=settings, angles=angles, solve=solve)
    return in_order(work, windows(bounded(frames, settings.rank), settings.fine_reach))


def bounded(frames: Iterable[np.ndarray], rank: Rank) -> Iterator[Seen]:
    """Yield frames (H, W, 3) of a camera that moves with what lies behind them by the frames around them."""
    seen = _with_steps(in_order(lambda frame: Seen(frame, guide_of(frame)), frames), still=False)
    return in_order(partial(_bounded, rank=rank), windows(seen, rank.reach))


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


def _with_steps(seen: Iterable[Seen], still: bool) -> Iterator[Seen]:
    def work(pair: tuple[Seen, Seen | None]) -> Seen:
        one, following = pair
        return one if following is None else replace(one, step=step_between(one.guide, following.guide, still=still))

    return in_order(work, ((window[0], window.get(1)) for window in windows(seen, 1)))


def _with_staying(seen: Iterable[Seen], settings: TimeSettings) -> Iterator[Seen]:
    """Yield frames with what is bright at its place for longer than rain can."""
    reach = (settings.long_at_place or settings.at_place or 1) - 1
    # Masks alone of the frames that have gone: the rest of them is heavy.
    gone: deque[np.ndarray] = deque(maxlen=reach)

    def masks_around() -> Iterator[tuple[Seen, dict[int, np.ndarray]]]:
        for window in windows(((one, bright(_small(one))) for one in seen), reach):
            masks = {number: mask for number, (_, mask) in window.items() if number >= 0}
            yield window[0][0], masks | {-k: mask for k, mask in enumerate(reversed(gone), start=1)}
            gone.append(masks[0])

    def work(pair: tuple[Seen, dict[int, np.ndarray]]) -> Seen:
        one, masks = pair
        return replace(one, stays=staying(masks, settings))

    return in_order(work, masks_around())


def _with_things(seen: Iterable[Seen], settings: TimeSettings, angles: tuple[float, ...]) -> Iterator[Seen]:
    """Yield frames with the small things that move in them."""

    def work(window: Window) -> Seen:
        light = {number: one.light for number, one in window.items() if one.light is not None}
        return replace(window[0], things=small_things(light, _small(window[0]), angles))

    return iter(seen) if settings.on_track is None else in_order(work, windows(seen, THINGS_REACH))


def _above(lit: tuple[np.ndarray, float], backdrop: Backdrop, small: Backdrop) -> Seen:
    pixels, gain = lit
    copy = small_copy(pixels, GUIDE)
    excess = small.under(gain).difference(copy)
    return Seen(
        pixels,
        guide_of(pixels),
        backdrop=backdrop.under(gain),
        grey=_grey(pixels),
        light=luminance_of(copy),
        small=excess,
    )


def _bounded(window: Window, rank: Rank) -> Seen:
    one = window[0]
    tracks = tracks_of(_steps(window), rank.reach)
    others = [_aligned(window, tracks, number) for number in sorted(tracks)]
    behind, excess, believed, repeated = bound_of(one.pixels, others, rank)
    return replace(
        one, behind=behind, excess=excess, small=_reduced(excess, one.guide.shape), believed=believed, repeated=repeated
    )


def _still_frame(window: Window, settings: TimeSettings, angles: tuple[float, ...], solve: Solve) -> np.ndarray:
    one = window[0]
    backdrop = one.backdrop
    if backdrop is None or one.stays is None:
        raise ValueError("`window` must hold frames over a background")
    coarse = tracks_of(_steps(window), BY_TIME_REACH)
    fine = tracks_of(_steps(window), settings.fine_reach, fine=True)
    part = scene_part(_excesses(window), coarse, fine, settings, one.stays)
    shape = one.pixels.shape[:2]
    there = _enlarged(part.there, shape) | ~backdrop.valid
    clean = backdrop.behind(one.pixels)
    behind = np.rint(backdrop.image * np.iinfo(clean.dtype).max).astype(clean.dtype)
    if float(np.mean(there)) <= LITTLE / 10:
        return _with_small_things(_not_below_scene(clean, window, behind, settings), window, behind)
    excess = backdrop.difference(one.pixels)
    if settings.coverage > HIDDEN:
        other, doubt = one.pixels, there
    else:
        other, doubt = _by_time(window, excess, coarse, fine, part, settings, angles)
        doubt &= there
    if float(np.mean(doubt)) > LITTLE:
        other = np.where(doubt[..., None], solve(one.pixels, _known(excess, ~there, TRUST)), other)
    # Where the background shows, nothing is darker than it.
    shows = (np.abs(excess) <= NEARLY) & backdrop.valid
    other = np.where(shows[..., None], np.maximum(other, clean), other)
    sure = (~there).astype(np.float32)
    known = np.asarray(box_mean(box_mean(sure, FEATHER, -1), FEATHER, -2)) * sure
    return _with_small_things(_not_below_scene(_mixed(other, clean, known), window, behind, settings), window, behind)


def _not_below_scene(clean: np.ndarray, window: Window, behind: np.ndarray, settings: TimeSettings) -> np.ndarray:
    """Return a derained frame that stands above what lies ``behind`` by what stays in the frames around it, at least.

    All are (H, W, 3) in the frame's dtype.
    """
    greys = {number: one.grey for number, one in window.items() if one.grey is not None}
    base = _grey(behind)
    height = height_of_scene(greys, base, settings)
    if not height.any():
        return clean
    above = np.maximum(greys[0].astype(np.float32) - base, 1)
    floor = without(window[0].pixels, behind, 1 - np.minimum(height / above, 1))
    return np.where((height > 0)[..., None], np.maximum(clean, floor), clean)


def _with_small_things(clean: np.ndarray, window: Window, behind: np.ndarray) -> np.ndarray:
    """Return a derained frame with the small things that move in front of what lies behind it, all (H, W, 3)."""
    import cv2

    one = window[0]
    found = {number: seen.things for number, seen in window.items()}
    share = None if one.light is None else share_of_things(found, one.light, _small(one))
    if share is None:
        return clean
    height, width = clean.shape[:2]
    if share.shape != (height, width):
        share = np.asarray(cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR))
    return np.where((share > 0)[..., None], np.maximum(clean, without(one.pixels, behind, 1 - share)), clean)


def _moving_frame(window: Window, settings: TimeSettings, angles: tuple[float, ...], solve: Solve) -> np.ndarray:
    one = window[0]
    if one.behind is None or one.excess is None or one.believed is None or one.repeated is None:
        raise ValueError("`window` must hold frames with what lies behind them")
    coarse = tracks_of(_steps(window), DARK_REACH)
    fine = tracks_of(_steps(window), settings.fine_reach, fine=True)
    part = scene_part(_excesses(window), coarse, fine, settings, None)
    shape = one.pixels.shape[:2]
    flashes = _enlarged(part.flashes, shape)
    if settings.dense:
        known = _known(one.excess, (one.believed >= ENOUGH) & ~flashes, TRUST_OF_RANK)
        return np.minimum(solve(one.pixels, known), np.where(flashes[..., None], one.pixels, one.behind))
    share = rain_share(one.excess, angles)
    share[flashes | one.repeated] = 0
    clean = without(one.pixels, one.behind, share)
    stays = _enlarged(part.stays, shape)
    if stays.any():
        clean = np.where(stays[..., None], _along_tracks(window, one.excess, fine, settings, angles), clean)
    doubt = ((one.believed < ENOUGH) & ~stays) | flashes
    if float(np.mean(doubt)) > LITTLE:
        known = _known(one.excess * share, ~doubt, TRUST)
        clean = np.where(doubt[..., None], solve(one.pixels, known), clean)
    return clean


def _known(excess: np.ndarray, where: np.ndarray, trust: float) -> RainPrior:
    """Return what is known of the rain of a frame (H, W) from its excess, where that can be believed."""
    return RainPrior(excess=np.maximum(excess, 0), trust=where.astype(np.float32) * np.float32(trust))


def _by_time(
    window: Window,
    above: np.ndarray,
    coarse: dict[int, Track],
    fine: dict[int, Track],
    part: ScenePart,
    settings: TimeSettings,
    angles: tuple[float, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Return a frame derained by those around it, and where they cannot be believed (H, W) bool."""
    one = window[0]
    shape = one.pixels.shape[:2]
    others = [_aligned(window, coarse, number) for number in sorted(coarse)]
    dry = 1 - settings.coverage
    rank = Rank(BY_TIME_REACH, min(max(int((2 * BY_TIME_REACH + 1) * dry / 2), 1), BY_TIME_REACH))
    behind, excess, believed, repeated = bound_of(one.pixels, others, rank)
    clean = without(one.pixels, behind, rain_share(excess, angles, settings.height) * ~repeated)
    clean = _not_below_scene(clean, window, behind, settings)
    stays = _enlarged(part.stays, shape)
    if stays.any():
        clean = np.where(stays[..., None], _along_tracks(window, above, fine, settings, angles), clean)
    return clean, ((believed < ENOUGH) & ~stays) | _enlarged(part.flashes, shape)


def _along_tracks(
    window: Window, above: np.ndarray, tracks: dict[int, Track], settings: TimeSettings, angles: tuple[float, ...]
) -> np.ndarray:
    """Return a frame less what is brighter in it than along the tracks of small things, given its excess ``above`` what
    lies behind it.
    """
    one = window[0]
    others = [
        along(window[number].pixels, track.flow, track.closed)
        for number, track in sorted(tracks.items())
        if abs(number) <= NEARBY
    ]
    behind, excess, _, _ = bound_of(one.pixels, others, Rank(NEARBY, NEARBY))
    share = rain_share(excess, angles, settings.height, SURER)
    # What stays is bright behind its rain as well; where its track shows no such thing, the track is wrong.
    share[above - excess <= NEARLY] = 0
    return without(one.pixels, behind, share)


def _aligned(window: Window, tracks: dict[int, Track], number: int) -> Aligned:
    other = window[number]
    return aligned(other.pixels, tracks[number], window[0].guide, other.guide)


def _steps(window: Window) -> dict[int, Step]:
    return {number: one.step for number, one in window.items() if one.step is not None and number + 1 in window}


def _excesses(window: Window) -> dict[int, np.ndarray]:
    return {number: _small(one) for number, one in window.items()}


def _small(one: Seen) -> np.ndarray:
    if one.small is None:
        raise ValueError("a frame must be looked at before its window")
    return one.small


def _grey(pixels: np.ndarray) -> np.ndarray:
    """Return the luminance (H, W) uint8 of a frame (H, W, 3) uint8 or uint16."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(grey if grey.dtype == np.uint8 else cv2.convertScaleAbs(grey, alpha=1 / 257))


def _reduced(excess: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    import cv2

    if excess.shape == shape:
        return excess
    return np.asarray(cv2.resize(excess, (shape[1], shape[0]), interpolation=cv2.INTER_AREA))


def _enlarged(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    import cv2

    if mask.shape == shape:
        return mask
    large = cv2.resize(mask.view(np.uint8), (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST)
    return np.asarray(large).view(bool)


def _mixed(one: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return a frame with a share (H, W) in [0, 1] of the other one."""
    part = share[..., None]
    return np.asarray(np.rint(one + (other.astype(np.float32) - one) * part)).astype(one.dtype)
