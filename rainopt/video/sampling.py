"""How much rain a stretch of video shows and how it falls, pooled over some of its frames and those around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rainopt.direction.estimate import AngleEstimate, look, streak_height, vote
from rainopt.direction.evidence import Evidence
from rainopt.parallel.threads import in_order
from rainopt.video.background import BackgroundEstimate, percentile_background
from rainopt.video.copies import small_copy
from rainopt.video.frames import FrameStore
from rainopt.video.motion import GUIDE, guide_of, step_between
from rainopt.video.persistence import CHANCE, CHANCE_OF_HEIGHT, DENSE, least_heights
from rainopt.video.scene_part import TimeSettings, bright, size_of_chance
from rainopt.video.time_bound import luminance_of
from rainopt.video.tracks import tracks_of
from rainopt.video.warping import flow_of, moved

# Heights, and bounds of the brightness of what lies behind, that rain is counted between: it shows most over what is
# dark. A class of fewer than this share of the pixels tells nothing.
HEIGHTS = np.linspace(0.03, 0.9, 60)
CLASSES, LEAST_OF_CLASS = (0.0, 0.15, 0.3, 0.5, 0.7, 1.01), 0.01
MOST_OF_CLASS = 100_000  # of its pixels, about, that are counted
# Places in a stretch that are looked at where the camera moves, and frames to either side of each.
PLACES, REACH = 4, 5


class Sample(NamedTuple):
    """What some frames of a stretch hold above what lies behind their rain.

    Attributes
    ----------
    coverage
        Share of the frames in which rain covers a place, in the median over the picture.
    height
        Brightness in [0, 1] that nine tenths of the streaks do not exceed.
    size
        See `rainopt.video.scene_part.size_of_chance`.
    estimate
        The directions of the rain, from the evidence of all of them together.
    least
        See `rainopt.video.persistence.least_heights`.
    """

    coverage: float
    height: float
    size: int
    estimate: AngleEstimate
    least: tuple[float, ...] = ()

    @property
    def time(self) -> TimeSettings:
        """How the frames around one are to help it."""
        return TimeSettings(self.coverage, self.height, self.size, self.least)


def sample_over(
    store: FrameStore,
    numbers: Iterable[int],
    background: BackgroundEstimate,
    valid: np.ndarray,
    angle: float | None = None,
) -> Sample:
    """Look at some frames (H, W, 3) of a still camera over its background, where that is ``valid``; the height is that
    of streaks at an ``angle``, if one is given.
    """
    behind = luminance_of_float(np.asarray(background.image))

    chosen = _by_brightness(behind, valid)

    def of(number: int) -> tuple[tuple[np.ndarray, Evidence], np.ndarray]:
        above = np.where(valid, luminance_of(store[number]) - behind, 0)
        return (bright(small_copy(above, GUIDE)), _evidence(above)), _shares(above, chosen)

    found = list(in_order(of, numbers))
    sample = _sample(coverage_of(background, valid), [seen for seen, _ in found], angle)
    # The middle one of the frames, so that somebody who passes is not counted, of where rain shows most.
    shares = np.median([shares for _, shares in found], axis=0).max(axis=0)
    # Where rain is dense, to paint what has been uncovered is worse than to leave some rain.
    chance = CHANCE if sample.coverage > DENSE else CHANCE_OF_HEIGHT
    return sample._replace(least=least_heights(shares, HEIGHTS, chance))


def _by_brightness(behind: np.ndarray, valid: np.ndarray) -> list[np.ndarray]:
    """Return the numbers of the pixels of each class of brightness that is large enough; all where none is."""
    classes = (valid & (behind >= low) & (behind < high) for low, high in pairwise(CLASSES))
    chosen = [np.flatnonzero(mask) for mask in classes if np.mean(mask) >= LEAST_OF_CLASS]
    return chosen or [np.arange(behind.size)]


def _shares(above: np.ndarray, chosen: Sequence[np.ndarray]) -> np.ndarray:
    """Return in what share of the chosen pixels a frame exceeds each of `HEIGHTS`, (classes, heights)."""
    # Some of them tell as well, and sort faster.
    values = (np.sort(above.ravel()[places[:: max(len(places) // MOST_OF_CLASS, 1)]]) for places in chosen)
    return np.stack([1 - np.searchsorted(one, HEIGHTS) / len(one) for one in values])


def sample_around(store: FrameStore, angle: float | None = None) -> Sample:
    """Look at some frames (H, W, 3) of a camera that moves over those around them; as `sample_over`."""
    found = [_around(store, place) for place in _places(len(store))]
    return _sample(float(np.median([share for share, _ in found])), [seen for _, seen in found], angle)


def _sample(coverage: float, found: Sequence[tuple[np.ndarray, Evidence]], angle: float | None) -> Sample:
    evidence = pooled(seen for _, seen in found)
    estimate = vote(evidence)
    height = streak_height(evidence, estimate.angle if angle is None else angle)
    # One frame less than a run along a track has, because flows follow rain a little.
    run = (TimeSettings(coverage).on_track or 2) - 1
    return Sample(coverage, height, size_of_chance([mask for mask, _ in found], run), estimate)


def coverage_of(background: BackgroundEstimate, valid: np.ndarray | None = None) -> float:
    """Return in what share of the frames rain covers a place, in the median over the picture."""
    covered = 1 - np.asarray(background.seen) - np.asarray(background.darker)
    chosen = covered if valid is None or not valid.any() else covered[valid]
    return float(np.clip(np.median(chosen), 0, 1))


def pooled(evidence: Iterable[Evidence]) -> Evidence:
    """Return the evidence of several pictures as that of one."""
    return Evidence(*(np.concatenate(fields) for fields in zip(*evidence, strict=True)))


def luminance_of_float(picture: np.ndarray) -> np.ndarray:
    """Return the luminance (H, W) of a picture (H, W, 3) float32 in [0, 1]."""
    import cv2

    from rainopt.image import LUMA

    return np.asarray(cv2.transform(picture, np.array([LUMA], np.float32)))


def _places(count: int) -> list[int]:
    return sorted({round(k) for k in np.linspace(min(REACH, count // 2), max(count - 1 - REACH, count // 2), PLACES)})


def _around(store: FrameStore, place: int) -> tuple[float, tuple[np.ndarray, Evidence]]:
    """Return how much rain covers a frame and those around it, aligned with it, and what
    is bright in it, and its evidence.
    """
    first, last = max(place - REACH, 0), min(place + REACH + 1, len(store))
    frames = [store[number] for number in range(first, last)]
    guides = [guide_of(frame) for frame in frames]
    steps = dict(enumerate(_steps(guides), start=first - place))
    here = guides[place - first].shape
    greys = [np.rint(luminance_of(small_copy(frame, GUIDE)) * 255).astype(np.uint8) for frame in frames]
    values = [greys[place - first]]
    for number, track in tracks_of(steps, REACH).items():
        flow = track.flow if track.camera is None else flow_of(track.camera, *here)
        values.append(moved(greys[place + number - first], flow, cubic=True))
    background = percentile_background(np.stack(values))
    above = values[0] / np.float32(255) - np.asarray(background.image)
    return coverage_of(background), (bright(above), _evidence(above))


def _steps(guides: list[np.ndarray]) -> Iterator:
    return in_order(lambda pair: step_between(*pair, fine=False), pairwise(guides))


def _evidence(above: np.ndarray) -> Evidence:
    """Return the evidence of what a frame holds above what lies behind, (H, W): dark and bright ridges alike."""
    return look(np.clip(above + np.float32(0.5), 0, 1).astype(np.float32))
