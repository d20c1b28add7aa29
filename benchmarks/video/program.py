"""Video in memory, derained as ``rainopt derain`` does it from file to file: scenes, stretches, one after another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice

import numpy as np

from rainopt.commands.derain_video import STRETCH
from rainopt.io.video.read import VideoFrame
from rainopt.video.frames import FrameStore
from rainopt.video.scenes import split_scenes
from rainopt.video.settings import VideoSettings
from rainopt.video.stretches import StretchSettings, derained, stretch_settings


def held(frames: Sequence[np.ndarray] | np.ndarray) -> FrameStore:
    """Return a store of frames, all of them in memory."""
    store = FrameStore(1 << 31)
    for frame in frames:
        store.append(frame)
    return store


def derained_by_rainopt(frames: np.ndarray, settings: VideoSettings | None = None) -> np.ndarray:
    """Return frames (N, H, W, 3) uint8 without their rain, as the command does with its own options."""
    return np.stack(list(_derained(frames, VideoSettings() if settings is None else settings)))


def _derained(frames: np.ndarray, settings: VideoSettings) -> Iterator[np.ndarray]:
    for scene in split_scenes(VideoFrame(k, Fraction(k, 25), frame) for k, frame in enumerate(frames)):
        before: StretchSettings | None = None
        while stretch := [frame.pixels for frame in islice(scene, STRETCH)]:
            with held(stretch) as store:
                before = stretch_settings(store, settings, before)
                yield from derained(store, before)
