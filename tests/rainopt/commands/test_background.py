"""`rainopt background` as people run it: videos in, pictures out, exit status, and what it says."""

import functools
import json
import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from rainopt.commands.background_video import BackgroundSettings, FindBackground
from rainopt.commands.main import app
from rainopt.io import read_image, write_image
from rainopt.video.frames import FrameStore
from tests.support.clips import rained, save, view
from tests.support.photos import files
from tests.support.processes import call

H, W = SHAPE = 96, 128
KEYS = {"input", "output", "status", "start", "frames", "percentile", "expected_psnr", "agreement", "bias"}
KEYS |= {"centring", "residual", "sharpness", "angle", "valid", "static", "refused", "height", "width", "seconds"}
pytestmark = pytest.mark.usefixtures("here")


@functools.cache
def frames(name="coffee", count=50):
    return rained(view(name, SHAPE), "light", count, density=2500.0)


def save_folder(path, pictures):
    path.mkdir(parents=True)
    for number, picture in enumerate(pictures):
        write_image(path / f"{number}.png", picture)


def background(*arguments):
    return call(app, "background", *arguments)


def found(*arguments):
    """Run with --json; return status and the lines by input."""
    status, out, _ = background(*arguments, "--json")
    return status, {Path(line["input"]).as_posix(): line for line in map(json.loads, out.splitlines())}


def close(path, name="coffee"):
    """Decibels of the luma of a background, which video keeps better than colour."""
    error = (read_image(path) - view(name, SHAPE).astype(float)) @ (0.299, 0.587, 0.114)
    return -10 * np.log10(np.square(error / 255).mean())


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return save(tmp_path_factory.mktemp("clip") / "clip.mkv", frames())


# What is written


def test_one_video_becomes_one_picture(clip):
    status, out, err = background(clip, "-o", "b.png")
    assert (status, err) == (0, "")
    assert re.fullmatch(
        rf"{re.escape(str(clip))} → b\.png  20 frames, percentile \d+, expected [45]\d\.\d dB, [\d.]+ s\n", out
    )
    assert list(files(Path())) == ["b.png"]
    picture = read_image("b.png")
    assert (picture.shape, picture.dtype) == ((H, W, 3), np.uint8)
    assert close("b.png") > 40
    status, lines = found(clip, "-o", "b.png", "--overwrite")
    (line,) = lines.values()
    assert (status, set(line)) == (0, KEYS)
    assert (line["status"], line["start"], line["frames"]) == ("ok", 0, 20)
    assert (line["height"], line["width"], line["static"], line["refused"]) == (H, W, True, 0)
    assert abs(line["angle"]) < 30
    assert line["expected_psnr"] == pytest.approx(close("b.png"), abs=8)


@pytest.mark.slow
def test_videos_and_a_folder_of_images_keep_their_names_below_the_output():
    save(Path("in/sub dir/Ünï [x] ☂.mp4"), frames("coffee", 22))
    save(Path("in/b.mkv"), frames("astronaut", 22))
    Path("in/notes.txt").write_text("no video")
    save_folder(Path("pictures"), frames("coffee", 24))
    status, out, err = background("in", "pictures", "-o", "out")
    assert (status, err) == (0, "3 backgrounds found")
    assert len(out.splitlines()) == 3
    assert files(Path("out")).keys() == {"sub dir/Ünï [x] ☂.png", "b.png", "pictures.png"}
    assert close("out/sub dir/Ünï [x] ☂.png") > 40
    assert close("out/b.png", "astronaut") > 40
    assert close("out/pictures.png") > 42
    # What several processes would be given.
    task = FindBackground(BackgroundSettings(scratch=Path("scratch")))
    assert pickle.loads(pickle.dumps(task)) == task


def test_frames_of_16_bits_become_a_picture_of_16():
    save_folder(Path("deep"), [frame[:48, :64].astype(np.uint16) * 257 for frame in frames()[:20]])
    for name, dtype in (("b.png", np.uint16), ("b.jpg", np.uint8)):
        assert background("deep", "-o", name)[0] == 0
        assert read_image(name).dtype == dtype


