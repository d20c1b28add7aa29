"""Frames without their rain, helped by the frames around them: one pipeline for cameras that stand still or move."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from rainopt.parallel.threads import in_order
from rainopt.video.background_subtraction import Backdrop
from rainopt.video.copies import small_copy
from rainopt.video.motion import GUIDE, guide_of, step_between
from rainopt.video.moving_frame import bounded_frame, moving_frame
from rainopt.video.parts import Solve
from rainopt.video.persistence import Rank
from rainopt.video.scene_part import BROAD_REACH, TimeSettings, bright, staying
from rainopt.video.small_things import REACH as THINGS_REACH
from rainopt.video.small_things import small_things
from rainopt.video.still_frame import still_frame
from rainopt.video.time_bound import luminance_of
from rainopt.video.windows import Seen, Window, small_excess, windows


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
        Derains a frame, or a part of it, by its energy, given what is known of its rain: where the background and the
        frames around it cannot be believed.
    """
    small = backdrop.reduced(*small_copy(backdrop.image, GUIDE).shape[:2])
    seen = _with_steps(in_order(partial(_above, backdrop=backdrop, small=small), frames), still=True)
    staying_seen = _with_things(_with_staying(seen, settings), settings, angles)
    unsure = _some_of(~backdrop.valid, small.valid.shape)
    work = partial(still_frame, unsure=unsure, settings=settings, angles=angles, solve=solve)
    return in_order(work, windows(staying_seen, max(settings.fine_reach, BROAD_REACH)))


def moving_frames(
    frames: Iterable[np.ndarray], settings: TimeSettings, angles: tuple[float, ...], solve: Solve
) -> Iterator[np.ndarray]:
    """Yield the frames of a camera that moves without their rain; as `still_frames`."""
    work = partial(moving_frame, settings=settings, angles=angles, solve=solve)
    return in_order(work, windows(bounded(frames, settings.rank), settings.fine_reach))


def bounded(frames: Iterable[np.ndarray], rank: Rank) -> Iterator[Seen]:
    """Yield frames (H, W, 3) of a camera that moves with what lies behind them by the frames around them."""
    seen = _with_steps(in_order(lambda frame: Seen(frame, guide_of(frame)), frames), still=False)
    return in_order(partial(bounded_frame, rank=rank), windows(seen, rank.reach))


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
        for window in windows(((one, bright(small_excess(one))) for one in seen), reach):
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
        return replace(window[0], things=small_things(light, small_excess(window[0]), angles))

    return iter(seen) if settings.on_track is None else in_order(work, windows(seen, THINGS_REACH))


def _above(lit: tuple[np.ndarray, float], backdrop: Backdrop, small: Backdrop) -> Seen:
    pixels, gain = lit
    copy = small_copy(pixels, GUIDE)
    excess = small.under(gain).difference(copy)
    return Seen(pixels, guide_of(copy), backdrop=backdrop.under(gain), light=luminance_of(copy), small=excess)


def _some_of(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return which pixels at another scale hold some of a mask (H, W) bool."""
    import cv2

    if mask.shape == shape:
        return mask
    # Every pixel has its share in one that is smaller.
    share = cv2.resize(mask.astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(share > 0)
