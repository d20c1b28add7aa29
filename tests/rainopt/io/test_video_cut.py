"""A part of a video is a video of its own; numbered pictures are one where their names say so."""

from fractions import Fraction

import av
import numpy as np
import pytest

from rainopt.io import write_image
from rainopt.io.video.common import VideoError
from rainopt.io.video.cut import CutVideo
from rainopt.io.video.numbering import pattern_of, siblings_of
from rainopt.io.video.read import open_video
from rainopt.io.video.span import FrameFolders, Moment, Span
from rainopt.io.video.write import VideoWriter, join_parts
from tests.support.clips import blocks, coded, save


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("12.5", 12.5), (".5", 0.5), ("1:02.5", 62.5), ("1:00:02", 3602), ("90", 90)]
)
def test_a_moment_is_seconds(text, seconds):
    assert Moment.of(text) == Moment(Fraction(seconds))


@pytest.mark.parametrize(
    "text", ["", "-1", "1:75", "f", "1.5f", "-3f", "nan", "inf", "1e3", "１２", "1:2:3:4", "x", " 1"]
)
def test_what_is_no_moment_is_told_what_one_is(text):
    with pytest.raises(ValueError, match=r"must be seconds, as 12\.5 or 1:02\.5, or a frame, as 300f, got"):
        Moment.of(text)


def span(start=None, stop=None):
    return Span(start and Moment.of(start), stop and Moment.of(stop))


