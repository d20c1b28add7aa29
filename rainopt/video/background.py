"""The background of a frame sequence: of every channel of every pixel the same percentile over time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from functools import partial

import numpy as np

from rainopt.arrays import Array, detached, host_view, is_floating, like, namespace, native, require_dense
from rainopt.checks import require_axis, require_finite
from rainopt.host_steps import number
from rainopt.image import RANGE_SLACK
from rainopt.parallel.elsewhere import Elsewhere, here
from rainopt.video.frames import MEMORY, FrameStore
from rainopt.video.percentiles import PERCENTILES, Ballot, PercentileLayers, elected, percentile_layers, vote

BAND_BYTES = 1 << 25  # of the same rows of all frames that are worked on at a time

Progress = Callable[[float], None]


@dataclass(frozen=True)
class BackgroundEstimate:
    """The background of a frame sequence, and how far it can be trusted.

    Attributes
    ----------
    image
        (H, W) or (H, W, C) as the frames, float32 in [0, 1].
    percentile
        Which percentile over time it is, 0 to 100.
    votes
        (101,) int64: for how many pixels each percentile gives the mode of the luminance.
    seen
        (H, W) float32 in [0, 1]: share of the frames that show the background, in all channels within 8/255 of it.
        Small where things move, or rain is dense.
    darker
        (H, W) float32 in [0, 1]: share of the frames that are darker than that, in the channel where most are. Rain
        darkens nothing.
    spread
        (H, W) float32 in [0, 1]: mean distance of the frames from the background, of the channel where it is largest.
    mode
        (H, W) float32 in [0, 1]: the most frequent luminance, φ of Eq. (2).
    frames
        How many frames there were.
    """

    image: Array
    percentile: int
    votes: Array
    seen: Array
    darker: Array
    spread: Array
    mode: Array
    frames: int


def percentile_background(
    frames: Array | Iterable[Array] | str | os.PathLike[str],
    *,
    channel_axis: int = -1,
    memory: int = MEMORY,
    scratch: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> BackgroundEstimate:
    """Estimate what a static camera sees behind the rain.

    Rain brightens a pixel for a frame or two and then leaves it. Each pixel's most frequent luminance φ, over N frames
    o, is held by the percentiles ``[100/N first(φ), 100/N last(φ)]``, of the first and the last rank of φ among the
    sorted frames. One percentile for the whole picture is chosen, the one that most pixels' ranges hold, and taken of
    every channel.

    Parameters
    ----------
    frames
        Array (N, H, W) or (N, H, W, C), C being 1 or 3, of numpy, cupy or torch; or an iterable of frames (H, W) or
        (H, W, C), such as a generator; or the path of a video file, or of a folder of images. uint8, uint16, or float
        in [0, 1]; floats are taken to 16 bits.
    channel_axis
        Axis of the channels in one frame.
    memory
        Bytes of frames from an iterable or a file that are held; more go to a scratch file. The result is the same.
    scratch
        Folder of the scratch file.
    progress
        Called with the share done, from 0 to 1.

    Returns
    -------
    BackgroundEstimate
        In the library and on the device of the frames; numpy for a file.

    Raises
    ------
    ValueError, TypeError
        If there is no frame, or frames differ in shape or dtype, or are not as above.
    rainopt.io.video.read.VideoError
        If the file cannot be read.
    OSError
        If the scratch file cannot be written.

    Notes
    -----
    Source: Wang et al. 2019 (SPANet), Eqs. (2)-(4). Of equal modes the lowest counts, and of equal votes the lowest
    percentile. Departures:

    1. A range ends with the last rank of the mode, as in the authors' program, and not with the number of values up to
       it, as in Eq. (3): the percentile there lies between the mode and the next brighter value.
    2. Luminance is rounded, where the authors' program cuts it off; of 16-bit frames it has 256 levels as well, since
       finer ones are seldom seen twice in noise.
    3. Pixels whose mode is white, 250 and more of 255, vote only where there are no others: heavy rain over a bright
       wall saturates most frames, and its mode is the rain.
    4. Percentiles between two values are interpolated linearly and not rounded to whole levels.

    Examples
    --------
    A wall of level 100, before which it rains in every fourth of twenty frames:

    >>> import numpy as np
    >>> import rainopt
    >>> frames = np.full((20, 8, 8), 100, np.uint8)
    >>> frames[::4] = 180
    >>> b = rainopt.percentile_background(frames)
    >>> np.unique(np.round(255 * b.image))
    array([100.], dtype=float32)
    >>> round(float(b.seen[0, 0]), 2)
    0.75
    """
    if isinstance(frames, (str, os.PathLike)):
        from rainopt.io.video.read import open_video

        stream: Iterable[Array] = (frame.pixels for frame in open_video(frames).frames())
        return _streamed(stream, -1, memory, scratch, progress)
    if hasattr(frames, "shape") and hasattr(frames, "dtype"):
        return _of_array(frames, channel_axis, progress)
    if isinstance(frames, memoryview) or not isinstance(frames, Iterable):
        raise TypeError(f"`frames` must be an array, an iterable of frames or a path, got {type(frames).__name__}")
    return _streamed(frames, channel_axis, memory, scratch, progress)


def background_of_store(
    store: FrameStore, progress: Progress | None = None, elsewhere: Elsewhere = here
) -> BackgroundEstimate:
    """`percentile_background` of the frames of a store, (H, W) or (H, W, C) uint8 or uint16, band after band
    ``elsewhere``.

    Raises
    ------
    ValueError
        If there is no frame.
    """
    if not len(store):
        raise ValueError("`frames` must hold at least one frame, got none")
    parts = list(_bands(store, len(store)))
    votes, mode = np.zeros((2, PERCENTILES), np.int64), np.empty(store.shape[:2], np.float32)
    for done, part in enumerate(parts):
        ballot = elsewhere(vote, store.band(part))
        votes += ballot.votes
        mode[part] = ballot.mode
        if progress:
            progress((done + 1) / (2 * len(parts)))
    votes, p = elected(votes)
    layers = PercentileLayers(
        np.empty(store.shape, np.float32), *(np.empty(store.shape[:2], np.float32) for _ in range(3))
    )
    # Backwards: the system still has the last rows in its memory.
    for done, part in enumerate(reversed(parts), len(parts)):
        found = elsewhere(partial(percentile_layers, p=p), store.band(part))
        for whole, rows in zip(layers, found, strict=True):
            whole[part] = rows
        if progress:
            progress((done + 1) / (2 * len(parts)))
    return _estimate(Ballot(votes, mode), p, layers, len(store))


def frame_bands(store: FrameStore) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield rows, and those rows of all frames of a store (N, rows, ...): no more than fits into memory well."""
    return ((rows, store.band(rows)) for rows in _bands(store, len(store)))


