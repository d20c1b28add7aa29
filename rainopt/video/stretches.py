"""A stretch of video without its rain: steady from frame to frame, and helped by the background of a still camera."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from rainopt.direction.estimate import Direction
from rainopt.geometry.lines import line_angle
from rainopt.image import quantise
from rainopt.parallel.threads import in_order
from rainopt.still.rain import Streaks
from rainopt.video.background import BackgroundEstimate, background_of_store
from rainopt.video.background_subtraction import Backdrop
from rainopt.video.camera_motion import small_copy, stands_still
from rainopt.video.foreground import reach_for
from rainopt.video.frames import FrameStore
from rainopt.video.lift import lifted, lifted_frames, lowered
from rainopt.video.quality import assess, trusted
from rainopt.video.settings import PARALLEL, SceneSettings, VideoSettings, derain_frame, scene_settings

# Frames that the settings of a stretch are found from, and those that tell whether the camera moves.
SAMPLES, LOOKED_AT = 7, 20
# A stretch of fewer frames is derained as the one before it, if it is of the same scene.
FEW = 40
# Where something moves in less than this share of the pixels, it is left as it is.
LITTLE = 2e-3
# How far an angle or a density follows the rain from one stretch to the next.
FOLLOW = 0.5


@dataclass(frozen=True)
class StretchSettings:
    """How a stretch is derained: by the solver, and by the background where there is one.

    Both are found in frames without the bits at the top that all of them leave empty, see `rainopt.video.lift`.
    """

    scene: SceneSettings
    backdrop: Backdrop | None = None
    empty_bits: int = 0

    @property
    def dry(self) -> bool:
        """Whether no rain is seen, so that frames stay as they are."""
        return not self.scene.rain


def stretch_settings(
    store: FrameStore, settings: VideoSettings, before: StretchSettings | None = None
) -> StretchSettings:
    """Choose how the frames of a store are derained, after the stretch ``before`` of the same scene.

    Where the camera stands still and its background is good enough, the direction is estimated from what the frames
    hold above it, which is surer than in any frame alone.
    """
    if before is not None and len(store) < FEW:
        return before
    store, bits = lifted_frames(store)
    asked, backdrop = settings, None
    if settings.background and settings.strength > 0 and _is_still(store):
        estimate = background_of_store(store)
        worth = assess(store, estimate)
        if worth.reaches():
            backdrop = _backdrop(estimate)
            if settings.angle is None and worth.angle is None:
                return StretchSettings(SceneSettings())
            asked = replace(settings, angle=worth.angle if settings.angle is None else settings.angle)
    scene = scene_settings([store[number] for number in _spread(store, SAMPLES)], asked)
    if before is not None and settings.angle is None:
        scene = following(before.scene, scene)
    return StretchSettings(scene, backdrop, bits)


def same_again(store: FrameStore, scene: SceneSettings, still: bool) -> StretchSettings:
    """Return the settings of a store that was derained so before, with its background if that had helped."""
    store, bits = lifted_frames(store)
    return StretchSettings(scene, _backdrop(background_of_store(store)) if still else None, bits)


def _backdrop(estimate: BackgroundEstimate) -> Backdrop:
    return Backdrop(estimate.image, trusted(estimate), reach_for(estimate.seen))


def _is_still(store: FrameStore) -> bool:
    return stands_still([small_copy(store[number]) for number in _spread(store, LOOKED_AT)], store.shape)


def _spread(store: FrameStore, count: int) -> list[int]:
    """Return the numbers of so many frames, evenly over the store."""
    return sorted({round(k) for k in np.linspace(0, len(store) - 1, count)})


def following(before: SceneSettings, now: SceneSettings) -> SceneSettings:
    """Return the settings of now, with an angle and a density that come half-way from those before."""
    if not before.rain or not now.rain:
        return now
    (old, first), (new, last) = before.rain[0], now.rain[0]
    turn = line_angle(new.angle - old.angle)
    if abs(turn) > PARALLEL:
        return now
    if first is not None and last is not None and first.dense is not None and last.dense is not None:
        last = last._replace(dense=first.dense + FOLLOW * (last.dense - first.dense))
    strongest = Streaks(Direction(line_angle(old.angle + FOLLOW * turn), new.share), last)
    return replace(now, rain=(strongest, *now.rain[1:]))


def derained(store: FrameStore, settings: StretchSettings) -> Iterator[np.ndarray]:
    """Yield the frames of a store without their rain, in order, worked on in threads a few ahead."""
    if settings.dry:
        return iter(store)
    bits = settings.empty_bits
    frames = (lifted(frame, bits) for frame in store)
    if settings.backdrop is None:
        results = in_order(partial(derain_frame, scene=settings.scene), frames)
    else:
        work = partial(_with_backdrop, scene=settings.scene, backdrop=settings.backdrop)
        results = in_order(work, _with_neighbours(frames, settings.backdrop))
    if bits == 0:
        return results
    return (lowered(frame, result, bits) for frame, result in zip(store, results, strict=True))


Seen = tuple[np.ndarray, list[np.ndarray]]  # a frame; its difference from the backdrop, and those around it


def _with_neighbours(frames: Iterable[np.ndarray], backdrop: Backdrop) -> Iterator[Seen]:
    """Yield each frame with its difference from the backdrop, and those of its neighbours."""
    reach = backdrop.reach
    # The frames of now: up to `reach` that have gone, and as many to come.
    held: deque[tuple[np.ndarray, np.ndarray]] = deque()
    place = 0  # in `held`, of the next frame to go

    def around() -> Seen:
        frame, difference = held[place]
        others = [held[k][1] for k in range(max(place - reach, 0), min(place + reach + 1, len(held))) if k != place]
        return frame, [difference, *others]

    for frame in frames:
        held.append((frame, backdrop.difference(_unit(frame))))
        if len(held) - place > reach:
            yield around()
            place += 1
        if place > reach:
            held.popleft()
            place -= 1
    while place < len(held):
        yield around()
        place += 1


def _with_backdrop(seen: Seen, scene: SceneSettings, backdrop: Backdrop) -> np.ndarray:
    frame, differences = seen
    pixels = _unit(frame)
    known = backdrop.known(*differences)[..., None]
    other = pixels
    if float(np.mean(known)) < 1 - LITTLE:
        other = _unit(derain_frame(frame, scene))
    return np.asarray(quantise(other + (backdrop.behind(pixels) - other) * known, frame.dtype))


def _unit(frame: np.ndarray) -> np.ndarray:
    return frame.astype(np.float32) / np.float32(np.iinfo(frame.dtype).max)
