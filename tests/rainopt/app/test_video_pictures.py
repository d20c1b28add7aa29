"""Folders of numbered pictures are videos, in and out; parts of videos, and regions that are left alone."""

import functools
import os
from fractions import Fraction

import numpy as np
import pytest

from rainopt.app.keep import Keep
from rainopt.app.results import OutputSettings
from rainopt.io import read_image, read_image_file, write_image
from rainopt.io.images.metadata import ImageMetadata
from rainopt.io.video.numbering import pattern_of
from rainopt.io.video.read import open_video, read_frames
from rainopt.io.video.span import FrameFolders, Moment, Span
from tests.support import records
from tests.support.clips import blocks, coded, save
from tests.support.photos import files
from tests.support.stretches import darken, parts_of, sound_of, times_of

COUNT = 30
done = functools.partial(records.done, darken)
refused = functools.partial(records.refused, darken)


def output(pattern=None, rate=25, **more):
    folders = FrameFolders(Fraction(rate), pattern and pattern_of(pattern))
    return OutputSettings(**{"crf": 5, "folders": folders} | more)


@functools.cache
def grey():
    """Frames whose colours no encoder changes."""
    return [frame[..., :1].repeat(3, axis=-1) for frame in blocks(COUNT)]


def deep():
    return [(frame.astype(np.uint16) << 8) + 2 for frame in grey()]


@pytest.fixture(scope="module")
def shots(tmp_path_factory):
    """Thirty pictures of 16 bits that are numbered from 5 on."""
    folder = tmp_path_factory.mktemp("shots") / "take 1"
    folder.mkdir()
    for number, picture in enumerate(deep(), 5):
        write_image(folder / f"t1_{number:04}.png", picture, metadata=ImageMetadata(resolution=(300.0, 300.0)))
    return folder