def _bands(store: FrameStore, count: int) -> Iterator[slice]:
    """Yield rows of which ``count`` frames fill `BAND_BYTES`."""
    height = store.shape[0]
    row_bytes = count * int(np.prod(store.shape[1:], dtype=np.int64)) * store.dtype.itemsize
    rows = min(max(BAND_BYTES // row_bytes, 1), height)
    return (slice(first, min(first + rows, height)) for first in range(0, height, rows))


def _streamed(
    frames: Iterable[Array],
    channel_axis: int,
    memory: int,
    scratch: str | os.PathLike[str] | None,
    progress: Progress | None,
) -> BackgroundEstimate:
    first: Array = None
    with FrameStore(memory, scratch) as store:
        for frame in frames:
            namespace(frame, names="frames")
            first = frame if first is None else first
            stack = _checked(frame[None, ...], channel_axis)
            host = host_view(stack)
            if host is None:
                raise TypeError(
                    f"`frames` of an iterable must be on the host, got {type(frame).__name__}; give frames of a "
                    "device as one array"
                )
            store.append(host[0])
        result = background_of_store(store, progress)
    return _like(result, first, channel_axis)


def _of_array(frames: Array, channel_axis: int, progress: Progress | None) -> BackgroundEstimate:
    if frames.ndim in (3, 4) and frames.shape[0] == 0:
        raise ValueError("`frames` must hold at least one frame, got none")
    stack = _checked(frames, channel_axis)
    ballot = vote(stack)
    if progress:
        progress(0.5)
    votes, p = elected(ballot.votes)
    result = _estimate(Ballot(votes, ballot.mode), p, percentile_layers(stack, p), stack.shape[0])
    if progress:
        progress(1.0)
    return _like(result, frames[0, ...], channel_axis)


def _estimate(ballot: Ballot, p: int, layers: PercentileLayers, count: int) -> BackgroundEstimate:
    return BackgroundEstimate(
        layers.image, p, ballot.votes, layers.seen, layers.darker, layers.spread, ballot.mode, count
    )


def _checked(frames: Array, channel_axis: int) -> Array:
    """Return frames as (N, H, W) or (N, H, W, C) of uint8 or uint16."""
    require_dense(frames, "frames")
    xp, frames = namespace(frames), native(detached(frames))
    shape = tuple(frames.shape)
    if frames.ndim not in (3, 4):
        raise ValueError(f"`frames` must be (N, H, W) or (N, H, W, C), or frames of (H, W) or (H, W, C), got {shape}")
    if 0 in shape:
        raise ValueError(f"`frames` must not be empty, got shape {shape}")
    if frames.ndim == 4:
        frames = xp.moveaxis(frames, 1 + require_axis(channel_axis, shape[1:], "a frame"), -1)
        if frames.shape[-1] not in (1, 3):
            raise ValueError(f"`frames` must have 1 or 3 channels, got {frames.shape[-1]} in shape {shape}")
    if frames.dtype in (xp.uint8, xp.uint16):
        return frames
    if not is_floating(frames):
        raise TypeError(f"`frames` must be uint8, uint16 or floating point, got {frames.dtype}")
    require_finite(frames, "frames")
    low, high = (number(end(frames), "range") for end in (xp.min, xp.max))
    if low < -RANGE_SLACK or high > 1 + RANGE_SLACK:
        raise ValueError(f"`frames` of floats must lie in [0, 1], got {low:g} to {high:g}; divide by their full scale")
    return xp.astype(xp.round(xp.clip(xp.astype(frames, xp.float32), 0.0, 1.0) * 65535), xp.uint16)


def _like(result: BackgroundEstimate, frame: Array, channel_axis: int) -> BackgroundEstimate:
    """Return a result in the library and the layout of a frame."""
    values = {field.name: getattr(result, field.name) for field in fields(result)}
    arrays = {name: like(a, frame) for name, a in values.items() if isinstance(a, np.ndarray)}
    result = replace(result, **arrays)
    if result.image.ndim == 3:
        result = replace(result, image=namespace(result.image).moveaxis(result.image, -1, channel_axis))
    return result
