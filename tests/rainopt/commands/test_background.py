"""`rainopt background` as people run it: videos in, pictures out, exit status, and what it says."""

import functools
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data
from typer.testing import CliRunner

from data_tools import RainSpec
from data_tools.rain.video import rain_video
from rainopt.commands import main as cli
from rainopt.io import read_image, write_image
from rainopt.io.video.read import open_video
from rainopt.io.video.write import VideoWriter

ROOT = Path(__file__).parents[3]
H, W = 96, 128
KEYS = {"input", "output", "status", "start", "frames", "percentile", "expected_psnr", "agreement", "bias"}
KEYS |= {"centring", "residual", "sharpness", "angle", "valid", "static", "refused", "height", "width", "seconds"}
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@functools.cache
def view(name):
    return cv2.resize(getattr(data, name)(), (W, H), interpolation=cv2.INTER_AREA)


@functools.cache
def rained(name, count, seed=0):
    rng = np.random.default_rng(seed)
    spec = replace(replace(RainSpec.sample("light", rng), veil=0.0).scaled(0.4), density=2500.0)
    drawn = (one.rainy * 255 + rng.normal(0, 1, (H, W, 1)) for one in rain_video(view(name), spec, rng))
    return [np.clip(np.rint(levels), 0, 255).astype(np.uint8) for levels in itertools.islice(drawn, count)]


def save(path, frames):
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, height=frames[0].shape[0], width=frames[0].shape[1], rate=Fraction(25), quality=5) as out:
        for frame in frames:
            out.write(frame)
    return path


def save_folder(path, frames):
    path.mkdir(parents=True)
    for number, frame in enumerate(frames):
        write_image(path / f"{number}.png", frame)
    return path