def darker(pictures, first=0):
    """What `darken` makes of pictures of 16 bits: three stretches, each darker than the one before."""
    by = [8 * (1 + (k - first) // 12) << 8 for k in range(first, first + len(pictures))]
    return [np.maximum(picture, dark) - dark for picture, dark in zip(pictures, by, strict=True)]


def test_a_folder_becomes_a_folder_of_the_same_names_depth_and_metadata(tmp_path, shots):
    target = tmp_path / "out" / "take 1" / "t1_0005.png"
    record = done(shots, target, output())
    assert (record.output, record.last, record.frames) == (str(target), str(target.with_name("t1_0034.png")), COUNT)
    assert f"{target} to t1_0034.png  30 frames" in record.line()
    assert files(target.parent).keys() == files(shots).keys()
    for expected, source in zip(darker(deep()), sorted(shots.iterdir()), strict=True):
        got = read_image_file(target.with_name(source.name))
        np.testing.assert_array_equal(got.pixels, expected)
        assert got.metadata.resolution == pytest.approx((300, 300), abs=0.1)
    assert darken(shots, target, output()).status == "skipped"


def test_a_folder_becomes_a_video_at_the_rate_asked_for(tmp_path, shots):
    done(shots, tmp_path / "a.mkv", output(rate=10, crf=0))
    assert open_video(tmp_path / "a.mkv").bits == 16
    assert times_of(tmp_path / "a.mkv") == [Fraction(k, 10) for k in range(COUNT)]
    error = read_frames(tmp_path / "a.mkv").astype(int) - np.stack(darker(deep()))
    assert abs(error).mean() < 257  # a level of 8 bits


@pytest.mark.parametrize(
    ("pattern", "names"), [("f%03d.png", ["f001.png", "f030.png"]), ("%d.jpg", ["1.jpg", "30.jpg"])]
)
def test_a_video_becomes_numbered_pictures(tmp_path, pattern, names):
    source = save(tmp_path / "a.mkv", grey())
    target = tmp_path / "out" / names[0]
    record = done(source, target, output(pattern, compare=True))
    assert record.last == str(target.with_name(names[1]))
    assert len(files(target.parent)) == COUNT
    last = np.maximum(read_frames(source)[-1], 24) - 24
    assert np.abs(read_image(target.with_name(names[1])) - last.astype(int)).mean() < 4
    assert (tmp_path / "out_compare.png").is_file()


def test_it_goes_on_where_it_was_stopped(tmp_path, shots, monkeypatch):
    target, whole = tmp_path / "out" / "t1_0005.png", tmp_path / "whole" / "t1_0005.png"
    done(shots, whole, output())
    with pytest.raises(KeyboardInterrupt):
        darken(shots, target, output(), stop=2)
    assert list(target.parent.iterdir()) == [parts_of(target)]
    # Interrupted once more, while pictures take their place; the first is the last.
    with monkeypatch.context() as patch:
        placed, real = [], os.link

        def link(file, place):
            if len(placed) == COUNT - 1:
                raise KeyboardInterrupt
            placed.append(place)
            real(file, place)

        patch.setattr("os.link", link)
        with pytest.raises(KeyboardInterrupt):
            darken(shots, target, output())
    assert not target.exists()
    assert done(shots, target, output()).kept_parts == 3
    assert files(target.parent) == files(whole.parent)


def test_pictures_that_are_there_are_not_overwritten(tmp_path, shots):
    target = tmp_path / "out" / "t1_0005.png"
    target.parent.mkdir()
    for name in ("t1_0007.png", "notes.txt"):
        target.with_name(name).write_bytes(b"mine")
    before = files(target.parent)
    message = darken(shots, target, output()).error
    assert f"'{target.parent}' holds 1 of the pictures that would be written (t1_0007.png); choose another" in message
    assert {name: data for name, data in files(target.parent).items() if not name.startswith(".")} == before
    done(shots, target, output(overwrite=True))
    assert len(files(target.parent)) == COUNT + 1
    assert target.with_name("notes.txt").read_bytes() == b"mine"


def test_what_cannot_be_done_leaves_no_folder(tmp_path, shots):
    assert "has no frame in --start 99f" in refused(
        shots, tmp_path / "out" / "1.png", output(span=Span(Moment.of("99f")))
    )
    assert not (tmp_path / "out").exists()


def test_a_part_of_a_video_is_as_if_the_rest_were_not_there(tmp_path):
    source = coded(tmp_path / "a.mp4", grey(), sound=True)
    span = Span(Moment.of("0.4"), Moment.of("25f"))
    record = done(source, tmp_path / "b.mp4", output(folders=None, span=span))
    assert record.frames == 15
    assert times_of(tmp_path / "b.mp4") == [Fraction(k, 25) for k in range(15)]
    expected = read_frames(source, 10, 12).astype(int)
    assert np.abs(read_frames(tmp_path / "b.mp4", 0, 12) - np.maximum(expected - 8, 0)).mean() < 4
    whole, got = sound_of(source), sound_of(tmp_path / "b.mp4")
    assert 0.4 * len(whole) < len(got) < 0.55 * len(whole)
    assert any(whole[k : k + len(got)] == got for k in range(len(whole)))
    # Also where nothing is done to it.
    dry = done(source, tmp_path / "dry.mp4", output(folders=None, span=span), dry=[True, True])
    assert (dry.frames, dry.copied, len(read_frames(tmp_path / "dry.mp4"))) == (15, None, 15)
    # Parts are of one span.
    with pytest.raises(KeyboardInterrupt):
        darken(source, tmp_path / "c.mp4", output(folders=None, span=span), stop=1)
    assert done(source, tmp_path / "c.mp4", output(folders=None)).kept_parts == 0


def test_a_region_of_a_video_comes_out_as_it_went_in(tmp_path, shots):
    target, keep = tmp_path / "out" / "t1_0005.png", Keep.of(["8,4,16,12", "60,40,4,8"])
    kept = np.zeros((48, 64), bool)
    kept[4:16, 8:24] = kept[40:48, 60:64] = True
    done(shots, target, output(keep=keep))
    for picture, expected, name in zip(deep(), darker(deep()), sorted(files(shots)), strict=True):
        got = read_image(target.with_name(name))
        np.testing.assert_array_equal(got[kept], picture[kept])
        np.testing.assert_array_equal(got[~kept], expected[~kept])
    # Parts are of the same regions.
    with pytest.raises(KeyboardInterrupt):
        darken(shots, tmp_path / "two" / "t1_0005.png", output(keep=keep), stop=2)
    assert done(shots, tmp_path / "two" / "t1_0005.png", output()).kept_parts == 0
    message = refused(shots, tmp_path / "three" / "t1_0005.png", output(keep=Keep.of(["60,0,5,5"])))
    assert "has 64 x 48 pixels, and --keep 60,0,5,5 (left, top, width, height) reaches beyond them" in message


def test_pictures_of_a_bright_video_say_that_they_are(tmp_path):
    hdr = {"color_primaries": 9, "color_trc": 16, "colorspace": 9}
    said = {"codec": "libx265", "pix": "yuv420p10le", "options": {"x265-params": "log-level=none"}} | hdr
    source = coded(tmp_path / "a.mp4", grey()[:3], **said)
    target = tmp_path / "out" / "f_1.png"
    done(source, target, output("f_%d.png"))
    assert read_image_file(target).metadata.colour == (("cICP", bytes([9, 16, 0, 1])),)
    # And a video of them is as bright.
    again = tmp_path / "b.mp4"
    done(target.parent, again, output())
    marks = open_video(again).marks
    assert (marks.primaries, marks.transfer, marks.matrix, marks.bits) == (9, 16, 9, 10)
