"""As many frames as a background needs: taken, aligned where the camera moves, and judged until they suffice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from rainopt.io.video.read import VideoError, VideoFrame
from rainopt.parallel.elsewhere import Elsewhere, here
from rainopt.video.background import BackgroundEstimate, background_of_store
from rainopt.video.camera_motion import stabiliser_of, stands_still
from rainopt.video.copies import small_copy
from rainopt.video.frames import FrameStore
from rainopt.video.quality import ACCEPTED, Acceptance, assess, trusted
from rainopt.video.registration.register import Alignment, AlignmentError, Stabiliser

# For sparse, normal and dense rain of Wang et al. 2019, Sec. 3.1: the least share of frames that show the background at
# the median pixel, the number of frames to begin with, and how many are added at a time.
PLANS = ((0.8, 20, 10), (0.5, 100, 20), (0.0, 200, 50))
PROBE = 20  # frames that tell how dense the rain is, and whether the camera moves
MOST = 400
# Every `LOOK` frames a camera on a tripod is checked; if it has moved by more than `KNOCK` pixels, it was knocked.
LOOK, KNOCK = 25, 1.5
COVERED = 0.9  # share of the aligned frames that must hold a pixel

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Settled:
    """A background and what it was found from.

    Attributes
    ----------
    estimate, acceptance
        The background of the frames, and what it is worth.
    valid
        (H, W) bool: pixels that can be trusted and that the frames cover.
    numbers
        Number in the video of each frame of the store.
    static
        Whether the camera stands still; else the frames were aligned with the first.
    refused
        Frames that could not be aligned and were left out.
    knocked
        Number of the frame in which a camera that stood still had moved; None if it did not.
    alignments
        Of each frame of the store, where it was aligned; empty for a camera that stands still.
    patched
        Frames that the decoder had patched and that were left out, see `rainopt.io.video.read.VideoFrame`.
    """

    estimate: BackgroundEstimate
    acceptance: Acceptance
    valid: np.ndarray
    numbers: tuple[int, ...]
    static: bool
    refused: int = 0
    knocked: int | None = None
    alignments: tuple[Alignment, ...] = ()
    patched: int = 0


def settle(
    frames: Iterable[VideoFrame],
    store: FrameStore,
    *,
    count: int | None = None,
    most: int = MOST,
    accept: float = ACCEPTED,
    more: int = 0,
    stabilise: bool = True,
    progress: Progress | None = None,
    elsewhere: Elsewhere = here,
) -> Settled:
    """Take frames of one scene until their background is good enough.

    The first 20 frames tell how dense the rain is, and so whether to begin with 20, 100 or 200 of them. Then the
    background is judged, and 10, 20 or 50 frames are added until it is expected to reach ``accept`` decibels, or the
    frames end.

    Parameters
    ----------
    frames
        The frames of one scene, as `rainopt.io.video.read.Video.frames` yields them; they are read no further than
        needed.
    store
        An empty store; in the end it holds the frames, in the coordinates of the first.
    count
        How many frames to take, however good the background is; fewer only if the scene ends.
    most
        The most frames to take, if no ``count`` is given.
    accept
        Decibels that are enough, see `rainopt.video.quality.Acceptance.reaches`.
    more
        How often frames are added, as above, when there are enough or ``most``: once each time that a person was not
        content.
    stabilise
        Whether to align frames where the camera moves.
    progress
        Called with the share of the planned frames taken, from 0 to 1.
    elsewhere
        Where percentiles are taken.

    Raises
    ------
    VideoError
        If there is no frame, or the video cannot be read.
    ScratchError
        If the disk is full.

    Notes
    -----
    Source: Wang et al. 2019, Sec. 3.1. Departure: numbers and acceptance, which the paper leaves to people, are
    measured; a person may still ask for `more`.
    """
    intake = _Intake(iter(frames), store, stabilise)
    intake.take(min(PROBE, count or most, most), progress, count or PROBE)
    if not len(store):
        raise VideoError("there is no frame to take a background from")
    target, step = (count, 0) if count is not None else _plan(background_of_store(store, elsewhere=elsewhere))
    target = min(target, most) if count is None else target
    while True:
        intake.take(target, progress, target)
        estimate = background_of_store(store, elsewhere=elsewhere)
        acceptance = assess(store, estimate)
        enough = acceptance.reaches(accept) or len(store) >= most
        if count is not None or intake.ended or (enough and not more):
            break
        if enough:
            more -= 1
            target = len(store) + step
        else:
            target = min(len(store) + step, most)
    if progress:
        progress(1.0)
    return Settled(
        estimate,
        acceptance,
        trusted(estimate) & intake.covered(),
        tuple(intake.numbers),
        intake.static,
        intake.refused,
        intake.knocked,
        tuple(intake.alignments),
        intake.patched,
    )


def _plan(estimate: BackgroundEstimate) -> tuple[int, int]:
    """Return how many frames to begin with and how many to add: by how often the first ones show the background."""
    usual = float(np.median(estimate.seen))
    return next((begin, step) for least, begin, step in PLANS if usual >= least)


@dataclass
class _Intake:
    """Frames on their way into the store."""

    frames: Iterator[VideoFrame]
    store: FrameStore
    stabilise: bool
    numbers: list[int] = field(default_factory=list)
    alignments: list[Alignment] = field(default_factory=list)
    static: bool = True
    ended: bool = False
    refused: int = 0
    knocked: int | None = None
    patched: int = 0
    _stabiliser: Stabiliser | None = None
    _first: np.ndarray | None = None
    _last: Alignment | None = None
    _place: Alignment | None = None
    _inside: np.ndarray | None = None

    def take(self, target: int, progress: Progress | None, planned: int) -> None:
        """Fill the store up to ``target`` frames, or until there are no more."""
        if not self.numbers and not self.ended:
            self._probe(target)
        while len(self.store) < target and not self.ended:
            frame = self._next()
            if frame is None:
                self.ended = True
                return
            self._add(frame.index, frame.pixels)
            if progress:
                progress(min(len(self.store) / planned, 1.0))

    def _next(self) -> VideoFrame | None:
        """Return the next frame whose pixels all come from the video."""
        for frame in self.frames:
            if not frame.patched:
                return frame
            self.patched += 1
        return None

    def covered(self) -> np.ndarray:
        """Return which pixels nearly all frames hold."""
        if self._inside is None:
            return np.ones(self.store.shape[:2], bool)
        return self._inside >= COVERED * len(self.store)

    def _probe(self, target: int) -> None:
        """Look at the first frames, and take them when it is known whether the camera moves."""
        copies: list[np.ndarray] = []
        numbers: list[int] = []
        # Large frames by the dozen do not fit into memory.
        with FrameStore(scratch=self.store.folder) as first:
            while len(first) < target:
                frame = self._next()
                if frame is None:
                    self.ended = True
                    break
                first.append(frame.pixels)
                numbers.append(frame.index)
                copies.append(small_copy(frame.pixels))
            if copies and self.stabilise:
                self._first = first[0].copy()
                self._stabiliser, self.static = stabiliser_of(self._first), stands_still(copies, self._first.shape)
            for number, pixels in zip(numbers, first, strict=True):
                self._add(number, pixels)

    def _add(self, number: int, pixels: np.ndarray) -> None:
        if self.ended and self.knocked is not None:
            return
        if self.static and len(self.numbers) % LOOK == LOOK - 1 and self._is_knocked(pixels):
            self.knocked, self.ended = number, True
            return
        if not self.static:
            aligned = self._aligned(pixels)
            if aligned is None:
                self.refused += 1
                return
            pixels = aligned
            if self._last is not None:
                self.alignments.append(self._last)
        self.store.append(pixels)
        self.numbers.append(number)

    def _is_knocked(self, pixels: np.ndarray) -> bool:
        if self._stabiliser is None:
            return False
        try:
            now = self._stabiliser.align(pixels, start=self._place)
        except AlignmentError:
            return False  # dense rain, or somebody in front of the camera
        before = 0.0 if self._place is None else self._place.shift  # the probe has found it still
        if self._place is None:
            self._place = now
        return abs(now.shift - before) > KNOCK

    def _aligned(self, pixels: np.ndarray) -> np.ndarray | None:
        """Return a frame in the coordinates of the first; what it lacks is taken from that one."""
        if self._stabiliser is None or self._first is None:
            return pixels
        try:
            self._last = self._stabiliser.align(pixels, start=self._last)
        except AlignmentError:
            return None
        warped, inside = self._stabiliser.warp(pixels, self._last)
        self._inside = inside.astype(np.uint32) if self._inside is None else self._inside + inside
        return np.where(inside[..., None], warped, self._first)
