"""Videos hold the frames, colours and times that were written, are whole or not there, and join with their sound."""

import errno
import logging
import os
import unicodedata
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

from rainopt.io.video.read import VideoError, VideoExistsError, open_video, read_frames
from rainopt.io.video.write import WRITABLE_SUFFIXES, VideoWriter, join_parts, part_suffix
from tests.support.clips import coded, save
from tests.support.disk import full_disk

resource = pytest.importorskip("resource")

H, W = 48, 64
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (128, 50, 200), (230, 180, 20)]
SUFFIXES = [".mp4", ".m4v", ".mov", ".mkv", ".webm", ".nut"]


def flat(colour, height=H, width=W, bits=8):
    pixels = np.empty((height, width, 3), np.uint8 if bits == 8 else np.uint16)
    pixels[:] = np.array(colour) * (1 if bits == 8 else 257)
    return pixels


def marked(n):
    """A frame that tells its number by the columns that are light."""
    pixels = np.full((H, W, 3), 20, np.uint8)
    pixels[:, : 2 * n + 2] = 220
    return pixels


def noise(count):
    return list(np.random.default_rng(0).integers(0, 256, (count, H, W, 3), dtype=np.uint8))


def number(pixels):
    return int((pixels[:, :, 1].mean(axis=0) > 120).sum()) // 2 - 1


write = partial(save, quality=18)


def times_of(path):
    return [frame.time for frame in open_video(path).frames()]


def with_sound(path, seconds=1, sound="aac", begin=0):
    """A clip of grey frames and a tone."""
    return coded(path, [flat((90, 90, 90))] * (25 * seconds), sound=sound, begin=begin)