def test_maps_and_a_comparison(clip):
    assert background(clip, "-o", "b.png", "--maps", "--compare")[0] == 0
    assert sorted(files(Path())) == ["b.png", "b_compare.png", "b_seen.png", "b_valid.png"]
    valid, seen = read_image("b_valid.png"), read_image("b_seen.png")
    assert valid.shape == seen.shape == (H, W)
    assert set(np.unique(valid)) <= {0, 255}
    assert (valid == 255).mean() > 0.99
    assert np.median(seen) > 0.8 * 255
    compare = read_image("b_compare.png")
    assert compare.shape[1] >= 4 * W
    assert compare.shape[0] > H


def test_results_that_are_there_are_kept_unless_overwritten(here, clip, monkeypatch):
    assert background(clip, "-o", "b.png", "-n", "4")[0] == 0
    before = files(here)
    with monkeypatch.context() as patch:
        patch.setattr("rainopt.commands.background_video.CutVideo", None)  # is not asked for
        assert background(clip, "-o", "b.png")[1] == f"{clip}: kept b.png (--overwrite to do it again)\n"
    assert background(clip, "-o", "b.png", "--maps", "-n", "5")[0] == 0
    after = files(here)
    assert after.keys() == {"b.png", "b_valid.png", "b_seen.png"}
    assert after["b.png"] == before["b.png"]
    assert background(clip, "-o", "b.png", "-n", "5", "--overwrite")[0] == 0
    assert files(here)["b.png"] != before["b.png"]


# Which frames


@pytest.mark.parametrize(
    ("options", "count", "start"),
    [
        (["-n", "0"], 50, 0),
        (["-n", "9", "--start", "12f"], 9, 12),
        (["--start", "1.6"], 10, 40),
        (["--start", "10f", "--stop", "0:00.64"], 6, 10),
        (["-n", "0", "--start", "3f", "--stop", "30f", "--step", "10"], 3, 3),
    ],
)
def test_the_frames_that_were_asked_for(options, count, start):
    source = save(Path("small.mkv"), [frame[:48, :64] for frame in frames()])
    line = found(source, "-o", "b.png", *options)[1]["small.mkv"]
    assert (line["status"], line["frames"], line["start"]) == ("ok", count, start)


