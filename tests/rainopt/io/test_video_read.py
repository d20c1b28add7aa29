"""Videos are read frame by frame as their files mean them: upright, in true colours, at true times, to the last."""

import builtins
import gc
import logging
import os
import subprocess
import sys
import unicodedata
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rainopt.io import write_image
from rainopt.io.video import decode as video_decode
from rainopt.io.video.decode import Clock
from rainopt.io.video.read import VIDEO_SUFFIXES, VideoError, is_video, open_video, read_frames

av = pytest.importorskip("av")

H, W = 48, 64
MATRICES = {"601": (0.299, 0.114), "709": (0.2126, 0.0722), "2020": (0.2627, 0.0593)}
COLOURS = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (0, 0, 0), (0.5, 0.2, 0.8), (0.9, 0.7, 0.1)]


def drawing(n, height=H, width=W):
    """A frame without any symmetry that differs from all others."""
    rng = np.random.default_rng(n)
    frame = np.kron(rng.integers(0, 256, (height // 4, width // 4, 3)), np.ones((4, 4, 1))).astype(np.uint8)
    frame[: height // 4, : width // 3] = (250, 10, 10)
    frame[-4:, :, 2] = n
    return frame


def clip(
    path, frames, times=None, codec="libx264rgb", pix="rgb24", rate=25, base=None, options=None, turn=None, **tags
):
    """Write a lossless clip; `times` are counted in ticks of `base`."""
    options = {"qp": "0", "bf": "0"} if options is None and codec == "libx264rgb" else options or {}
    base = base or Fraction(1, rate)
    with av.open(str(path), "w", format=tags.pop("format", None), options=tags.pop("muxer", {})) as output:
        stream = output.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width, stream.pix_fmt = frames[0].shape[0], frames[0].shape[1], pix
        stream.codec_context.time_base = base
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        if turn:
            stream.set_display_matrix(turn)
        for n, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24" if pixels.dtype == np.uint8 else "rgb48le")
            frame.pts, frame.time_base = (n if times is None else times[n]), base
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def planar_clip(path, values, pix, bits, shape=(H, W), **tags):
    """Write flat YCbCr frames as they are."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=25)
        stream.height, stream.width, stream.pix_fmt = *shape, pix
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        for n, levels in enumerate(values):
            frame = av.VideoFrame(shape[1], shape[0], pix)
            for plane, level in zip(frame.planes, levels, strict=True):
                np.frombuffer(plane, np.uint8 if bits == 8 else np.uint16)[:] = level
            frame.pts, frame.time_base = n, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def sound_only(path):
    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
        frame.sample_rate, frame.pts = 48000, 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def count_one_by_one(path):
    """Frames that decode without any threads."""
    count = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        packets = [packet for packet in container.demux(stream) if packet.size]
        for packet in [*packets, None]:
            try:
                count += len(stream.decode(packet))
            except av.error.InvalidDataError:
                continue
    return count


def to_levels(rgb, matrix, bits, full):
    red, green, blue = rgb
    kr, kb = MATRICES[matrix]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)
    step, top = 2 ** (bits - 8), 2**bits - 1
    if full:
        levels = [top * luma, *(top * c + 128 * step for c in chroma)]
    else:
        levels = [(219 * luma + 16) * step, *((224 * c + 128) * step for c in chroma)]
    return [min(round(level), top) for level in levels]


def to_rgb(levels, matrix, bits, full):
    kr, kb = MATRICES[matrix]
    step, top = 2 ** (bits - 8), 2**bits - 1
    luma = levels[0] / top if full else (levels[0] / step - 16) / 219
    cb, cr = ((c - 128 * step) / top if full else (c / step - 128) / 224 for c in levels[1:])
    red, blue = luma + (2 - 2 * kr) * cr, luma + (2 - 2 * kb) * cb
    return np.clip([red, (luma - kr * red - kb * blue) / (1 - kr - kb), blue], 0, 1)


# Frames


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".mov"])
def test_frames_come_back_bit_for_bit(tmp_path, suffix):
    frames = [drawing(n) for n in range(10)]
    coding = {"codec": "ffv1", "pix": "bgr0"} if suffix == ".avi" else {}
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
    frames = [drawing(n) for n in range(20)]
    options = {"qp": "10", "bf": "3", "b-adapt": "0"}
    path = clip(tmp_path / "a.mp4", frames, codec="libx264", pix="yuv444p", options=options)
    with av.open(str(path)) as container:
        stored = [packet.pts for packet in container.demux(video=0) if packet.size]
    assert stored != sorted(stored)
    got = read_frames(path)
    far = [[np.abs(one.astype(int) - other).mean() for other in frames] for one in got]
    assert np.argmin(far, axis=1).tolist() == list(range(20))


def test_one_frame(tmp_path):
    path = clip(tmp_path / "a.mp4", [drawing(3)])
    np.testing.assert_array_equal(read_frames(path), drawing(3)[None])
    assert open_video(path).count() == 1


@pytest.mark.parametrize(("start", "stop", "step"), [(0, None, 1), (3, 9, 2), (11, None, 1), (5, 5, 1), (0, 99, 7)])
def test_chosen_frames_are_those_of_the_whole(tmp_path, start, stop, step):
    frames = [drawing(n) for n in range(12)]
    video = open_video(clip(tmp_path / "a.mp4", frames))
    got = list(video.frames(start, stop, step))
    assert [frame.index for frame in got] == list(range(12))[start:stop:step]
    assert [frame.time for frame in got] == [Fraction(frame.index, 25) for frame in got]
    for frame in got:
        np.testing.assert_array_equal(frame.pixels, frames[frame.index])


def test_frames_left_out_and_counted_are_not_converted(tmp_path, monkeypatch):
    video = open_video(clip(tmp_path / "a.mp4", [drawing(n) for n in range(12)]))
    converted = []
    convert = video_decode.ToRGB.__call__
    monkeypatch.setattr(video_decode.ToRGB, "__call__", lambda self, f: converted.append(f.pts) or convert(self, f))
    assert video.count() == 12
    assert converted == []
    list(video.frames(4, None, 3))
    assert len(converted) == 3


def test_read_frames_in_part(tmp_path):
    frames = [drawing(n) for n in range(8)]
    path = clip(tmp_path / "a.mp4", frames)
    np.testing.assert_array_equal(read_frames(path, 2, 3), frames[2:5])
    np.testing.assert_array_equal(read_frames(path, 6, 100), frames[6:])
    with pytest.raises(VideoError, match="has only 8 frames"):
        read_frames(path, 8)
    for wrong in ({"start": -1}, {"count": 0}):
        with pytest.raises(ValueError, match="must be"):
            read_frames(path, **wrong)


def test_a_step_below_one_is_refused_at_once(tmp_path):
    video = open_video(clip(tmp_path / "a.mp4", [drawing(0)]))
    with pytest.raises(ValueError, match="`step` 1 or more"):
        video.frames(step=0)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs a list of open files")
def test_files_are_closed_with_the_iterator(tmp_path):
    path = clip(tmp_path / "a.mp4", [drawing(n) for n in range(12)])
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
    video = open_video(clip(tmp_path / "a.mp4", [drawing(n) for n in range(6)]))
    for one, other in zip(video.frames(), video.frames(), strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)


# Upright


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
    video = open_video(clip(tmp_path / f"a{suffix}", [drawing(0), drawing(1)], turn=matrix))
    got = [frame.pixels for frame in video.frames()]
    np.testing.assert_array_equal(got, [turned(drawing(0)), turned(drawing(1))])
    assert got[0].flags.c_contiguous
    assert (video.height, video.width) == turned(drawing(0)).shape[:2]


def test_the_aspect_of_pixels_turns_with_them(tmp_path):
    one = 1 << 16
    turn = [0, one, 0, -one, 0, 0, 0, 0, 1 << 30]
    plain = clip(tmp_path / "a.mp4", [drawing(0)], sample_aspect_ratio=Fraction(16, 11))
    turned = clip(tmp_path / "b.mp4", [drawing(0)], sample_aspect_ratio=Fraction(16, 11), turn=turn)
    assert open_video(plain).pixel_aspect == Fraction(16, 11)
    assert open_video(turned).pixel_aspect == Fraction(11, 16)


# Colours


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(("matrix", "mark"), [("601", 5), ("601", 6), ("709", 1), ("2020", 9)])
@pytest.mark.parametrize(
    ("pix", "bits"),
    [
        ("yuv420p", 8),
        ("yuv444p", 8),
        ("yuv420p10le", 10),
        ("yuv422p10le", 10),
        ("yuv444p10le", 10),
        ("yuv444p12le", 12),
    ],
)
def test_colours_follow_matrix_and_range(tmp_path, pix, bits, matrix, mark, full):
    values = [to_levels(colour, matrix, bits, full) for colour in COLOURS]
    path = planar_clip(tmp_path / "a.mkv", values, pix, bits, colorspace=mark, color_range=2 if full else 1)
    video = open_video(path)
    assert video.bits == (8 if bits == 8 else 16)
    got = read_frames(path)
    assert got.dtype == (np.uint8 if bits == 8 else np.uint16)
    top = np.iinfo(got.dtype).max
    for frame, levels in zip(got, values, strict=True):
        want = to_rgb(levels, matrix, bits, full)
        np.testing.assert_array_equal(frame, np.broadcast_to(frame[0, 0], frame.shape))
        assert np.abs(frame[0, 0] / top - want).max() <= 0.75 / (2**bits - 1)
    assert got[3].min() == top  # white is white
    assert got[4].max() == 0


@pytest.mark.parametrize(("height", "matrix"), [(718, "601"), (720, "709")])
def test_unmarked_colours_go_by_the_height(tmp_path, height, matrix):
    values = [to_levels(colour, matrix, 8, False) for colour in COLOURS]
    got = read_frames(planar_clip(tmp_path / "a.mkv", values, "yuv420p", 8, shape=(height, 32)))
    want = [to_rgb(levels, matrix, 8, False) * 255 for levels in values]
    assert np.abs(got[:, 5, 5] - want).max() <= 0.75


@pytest.mark.parametrize(("pix", "bits"), [("gray", 8), ("gray10le", 10)])
def test_grey_is_full_range(tmp_path, pix, bits):
    top = 2**bits - 1
    got = read_frames(planar_clip(tmp_path / "a.mkv", [[0], [top // 2], [top]], pix, bits))
    scale = np.iinfo(got.dtype).max
    assert got.shape == (3, H, W, 3)
    assert np.abs(got[:, 0, 0] / scale - np.array([[0], [top // 2 / top], [1]])).max() < 0.5 / top


def test_chroma_is_interpolated(tmp_path):
    """Half-resolution chroma repeated in blocks would leave steps of two pixels."""
    ramp = np.zeros((H, W, 3), np.uint8)
    ramp[..., 0] = np.linspace(0, 255, W)
    got = read_frames(clip(tmp_path / "a.mp4", [ramp], codec="libx264", pix="yuv420p", options={"qp": "0"}))
    steps = np.diff(got[0, H // 2, 4:-4, 0].astype(int))
    assert steps.min() >= 2
    assert steps.max() <= 7


def test_a_matrix_that_is_not_known_is_refused(tmp_path):
    path = planar_clip(tmp_path / "a.mkv", [(50, 60, 70)], "yuv444p", 8, colorspace=8)
    with pytest.raises(VideoError, match=r"a\.mkv' stores its colours by matrix 8"):
        read_frames(path)


# Times


@pytest.mark.parametrize("suffix", [".mp4", ".nut"])
def test_variable_rate(tmp_path, suffix):
    ticks = [30, 31, 60, 200, 201, 1000]
    path = clip(tmp_path / f"a{suffix}", [drawing(n) for n in range(6)], ticks, base=Fraction(1, 600))
    assert [frame.time for frame in open_video(path).frames()] == [Fraction(tick, 600) for tick in ticks]


def test_broadcast_time_begins_at_the_start_of_the_file(tmp_path):
    ticks = [90000 * 7 + 3600 * n for n in range(5)]
    path = clip(tmp_path / "a.ts", [drawing(n) for n in range(5)], ticks, "libx264", "yuv420p", base=Fraction(1, 90000))
    assert [frame.time for frame in open_video(path).frames()] == [Fraction(n, 25) for n in range(5)]


def test_time_stamps_that_are_missing_or_fall_are_repaired():
    base, rate = Fraction(1, 1000), Fraction(25)

    def times(*stamps):
        clock = Clock(rate, base)
        return [clock.time(stamp) / base for stamp in stamps]

    assert times(0, 40, 80) == [0, 40, 80]
    assert times(None, None, None) == [0, 40, 80]
    assert times(100, None, 180) == [100, 140, 180]
    assert times(0, 80, 40, 120) == [0, 80, 81, 120]  # in place again at once
    assert times(0, 40, 40, 80) == [0, 40, 41, 80]
    assert times(0, 40, 60_000, 0, 40) == [0, 40, 60_000, 60_040, 60_080]  # a second recording


def test_counts_do_not_trust_the_container(tmp_path, monkeypatch):
    monkeypatch.setattr(video_decode, "promised_frames", lambda stream: 5)
    video = open_video(clip(tmp_path / "a.mp4", [drawing(n) for n in range(7)]))
    assert video.declared == 5
    assert video.count() == 7
    assert len(list(video.frames())) == 7
    assert video.lost is None


# Streams


def test_a_cover_picture_is_not_the_video(tmp_path):
    path = tmp_path / "a.mp4"
    frames = [drawing(n) for n in range(3)]
    with av.open(str(path), "w") as output:
        cover = output.add_stream("png", rate=1)
        cover.height, cover.width, cover.pix_fmt = 16, 16, "rgb24"
        cover.disposition = av.stream.Disposition.attached_pic
        stream = output.add_stream("libx264rgb", rate=25, options={"qp": "0"})
        stream.height, stream.width, stream.pix_fmt = H, W, "rgb24"
        picture = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
        output.mux(cover.encode(picture))
        for pixels in frames:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        output.mux(stream.encode(None))
    with av.open(str(path)) as container:
        assert len(container.streams.video) == 2
    np.testing.assert_array_equal(read_frames(path), frames)


# Damage


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    frames = [drawing(n) for n in range(30)]
    options = {"qp": "0", "g": "10", "bf": "2"}
    return {
        ".mp4": clip(folder / "a.mp4", frames, options=options, muxer={"movflags": "+faststart"}),
        ".mkv": clip(folder / "a.mkv", frames, options=options),
        ".avi": clip(folder / "a.avi", frames, codec="ffv1", pix="bgr0"),
    }, frames


@pytest.mark.parametrize("part", [0.2, 0.35, 0.5, 0.77, 0.9, 0.97])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_a_truncated_file_gives_what_decodes_and_tells_the_rest(tmp_path, long_clip, suffix, part):
    files, frames = long_clip
    data = files[suffix].read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data[: int(len(data) * part)])
    video = open_video(path)
    got = [frame.pixels for frame in video.frames()]
    assert 30 * part - 8 < len(got) < 30
    # The last one or two may be patched.
    np.testing.assert_array_equal(got[:-3], frames[: max(len(got) - 3, 0)])
    assert video.lost is not None
    if suffix != ".mkv":
        assert f"the last {30 - len(got)} of 30 frames cannot be decoded" in video.lost
    told = video.lost
    assert video.count() == len(got)
    assert video.lost == told


@pytest.mark.parametrize("seed", range(6))
def test_damage_in_the_middle_raises_nothing_after_the_first_frame(tmp_path, long_clip, seed):
    data = bytearray(long_clip[0][".mp4"].read_bytes())
    rng = np.random.default_rng(seed)
    start = len(data) // 3
    place = int(rng.integers(start, len(data) - 3000))
    data[place : place + 2000] = rng.bytes(2000)
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    video = open_video(path)
    count = len(list(video.frames()))
    # Damage that happens to make sense to the decoder shows in the pictures only.
    assert 10 <= count <= 30
    assert count == 30 or video.lost is not None
    assert video.count() == count


@pytest.mark.parametrize("threads", [0, 1, 8])
@pytest.mark.parametrize("frame", [6, 15, 26, 29])
def test_one_broken_frame_does_not_take_others_with_it(tmp_path, monkeypatch, frame, threads):
    """Frames that other threads decode at the time of an error are not lost."""
    frames = [drawing(n) for n in range(30)]
    path = clip(tmp_path / "a.avi", frames, codec="ffv1", pix="bgr0", options={"g": "1"})
    with av.open(str(path)) as container:
        packet = [bytes(packet) for packet in container.demux(video=0) if packet.size][frame]
    path.write_bytes(path.read_bytes().replace(packet, b"\xff" * len(packet)))
    monkeypatch.setattr(video_decode, "THREADS", threads)
    video = open_video(path)
    got = [frame.pixels for frame in video.frames()]
    assert "1 of 30 frames cannot be decoded" in video.lost
    assert len(got) == count_one_by_one(path)
    same = sum(any(np.array_equal(pixels, wanted) for wanted in frames) for pixels in got)
    assert same == 29
    assert video.count() == len(got)


def test_nothing_is_lost_where_the_end_is_cut_off_on_purpose(tmp_path):
    """An edit list hides frames that the header counts."""
    path = clip(tmp_path / "a.mp4", [drawing(n) for n in range(20)], muxer={"movie_timescale": "25"})
    data = bytearray(path.read_bytes())
    place = data.index(b"elst") + 12
    assert int.from_bytes(data[place : place + 4], "big") == 20
    data[place : place + 4] = (12).to_bytes(4, "big")
    path.write_bytes(data)
    video = open_video(path)
    assert video.count() == 12
    assert video.lost is None


# What is no video


def test_every_error_names_the_file_and_what_to_do(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("It rained all day.\n" * 100)
    whole = clip(tmp_path / "a.mp4", [drawing(n) for n in range(10)]).read_bytes()
    (tmp_path / "index.mp4").write_bytes(whole[: whole.index(b"moov") - 4])
    unknown = whole.replace(b"avc1", b"zzzz")
    (tmp_path / "unknown.mp4").write_bytes(unknown)
    sound_only(tmp_path / "sound.mp4")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / ".hidden.png").touch()
    (tmp_path / "folder" / "notes.txt").touch()
    for name, message in {
        "missing.mp4": "does not exist; check the name",
        "empty.mp4": r"is empty \(0 bytes\); obtain",
        "text.mp4": "is no video file, or damaged at its beginning .*; check",
        "index.mp4": "its index .* is missing.*; obtain",
        "unknown.mp4": "coded in a way that PyAV cannot decode; convert",
        "sound.mp4": "holds sound only; name",
        "folder": "holds no images .*; name",
    }.items():
        with pytest.raises(VideoError, match=message) as caught:
            open_video(tmp_path / name)
        assert str(caught.value).startswith(f"'{tmp_path / name}' ")


def test_a_file_none_of_whose_frames_decodes(tmp_path):
    path = clip(tmp_path / "a.mp4", [drawing(0)])
    data = bytearray(path.read_bytes())
    place = data.index(b"mdat") + 4
    size = int.from_bytes(data[place - 8 : place - 4], "big") - 8
    data[place : place + size] = bytes(size)
    path.write_bytes(data)
    with pytest.raises(VideoError, match="none of its frames can be decoded"):
        open_video(path)


def test_a_size_that_changes_is_told_with_the_frame(tmp_path):
    path = tmp_path / "a.h264"
    parts = [clip(tmp_path / f"{n}.h264", [drawing(k, *size) for k in range(4)], codec="libx264", pix="yuv420p",
                  options={"bf": "0"}) for n, size in enumerate([(48, 64), (64, 96)])]  # fmt: skip
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    video = open_video(path)
    with pytest.raises(VideoError, match=r"frame 4 has 64 x 96 pixels, the first has 48 x 64; cut it there \(stop=4\)"):
        list(video.frames())
    assert len(list(video.frames(stop=4))) == 4
    assert video.count() == 8


def test_without_av_the_extra_is_named(tmp_path, monkeypatch):
    path = clip(tmp_path / "a.mp4", [drawing(0)])
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "av":
            raise ImportError("No module named 'av'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(VideoError, match=r"pip install 'rainopt\[video\]'"):
        open_video(path)


def test_importing_does_not_import_av():
    code = "import sys, rainopt.io.video.read, rainopt.io.video.write; assert 'av' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


# Names


@pytest.mark.parametrize(
    "name", ["two words.mp4", "Régen 雨.mp4", "http:a.mp4", "concat:a|b.mp4", "f%03d.mp4", "-i.mp4"]
)
def test_names_are_names_of_plain_files(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    made = clip(tmp_path / "made.mp4", [drawing(5)])
    made.rename(tmp_path / name)
    for path in (name, Path(name), str(tmp_path / name)):
        np.testing.assert_array_equal(read_frames(path), drawing(5)[None])


def test_a_name_in_another_normal_form(tmp_path):
    path = tmp_path / unicodedata.normalize("NFD", "pluie d'été.mp4")
    clip(tmp_path / "made.mp4", [drawing(5)]).rename(path)
    assert open_video(path).count() == 1


def test_is_video(tmp_path):
    assert is_video("a.mp4")
    assert is_video(tmp_path / "B.MOV")
    assert not is_video("a.png")
    assert not is_video("mp4")
    (tmp_path / "folder.mp4").mkdir()
    assert not is_video(tmp_path / "folder.mp4")
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in VIDEO_SUFFIXES)


# Folders


def test_a_folder_in_natural_order(tmp_path):
    frames = [drawing(n) for n in range(12)]
    for n, pixels in enumerate(frames):
        write_image(tmp_path / f"Frame {n}.png", pixels)
    write_image(tmp_path / ".hidden.png", drawing(99, 8, 8))
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


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (np.zeros((8, 9, 3), np.uint8), r"frame 1 \('2.png'\) has 8 x 9 pixels, the first has 8 x 8.*stop=1"),
        (np.zeros((8, 8, 4), np.uint8), "2.png' has an alpha channel"),
        (np.zeros((8, 8, 3), np.uint16), "2.png' has 16 bits, the first image of its folder 8"),
        (None, "2.png' is empty"),
    ],
)
def test_images_that_do_not_fit(tmp_path, second, message):
    write_image(tmp_path / "1.png", np.zeros((8, 8, 3), np.uint8))
    if second is None:
        (tmp_path / "2.png").touch()
    else:
        write_image(tmp_path / "2.png", second)
    video = open_video(tmp_path)
    with pytest.raises(VideoError, match=message):
        list(video.frames())
    assert len(list(video.frames(stop=1))) == 1


def test_reading_logs_nothing(tmp_path, caplog):
    with caplog.at_level(logging.DEBUG):
        read_frames(clip(tmp_path / "a.mp4", [drawing(0)]))
    assert not caplog.records