def call(*arguments):
    """Run the command in this process; return status, standard output and error without frames and line breaks."""
    result = CliRunner().invoke(cli.app, ["background", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    plain = re.sub(r"\x1b\[[\d;]*m", "", result.stderr)
    return result.exit_code, result.stdout, " ".join(re.sub(r"[│╭╮╰╯─]", " ", plain).split())


def found(*arguments):
    """Run with --json; return status and the lines by input."""
    status, out, _ = call(*arguments, "--json")
    return status, {Path(line["input"]).as_posix(): line for line in map(json.loads, out.splitlines())}


def close(path, name):
    """Decibels of the luma of a background, which video keeps better than colour."""
    error = (read_image(path) - view(name).astype(float)) @ (0.299, 0.587, 0.114)
    return -10 * np.log10(np.square(error / 255).mean())


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return save(tmp_path_factory.mktemp("clip") / "clip.mkv", rained("coffee", 50))


# What is written


def test_one_video_becomes_one_picture(here, clip):
    status, out, err = call(clip, "-o", "b.png")
    assert (status, err) == (0, "")
    assert re.fullmatch(
        rf"{re.escape(str(clip))} → b\.png  20 frames, percentile \d+, expected [45]\d\.\d dB, [\d.]+ s\n", out
    )
    assert os.listdir() == ["b.png"]
    picture = read_image("b.png")
    assert (picture.shape, picture.dtype) == ((H, W, 3), np.uint8)
    assert close("b.png", "coffee") > 40


def test_folders_keep_their_names_below_the_output(here):
    save(Path("in/sub dir/Ünï [x] ☂.mp4"), rained("coffee", 22))
    save(Path("in/b.mkv"), rained("astronaut", 22))
    save(Path("in/.hidden/c.mkv"), rained("astronaut", 4))
    Path("in/notes.txt").write_text("no video")
    status, out, err = call("in", "-o", "out", "-j", "2")
    assert (status, err) == (0, "2 backgrounds found")
    assert len(out.splitlines()) == 2
    assert set(files(Path("out"))) == {"sub dir/Ünï [x] ☂.png", "b.png"}
    assert close("out/sub dir/Ünï [x] ☂.png", "coffee") > 40
    assert close("out/b.png", "astronaut") > 40


def test_a_folder_of_images_is_one_video(here):
    save_folder(Path("frames"), rained("coffee", 24))
    status, lines = found("frames", "-o", "out")
    assert status == 0
    assert list(lines) == ["frames"]
    assert lines["frames"]["frames"] == 20
    assert set(files(Path("out"))) == {"frames.png"}
    assert close("out/frames.png", "coffee") > 42
    os.chdir("frames")
    assert call(".", "-o", "../here.png")[0] == 0
    assert Path("../here.png").read_bytes() == Path("../out/frames.png").read_bytes()


def test_frames_of_16_bits_become_a_picture_of_16(here):
    save_folder(Path("deep"), [frame.astype(np.uint16) * 257 for frame in rained("coffee", 20)])
    assert call("deep", "-o", "b.png")[0] == 0
    assert read_image("b.png").dtype == np.uint16
    assert call("deep", "-o", "b.jpg")[0] == 0
    assert read_image("b.jpg").dtype == np.uint8


def test_maps_and_a_comparison(here, clip):
    assert call(clip, "-o", "b.png", "--maps", "--compare")[0] == 0
    assert sorted(os.listdir()) == ["b.png", "b_compare.png", "b_seen.png", "b_valid.png"]
    valid, seen = read_image("b_valid.png"), read_image("b_seen.png")
    assert valid.shape == seen.shape == (H, W)
    assert set(np.unique(valid)) <= {0, 255}
    assert (valid == 255).mean() > 0.99
    assert np.median(seen) > 0.8 * 255
    compare = read_image("b_compare.png")
    assert compare.shape[1] >= 4 * W
    assert compare.shape[0] > H


def test_json_has_the_documented_keys(here, clip):
    status, lines = found(clip, "-o", "b.png")
    (line,) = lines.values()
    assert status == 0
    assert set(line) == KEYS
    assert (line["status"], line["start"], line["frames"]) == ("ok", 0, 20)
    assert (line["height"], line["width"]) == (H, W)
    assert (line["static"], line["refused"]) == (True, 0)
    assert line["expected_psnr"] > 40
    assert abs(line["angle"]) < 30
    assert line["expected_psnr"] == pytest.approx(close("b.png", "coffee"), abs=8)


def test_results_that_are_there_are_kept_unless_overwritten(here, clip, monkeypatch):
    assert call(clip, "-o", "b.png")[0] == 0
    before = files(here)
    with monkeypatch.context() as patch:
        patch.setattr("rainopt.commands.background_video.open_video", None)  # is not asked for
        status, out, _ = call(clip, "-o", "b.png")
    assert status == 0
    assert out == f"{clip}: kept b.png (--overwrite to do it again)\n"
    assert call(clip, "-o", "b.png", "--maps", "-n", "5")[0] == 0
    assert {name: content for name, content in files(here).items() if name in before} == before
    assert set(files(here)) == {"b.png", "b_valid.png", "b_seen.png"}
    assert call(clip, "-o", "b.png", "-n", "5", "--overwrite")[0] == 0
    assert files(here)["b.png"] != before["b.png"]


# Which frames


@pytest.mark.parametrize(
    ("options", "frames", "start"),
    [
        (["-n", "7"], 7, 0),
        (["-n", "0"], 50, 0),
        (["-n", "500"], 50, 0),
        (["-n", "9", "--start", "12"], 9, 12),
        (["--start", "40"], 10, 40),
        (["--start", "10", "--stop", "16"], 6, 10),
        (["-n", "0", "--step", "7"], 8, 0),
        (["-n", "0", "--start", "3", "--stop", "30", "--step", "10"], 3, 3),
    ],
)
def test_the_frames_that_were_asked_for(here, clip, options, frames, start):
    _, lines = found(clip, "-o", "b.png", *options)
    (line,) = lines.values()
    assert (line["status"], line["frames"], line["start"]) == ("ok", frames, start)


def test_stretches_are_those_of_the_video(here):
    """A bright picture and a dark one take turns: every second frame is one of them."""
    light, dark = rained("coffee", 20), [frame // 2 for frame in rained("coffee", 20, seed=1)]
    save_folder(Path("v"), [frame for both in zip(light, dark, strict=True) for frame in both])
    for start, level in ((0, 1.0), (1, 0.5)):
        assert call("v", "-o", f"{start}.png", "--start", start, "--step", "2")[0] == 0
        assert read_image(f"{start}.png").mean() == pytest.approx(level * view("coffee").mean(), rel=0.03)


def test_another_scene_is_left_and_told(here):
    save(Path("two.mkv"), rained("coffee", 30) + rained("astronaut", 30))
    status, lines = found("two.mkv", "-o", "b.png", "-n", "0")
    assert status == 0
    assert (lines["two.mkv"]["frames"], lines["two.mkv"]["next_scene"]) == (30, 30)
    assert close("b.png", "coffee") > 40
    _, out, _ = call("two.mkv", "-o", "c.png", "-n", "0")
    assert "another scene begins at frame 30 (--start 30 takes it)" in out
    assert call("two.mkv", "-o", "d.png", "--start", "30")[0] == 0
    assert close("d.png", "astronaut") > 40


def test_a_camera_that_moves_is_told(here):
    rng = np.random.default_rng(4)
    place = np.asarray([(0, 0), *rng.integers(-6, 7, (23, 2))])
    larger = cv2.resize(data.astronaut(), (W + 12, H + 12), interpolation=cv2.INTER_AREA)
    views = [larger[6 + y : 6 + y + H, 6 + x : 6 + x + W] for y, x in place]
    spec = replace(replace(RainSpec.sample("light", rng), veil=0.0).scaled(0.4), density=2500.0)
    save(Path("v.mkv"), [np.rint(one.rainy * 255).astype(np.uint8) for one in rain_video(views, spec, rng)])
    status, out, _ = call("v.mkv", "-o", "b.png", "--maps")
    assert status == 0
    assert "camera moves: stabilised" in out
    assert re.search(r"[\d.]+ % of the pixels not to be trusted \(--maps shows them\)", out)
    assert not read_image("b_valid.png")[[0, -1]].all()
    assert found("v.mkv", "-o", "c.png", "--no-stabilise")[1]["v.mkv"]["static"] is True


def test_few_frames_are_said_to_be_few(here, clip):
    status, out, _ = call(clip, "-o", "b.png", "-n", "2")
    assert status == 0
    assert "expected 0.0 dB; below the 40 that make a good one: more frames (--step, --start) may help" in out


# What goes wrong


def test_bad_files_are_named_and_the_rest_is_done(here, clip):
    Path("in").mkdir()
    Path("in/good.mkv").write_bytes(clip.read_bytes())
    content = clip.read_bytes()
    Path("in/torn.mkv").write_bytes(content[: len(content) // 2])
    Path("in/zero.mp4").touch()
    Path("in/text ☂.mp4").write_text("no video")
    save(Path("in/one.mkv"), rained("coffee", 1))
    changing = rained("coffee", 12)[:]
    changing[9] = changing[9][:80]
    save_folder(Path("sizes"), changing)
    status, out, err = call("in", "sizes", "missing.mp4", "none*.mp4", "-o", "out", "-n", "0")
    assert status == 1
    for said in (
        "failed 'in/zero.mp4' is empty",
        "failed 'in/text ☂.mp4'",
        "failed 'sizes' changes its size: frame 9 ('9.png') has 80 x 128 pixels, the first has 96 x 128",
        "failed 'missing.mp4'",
        "failed 'none*.mp4' matches no file",
    ):
        assert said in err, said
    assert err.endswith("3 backgrounds found, 5 failed")
    assert err.count("failed '") == 5
    assert "Traceback" not in err
    lines = {Path(line.split(" → ")[0]).name: line for line in out.splitlines()}
    assert set(lines) == {"good.mkv", "torn.mkv", "one.mkv"}
    assert "50 frames" in lines["good.mkv"]
    assert int(re.search(r"(\d+) frames", lines["torn.mkv"])[1]) in range(10, 45)
    assert re.search("; .*(lost|cut off|decoded|ends|missing)", lines["torn.mkv"]), lines["torn.mkv"]
    assert "1 frames" in lines["one.mkv"]
    assert set(files(Path("out"))) == {"good.png", "torn.png", "one.png"}
    decoded = next(open_video("in/one.mkv").frames()).pixels
    np.testing.assert_allclose(read_image("out/one.png").astype(int), decoded, atol=1)


def test_a_start_behind_the_end_is_told(here, clip):
    status, out, err = call(clip, "-o", "b.png", "--start", "50")
    assert (status, out) == (1, "")
    assert err == f"failed '{clip}' has no frame 50; choose an earlier --start"
    assert os.listdir() == []


def test_a_folder_without_video_is_told(here):
    Path("in").mkdir()
    status, _, err = call("in", "-o", "out")
    assert status == 1
    assert err.startswith("failed 'in' holds no video (")


def test_scratch_that_is_not_there_is_told(here, clip, monkeypatch):
    from rainopt.video import frames as frame_store

    monkeypatch.setattr(frame_store.FrameStore.__init__, "__defaults__", (1, None))
    status, _, err = call(clip, "-o", "b.png", "--scratch", "nowhere")
    assert status == 1
    assert "'nowhere' cannot hold the frames" in err
    Path("scratch").mkdir()
    assert call(clip, "-o", "b.png", "--scratch", "scratch")[0] == 0
    assert not os.listdir("scratch")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument 'VIDEO"),
        (["in"], "Missing option '-o' / '--output'"),
        (["in", "-o", "b.png"], "'b.png' names one file, but there can be several results"),
        (["in", "-o", "b.gif"], "'b.gif' cannot be written"),
        (["in", "-o", "in"], "'in' is the same folder as the input 'in'"),
        (["in/a.mkv", "in/b.mkv", "-o", "b.png"], "'b.png' names one file"),
        (["in", "-o", "notes.txt"], "'notes.txt' is a file"),
        (["in/a.mkv", "-o", "b.png", "--start", "5", "--stop", "5"], "must lie behind --start 5, got 5"),
        (["in/a.mkv", "-o", "b.png", "--step", "0"], "--step"),
        (["in/a.mkv", "-o", "b.png", "-n", "-1"], "--frames"),
        (["in/a.mkv", "other/a.mkv", "-o", "out"], "'in/a.mkv' and 'other/a.mkv' would both become 'out/a.png'"),
        (["in/a.mkv", "in/a.mp4", "-o", "out"], "'in/a.mkv' and 'in/a.mp4' would both become 'out/a.png'"),
        (["in/a.mkv", "in/a_valid.mkv", "-o", "out", "--maps"], "would both become 'out/a_valid.png'"),
    ],
)
def test_wrong_usage_is_status_2_before_anything_is_done(here, arguments, said):
    for name in ("in/a.mkv", "in/b.mkv", "in/a.mp4", "in/a_valid.mkv", "other/a.mkv", "notes.txt"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(b"x")
    before = files(here)
    status, out, err = call(*arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert files(here) == before


def test_two_videos_of_one_name_do_not_clash_below_their_folders(here):
    for folder in ("x", "y"):
        save(Path("in", folder, "cam.mkv"), rained("coffee", 4))
    assert call("in", "-o", "out")[0] == 0
    assert set(files(Path("out"))) == {"x/cam.png", "y/cam.png"}


@posix
def test_an_interruption_is_status_130_and_leaves_nothing_half_written(here):
    for number in range(60):
        save(Path("in", f"{number:02}.mkv"), rained("coffee", 20))
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    with subprocess.Popen(
        [sys.executable, "-m", "rainopt", "background", "in", "-o", "out"],
        env=os.environ | {"NO_COLOR": "1", "PYTHONUTF8": "1", "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as run:
        try:
            end = time.monotonic() + 60
            while not list(Path("out").glob("*.png")) and run.poll() is None and time.monotonic() < end:
                time.sleep(0.005)
            run.send_signal(signal.SIGINT)
            _, err = run.communicate(timeout=20)
        finally:
            run.kill()
    assert run.returncode == 130
    done, left = map(int, re.search(r"interrupted: (\d+) done, (\d+) left; run the same command again", err).groups())
    assert done + left == 60
    assert set(files(Path("out"))) >= {f"{number:02}.png" for number in range(done)}
    assert all(name.endswith(".png") and not name.startswith(".") for name in files(Path("out")))


def test_help_names_every_option(here):
    status, out, _ = call("--help")
    assert status == 0
    options = "--output --frames --start --stop --step --stabilise --no-stabilise --maps --compare --overwrite"
    plain = re.sub(r"\x1b\[[\d;]*m", "", out)
    for option in [*options.split(), "--scratch", "--jobs", "--json", "VIDEO", "Exit status"]:
        assert option in plain
