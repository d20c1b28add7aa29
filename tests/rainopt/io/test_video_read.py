"""Videos are read frame by frame as their files mean them: upright, at true times, to the last."""

import gc
import os
from fractions import Fraction
from functools import partial

import av
import numpy as np
import pytest

from rainopt.io import write_image
from rainopt.io.video import decode
from rainopt.io.video.read import VideoError, is_video, open_video, read_frames
from tests.support.clips import LOSSLESS, blocks, coded

H, W = 48, 64
clip = partial(coded, **LOSSLESS)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".mov"])
def test_frames_come_back_bit_for_bit(tmp_path, suffix):
    frames = blocks(10)
    coding = {"codec": "ffv1", "pix": "bgr0", "options": {}} if suffix == ".avi" else {}
    video = open_video(clip(tmp_path / f"a{suffix}", frames, **coding))
    got = list(video.frames())
    np.testing.assert_array_equal([frame.pixels for frame in got], frames)
    assert [frame.index for frame in got] == list(range(10))
    assert [frame.time for frame in got] == [Fraction(n, 25) for n in range(10)]
    assert (video.height, video.width, video.bits, video.rate) == (H, W, 8, 25)
    assert video.declared == (None if suffix == ".mkv" else 10)
    assert not video.has_audio
    assert video.lost is None


def test_frames_shown_in_another_order_than_stored(tmp_path):
    frames = blocks(20)
    path = coded(tmp_path / "a.mp4", frames, pix="yuv444p", options={"qp": "10", "bf": "3", "b-adapt": "0"})
    with av.open(str(path)) as container:
        stored = [packet.pts for packet in container.demux(video=0) if packet.size]
    assert stored != sorted(stored)
    far = [[np.abs(one.astype(int) - other).mean() for other in frames] for one in read_frames(path)]
    assert np.argmin(far, axis=1).tolist() == list(range(20))


@pytest.mark.parametrize(("start", "stop", "step"), [(0, None, 1), (3, 9, 2), (11, None, 1), (5, 5, 1), (0, 99, 7)])
def test_chosen_frames_are_those_of_the_whole(tmp_path, start, stop, step):
    frames = blocks(12)
    got = list(open_video(clip(tmp_path / "a.mp4", frames)).frames(start, stop, step))
    assert [frame.index for frame in got] == list(range(12))[start:stop:step]
    for frame in got:
        assert frame.time == Fraction(frame.index, 25)
        np.testing.assert_array_equal(frame.pixels, frames[frame.index])


def test_frames_left_out_and_counted_are_not_converted(tmp_path, monkeypatch):
    video = open_video(clip(tmp_path / "a.mp4", blocks(12)))
    converted = []
    convert = decode.ToRGB.__call__
    monkeypatch.setattr(decode.ToRGB, "__call__", lambda self, f: converted.append(f.pts) or convert(self, f))
    assert video.count() == 12
    assert converted == []
    list(video.frames(4, None, 3))
    assert len(converted) == 3


def test_read_frames_in_part(tmp_path):
    frames = blocks(8)
    path = clip(tmp_path / "a.mp4", frames)
    np.testing.assert_array_equal(read_frames(path, 2, 3), frames[2:5])
    np.testing.assert_array_equal(read_frames(path, 6, 100), frames[6:])
    with pytest.raises(VideoError, match="has only 8 frames"):
        read_frames(path, 8)
    for wrong in ({"start": -1}, {"count": 0}):
        with pytest.raises(ValueError, match="must be"):
            read_frames(path, **wrong)
    with pytest.raises(ValueError, match="`step` 1 or more"):
        open_video(path).frames(step=0)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs a list of open files")
def test_files_are_closed_with_the_iterator(tmp_path):
    path = clip(tmp_path / "a.mp4", blocks(12))
    video = open_video(path)

    def is_open():
        links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
        return any(os.path.realpath(link) == str(path.resolve()) for link in links)

    frames = video.frames()
    next(frames)
    assert is_open()
    del frames
    gc.collect()
    assert not is_open()
    assert video.lost is None