@pytest.mark.parametrize("ends", [("2", "2"), ("5f", "4f"), (None, "0"), (None, "0f"), ("1:00", "30")])
def test_a_span_that_ends_before_it_begins_is_refused(ends):
    with pytest.raises(ValueError, match="must lie behind the start"):
        span(*ends)
    assert span("5f", "0.1")  # only the video tells


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Ten frames, 25 a second, from 0.4 s on."""
    times = [Fraction(10 + k, 25) for k in range(10)]
    return save(tmp_path_factory.mktemp("clip") / "a.mkv", blocks(10), times)


@pytest.mark.parametrize(
    ("ends", "first", "count"),
    [
        ((None, None), 0, 10),
        (("3f", "7f"), 3, 4),
        (("0.48", None), 2, 8),  # a frame that is shown just then is in
        (("0.49", "0.6"), 3, 2),
        (("8f", "100"), 8, 2),
        (("0.4", "3f"), 0, 3),
    ],
)
def test_its_frames_are_those_of_the_whole_from_0_on(clip, ends, first, count):
    whole = list(open_video(clip).frames())
    video = CutVideo(clip, span(*ends))
    got = list(video.frames())
    assert [frame.index for frame in got] == list(range(count))
    start = whole[first].time if any(ends) else 0
    assert [frame.time + start for frame in got] == [frame.time for frame in whole[first : first + count]]
    for frame, same in zip(got, whole[first:], strict=False):
        np.testing.assert_array_equal(frame.pixels, same.pixels)
    assert [frame.index for frame in video.frames(1, 3)] == [1, 2][: count - 1]
    assert video.count() == count
    assert video.first == first
    behind = whole[first + count].time if first + count < 10 else None
    assert video.between == ((start, behind) if any(ends) else (0, None))


def test_a_part_without_frames_says_what_there_is(clip):
    for ends, read in ((("5", None), "9f at 0.76 s"), (("0.41", "0.43"), "1f at 0.44 s")):
        with pytest.raises(VideoError, match=rf"no frame in --start {ends[0]}.*; it was read to frame {read}"):
            list(CutVideo(clip, span(*ends)).frames())


@pytest.mark.parametrize(
    ("moment", "ends", "number"),
    [("0", (), 0), ("0.45", (), 1), ("0.48", (), 2), ("0.79", (), 9), ("9f", (), 9), ("5f", ("3f", "7f"), 2)],
)
def test_the_frame_of_a_moment(clip, moment, ends, number):
    assert CutVideo(clip, span(*ends)).number_of(Moment.of(moment)) == number


@pytest.mark.parametrize(("moment", "ends"), [("0.9", ()), ("10f", ()), ("2f", ("3f", "7f")), ("7f", ("3f", "7f"))])
def test_no_frame_at_a_moment(clip, moment, ends):
    with pytest.raises(
        VideoError, match=f"shows no frame.* at {moment}; it was read to frame .*: choose another moment"
    ):
        CutVideo(clip, span(*ends)).number_of(Moment.of(moment))


def test_sound_is_cut_with_the_pictures(tmp_path):
    source = coded(tmp_path / "a.mp4", blocks(50), sound=True)
    with VideoWriter(tmp_path / "p.nut", height=48, width=64, rate=Fraction(25), time_base=Fraction(1, 25)) as part:
        for frame in CutVideo(source, span("0.4", "1.2")).frames():
            part.write(frame.pixels, frame.time)
    begin, end = Fraction(2, 5), Fraction(6, 5)
    join_parts([tmp_path / "p.nut"], tmp_path / "b.mp4", rest_from=source, between=(begin, end))

    def sound(path):
        with av.open(str(path)) as file:
            return {p.pts * p.time_base: bytes(p) for p in file.demux(audio=0) if p.size}

    whole, got = sound(source), sound(tmp_path / "b.mp4")
    kept = {time - begin: packet for time, packet in whole.items() if begin <= time < end}
    assert list(got.values()) == list(kept.values())
    assert all(abs(a - b) < Fraction(1, 1000) for a, b in zip(got, kept, strict=True))


def folder(path, *names, size=(8, 8)):
    path.mkdir(exist_ok=True)
    for name in names:
        write_image(path / name, np.full((*size, 3), len(name), np.uint8))
    return path


def test_numbered_pictures_are_shown_at_the_rate_that_is_asked_for(tmp_path):
    video = CutVideo(folder(tmp_path / "in", "f2.png", "f10.png", "f1.png"), span("1f"), FrameFolders(Fraction(10)))
    assert [file.name for file in video.files] == ["f2.png", "f10.png"]
    assert [frame.time for frame in video.frames()] == [0, Fraction(1, 10)]
    assert video.declared == 2


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["1.png", "2.png", "3.png"], None),
        (["x8y_010.png", "x8y_020.png", "x8y_030.png"], None),
        (["1.png", "2.png", "6.png", "8.png"], r"4 numbers missing (3 to 5, 7), the frames around follow each other"),
        (["1.png", "2.png", "notes.txt"], "left out of '{}': notes.txt"),
    ],
)
def test_gaps_and_other_files_are_told(tmp_path, names, told):
    path = folder(tmp_path / "in", *(name for name in names if name.endswith(".png")))
    for name in set(names) - {file.name for file in path.iterdir()}:
        (path / name).touch()
    video = CutVideo(path, folders=FrameFolders())
    assert sum(1 for _ in video.frames()) == sum(name.endswith(".png") for name in names)
    assert video.lost == (told and told.format(path))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["1.png", "2.png", "cover.png"], "holds cover.png beside frames named like '1.png'"),
        (["a1.png", "a2.png", "b3.png"], "holds b3.png beside"),
        (["1.png", "2.png", "3.jpg"], "holds 3.jpg beside"),
        (["1.png", "01.png"], "holds the frame 1 twice"),
        (["a.png", "b.png"], "holds no numbered pictures"),
    ],
)
def test_pictures_that_are_not_of_one_video_are_refused_by_name(tmp_path, names, message):
    with pytest.raises(VideoError, match=message):
        CutVideo(folder(tmp_path / "in", *names), folders=FrameFolders())


def test_a_size_that_changes_names_the_option_that_cuts(tmp_path):
    path = folder(tmp_path / "in", "1.png", "2.png")
    folder(path, "3.png", size=(9, 8))
    with pytest.raises(
        VideoError, match=r"frame 2 \('3.png'\) has 9 x 8 .* save all at one size, or cut it .*--stop 2f"
    ):
        list(CutVideo(path, folders=FrameFolders()).frames())
    assert len(list(CutVideo(path, span(None, "2f"), FrameFolders()).frames())) == 2


def test_patterns_are_names_with_one_number(tmp_path):
    assert pattern_of("a.png") is None
    assert pattern_of("50%.png") is None
    assert pattern_of("f_%04d.png").name(0) == "f_0001.png"
    assert pattern_of("%d.png").name(11) == "12.png"
    for name in ("%s.png", "%d_%d.png", "%05x.png"):
        with pytest.raises(ValueError, match="has no place for one number; write it as in"):
            pattern_of(name)
    path = folder(tmp_path / "in", "f1.png", "f22.png", "g1.png", "f.png")
    assert [file.name for file in siblings_of(path / "f1.png")] == ["f1.png", "f22.png"]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
@pytest.mark.parametrize(("ends", "number"), [((None, None), 45), (("20f", "1:00"), 25)])
def test_a_jump_lands_on_the_same_frames(tmp_path, name, ends, number):
    source = coded(tmp_path / name, blocks(60), begin=90 if name == "a.ts" else 0, options={"bf": "2", "g": "8"})
    whole, jumped = CutVideo(source, span(*ends)), CutVideo(source, span(*ends))
    jumped.skip_to(Fraction(8, 5))
    for moment in ("50f", "2", "2.03"):
        assert jumped.number_of(Moment.of(moment)) == whole.number_of(Moment.of(moment))
    for got, same in zip(jumped.frames(number, number + 3), whole.frames(number, number + 3), strict=True):
        assert (got.index, got.time) == (same.index, same.time)
        np.testing.assert_array_equal(got.pixels, same.pixels)
    assert jumped.first == whole.first
    with pytest.raises(VideoError, match="shows no frame"):
        jumped.number_of(Moment.of("5"))


def test_what_cannot_be_jumped_in_is_read_from_its_beginning(tmp_path):
    for source in (coded(tmp_path / "a.h264", blocks(20)), folder(tmp_path / "in", "1.png", "2.png")):
        video = CutVideo(source)
        video.skip_to(Fraction(1, 25))
        assert [frame.index for frame in video.frames(1, 2)] == [1]