def test_frames_are_taken_by_their_step():
    """A bright picture and a dark one take turns: every second frame is one of them."""
    small = [frame[:48, :64] for frame in frames()]
    save_folder(Path("v"), [frame for k in range(8) for frame in (small[k], small[k + 8] // 2)])
    for start, level in ((0, 1.0), (1, 0.5)):
        assert background("v", "-o", f"{start}.png", "--start", f"{start}f", "--step", "2")[0] == 0
        expected = level * view("coffee", SHAPE)[:48, :64].mean()
        assert read_image(f"{start}.png").mean() == pytest.approx(expected, rel=0.03)


@pytest.mark.slow
def test_another_scene_is_left_and_told():
    save(Path("two.mkv"), frames("coffee", 24) + frames("astronaut", 24))
    _, out, _ = background("two.mkv", "-o", "b.png", "-n", "0")
    assert "24 frames" in out
    assert "another scene begins at frame 24 (--start 24f takes it)" in out
    assert close("b.png") > 40
    assert found("two.mkv", "-o", "c.png", "--start", "24f")[1]["two.mkv"]["start"] == 24
    assert close("c.png", "astronaut") > 40


@pytest.mark.slow
def test_a_camera_that_moves_is_told():
    rng = np.random.default_rng(4)
    places = np.asarray([(0, 0), *rng.integers(-6, 7, (23, 2))])
    larger = view("astronaut", (H + 12, W + 12))
    views = [larger[6 + y : 6 + y + H, 6 + x : 6 + x + W] for y, x in places]
    save(Path("v.mkv"), rained(views, "light", len(views), density=2500.0))
    status, out, _ = background("v.mkv", "-o", "b.png", "--maps")
    assert status == 0
    assert "camera moves: stabilised" in out
    assert re.search(r"[\d.]+ % of the pixels not to be trusted \(--maps shows them\)", out)
    assert not read_image("b_valid.png")[[0, -1]].all()
    assert found("v.mkv", "-o", "c.png", "--no-stabilise")[1]["v.mkv"]["static"] is True


# What goes wrong


def test_bad_files_are_named_and_the_rest_is_done(clip):
    Path("in").mkdir()
    content = clip.read_bytes()
    Path("in/torn.mkv").write_bytes(content[: len(content) // 2])
    Path("in/zero.mp4").touch()
    Path("in/text ☂.mp4").write_text("no video")
    save(Path("in/one.mkv"), frames()[:1])
    save_folder(Path("sizes"), [*frames()[:9], frames()[9][:80]])
    status, out, err = background("in", "sizes", "missing.mp4", "none*.mp4", "-o", "out", "-n", "0")
    assert status == 1
    for said in (
        "failed 'in/zero.mp4' is empty",
        "failed 'in/text ☂.mp4'",
        "failed 'sizes' changes its size: frame 9 ('9.png') has 80 x 128 pixels, the first has 96 x 128",
        "failed 'missing.mp4'",
        "failed 'none*.mp4' matches no file",
    ):
        assert said in err, said
    assert err.endswith("2 backgrounds found, 5 failed")
    assert "Traceback" not in err
    lines = {Path(line.split(" → ")[0]).name: line for line in out.splitlines()}
    assert int(re.search(r"(\d+) frames", lines["torn.mkv"])[1]) in range(10, 45)
    assert re.search("; .*(lost|cut off|decoded|ends|missing)", lines["torn.mkv"]), lines["torn.mkv"]
    few = "1 frames, percentile 0, expected 0.0 dB; below the 40 that make a good one: more frames (--step, --start)"
    assert few in lines["one.mkv"]
    assert files(Path("out")).keys() == {"torn.png", "one.png"}


def test_a_start_behind_the_end_is_told(clip):
    status, out, err = background(clip, "-o", "b.png", "--start", "50f")
    assert (status, out) == (1, "")
    assert (
        err == f"failed '{clip}' has no frame in --start 50f; it was read to frame 49f at 1.96 s: choose another part"
    )
    assert os.listdir() == []


def test_scratch_that_is_not_there_is_told(clip, monkeypatch):
    monkeypatch.setattr(FrameStore.__init__, "__defaults__", (1, None))
    status, _, err = background(clip, "-o", "b.png", "--scratch", "nowhere")
    assert status == 1
    assert "'nowhere' cannot hold the frames" in err
    Path("scratch").mkdir()
    assert background(clip, "-o", "b.png", "--scratch", "scratch")[0] == 0
    assert not os.listdir("scratch")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument 'VIDEO"),
        (["in"], "Missing option '-o' / '--output'"),
        (["in", "-o", "b.png"], "'b.png' names one file, but there can be several results"),
        (["in/a.mkv", "-o", "b.png", "--start", "5", "--stop", "5"], "must lie behind the start, 5, got 5"),
        (["in/a.mkv", "-o", "b.png", "--step", "0"], "--step"),
        (["in/a.mkv", "-o", "b.png", "-n", "-1"], "--frames"),
        (["in/a.mkv", "in/a.mp4", "-o", "out"], "'in/a.mkv' and 'in/a.mp4' would both become 'out/a.png'"),
        (["in/a.mkv", "in/a_valid.mkv", "-o", "out", "--maps"], "would both become 'out/a_valid.png'"),
    ],
)
def test_wrong_usage_is_status_2_before_anything_is_done(here, arguments, said):
    Path("in").mkdir()
    for name in ("a.mkv", "a.mp4", "a_valid.mkv"):
        Path("in", name).write_bytes(b"x")
    before = files(here)
    status, out, err = background(*arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert files(here) == before