def test_two_iterations_do_not_disturb_each_other(tmp_path):
    video = open_video(clip(tmp_path / "a.mp4", blocks(6)))
    for one, other in zip(video.frames(), video.frames(), strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_a_cover_picture_is_not_the_video(tmp_path):
    path = tmp_path / "a.mp4"
    frames = blocks(3)
    with av.open(str(path), "w") as output:
        cover = output.add_stream("png", rate=1)
        cover.height, cover.width, cover.pix_fmt = 16, 16, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        stream = output.add_stream("libx264rgb", rate=25, options={"qp": "0"})
        stream.height, stream.width, stream.pix_fmt = H, W, "rgb24"
        output.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")))
        for pixels in frames:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        output.mux(stream.encode(None))
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 2
    np.testing.assert_array_equal(read_frames(path), frames)


@pytest.mark.parametrize(
    ("a", "b", "c", "d", "turned"),
    [
        (1, 0, 0, 1, lambda f: f),
        (-1, 0, 0, 1, lambda f: f[:, ::-1]),
        (-1, 0, 0, -1, lambda f: np.rot90(f, 2)),
        (1, 0, 0, -1, lambda f: f[::-1]),
        (0, 1, 1, 0, lambda f: f.swapaxes(0, 1)),
        (0, 1, -1, 0, lambda f: np.rot90(f, -1)),
        (0, -1, -1, 0, lambda f: np.rot90(f, 2).swapaxes(0, 1)),
        (0, -1, 1, 0, lambda f: np.rot90(f, 1)),
    ],
)
@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_all_orientations(tmp_path, suffix, a, b, c, d, turned):
    one = 1 << 16
    matrix = [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30]
    frames = blocks(2)
    video = open_video(clip(tmp_path / f"a{suffix}", frames, turn=matrix, sample_aspect_ratio=Fraction(16, 11)))
    got = [frame.pixels for frame in video.frames()]
    np.testing.assert_array_equal(got, [turned(frame) for frame in frames])
    assert got[0].flags.c_contiguous
    assert (video.height, video.width) == turned(frames[0]).shape[:2]
    # The aspect of pixels turns with them.
    assert video.pixel_aspect == (Fraction(11, 16) if a == 0 else Fraction(16, 11))


@pytest.mark.parametrize("suffix", [".mp4", ".nut"])
def test_variable_rate(tmp_path, suffix):
    ticks = [30, 31, 60, 200, 201, 1000]
    path = clip(tmp_path / f"a{suffix}", blocks(6), ticks=ticks, base=Fraction(1, 600))
    assert [frame.time for frame in open_video(path).frames()] == [Fraction(tick, 600) for tick in ticks]


def test_broadcast_time_begins_at_the_start_of_the_file(tmp_path):
    path = coded(tmp_path / "a.ts", blocks(5), begin=7)
    assert [frame.time for frame in open_video(path).frames()] == [Fraction(n, 25) for n in range(5)]


def test_time_stamps_that_are_missing_or_fall_are_repaired():
    base = Fraction(1, 1000)
    for stamps, times in (
        ((0, 40, 80), (0, 40, 80)),
        ((None, None, None), (0, 40, 80)),
        ((100, None, 180), (100, 140, 180)),
        ((0, 80, 40, 120), (0, 80, 81, 120)),  # in place again at once
        ((0, 40, 40, 80), (0, 40, 41, 80)),
        ((0, 40, 60_000, 0, 40), (0, 40, 60_000, 60_040, 60_080)),  # a second recording
    ):
        clock = decode.Clock(Fraction(25), base)
        assert tuple(clock.time(stamp) / base for stamp in stamps) == times


def test_counts_do_not_trust_the_container(tmp_path, monkeypatch):
    monkeypatch.setattr(decode, "promised_frames", lambda stream: 5)
    video = open_video(clip(tmp_path / "a.mp4", blocks(7)))
    assert video.declared == 5
    assert video.count() == len(list(video.frames())) == 7
    assert video.lost is None


def test_a_folder_in_natural_order(tmp_path):
    frames = blocks(12)
    for n, pixels in enumerate(frames):
        write_image(tmp_path / f"Frame {n}.png", pixels)
    write_image(tmp_path / ".hidden.png", np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "readme.txt").write_text("no image")
    video = open_video(tmp_path)
    assert (video.height, video.width, video.bits, video.rate, video.declared) == (H, W, 8, 25, 12)
    assert video.count() == 12
    got = list(video.frames(1, 11, 3))
    assert [(frame.index, frame.time) for frame in got] == [(n, Fraction(n, 25)) for n in (1, 4, 7, 10)]
    for frame in got:
        np.testing.assert_array_equal(frame.pixels, frames[frame.index])
    assert video.lost is None


def test_grey_images_become_rgb_and_16_bits_stay(tmp_path):
    grey = np.random.default_rng(0).integers(0, 65536, (9, 7), dtype=np.uint16)
    write_image(tmp_path / "1.png", grey)
    got = read_frames(tmp_path)
    assert got.dtype == np.uint16
    np.testing.assert_array_equal(got[0], np.repeat(grey[..., None], 3, axis=2))


def test_is_video(tmp_path):
    assert is_video("a.mp4")
    assert is_video(tmp_path / "B.MOV")
    assert not is_video("a.png")
    assert not is_video("mp4")
    (tmp_path / "folder.mp4").mkdir()
    assert not is_video(tmp_path / "folder.mp4")
