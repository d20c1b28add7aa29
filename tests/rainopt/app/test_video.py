"""A video becomes a video with the same frames at the same times and the same sound, whatever derains them."""

import errno
import functools
import re
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from rainopt.app.results import OutputSettings, results_of
from rainopt.app.video import VideoRecord
from rainopt.io import read_image
from rainopt.io.video.read import open_video, read_frames
from tests.support import records
from tests.support.clips import coded, rained, save, view
from tests.support.disk import full_disk
from tests.support.stretches import darken, parts_of, sound_of, times_of
from tests.support.tracks import full

H, W, COUNT = 120, 160, 30
done = functools.partial(records.done, darken)
refused = functools.partial(records.refused, darken)


@functools.cache
def frames(count=COUNT):
    return rained(view(), "light", count)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return save(tmp_path_factory.mktemp("clip") / "clip.mp4", frames())


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".nut", ".webm"])
def test_frames_and_times_are_those_of_the_source(tmp_path, clip, suffix):
    target = tmp_path / "out" / f"a{suffix}"
    record = done(clip, target)
    got, expected = read_frames(target), read_frames(clip)
    assert got.shape == (COUNT, H, W, 3)
    # Three stretches, each darker by 8 levels than the one before.
    for first, by in ((0, 8), (12, 16), (24, 24)):
        stretch = slice(first, first + 12)
        darker = np.maximum(expected[stretch], by) - by
        assert np.abs(got[stretch] - darker.astype(int)).mean() < 2.5
    tick = Fraction(1, 2000) if suffix == ".webm" else 0
    assert max(abs(a - b) for a, b in zip(times_of(target), times_of(clip), strict=True)) <= tick
    assert open_video(target).rate == 25
    assert (record.frames, record.scenes, record.angles, record.kept_parts) == (COUNT, 1, [8.0] * 3, 0)
    assert (record.height, record.width, record.lost) == (H, W, None)
    assert list(target.parent.iterdir()) == [target]


def test_a_rate_that_varies(tmp_path):
    ticks = np.cumsum(np.random.default_rng(2).choice([20, 21, 33, 50, 400], COUNT))
    times = [Fraction(int(tick), 600) for tick in ticks]
    source = save(tmp_path / "a.mp4", frames(), times, time_base=Fraction(1, 600))
    assert times_of(source) == times
    done(source, tmp_path / "b.mp4")
    assert times_of(tmp_path / "b.mp4") == times


def test_a_rotated_video_is_upright(tmp_path):
    one = 1 << 16
    turned = [np.ascontiguousarray(np.rot90(frame)) for frame in frames(5)]
    source = coded(tmp_path / "a.mp4", turned, turn=[0, one, 0, -one, 0, 0, 0, 0, 1 << 30])
    record = done(source, tmp_path / "b.mp4")
    assert (record.height, record.width) == (H, W)
    assert np.abs(read_frames(tmp_path / "b.mp4") - read_frames(source).astype(int)).mean() < 12
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert next(container.decode(video=0)).rotation == 0


def test_sound_is_copied_bit_for_bit(tmp_path):
    source = coded(tmp_path / "a.mp4", frames(), sound=True)
    done(source, tmp_path / "out" / "a.mp4")
    before, after = sound_of(source), sound_of(tmp_path / "out" / "a.mp4")
    assert len(before) > 50
    assert after == before


def test_odd_sides_deep_frames_and_a_single_one(tmp_path):
    deep = [frame.astype(np.uint16) * 257 + 64 for frame in np.minimum(frames(3), 250)]
    odd = [frame[:-1, :-1] for frame in frames(3)]
    for pictures, bits, kind in ((deep[:1], 16, "yuv420p10le"), (deep, 16, "yuv420p10le"), (odd, 8, "yuv444p")):
        source = save(tmp_path / "a.mkv", pictures, bits=bits, overwrite=True)
        record = done(source, tmp_path / "b.mp4", OutputSettings(crf=5, overwrite=True))
        video = open_video(tmp_path / "b.mp4")
        assert (video.bits, video.count(), (video.height, video.width)) == (bits, len(pictures), pictures[0].shape[:2])
        assert record.frames == len(pictures)
        with av.open(str(tmp_path / "b.mp4")) as container:
            assert container.streams.video[0].format.name == kind


