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
from rainopt.io.video.read import VideoFrame
from rainopt.io.video.write import VideoWriter
from rainopt.video.frames import FrameStore


@functools.cache
def view(name="coffee", shape=(120, 160)):
    """A sample photograph, reduced to (height, width), uint8."""
    return cv2.resize(getattr(data, name)(), shape[::-1], interpolation=cv2.INTER_AREA)


def streaks(preset, rng, scale=0.4, **changes):
    """A spec of a preset for small clips, without the veil that stands still."""
    return replace(replace(RainSpec.sample(preset, rng), veil=0.0).scaled(scale), **changes)


def seen_from(name, y=0, x=0, shape=(120, 160), edge=10):
    """What a camera sees that looks so many pixels down and right, at most ``edge``, in a larger photograph."""
    wide = view(name, (shape[0] + 2 * edge, shape[1] + 2 * edge))
    return wide[edge + y : edge + y + shape[0], edge + x : edge + x + shape[1]]


def blocks(count, shape=(48, 64)):
    """Frames of random blocks of 4 x 4 pixels, without any symmetry, all different; uint8."""
    values = np.random.default_rng(0).integers(0, 256, (count, shape[0] // 4, shape[1] // 4, 3), dtype=np.uint8)
    return list(values.repeat(4, axis=1).repeat(4, axis=2))


def noisy(pictures, rng, deviation=1.0):
    """Yield pictures in [0, 1] as uint8, with the noise of a camera in levels."""
    for picture in pictures:
        levels = 255 * picture + rng.normal(0, deviation, (*picture.shape[:2], 1))
        yield np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def raining(views, preset="light", *, seed=0, scale=0.4, **changes):
    """Yield frames (H, W, 3) uint8 of one view without end, or of one view a frame, in rain of a preset or in none."""
    rng = np.random.default_rng(seed)
    if preset is None:
        pictures = (view / 255 for view in (itertools.repeat(views) if isinstance(views, np.ndarray) else views))
    else:
        pictures = (drawn.rainy for drawn in rain_video(views, streaks(preset, rng, scale, **changes), rng))
    return noisy(pictures, rng)


def rained(views, preset="light", count=30, **options):
    """At most so many frames of `raining`."""
    return tuple(itertools.islice(raining(views, preset, **options), count))


def numbered(frames):
    """Yield frames as those of a video."""
    return (VideoFrame(k, Fraction(k, 25), frame) for k, frame in enumerate(frames))


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


LOSSLESS = {"codec": "libx264rgb", "pix": "rgb24", "options": {"qp": "0", "bf": "0"}}  # bit for bit, by `coded`


def coded(
    path,
    frames,
    codec="libx264",
    pix="yuv420p",
    turn=None,
    sound=None,
    options=None,
    *,
    ticks=None,
    base=Fraction(1, 25),
    begin=0,
    muxer=None,
    **tags,
):
    """Write a clip as other programs do: any codec, a display matrix, a tone (of a codec, True being AAC).

    ``ticks`` of ``base`` seconds say when each frame is shown, ``begin`` at which second pictures and sound begin;
    ``muxer`` are options of the container, ``tags`` attributes of the encoder.
    """
    with av.open(str(path), "w", options=muxer or {}) as output:
        pictures = output.add_stream(codec, rate=25, options={"bf": "0"} if options is None else options)
        pictures.height, pictures.width, pictures.pix_fmt = *frames[0].shape[:2], pix
        pictures.codec_context.time_base = base
        for name, value in tags.items():
            setattr(pictures.codec_context, name, value)
        if turn:
            pictures.set_display_matrix(turn)
        if sound:
            audio = output.add_stream("aac" if sound is True else sound, rate=48000)
            audio.layout = "mono"
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = round(begin / base) + (number if ticks is None else ticks[number]), base
            output.mux(pictures.encode(frame))
        output.mux(pictures.encode(None))
        if sound:
            tone = 0.6 * np.sin(np.arange(48000 * len(frames) // 25) * 2 * np.pi * 440 / 48000)
            layout = audio.codec_context.format.name
            tone = (32767 * tone).astype(np.int16) if layout.startswith("s16") else tone.astype(np.float32)
            for start in range(0, len(tone) - 1024, 1024):
                frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], layout, "mono")
                frame.sample_rate, frame.pts, frame.time_base = 48000, start + 48000 * begin, Fraction(1, 48000)
                output.mux(audio.encode(frame))
            output.mux(audio.encode(None))
    return path