def sound_of(path):
    """Time and bytes of each packet of sound."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in packets]


# Round trips


@pytest.mark.parametrize(
    ("suffix", "size", "bits"),
    [
        *((suffix, (47, 63), 8) for suffix in SUFFIXES),
        *((suffix, (48, 63), 16) for suffix in SUFFIXES if suffix != ".webm"),
        *((suffix, (720, 32), bits) for suffix, bits in ((".mp4", 8), (".webm", 8), (".mkv", 16), (".nut", 16))),
    ],
)
def test_flat_colours_survive(tmp_path, suffix, size, bits):
    path = write(tmp_path / f"a{suffix}", [flat(colour, *size, bits) for colour in COLOURS], bits=bits)
    video = open_video(path)
    assert (video.height, video.width, video.bits) == (*size, bits)
    got = read_frames(path)
    scale = 1 if bits == 8 else 257
    assert np.abs(got / scale - np.array(COLOURS)[:, None, None, :]).max() <= 3
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_range) == (1 if size[0] >= 720 else 6, 1)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_frames_and_times_survive(tmp_path, suffix):
    times = [Fraction(tick, 600) for tick in (30, 31, 60, 200, 203, 1000, 1020)]
    options = {"time_base": Fraction(1, 600), "pixel_aspect": Fraction(16, 11)}
    video = open_video(write(tmp_path / f"a{suffix}", [marked(n) for n in range(7)], times, **options))
    assert video.pixel_aspect == (1 if suffix == ".webm" else Fraction(16, 11))
    frames = list(video.frames())
    assert [number(frame.pixels) for frame in frames] == list(range(7))
    step = Fraction(1, 2000) if suffix in (".mkv", ".webm") else 0
    assert all(abs(frame.time - time) <= step for frame, time in zip(frames, times, strict=True))


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001), Fraction(19, 7)])
def test_times_follow_the_rate_by_default(tmp_path, rate):
    path = write(tmp_path / "a.mp4", [marked(n) for n in range(12)], rate=rate)
    assert times_of(path) == [n / rate for n in range(12)]
    assert open_video(path).rate == rate
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert abs(stream.duration * stream.time_base - 12 / rate) < Fraction(1, 50_000)


def test_times_within_one_step_are_moved_to_the_next(tmp_path):
    times = [Fraction(n, 3000) for n in range(6)]
    path = write(tmp_path / "a.mkv", [marked(n) for n in range(6)], times)
    assert times_of(path) == [Fraction(n, 1000) for n in range(6)]


def test_packets_are_stored_in_the_order_of_display(tmp_path):
    for suffix in (".mp4", ".webm"):
        path = write(tmp_path / f"a{suffix}", [marked(n) for n in range(20)])
        with av.open(str(path)) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
        assert len(packets) == 20
        assert packets[0].is_keyframe
        assert all(packet.pts == packet.dts for packet in packets)


def test_frames_are_not_cut_into_slices(tmp_path):
    """PyAV asks for slices unless it is told not to, and x264 then compresses worse; it notes its settings."""
    assert b"sliced_threads=0" in write(tmp_path / "a.mp4", [flat((9, 9, 9), 720, 640)]).read_bytes()


def test_quality_follows_the_number(tmp_path):
    sizes = [write(tmp_path / f"{q}.mp4", noise(4), quality=q).stat().st_size for q in (5, 20, 40)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 2 * sizes[2]


def test_the_other_depth_is_converted(tmp_path):
    deep = read_frames(write(tmp_path / "a.mp4", [flat((200, 100, 50))], bits=16))
    assert np.abs(deep / 257 - (200, 100, 50)).max() <= 1
    plain = read_frames(write(tmp_path / "b.mp4", [flat((200, 100, 50), bits=16)]))
    assert np.abs(plain.astype(int) - (200, 100, 50)).max() <= 2


# Refusals


@pytest.mark.parametrize("name", ["a.avi", "a.png", "a", "a.mpg"])
def test_other_suffixes_are_refused_by_name(tmp_path, name):
    with pytest.raises(VideoError, match=r"its suffix '.*' is none of \.mp4, .*\.webm.*; use one of these"):
        VideoWriter(tmp_path / name, height=H, width=W, rate=Fraction(25))
    assert set(SUFFIXES) == WRITABLE_SUFFIXES


def test_ten_bits_in_webm_are_refused_where_the_encoder_lacks_them(tmp_path):
    formats = {known.name for known in av.codec.Codec("libvpx-vp9", "w").video_formats}
    if "yuv420p10le" in formats:
        pytest.skip("this build encodes them")
    with pytest.raises(VideoError, match=r"lacks yuv420p10le; choose \.mp4"):
        VideoWriter(tmp_path / "a.webm", height=H, width=W, rate=Fraction(25), bits=16)


def test_a_missing_encoder_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    with pytest.raises(VideoError, match="lacks the encoder libx264; install"):
        VideoWriter(tmp_path / "a.mp4", height=H, width=W, rate=Fraction(25))


@pytest.mark.parametrize(
    "wrong",
    [{"height": 0}, {"rate": Fraction(0)}, {"bits": 10}, {"quality": 52}, {"quality": -1}, {"time_base": Fraction(-1)}],
)
def test_parameters_out_of_range(tmp_path, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        VideoWriter(tmp_path / "a.mp4", **({"height": H, "width": W, "rate": Fraction(25)} | wrong))


def test_frames_that_do_not_fit(tmp_path):
    with VideoWriter(tmp_path / "a.mp4", height=H, width=W, rate=Fraction(25)) as writer:
        writer.write(marked(0), Fraction(1))
        for pixels in (marked(0)[:-1], marked(0)[..., 0], marked(0).astype(float)):
            with pytest.raises(ValueError, match=r"must be \(48, 64, 3\) of uint8 or uint16"):
                writer.write(pixels)
        for time in (Fraction(1), Fraction(1, 2), Fraction(-1)):
            with pytest.raises(ValueError, match="must be 0 or more and rise"):
                writer.write(marked(1), time)
        writer.write(marked(1), Fraction(2))
    assert times_of(tmp_path / "a.mp4") == [1, 2]


# Whole or not at all


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".nut"])
@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), ValueError("mine"), OSError(errno.EIO, "the source"), VideoError()]
)
def test_after_an_error_nothing_is_left_and_the_error_stays(tmp_path, suffix, error):
    path = tmp_path / f"a{suffix}"
    for left in ([], [path]):
        for old in left:
            old.write_bytes(b"old")
        with pytest.raises(type(error)) as caught, VideoWriter(path, height=H, width=W, rate=Fraction(25)) as writer:  # noqa: PT012
            writer.write(marked(0))
            writer.write(marked(1))
            raise error
        assert caught.value is error
        assert list(tmp_path.iterdir()) == left
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_nothing(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    for size in (0, 400, 60_000):
        with (
            pytest.raises(VideoError, match=rf"a\{suffix}' cannot be written \(File too large\); check"),
            full_disk(size),
        ):
            write(path, noise(30), quality=4)
        assert not list(tmp_path.iterdir())
    write(path, noise(30), quality=4)
    assert path.stat().st_size > 60_000


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"old")
    with pytest.raises(VideoExistsError, match="exists already"):
        write(tmp_path / "a.mp4", [marked(0)], overwrite=False)
    assert (tmp_path / "a.mp4").read_bytes() == b"old"
    with pytest.raises(VideoError, match="there is no folder"):
        VideoWriter(tmp_path / "none" / "a.mp4", height=8, width=8, rate=25).__enter__()
    with pytest.raises(VideoError, match="got no frame"), VideoWriter(tmp_path / "c.mp4", height=8, width=8, rate=25):
        pass
    writer = VideoWriter(tmp_path / "c.mp4", height=8, width=8, rate=25)
    with pytest.raises(VideoError, match="is not open for writing"):
        writer.write(np.zeros((8, 8, 3), np.uint8))
    assert os.listdir(tmp_path) == ["a.mp4"]


@pytest.mark.parametrize(
    "name",
    [
        "two words.mp4",
        "Régen 雨.mp4",
        unicodedata.normalize("NFD", "pluie d'été.mp4"),
        "http:a.mp4",
        "concat:a|b.mp4",
        "f%03d.mp4",
        "-i.mp4",
    ],
)
def test_names_are_names_of_plain_files(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write(Path(name), [marked(3)])
    assert os.listdir(tmp_path) == [name]
    for path in (name, Path(name), str(tmp_path / name)):
        assert number(read_frames(path)[0]) == 3


# Joining


def parts_of(folder, target, times, cuts, **kwargs):
    """Write frames in parts, each at its time in the whole."""
    paths = []
    for start, stop in zip([0, *cuts], [*cuts, len(times)], strict=True):
        path = folder / f"part{start}{part_suffix(target)}"
        paths.append(write(path, [marked(n) for n in range(start, stop)], times[start:stop], **kwargs))
    return paths


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_parts_join_to_the_whole(tmp_path, suffix):
    times = [Fraction(tick, 600) for tick in (0, 24, 25, 100, 124, 300, 330, 331, 700, 724, 748, 800)]
    target = tmp_path / f"whole{suffix}"
    parts = parts_of(tmp_path, target, times, [1, 5, 9], time_base=Fraction(1, 600))
    assert join_parts(parts, target) == target
    frames = list(open_video(target).frames())
    assert [number(frame.pixels) for frame in frames] == list(range(12))
    step = Fraction(1, 2000) if suffix in (".mkv", ".webm") else 0
    assert all(abs(frame.time - time) <= step for frame, time in zip(frames, times, strict=True))
    np.testing.assert_array_equal([frame.pixels for frame in frames], np.concatenate([read_frames(p) for p in parts]))


@pytest.mark.parametrize("bits", [8, 16])
def test_depth_and_colours_survive_joining(tmp_path, bits):
    parts = [
        write(tmp_path / f"{n}.nut", [flat(colour, 720, 32, bits)], [Fraction(n, 25)], bits=bits)
        for n, colour in enumerate(COLOURS)
    ]
    got = read_frames(join_parts(parts, tmp_path / "a.mp4"))
    assert got.dtype.itemsize * 8 == bits
    assert np.abs(got / (1 if bits == 8 else 257) - np.array(COLOURS)[:, None, None, :]).max() <= 3


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp4", "aac"), (".mov", "aac"), (".mkv", "aac"), (".mkv", "pcm_s16le")]
)
def test_sound_is_copied_at_its_times(tmp_path, suffix, codec):
    source, target = with_sound(tmp_path / "source.mkv", 2, codec), tmp_path / f"a{suffix}"
    times = times_of(source)
    join_parts(parts_of(tmp_path, target, times[:30], [7, 19]), target, rest_from=source)
    # That of AAC begins before the pictures, which does not move them.
    assert (sound_of(source)[0][0] < 0) == (codec == "aac")
    assert times_of(target) == times[:30]
    wanted = [(time, data) for time, data in sound_of(source) if time >= 0 or suffix != ".mkv"]
    got = sound_of(target)
    assert [data for _, data in got] == [data for _, data in wanted]
    assert max(abs(one - other) for (one, _), (other, _) in zip(got, wanted, strict=True)) <= Fraction(1, 1000)
    assert open_video(target).has_audio


def test_broadcast_sound_stays_with_its_pictures(tmp_path):
    source = with_sound(tmp_path / "source.ts", begin=Fraction(100))
    times = times_of(source)
    assert times[0] < Fraction(1, 5)
    target = tmp_path / "a.mp4"
    join_parts(parts_of(tmp_path, target, times[:10], [5]), target, rest_from=source)
    assert times_of(target) == times[:10]
    with av.open(str(source)) as container:
        start = container.streams.video[0].start_time * Fraction(1, 90000)
    gap = sound_of(source)[10][0] - start
    assert abs(sound_of(target)[10][0] - times[0] - gap) < Fraction(1, 1000)


def test_sound_that_does_not_fit_is_left_out_with_a_warning(tmp_path, caplog):
    source = with_sound(tmp_path / "source.mp4")
    target = tmp_path / "a.webm"
    parts = parts_of(tmp_path, target, [Fraction(n, 25) for n in range(6)], [3])
    with caplog.at_level(logging.WARNING):
        join_parts(parts, target, rest_from=source)
    assert "without the sound of track 1" in caplog.text
    video = open_video(target)
    assert video.count() == 6
    assert not video.has_audio


def test_a_source_without_sound(tmp_path, caplog):
    source = write(tmp_path / "source.mp4", [marked(0)])
    target = join_parts([write(tmp_path / "p.nut", [marked(0)])], tmp_path / "a.mp4", rest_from=source)
    assert not open_video(target).has_audio
    assert not caplog.records


def test_parts_that_do_not_join(tmp_path):
    one = write(tmp_path / "1.nut", [marked(n) for n in range(4)])
    target = tmp_path / "a.mp4"
    wide = write(tmp_path / "2.nut", [flat((9, 9, 9), H, 2 * W)], [Fraction(1)])
    with pytest.raises(VideoError, match=r"2\.nut' does not continue .*; write all parts alike"):
        join_parts([one, wide], target)
    early = write(tmp_path / "3.nut", [marked(0)], [Fraction(3, 25)])
    with pytest.raises(VideoError, match=r"3\.nut' begins at 0\.12 s, before the part ahead of it ends"):
        join_parts([one, early], target)
    with pytest.raises(VideoError, match="there are no parts"):
        join_parts([], target)
    with pytest.raises(VideoError, match="does not exist"):
        join_parts([one, tmp_path / "none.nut"], target)
    with pytest.raises(VideoError, match=r"cannot hold the pictures .* suffix \.webm"):
        join_parts([one], tmp_path / "a.webm")
    target.write_bytes(b"old")
    with pytest.raises(VideoExistsError):
        join_parts([one], target, overwrite=False)
    assert target.read_bytes() == b"old"
    assert not [file for file in tmp_path.iterdir() if file.suffix == ".tmp"]


def test_joining_on_a_full_disk_leaves_nothing(tmp_path):
    part = write(tmp_path / "1.nut", noise(10), quality=4)
    with pytest.raises(VideoError, match="cannot be written"), full_disk(20_000):
        join_parts([part], tmp_path / "a.mp4")
    assert [file.name for file in tmp_path.iterdir()] == ["1.nut"]
