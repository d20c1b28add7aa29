"""What a frame shows besides its background and rain: where a pair must not be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np

from data_tools.build.departures import GROUP, SPARSE, departure
from data_tools.build.tracks import blobs_of, disc, tracked
from rainopt.image import frame_luminance
from rainopt.video.frames import FrameStore
from rainopt.video.percentiles import NEAR

# Frames in a row that chance makes rainy in less than this share of the pixels tell that something stays; at least as
# many as no streak lasts for, and at most as many as are worth reading.
CHANCE, LEAST_RUN, MOST_RUN = 0.02, 3, 9
# Rain that needs longer runs is dense: it lights up every place in most frames, and wide blobs of it are everywhere.
DENSE = 5
# Differences of means over 3 x 3 pixels that tell more than noise does: at least so much of full scale, and so many of
# the picture's own deviations.
LEAST, DEVIATIONS = 3 / 255, 5.0
# Pixels that a texture may lie astray by: so much do encoders and alignments leave. Things that live differ by more.
SLACK = 0.2
# In pixels of pictures that are 480 rows high, and in proportion in others: the sides of what is too wide for a streak,
# and for several that meet; the side of what is lit as a whole, how far masks are grown, and gaps in them that are
# closed.
BLOBS, LIT, MARGIN, GAP = (5, 11), 11, 4, 9
NEIGHBOURS = 2  # frames before and after that tracks are followed through
FROZEN = 0.3 / 255  # mean difference of two frames that are one
BAND_BYTES, PADDING = 1 << 27, 8  # of differences worked on at a time, and rows around them


def run_of(seen: np.ndarray) -> int:
    """Return in how many frames in a row something must show for it to be no rain, by how often pixels show the
    background: n frames in which rain hides a pixel with probability q each, ``n qⁿ`` of the pixels by chance.
    """
    hidden = 1 - float(np.median(seen))
    runs = range(LEAST_RUN, MOST_RUN)
    return next((run for run in runs if run * hidden**run <= CHANCE), MOST_RUN)


def around(frames: FrameStore, place: int, reach: int) -> tuple[list[np.ndarray], int]:
    """Return a frame amid up to ``reach`` different ones on either side, and its place among them.

    Frames that repeat the one before tell nothing of how long something stays.
    """

    def different(numbers: range) -> list[np.ndarray]:
        found, last = [], frames[place]
        for number in numbers:
            frame = frames[number]
            if not repeats(frame, last):
                found.append(frame)
                last = frame
            if len(found) == reach:
                break
        return found

    before = different(range(place - 1, -1, -1))[::-1]
    return [*before, frames[place], *different(range(place + 1, len(frames)))], len(before)


def repeats(frame: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two frames are one, encoded twice."""
    apart = np.subtract(frame, other, dtype=np.float32) / np.float32(np.iinfo(frame.dtype).max)
    return float(np.mean(np.abs(frame_luminance(apart)))) < FROZEN


class Living(NamedTuple):
    """Where a frame shows something that is neither its background nor rain, and specks among it; (H, W) bool.

    Specks are darker than the background, small, and alone: what leaves and noise make of one frame. As many brighter
    ones look like rain, so that specks tell how much of what is valid is wrong.
    """

    mask: np.ndarray
    specks: np.ndarray


def lives(window: Sequence[np.ndarray], at: int, background: np.ndarray, run: int = LEAST_RUN) -> Living:
    """Return where a frame shows something that is neither its background nor rain.

    Rain is brighter than what was there before and after, and gone after a frame or two. So it is something else that

    - is darker than the background, or lies where frames often are: leaves in the wind;
    - stays: so many frames in a row show another value than the background, be it ever so little; or six do on the
      whole, in whatever direction each pixel of a texture changes that lies astray;
    - lights up as a whole, wider than any streak, and wider than in the frames around;
    - moves along a track: something wider than a streak, and as large, is found where it should be in the frames before
      and after.

    What is found is closed and grown: a pixel too many costs little, and one that is taken for rain teaches to erase.

    Parameters
    ----------
    window
        Different frames (H, W, C) uint8 or uint16 in order, see `around`.
    at
        Which of them is asked about.
    background
        (H, W, C) float32 in [0, 1].
    run
        How many frames in a row, see `run_of`.
    """
    import cv2

    height, scale = background.shape[0], background.shape[0] / 480
    less, astray, found = (np.empty(background.shape[:2], bool) for _ in range(3))
    for rows, around_them, inside in _bands(window, height):
        part = _colours([frame[around_them] for frame in window], at, background[around_them], run)
        for whole, one in zip((less, astray, found), part, strict=True):
            whole[rows] = one[inside]
    # What is darker and not small is a thing, and grown as others are; specks are not.
    found |= cv2.morphologyEx(less.astype(np.uint8), cv2.MORPH_OPEN, disc(_odd(BLOBS[0], scale))).astype(bool)
    if len(window) >= LEAST_RUN:
        unit, behind = np.float32(np.iinfo(window[at].dtype).max), frame_luminance(background)
        near = range(max(at - NEIGHBOURS, 0), min(at + NEIGHBOURS + 1, len(window)))
        grey = {k - at: frame_luminance(window[k] / unit) - behind for k in near}
        found |= _lit(grey, _odd(LIT, scale))
        for side in BLOBS if run <= DENSE else BLOBS[1:]:
            blobs = {k: blobs_of(one, _odd(side, scale)) for k, one in grey.items()}
            found |= tracked(blobs)
    # What single pixels show is chance, most often, and is not worth a margin.
    solid = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    closed = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, disc(_odd(GAP, scale)))
    grown = cv2.dilate(closed, disc(2 * max(2, round(MARGIN * scale)) + 1))
    known = found | grown.astype(bool) | astray
    return Living(known | less, less & ~known)


