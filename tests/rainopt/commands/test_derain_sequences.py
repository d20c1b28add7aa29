"""`rainopt derain` with folders of numbered pictures, parts of videos and regions that are left alone."""

import functools
import json

import av
import numpy as np
import pytest

from rainnet.commands.main import app as rainnet
from rainopt.commands.main import app
from rainopt.io import read_image, write_image
from rainopt.io.video.read import open_video, read_frames
from tests.support.clips import rained, save, view
from tests.support.photos import files, save_photo
from tests.support.processes import call

ASKED = ["--angle", "8", "--weights", "sparsity=0.01", "--max-iter", "2", "--no-background"]
pytestmark = pytest.mark.usefixtures("here")


@functools.cache
def frames(count=6):
    return [frame[:48, :64] for frame in rained(view(), "light", count)]


def save_folder(path, count=6, bits=8):
    path.mkdir(parents=True)
    for number, picture in enumerate(frames(count), 1):
        write_image(path / f"{number:04}.png", picture.astype(f"uint{bits}") << (bits - 8))
    return path


def derain(*arguments):
    return call(app, "derain", *arguments, *ASKED)


def test_folders_keep_their_names_at_any_depth_and_videos_stay_videos(here):
    save_folder(here / "in" / "day 1" / "take.1", bits=16)
    save_folder(here / "in" / "day 2")
    save(here / "in" / "clip.mkv", frames())
    status, out, err = derain("in", "-o", "out", "--sequence", "--compare")
    assert (status, err) == (0, "3 derained")
    assert "in/day 1/take.1 → out/day 1/take.1/0001.png to 0006.png  6 frames" in out
    numbers = [f"{number:04}.png" for number in range(1, 7)]
    expected = [f"{folder}/{name}" for folder in ("day 1/take.1", "day 2") for name in numbers]
    expected += ["clip.mkv", "clip_compare.png", "day 1/take.1_compare.png", "day 2_compare.png"]
    assert files(here / "out").keys() == set(expected)
    assert read_image("out/day 1/take.1/0003.png").dtype == np.uint16
    status, out, err = derain("in", "-o", "out", "--sequence", "--compare")
    assert (status, err) == (0, "0 derained, 3 skipped")


def test_one_folder_becomes_a_video_or_numbered_pictures(here):
    save_folder(here / "in")
    assert derain("in", "-o", "a.mkv", "--sequence", "--rate", "30000/1001")[0] == 0
    assert float(open_video("a.mkv").rate) == pytest.approx(29.97, abs=0.01)
    status, out, _ = derain("in", "-o", "%03d.tif", "--sequence", "--start", "2f", "--json")
    record = json.loads(out)
    assert (status, record["output"], record["last"], record["frames"]) == (0, "001.tif", "004.tif", 4)
    assert derain("a.mkv", "-o", "new/f_%d.png")[0] == 0
    assert files(here / "new").keys() == {f"f_{number}.png" for number in range(1, 7)}
    # What was written is no input later, where it lies among others.
    write_image(here / "new" / "mine.png", frames()[0])
    assert "new/mine.png → again/mine.png" in derain("new", "-o", "again")[1]
    assert files(here / "again").keys() == {"mine.png"}


def test_a_part_without_a_clock(here):
    save(here / "a.mkv", frames(), quality=0)
    assert derain("a.mkv", "-o", "b/%d.png", "--start", "0.08", "--stop", "5f", "--keep", "8,8,24,16")[0] == 0
    assert len(files(here / "b")) == 3
    for number, frame in enumerate(read_frames("a.mkv")[2:5], 1):
        got = read_image(f"b/{number}.png")
        np.testing.assert_array_equal(got[8:24, 8:32], frame[8:24, 8:32])
        assert (got[24:] != frame[24:]).any()


