"""A stretch of video without its rain: steady from frame to frame, and helped by the frames around each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from rainopt.arrays import Array
from rainopt.direction.estimate import PRESENT, Direction
from rainopt.geometry.lines import line_angle
from rainopt.optim.objectives import NO_PRIOR, RainPrior
from rainopt.parallel.elsewhere import Elsewhere, here
from rainopt.parallel.threads import in_order
from rainopt.still.rain import Streaks
from rainopt.video.background import background_of_store
from rainopt.video.background_subtraction import Backdrop, backdrop_of
from rainopt.video.camera_motion import stands_still
from rainopt.video.copies import small_copy
from rainopt.video.frames import FrameStore
from rainopt.video.lift import lifted, lifted_frames, lowered
from rainopt.video.light import EvenlyLit, gains_of
from rainopt.video.persistence import DENSE
from rainopt.video.quality import ACCEPTED, is_worth
from rainopt.video.sampling import Sample, coverage_of, sample_around, sample_over
from rainopt.video.scene_part import TimeSettings
from rainopt.video.settings import PARALLEL, SceneSettings, VideoSettings, derain_frame, scene_settings
from rainopt.video.temporal import moving_frames, still_frames

# Frames that the settings of a stretch are found from, and those that tell whether the camera moves.
SAMPLES, LOOKED_AT = 7, 20
# Those that the solver's settings are found from where time tells the direction of the rain.
FEW_SAMPLES = 3
# A stretch of fewer frames is derained as the one before it, if it is of the same scene.
FEW = 40
# How far an angle or a density follows the rain from one stretch to the next.
FOLLOW = 0.5
# Decibels that the background of a still camera is expected to have in rain that covers most frames; where it has less,
# or less than `rainopt.video.quality.ACCEPTED` in other rain, the camera counts as one that moves.
USEFUL = 30.0
# Frames that time needs to have a say.
LEAST_FRAMES = 3


@dataclass(frozen=True)
class StretchSettings:
    """How a stretch is derained.

    All is found in frames without the bits at the top that all of them leave empty, see `rainopt.video.lift`.

    Attributes
    ----------
    scene
        The rain, and how it is taken off a frame by itself.
    time
        How the frames around one help it; None where each is derained by itself.
    backdrop
        What a still camera sees behind the rain, in the light of the middle frame; None where the camera moves.
    gains
        How bright each frame is, of a still camera.
    strength
        Share in [0, 1] that is taken off of the rain that is found with the help of time.
    """

    scene: SceneSettings
    time: TimeSettings | None = None
    backdrop: Backdrop | None = None
    gains: np.ndarray | None = None
    empty_bits: int = 0
    strength: float = 1.0

    @property
    def dry(self) -> bool:
        """Whether no rain is seen, so that frames stay as they are."""
        return not self.scene.rain

    def note(self) -> dict[str, Any]:
        """Return what `recalled` needs, besides the frames, as JSON has it."""
        return {
            "angle": None if self.dry else round(self.scene.directions[0].angle, 2),
            "still": self.backdrop is not None,
            "iterations": None if self.dry else self.scene.layers.max_iter,
            "gap": None if self.dry or self.scene.gap is None else round(self.scene.gap, 4),
            "time": None if self.time is None else asdict(self.time),
            "strength": self.strength,
            "scene": asdict(self.scene),
        }


def stretch_settings(
    store: FrameStore,
    settings: VideoSettings,
    before: StretchSettings | None = None,
    elsewhere: Elsewhere = here,
) -> StretchSettings:
    """Choose how the frames of a store are derained, after the stretch ``before`` of the same scene.

    Where the camera stands still, what its frames share is the background; where it moves, the frames around each are
    aligned with it. What frames hold above that tells whether there is rain and how it falls, surer than any frame
    alone. A strength below 1 is a share of what is found so; a larger one has the solver find more.
    """
    store, bits = lifted_frames(store)
    if before is not None and len(store) < FEW:
        return replace(before, empty_bits=bits, gains=None if before.gains is None else np.ones(len(store)))
    if not settings.background or settings.strength == 0 or len(store) < LEAST_FRAMES:
        return _following(before, StretchSettings(_scene(store, settings, elsewhere), empty_bits=bits), settings)
    strength = min(settings.strength, 1.0)
    settings = replace(settings, strength=max(settings.strength, 1.0))
    chosen = _still(store, settings, elsewhere) if _is_still(store) else None
    if chosen is None:
        sample = sample_around(store, settings.strongest)
        chosen = StretchSettings(_scene(store, settings, elsewhere, sample), sample.time)
    return _following(before, replace(chosen, empty_bits=bits, strength=strength), settings)


def _still(store: FrameStore, settings: VideoSettings, elsewhere: Elsewhere) -> StretchSettings | None:
    """Return how the frames of a still camera are derained; None where their background is worth little."""
    gains = gains_of(store)
    lit = store if np.all(gains == 1) else EvenlyLit(store, gains)
    estimate = background_of_store(lit, elsewhere=elsewhere)
    backdrop = backdrop_of(estimate)
    if not is_worth(lit, estimate, USEFUL if coverage_of(estimate, backdrop.valid) > DENSE else ACCEPTED):
        return None
    sample = sample_over(lit, _spread(lit, SAMPLES), estimate, backdrop.valid, settings.strongest)
    return StretchSettings(_scene(store, settings, elsewhere, sample), sample.time, backdrop, gains)


def _scene(
    store: FrameStore, settings: VideoSettings, elsewhere: Elsewhere, sample: Sample | None = None
) -> SceneSettings:
    directions = None
    if sample is not None:
        directions = sample.estimate.directions if sample.estimate.confidence >= PRESENT else ()
    count = SAMPLES if sample is None else FEW_SAMPLES
    return scene_settings([store[number] for number in _spread(store, count)], settings, directions, elsewhere)


def _following(before: StretchSettings | None, now: StretchSettings, settings: VideoSettings) -> StretchSettings:
    if before is None or settings.angle is not None:
        return now
    return replace(now, scene=following(before.scene, now.scene))


def recalled(store: FrameStore, note: dict[str, Any]) -> StretchSettings:
    """Return the settings of a store that was derained so before, from their `StretchSettings.note`."""
    store, bits = lifted_frames(store)
    scene = SceneSettings.from_json(note["scene"])
    time = None if note["time"] is None else TimeSettings(**note["time"])
    strength = note.get("strength", 1.0)
    if not note["still"]:
        return StretchSettings(scene, time, empty_bits=bits, strength=strength)
    gains = gains_of(store)
    estimate = background_of_store(store if np.all(gains == 1) else EvenlyLit(store, gains))
    return StretchSettings(scene, time, backdrop_of(estimate), gains, bits, strength)


def _is_still(store: FrameStore) -> bool:
    return stands_still([small_copy(store[number]) for number in _spread(store, LOOKED_AT)], store.shape)


def _spread(store: FrameStore, count: int) -> list[int]:
    """Return the numbers of so many frames, evenly over the store."""
    return sorted({round(k) for k in np.linspace(0, len(store) - 1, count)})


def following(before: SceneSettings, now: SceneSettings) -> SceneSettings:
    """Return the settings of now, with an angle, a density and a colour that come half-way from those before."""
    if not before.rain or not now.rain:
        return now
    shares = np.asarray(before.shares) + FOLLOW * (np.asarray(now.shares) - np.asarray(before.shares))
    hides = before.hides + FOLLOW * (now.hides - before.hides)
    now = replace(now, shares=tuple(map(float, shares)), hides=hides)
    (old, first), (new, last) = before.rain[0], now.rain[0]
    turn = line_angle(new.angle - old.angle)
    if abs(turn) > PARALLEL:
        return now
    if first is not None and last is not None and first.dense is not None and last.dense is not None:
        last = last._replace(dense=first.dense + FOLLOW * (last.dense - first.dense))
    strongest = Streaks(Direction(line_angle(old.angle + FOLLOW * turn), new.share), last)
    return replace(now, rain=(strongest, *now.rain[1:]))


def derained(store: FrameStore, settings: StretchSettings, elsewhere: Elsewhere = here) -> Iterator[np.ndarray]:
    """Yield the frames of a store without their rain, in order, worked on in threads a few ahead.

    What is solved of them is solved ``elsewhere``.
    """
    if settings.dry:
        return iter(store)
    bits = settings.empty_bits
    frames = (lifted(frame, bits) for frame in store)

    def solve(frame: np.ndarray, known: RainPrior = NO_PRIOR) -> np.ndarray:
        def alone(frame: Array, *fields: Array) -> Array:
            return derain_frame(frame, settings.scene, RainPrior(*fields))

        return elsewhere(alone, frame, *known)

    angles = tuple(direction.angle for direction in settings.scene.directions)
    if settings.time is None:
        results = in_order(solve, frames)
    elif settings.backdrop is None:
        results = moving_frames(frames, settings.time, angles, solve)
    else:
        gains = np.ones(len(store)) if settings.gains is None else settings.gains
        lit = zip(frames, map(float, gains), strict=True)
        results = still_frames(lit, settings.backdrop, settings.time, angles, solve)
    if bits != 0:
        results = (lowered(frame, result, bits) for frame, result in zip(store, results, strict=True))
    if settings.time is None or settings.strength == 1:
        return results
    return (_part_way(frame, result, settings.strength) for frame, result in zip(store, results, strict=True))


def _part_way(frame: np.ndarray, result: np.ndarray, strength: float) -> np.ndarray:
    """Return a frame (H, W, 3) less a share of what a result of it has lost."""
    import cv2

    return np.asarray(cv2.addWeighted(frame, 1 - strength, result, strength, 0))