def _bands(window: Sequence[np.ndarray], height: int) -> Iterator[tuple[slice, slice, slice]]:
    """Yield rows, those with what is around them, and where they lie in these: as many as fit into memory well."""
    row_bytes = 12 * len(window) * window[0][0].size
    step = max(BAND_BYTES // row_bytes, 4 * PADDING)
    for first in range(0, height, step):
        start, stop = max(first - PADDING, 0), min(first + step + PADDING, height)
        rows = slice(first, min(first + step, height))
        yield rows, slice(start, stop), slice(rows.start - start, rows.stop - start)


def _colours(
    window: Sequence[np.ndarray], at: int, background: np.ndarray, run: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where a frame is darker than its background, where frames lie astray or are restless, and what stays."""
    import cv2

    unit, slack = np.float32(np.iinfo(window[at].dtype).max), _slack(background)
    apart = [frame / unit - background for frame in window]
    less, astray = _less(apart[at], slack), np.zeros(slack.shape, bool)
    stays = astray.copy()
    if len(window) >= GROUP and run <= DENSE:
        first = min(max(at - GROUP // 2, 0), len(window) - GROUP)
        gone = departure(window[first : first + GROUP], background)
        astray = _restless(apart, slack) | (cv2.blur(gone, (5, 5), borderType=cv2.BORDER_REFLECT) > LEAST**2 + slack)
    if len(window) >= LEAST_RUN:
        stays = _stays(apart, at, min(run, len(window)), slack)
    return less, astray, stays


def _slack(background: np.ndarray) -> np.ndarray:
    """Return the square difference that a texture makes which lies a little astray, (H, W)."""
    import cv2

    down, across = np.gradient(frame_luminance(background))
    squares = ((down**2 + across**2) / 2).astype(np.float32)
    return np.asarray(SLACK**2 * cv2.blur(squares, (5, 5), borderType=cv2.BORDER_REFLECT))


def _less(apart: np.ndarray, slack: np.ndarray) -> np.ndarray:
    """Return where a frame is darker than its background, in the channel in which it is most so."""
    dark = _means(np.minimum(apart, 0)).min(axis=-1)
    middle = float(np.median(dark[SPARSE]))
    noise = 1.48 * float(np.median(np.abs(dark[SPARSE] - middle)))
    return np.asarray(dark < np.clip(middle - DEVIATIONS * noise, -NEAR, -LEAST) - np.sqrt(slack))


def _restless(apart: Sequence[np.ndarray], slack: np.ndarray) -> np.ndarray:
    """Return where frames are often darker than the background, and unlike the rest of the picture."""
    import cv2

    # What passes in one frame is as dark as it likes, and counts as one frame.
    most = np.sqrt(2 * (LEAST**2 + slack))[..., None]
    darker = (np.clip(one, -most, 0) ** 2 for one in apart)
    squares = sum(darker, np.zeros_like(apart[0])).mean(axis=-1) / len(apart)
    around = cv2.blur(squares, (5, 5), borderType=cv2.BORDER_REFLECT)
    return np.asarray(around > np.clip(4 * np.median(around[SPARSE]), LEAST**2 / 2, NEAR**2 / 2) + slack / 2)


def _stays(apart: Sequence[np.ndarray], at: int, run: int, slack: np.ndarray) -> np.ndarray:
    """Return where a frame is one of ``run`` in a row that are all brighter than the background, or all darker."""
    means = [_means(one) for one in apart]
    found = np.zeros(means[at].shape[:2], bool)
    for sign in (1, -1):
        best: np.ndarray | None = None
        for first in range(max(at - run + 1, 0), min(at, len(means) - run) + 1):
            least = reduce(np.minimum, (sign * one for one in means[first : first + run]))
            best = least if best is None else np.maximum(best, least)
        if best is not None:
            some = best[SPARSE]
            middle = np.median(some, axis=(0, 1))
            noise = 1.48 * np.median(np.abs(some - middle), axis=(0, 1))
            # The least that dense rain adds in all frames of a run is no thing.
            least = np.clip(DEVIATIONS * noise, LEAST, NEAR) + (np.clip(middle, 0, NEAR) if run > DENSE else 0)
            found |= (best > least + np.sqrt(slack)[..., None]).any(axis=-1)
    return found


def _lit(apart: dict[int, np.ndarray], side: int) -> np.ndarray:
    """Return where most of a square is brighter than in the frames around, though thin things are taken out of it."""
    import cv2

    def wide(one: np.ndarray) -> np.ndarray:
        levels = np.rint(np.clip(one, 0, 1) * 255).astype(np.uint8)
        return np.asarray(cv2.medianBlur(cv2.erode(levels, np.ones((3, 3), np.uint8)), side), np.float32) / 255

    others = np.stack([wide(one) for k, one in apart.items() if k])
    usual = np.median(others, axis=0)
    # In dense rain, how much of it there is differs from frame to frame.
    most = max(LEAST, 2 * float(np.median(np.quantile(np.abs(others - usual)[:, ::4, ::4], 0.95, axis=(1, 2)))))
    return np.asarray(wide(apart[0]) - usual > most)


def _means(planes: np.ndarray) -> np.ndarray:
    """Return means over 3 x 3 pixels, (H, W, C)."""
    import cv2

    means = cv2.blur(np.ascontiguousarray(planes, np.float32), (3, 3), borderType=cv2.BORDER_REFLECT)
    return means.reshape(planes.shape)


def _odd(side: int, scale: float) -> int:
    return max(3, round(side * scale)) | 1