def test_another_codec(here):
    save(here / "a.mkv", frames())
    assert derain("a.mkv", "-o", "b.mp4", "--codec", "hevc")[0] == 0
    with av.open("b.mp4") as file:
        assert (file.streams.video[0].codec_context.name, file.streams.video[0].frames) == ("hevc", 6)
    status, _, err = derain("a.mkv", "-o", "c.webm", "--codec", "hevc")
    assert (status, "64 x 48 pixels cannot be coded as hevc for .webm here" in err) == (1, True)
    assert not (here / "c.webm").exists()


def test_a_photograph_without_its_date(here):
    save_photo(here / "a.png")
    write_image(here / "mask.png", np.pad(np.full((20, 30), 255, np.uint8), ((52, 0), (66, 0))))
    for program, more in ((app, ASKED), (rainnet, ["--device", "cpu"])):
        assert call(program, "derain", "a.png", "-o", "b.png", "--overwrite", "--keep", "mask.png", *more)[0] == 0
        same = (read_image("b.png") == read_image("a.png")).all(axis=-1)
        assert same[52:, 66:].all()
        assert not same[:52].all()
    status, _, err = derain("a.png", "-o", "c.png", "--keep", "90,60,20,20")
    assert (status, "'a.png' has 96 x 72 pixels, and --keep 90,60,20,20" in err) == (1, True)


@pytest.mark.parametrize("program", [app, rainnet])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["a.mkv", "-o", "b.mkv", "--start", "1:75"],
            "--start: must be seconds, as 12.5 or 1:02.5, or a frame, as 300f",
        ),
        (["a.mkv", "-o", "b.mkv", "--start", "3", "--stop", "2"], "--stop: must lie behind the start, 3, got 2"),
        (["a.mkv", "-o", "b.mkv", "--rate", "24"], "--rate: is of folders of numbered pictures; add --sequence"),
        (
            ["in", "-o", "b.mkv", "--sequence", "--rate", "0"],
            "--rate: must be pictures a second between 0.001 and 1000",
        ),
        (["a.mkv", "-o", "b.mkv", "--keep", "1,2,3"], "--keep: must be X,Y,W,H"),
        (
            ["a.mkv", "-o", "b.mkv", "--codec", "h265"],
            "--codec: 'h265' is no codec of this build of FFmpeg, which has",
        ),
        (["a.mkv", "-o", "b/%s.png"], "--output: '%s.png' has no place for one number"),
        (["a.mkv", "-o", "b/%d.mp4"], "'b/%d.mp4' cannot be written; numbered pictures are .avif, .bmp,"),
        (["in", "-o", "b/%d.png"], "names the pictures of one video; add --sequence if 'in' is a folder of its frames"),
        (["in", "-o", "b.mkv"], "name a folder instead (--sequence takes a folder of numbered pictures as one video)"),
        (["a.mkv", "in", "-o", "b/%d.png", "--sequence"], "would both become 'b/1.png'"),
        (["in", "-o", "in/%d.png", "--sequence"], "'in' is the same folder as the input 'in'"),
        (["in", "-o", "in/out", "--sequence"], "would lie in the input 'in'; name a folder outside"),
    ],
)
def test_wrong_usage(here, program, arguments, told):
    save_folder(here / "in", 1)
    (here / "a.mkv").touch()
    before = files(here)
    status, out, err = call(program, "derain", *arguments)
    assert (status, out) == (2, "")
    assert told.replace(": ", " ") in err.replace("Invalid value for ", "").replace(": ", " ")
    assert files(here) == before


def test_photographs_are_no_sequence(here):
    save_photo(here / "a.png")
    save_folder(here / "in")
    status, _, err = derain("a.png", "in", "-o", "out", "--sequence")
    assert (status, files(here / "out").keys()) == (1, {f"in/{number:04}.png" for number in range(1, 7)})
    assert "failed 'a.png': --sequence and numbered results are for videos; leave them out for images" in err
    (here / "in" / "0007.jpg").write_bytes((here / "a.png").read_bytes())
    status, _, err = derain("in", "-o", "new", "--sequence")
    assert (status, "'in' holds 0007.jpg beside frames named like '0001.png'" in err) == (1, True)
    assert not (here / "new" / "in").exists()