@pytest.mark.parametrize("bits", [8, 16])
def test_a_comparison(tmp_path, bits):
    output, target = OutputSettings(crf=0, compare=True, save_rain=True), tmp_path / "a.mp4"
    assert results_of(target, output) == {"derained": target, "compare": tmp_path / "a_compare.png"}
    source = save(tmp_path / "in.mkv", [frame.astype(f"uint{bits}") << (bits - 8) for frame in frames()], bits=bits)
    done(source, target, output)
    sheet = read_image(tmp_path / "a_compare.png").astype(int)
    gap = (sheet.shape[1] - 3 * W) // 2
    first, second, third = (sheet[-H:, k * (W + gap) :][:, :W] for k in range(3))
    before, after = (
        next(open_video(path).frames(COUNT // 2)).pixels / 257 ** (bits // 16) for path in (source, target)
    )
    assert np.abs(first - before).max() <= 1
    assert np.abs(second - after).max() <= 1
    taken = np.clip(before - after, 0, 255).mean(axis=-1)
    np.testing.assert_allclose(third[..., 0], np.clip(3 * taken, 0, 255), atol=3)
    # Missing, it is made of the result that is there.
    stamp = target.stat().st_mtime_ns
    (tmp_path / "a_compare.png").unlink()
    assert done(source, target, output).line().endswith("was there; compared")
    np.testing.assert_array_equal(read_image(tmp_path / "a_compare.png"), sheet)
    assert target.stat().st_mtime_ns == stamp


def test_progress_rises_to_one(tmp_path, clip):
    shares = []
    done(clip, tmp_path / "a.mp4", progress=shares.append)
    assert len(shares) > COUNT / 2
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert all(0 < share < 1 for share in shares[:-1])


def test_a_line_says_what_was_done():
    facts = {"frames": 30, "scenes": 2, "angles": [7.0, 9.5], "dry": 0.5, "still": 0.25, "lost": "half of it is lost"}
    record = VideoRecord("a.mp4", "b.mp4", "ok", **facts, seconds=2.0)
    assert record.line() == (
        "a.mp4 → b.mp4  30 frames in 2 scenes; rain at +7.0° to +9.5°; no rain seen in 50 % of them, left as they are "
        "(--angle derains them); 25 % helped by the background of a still camera; half of it is lost, 2.0 s (15.0 "
        "frames/s)"
    )
    plain = VideoRecord("a.mp4", "b.mp4", "ok", frames=30, scenes=1, angles=[8.0, 8.0], dry=0.0, still=0.0, seconds=2.0)
    assert plain.line() == "a.mp4 → b.mp4  30 frames; rain at +8.0°, 2.0 s (15.0 frames/s)"


def test_a_result_that_is_there_is_kept(tmp_path, clip):
    target = tmp_path / "a.mp4"
    target.write_bytes(b"kept")
    assert darken(clip, target) == VideoRecord(str(clip), str(target), "skipped")
    # There is no need to look at the source.
    assert darken(tmp_path / "gone.mp4", target).status == "skipped"
    assert target.read_bytes() == b"kept"
    assert list(tmp_path.iterdir()) == [target]
    done(clip, target, OutputSettings(overwrite=True))
    assert len(read_frames(target)) == COUNT


@pytest.mark.parametrize("name", ["a.avi", "a.png", "a"])
def test_a_suffix_that_is_not_written(tmp_path, clip, name):
    message = refused(clip, tmp_path / "out" / name)
    assert f"{name}' cannot be written; use .m4v, .mkv, .mov, .mp4, .nut, .webm" in message
    # What is no video is refused before there is a folder for it, too.
    (tmp_path / "text.mkv").write_text("no video")
    assert f"'{tmp_path / 'text.mkv'}' cannot be read" in refused(tmp_path / "text.mkv", tmp_path / "out" / "a.mp4")
    assert not (tmp_path / "out").exists()


def test_what_decodes_of_a_torn_file_is_written_and_the_rest_told(tmp_path):
    source = coded(tmp_path / "a.ts", frames())
    content = source.read_bytes()
    source.write_bytes(content[: int(0.7 * len(content))])
    record = done(source, tmp_path / "b.mkv")
    assert 10 < record.frames < COUNT
    assert record.lost
    got = times_of(tmp_path / "b.mkv")
    assert len(got) == record.frames
    assert all(abs(a - b) <= Fraction(1, 1000) for a, b in zip(got, times_of(source), strict=True))


def test_frames_of_another_size_are_left_out_and_told(tmp_path):
    source = coded(tmp_path / "a.h264", frames(16))
    whole = source.read_bytes()
    source.write_bytes(whole + coded(tmp_path / "small.h264", [frame[:64, :96] for frame in frames(4)]).read_bytes())
    record = done(source, tmp_path / "a.mp4")
    assert record.frames == 16
    assert "4 frames of another size than the first are left out, from frame 16 on (64 x 96 pixels)" in record.line()
    assert len(read_frames(tmp_path / "a.mp4")) == 16


def test_a_disk_that_is_full_while_joining_keeps_the_parts(tmp_path, clip):
    target, whole = tmp_path / "out" / "a.mp4", tmp_path / "whole.mp4"
    done(clip, whole)
    # Room for each part, and not for the whole.
    with full_disk(int(0.7 * whole.stat().st_size)):
        record = darken(clip, target)
    assert record.status == "failed"
    assert f"'{target}' cannot be written (File too large)" in record.error
    assert list(target.parent.iterdir()) == [parts_of(target)]
    assert done(clip, target).kept_parts == 3
    np.testing.assert_array_equal(read_frames(target), read_frames(whole))
    assert list(target.parent.iterdir()) == [target]


def test_a_place_that_cannot_be_written(tmp_path, clip, monkeypatch):
    (tmp_path / "a.mp4").mkdir()
    assert "a folder has the name of the result" in refused(clip, tmp_path / "a.mp4")
    (tmp_path / "file").write_text("no folder")
    assert f"'{tmp_path / 'file'}" in refused(clip, tmp_path / "file" / "a.mp4")
    real = Path.mkdir

    def refuse(self, *arguments, **options):
        if self.name.endswith(".parts"):
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return real(self, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert f"'{parts_of(tmp_path / 'b.mp4')}': Permission denied" in refused(clip, tmp_path / "b.mp4")


def test_whatever_goes_wrong_is_a_record(tmp_path, clip):
    # A length that is no number ends the first stretch with an error of Python's.
    assert re.search(f"'{clip}': TypeError: .+", refused(clip, tmp_path / "a.mp4", length="twelve"))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_a_video_in_which_nothing_was_done_is_copied(tmp_path, suffix):
    source = full(tmp_path / "a.mp4", sound=("aac",))
    target = tmp_path / f"b{suffix}"
    record = done(source, target, dry=[True, True, True])
    assert record.copied is (True if suffix != ".webm" else None)  # WebM holds no H.264
    assert ("copied as it is" in record.line()) == bool(record.copied)
    assert (record.told is None) == (suffix != ".webm")
    if suffix == ".mp4":
        assert target.read_bytes() == source.read_bytes()
    if suffix == ".mkv":
        np.testing.assert_array_equal(read_frames(target), read_frames(source))
    assert not parts_of(target).exists()
    # Rain in one stretch is enough for the whole to be written.
    assert done(source, tmp_path / f"c{suffix}", dry=[True, False, True]).copied is None


def test_what_a_result_lacks_is_told_once_and_in_the_record(tmp_path, caplog):
    source, target = full(tmp_path / "a.mkv", sound=("aac",), subtitles=("srt",)), tmp_path / "b.webm"
    record = done(source, target)
    lacks = "the sound of track 1 (aac)"
    assert record.told == [
        f"'{target}' is written without {lacks} of '{source}', which it cannot hold; .mkv holds more",
        f"'{target}': the subtitles of track 2 become webvtt",
    ]
    assert [entry.getMessage() for entry in caplog.records] == record.told
    assert record.as_dict()["told"] == record.told


def test_marks_of_the_source_are_those_of_the_result(tmp_path):
    source = coded(
        tmp_path / "a.mp4",
        frames(14),
        "libx265",
        "yuv420p10le",
        options={"x265-params": "log-level=none"},
        color_primaries=9,
        color_trc=16,
        colorspace=9,
    )
    done(source, tmp_path / "b.mp4")
    marks = open_video(tmp_path / "b.mp4").marks
    assert (marks.primaries, marks.transfer, marks.matrix, marks.bits) == (9, 16, 9, 10)
