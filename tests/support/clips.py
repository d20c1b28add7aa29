"""Clips for tests: photographs under moving rain, and video files of them."""

import functools
import itertools
from dataclasses import replace
from fractions import Fraction

import av
import cv2
import numpy as np
from skimage import data

from data_tools import RainSpec, rain_video
from rainopt.io.video.write import VideoWriter
from rainopt.video.frames import FrameStore


@functools.cache
def view(name="coffee", shape=(120, 160)):
    """A sample photograph, reduced to (height, width), uint8."""
    return cv2.resize(getattr(data, name)(), shape[::-1], interpolation=cv2.INTER_AREA)


def streaks(preset, rng, scale=0.4, **changes):
    """A spec of a preset for small clips, without the veil that stands still."""
    return replace(replace(RainSpec.sample(preset, rng), veil=0.0).scaled(scale), **changes)


def noisy(pictures, rng, deviation=1.0):
    """Yield pictures in [0, 1] as uint8, with the noise of a camera in levels."""
    for picture in pictures:
        levels = 255 * picture + rng.normal(0, deviation, (*picture.shape[:2], 1))
        yield np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def rained(views, preset="light", count=30, *, seed=0, scale=0.4, **changes):
    """Frames (H, W, 3) uint8 of one view, or of one view a frame, in rain of a preset; None is no rain."""
    rng = np.random.default_rng(seed)
    if preset is None:
        pictures = (view / 255 for view in (itertools.repeat(views) if isinstance(views, np.ndarray) else views))
    else:
        spec = streaks(preset, rng, scale, **changes)
        pictures = (drawn.rainy for drawn in rain_video(views, spec, rng))
    return tuple(itertools.islice(noisy(pictures, rng), count))


def stored(frames):
    """A store of frames."""
    store = FrameStore()
    for frame in frames:
        store.append(frame)
    return store


def save(path, frames, times=None, **options):
    """Write a clip with this project's own writer, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"rate": Fraction(25), "quality": 5} | options
    with VideoWriter(path, height=frames[0].shape[0], width=frames[0].shape[1], **options) as writer:
        for number, pixels in enumerate(frames):
            writer.write(pixels, None if times is None else times[number])
    return path


def coded(path, frames, codec="libx264", pix="yuv420p", turn=None, sound=False, options=None):
    """Write a clip as other programs do: any codec, a display matrix, a tone."""
    with av.open(str(path), "w") as output:
        pictures = output.add_stream(codec, rate=25, options={"bf": "0"} if options is None else options)
        pictures.height, pictures.width, pictures.pix_fmt = *frames[0].shape[:2], pix
        if turn:
            pictures.set_display_matrix(turn)
        if sound:
            audio = output.add_stream("aac", rate=48000)
            audio.layout = "mono"
        for pixels in frames:
            output.mux(pictures.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        output.mux(pictures.encode(None))
        if sound:
            tone = 0.6 * np.sin(np.arange(48000 * len(frames) // 25) * 2 * np.pi * 440 / 48000)
            for start in range(0, len(tone) - 1024, 1024):
                frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024].astype(np.float32), "fltp", "mono")
                frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
                output.mux(audio.encode(frame))
            output.mux(audio.encode(None))
    return path
