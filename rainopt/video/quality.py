"""How good a background is, without knowing the truth: what a person would otherwise have to judge."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rainopt.direction.estimate import PRESENT, look, vote
from rainopt.geometry.lines import line_angle
from rainopt.geometry.warp import Upright
from rainopt.image import LUMA, frame_luminance
from rainopt.video.background import BackgroundEstimate, frame_bands
from rainopt.video.foreground import moving
from rainopt.video.frames import FrameStore
from rainopt.video.percentiles import NEAR, WHITE, off_centre, percentile_layers

CENTRE = 4 / 255  # distance that noise hardly exceeds and rain nearly always does: frames within it tell the middle
# The halves of fewer frames say nothing.
LEAST_FRAMES = 4
# Decibels that a background is expected to reach before it is taken.
ACCEPTED = 40.0
# A pixel can be trusted where most frames show its background; or where it is seen at least 0.6 times as often as usual
# in the picture and the other frames are brighter, as in dense rain.
MAJORITY, USUAL, DARKER = 0.5, 0.6, 0.1
# Frames that the direction of the rain is estimated from, and degrees within which they agree.
SAMPLES, PARALLEL = 7, 8.0
EDGES = 0.02  # share of the pixels that count as edges
# A gradient added to both pictures, so that one without any counts as having lost none.
TINY = 1e-6
# Side in pixels of blocks of departures, and the share of the pixels that are left out with the largest of them:
# somebody who leaves after half of the frames may fill a third of the picture.
BLOCK, LEFT_OUT = 8, 0.4
# Rows that are looked at together where a sample tells enough, a multiple of `BLOCK`, and about how many are in all.
STRIPE, SAMPLED = 16, 360


@dataclass(frozen=True)
class Acceptance:
    """What a background is worth, found from the frames alone.

    Attributes
    ----------
    expected_psnr
        Decibels that the background is expected to have over the trusted pixels, from the error ``agreement² + bias² +
        centring² + departure²``; 0 for fewer than four frames, which tell nothing.
    agreement
        Standard error in [0, 1]: half the root mean square difference of the backgrounds of every other frame.
    bias
        Median distance of the luminance from the mode of the frames, in [0, 1].
    centring
        Root mean square distance from the mean of those frames that lie within 4/255 of it, in [0, 1].
    residual
        The rain that is left: how much more the halves' difference varies across the rain than along it, divided by the
        same of two frames; 0 means none and 1 as much as there was. None where no direction of rain is seen.
    sharpness
        Mean gradient of the edges, divided by that in the median of the frames.
    angle
        Direction of the rain in degrees, as `rainopt.estimate_angle`; None where none is seen.
    valid
        Share of the pixels that can be trusted, see `trusted`.
    departure
        Half the root mean square difference of the backgrounds of the first and of the second half of the frames, less
        that of every other frame, which is chance, in [0, 1]: large where the camera moves past things at several
        distances, where alignments miss or the light changes.
    drift
        By how many pixels the picture seems to have moved, if that is what makes the halves differ.
    """

    expected_psnr: float
    agreement: float
    bias: float
    centring: float
    residual: float | None
    sharpness: float
    angle: float | None
    valid: float
    departure: float = 0.0
    drift: float = 0.0

    @property
    def accepted(self) -> bool:
        """Tell whether the background is good enough by itself: `reaches` of `ACCEPTED`."""
        return self.reaches()

    def reaches(self, least: float = ACCEPTED) -> bool:
        """Tell whether at least half of the pixels can be trusted, and are expected to reach so many decibels."""
        return self.expected_psnr >= least and self.valid >= MAJORITY


def trusted(estimate: BackgroundEstimate) -> np.ndarray:
    """Return where a background can be trusted, (H, W) bool: not where something else was seen more often.

    What moves is seen where it stops and smeared where it does not; its pixels show the background seldom. Dense rain
    hides the background often too, but it does so everywhere, and it darkens nothing.
    """
    usual = max(USUAL * float(np.median(estimate.seen)), 2 / estimate.frames)
    return (estimate.seen > MAJORITY) | ((estimate.seen >= usual) & (estimate.darker <= DARKER))


def assess(store: FrameStore, estimate: BackgroundEstimate) -> Acceptance:
    """Judge a background of the frames of a store by those frames.

    The halves' difference tells what chance has left in each, rain or noise; the distance from the mode tells of an
    error that they share, as after the wrong percentile, and so does the middle of the frames near it.

    Parameters
    ----------
    store
        The frames, as they were given to `rainopt.video.background.background_of_store`.
    estimate
        What it returned.
    """
    valid = trusted(estimate)
    share = float(np.mean(valid))
    if not valid.any():
        valid[:] = True
    if len(store) < LEAST_FRAMES:
        return Acceptance(0.0, 1.0, 1.0, 1.0, None, 1.0, None, share)
    errors = _Errors(estimate, valid)
    difference, middle = (np.empty(valid.shape, np.float32) for _ in range(2))
    for rows, frames in frame_bands(store):
        difference[rows] = frame_luminance(errors.add(rows, frames))
        middle[rows] = frame_luminance(percentile_layers(frames, 50).image)
    agreement, centring, departure = errors.found()
    del errors
    grey = frame_luminance(estimate.image)
    drift = departure / max(_slope(grey, valid), TINY)
    sharpness = (_edge_gradient(grey) + TINY) / (_edge_gradient(middle) + TINY)
    del middle  # large frames leave no room for what is no longer needed
    bias = _bias(grey, estimate, valid)
    del grey
    angle = rain_angle(store, estimate.image)
    residual = None
    if angle is not None:
        among_frames = _grey(store[0]) - _grey(store[len(store) // 2])
        there = _directional(among_frames, angle)
        residual = min(max(_directional(difference, angle) / there, 0.0), 1.0) if there > 0 else 0.0
    return Acceptance(
        expected_psnr=_decibels(agreement, bias, centring, departure),
        agreement=agreement,
        bias=bias,
        centring=centring,
        residual=residual,
        sharpness=sharpness,
        angle=angle,
        valid=share,
        departure=departure,
        drift=drift,
    )


def is_worth(store: FrameStore, estimate: BackgroundEstimate, least: float = ACCEPTED) -> bool:
    """Tell whether a background `reaches` so many decibels, as `assess` would, from a sample of the rows of a large
    picture.
    """
    valid = trusted(estimate)
    if float(np.mean(valid)) < MAJORITY or len(store) < LEAST_FRAMES:
        return False
    errors = _Errors(estimate, valid)
    apart = STRIPE * max(valid.shape[0] // SAMPLED, 1)
    for first in range(0, valid.shape[0], apart):
        rows = slice(first, min(first + STRIPE, valid.shape[0]))
        errors.add(rows, store.band(rows))
    agreement, centring, departure = errors.found()
    bias = _bias(frame_luminance(estimate.image), estimate, valid)
    return _decibels(agreement, bias, centring, departure) >= least


class _Errors:
    """What the halves of the frames of a store tell of the errors of their background, from the rows that are added."""

    def __init__(self, estimate: BackgroundEstimate, valid: np.ndarray) -> None:
        self._estimate, self._valid = estimate, valid
        self._squares, self._offsets, self._values = 0.0, 0.0, 0
        self._gone, self._seen = np.zeros(valid.shape, np.float32), np.zeros(valid.shape, bool)

    def add(self, rows: slice, frames: np.ndarray) -> np.ndarray:
        """Look at some rows of all frames (N, rows, ...); returns the difference of the halves, (rows, ...) float32."""
        p, valid = self._estimate.percentile, self._valid[rows]
        even, odd = (percentile_layers(frames[half::2], p).image for half in (0, 1))
        apart = even - odd
        self._squares += float(np.sum(apart[valid] ** 2, dtype=np.float64))
        offset = off_centre(frames, self._estimate.image[rows], CENTRE)
        self._offsets += float(np.sum(offset[valid] ** 2, dtype=np.float64))
        self._values += apart.size // valid.size * np.count_nonzero(valid)
        half_way = len(frames) // 2
        early, late = (percentile_layers(half, p).image for half in (frames[:half_way], frames[half_way:]))
        further = (early - late) ** 2 - apart**2
        self._gone[rows] = (further if further.ndim == 2 else further.mean(axis=-1)) / 4
        self._seen[rows] = valid
        return apart

    def found(self) -> tuple[float, float, float]:
        """Return agreement, centring and departure, as `Acceptance` has them."""
        values = max(self._values, 1)
        departure = math.sqrt(max(_widespread(self._gone, self._seen), 0.0)) if self._seen.any() else 0.0
        return 0.5 * math.sqrt(self._squares / values), math.sqrt(self._offsets / values), departure


def _bias(grey: np.ndarray, estimate: BackgroundEstimate, valid: np.ndarray) -> float:
    exposed = valid & (estimate.mode < WHITE / 255)
    return float(np.median(np.abs(grey - estimate.mode)[exposed if exposed.any() else valid]))


def _decibels(*errors: float) -> float:
    """Return the decibels of errors that have nothing to do with one another; at least that of rounding to 8 bits."""
    return -10 * math.log10(max(sum(error**2 for error in errors), 1 / (12 * 255**2)))


def rain_angle(store: FrameStore, background: np.ndarray) -> float | None:
    """Return the direction of the rain in degrees, estimated from what frames hold above the background.

    The median over a few frames that show rain; None where fewer than half of them show it in one direction.
    """
    angles, grey = [], frame_luminance(background)
    numbers = sorted({round(k) for k in np.linspace(0, len(store) - 1, SAMPLES)})
    for number in numbers:
        difference = _grey(store[number]) - grey
        # Noise and changing light leave faint differences along the edges of the scene.
        seen = (difference > NEAR) & ~moving(difference)
        difference[~seen] = 0
        # In the unit of the frames, which are lifted already: a difference, dark as it is, has none of its own.
        found = vote(look(np.minimum(difference, 1, out=difference)))
        if found.confidence >= PRESENT:
            angles.append(found.angle)
    if 2 * len(angles) < len(numbers):
        return None
    # Lines repeat after 180°: the median is taken around the first of them.
    turns = np.array([line_angle(angle - angles[0]) for angle in angles])
    middle = float(np.median(turns))
    if 2 * np.count_nonzero(np.abs(turns - middle) <= PARALLEL) < len(numbers):
        return None
    return line_angle(middle + angles[0])


def _directional(picture: np.ndarray, angle: float) -> float:
    """Return how much more a picture varies across a direction than along it."""
    upright = Upright(angle, picture.shape[0], picture.shape[1])
    turned = upright.forward(picture)
    # The corners are left out: they are filled with one value all along a row.
    inside = upright.forward(np.ones_like(picture), fill="zero") > 0.99
    across = np.abs(np.diff(turned, axis=1))[inside[:, 1:] & inside[:, :-1]]
    along = np.abs(np.diff(turned, axis=0))[inside[1:] & inside[:-1]]
    return float(np.mean(across)) - float(np.mean(along)) if across.size and along.size else 0.0


def _widespread(departed: np.ndarray, where: np.ndarray) -> float:
    """Return the mean of departures over some pixels, without the blocks in which it is largest: something that is in
    front of the background in one of the halves, most often, and a matter of masks.
    """
    rows, columns = (np.arange(0, side, BLOCK) for side in departed.shape)

    def sums(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(np.add.reduceat(values.astype(np.float64), rows, axis=0), columns, axis=1).ravel()

    counts, totals = sums(where), sums(np.where(where, departed, 0))
    counts, totals = counts[counts > 0], totals[counts > 0]
    order = np.argsort(totals / counts)
    kept = order[np.cumsum(counts[order]) <= (1 - LEFT_OUT) * counts.sum()]
    return float(totals[kept].sum() / counts[kept].sum()) if kept.size else float(totals.sum() / counts.sum())


def _slope(grey: np.ndarray, where: np.ndarray) -> float:
    """Return the root mean square change of some pixels of a picture over a pixel, in any one direction."""
    squares = sum((np.gradient(grey, axis=axis) ** 2 for axis in (0, 1) if grey.shape[axis] > 1), np.zeros_like(grey))
    return math.sqrt(float(np.mean(squares[where], dtype=np.float64)) / 2)


def _edge_gradient(grey: np.ndarray) -> float:
    steps = [np.gradient(grey, axis=axis) for axis in (0, 1) if grey.shape[axis] > 1]
    size = np.sort(np.sqrt(sum((step**2 for step in steps), np.zeros_like(grey))), axis=None)
    return float(np.mean(size[-max(int(EDGES * size.size), 1) :]))


def _grey(frame: np.ndarray) -> np.ndarray:
    """Return the luminance of a frame in [0, 1], without floats of all its channels."""
    scale = np.float32(np.iinfo(frame.dtype).max)
    planes = np.moveaxis(frame, -1, 0) if frame.ndim == 3 else frame[None]
    if len(planes) == 1:
        return planes[0] / scale
    grey = np.zeros(frame.shape[:2], np.float32)
    for weight, plane in zip(LUMA, planes, strict=True):
        grey += plane * np.float32(weight / scale)
    return grey
