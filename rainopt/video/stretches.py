"""A stretch of video without its rain: steady from frame to frame, and helped by the background of a still camera."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from rainopt.direction.estimate import Direction
from rainopt.geometry.lines import line_angle
from rainopt.image import quantise
from rainopt.optim.objectives import UDGWeights
from rainopt.parallel.threads import in_order
from rainopt.video.background import BackgroundEstimate, background_of_store
from rainopt.video.background_subtraction import Backdrop
from rainopt.video.camera_motion import small_copy, stands_still
from rainopt.video.foreground import reach_for
from rainopt.video.frames import FrameStore
from rainopt.video.quality import assess, trusted
from rainopt.video.settings import PARALLEL, Treatment, derain_frame, treatment_of

# Frames that a stretch is treated after, and those that tell whether the camera moves.
SAMPLES, LOOKED_AT = 7, 20
# A stretch of fewer frames is treated as the one before it, if it is of the same scene.
FEW = 40
# Where something moves in less than this share of the pixels, it is left as it is.
LITTLE = 2e-3
# How far an angle or a density follows the rain from one stretch to the next.
FOLLOW = 0.5


@dataclass(frozen=True)
class Wishes:
    """What a user wants of all frames; see `rainopt.derain`."""

    angle: float | None = None
    weights: UDGWeights | None = None
    strength: float = 1.0
    max_iter: int | None = None
    tol: float | None = None
    background: bool = True  # whether the background of a still camera may be used


@dataclass(frozen=True)
class Care:
    """How a stretch is treated: by the solver, and by the background where there is one."""

    treatment: Treatment
    backdrop: Backdrop | None = None

    @property
    def dry(self) -> bool:
        """Whether no rain is seen, so that frames stay as they are."""
        return not self.treatment.directions


def care_for(store: FrameStore, wishes: Wishes, before: Care | None = None) -> Care:
    """Choose how the frames of a store are treated, after the stretch ``before`` of the same scene.

    Where the camera stands still and its background is good enough, the direction is estimated from what the frames
    hold above it, which is surer than in any frame alone.
    """
    if before is not None and len(store) < FEW:
        return before
    angle, backdrop = wishes.angle, None
    if wishes.background and wishes.strength > 0 and _is_still(store):
        estimate = background_of_store(store)
        worth = assess(store, estimate)
        if worth.reaches():
            backdrop = _backdrop(estimate)
            angle = worth.angle if angle is None else angle
            if angle is None:
                return Care(Treatment())
    treatment = treatment_of(
        [store[number] for number in _spread(store, SAMPLES)],
        angle=angle,
        weights=wishes.weights,
        strength=wishes.strength,
        max_iter=wishes.max_iter,
        tol=wishes.tol,
    )
    if before is not None and wishes.angle is None:
        treatment = following(before.treatment, treatment)
    return Care(treatment, backdrop)


def care_again(store: FrameStore, treatment: Treatment, still: bool) -> Care:
    """Return the care for a store that was treated so, with its background if that had helped."""
    if not still:
        return Care(treatment)
    estimate = background_of_store(store)
    return Care(treatment, _backdrop(estimate))


def _backdrop(estimate: BackgroundEstimate) -> Backdrop:
    return Backdrop(estimate.image, trusted(estimate), reach_for(estimate.seen))


def _is_still(store: FrameStore) -> bool:
    return stands_still([small_copy(store[number]) for number in _spread(store, LOOKED_AT)], store.shape)


def _spread(store: FrameStore, count: int) -> list[int]:
    """Return the numbers of so many frames, evenly over the store."""
    return sorted({round(k) for k in np.linspace(0, len(store) - 1, count)})


def following(before: Treatment, now: Treatment) -> Treatment:
    """Return the treatment of now, with an angle and a density that come half-way from those before."""
    if not before.directions or not now.directions:
        return now
    old, new = before.directions[0].angle, now.directions[0].angle
    if abs(line_angle(new - old)) > PARALLEL:
        return now
    angle = line_angle(old + FOLLOW * line_angle(new - old))
    directions = (Direction(angle, now.directions[0].share), *now.directions[1:])
    removals, first, last = now.removals, before.removals[0], now.removals[0]
    if first is not None and last is not None and first.dense is not None and last.dense is not None:
        removals = (last._replace(dense=first.dense + FOLLOW * (last.dense - first.dense)), *now.removals[1:])
    return Treatment(directions, removals, now.weights, now.max_iter, now.tol)


def derained(store: FrameStore, care: Care) -> Iterator[np.ndarray]:
    """Yield the frames of a store without their rain, in order, worked on in threads a few ahead."""
    if care.dry:
        return iter(store)
    if care.backdrop is None:
        return in_order(partial(derain_frame, treatment=care.treatment), store)
    return in_order(partial(_with_backdrop, care=care, backdrop=care.backdrop), _with_neighbours(store, care.backdrop))


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


def _with_backdrop(seen: Seen, care: Care, backdrop: Backdrop) -> np.ndarray:
    frame, differences = seen
    pixels = _unit(frame)
    known = backdrop.known(*differences)[..., None]
    other = pixels
    if float(np.mean(known)) < 1 - LITTLE:
        other = _unit(derain_frame(frame, care.treatment))
    return np.asarray(quantise(other + (backdrop.behind(pixels) - other) * known, frame.dtype))


def _unit(frame: np.ndarray) -> np.ndarray:
    return frame.astype(np.float32) / np.float32(np.iinfo(frame.dtype).max)
