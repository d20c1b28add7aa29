"""Videos of any name and any quality: each is taken once, and what is not good is named while the rest is done."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from data_tools.build.notes import noted_window
from data_tools.build.plan import NOTES, VideoJob, video_name
from data_tools.build.settings import BuildSettings
from data_tools.build.video import build_video
from data_tools.manifest.file import read_manifest
from data_tools.verify.dataset import verify
from tests.support.clips import save, view
from tests.support.datasets import clip, put

QUICK = ("-n", "2", "--no-stabilise")


def test_videos_of_one_name_are_two_and_copies_are_one(here, built):
    save(Path("x/cam.mkv"), clip("coffee", 21))
    save(Path("y/cam.mkv"), clip("chelsea", 21))
    shutil.copy("x/cam.mkv", "y/copy.mkv")
    out, err = built("x", "y", "x/cam.mkv", "-o", "out", *QUICK)
    assert err == "'y/copy.mkv' is the same video as 'x/cam.mkv' and is taken once"
    assert "holds 4 pairs" in out
    names = {record.id.partition("/")[0] for record in read_manifest("out")}
    assert names == {video_name(Path("x/cam.mkv")), video_name(Path("y/cam.mkv"))}
    assert all(name.startswith("cam-") for name in names)


@pytest.mark.parametrize("name", ["a:b*c?.mkv", " . .mkv", "x" * 200 + ".mkv", "é☂" * 40 + ".mkv", "-n.mkv"])
def test_any_name_of_a_file_gives_one_for_the_dataset(here, name):
    Path(name).write_bytes(b"content")
    found = video_name(Path(name))
    assert re.fullmatch(r"[^\\/:*?\"<>|\x00-\x1f]+-[0-9a-f]{10}", found)
    assert not found.startswith((".", " "))
    assert len(found.encode()) <= 91
    Path(name).replace("other.mkv")
    assert video_name(Path("other.mkv")) == f"other{found[-11:]}"


def test_content_makes_the_name_of_a_folder_too(here):
    for folder in ("one", "two", "three"):
        for number in range(3):
            put(Path(folder, f"{number}.png"), np.full((8, 8, 3), number + 10 * (folder == "three"), np.uint8))
    assert video_name(Path("one"))[-10:] == video_name(Path("two"))[-10:] != video_name(Path("three"))[-10:]


def test_bad_videos_are_named_and_the_rest_is_done(here, built):
    save(Path("in/good.mkv"), clip("coffee", 21))
    save(Path("in/one.mkv"), clip("coffee", 1))
    dry = np.random.default_rng(0).normal(0, 1, (21, 96, 128, 1)) + view("chelsea", (96, 128))
    save(Path("in/dry.mkv"), [np.clip(np.rint(frame), 0, 255).astype(np.uint8) for frame in dry])
    save(Path("in/heavy.mkv"), clip("coffee", 21, preset="heavy"))
    long = save(Path("long.mkv"), clip("astronaut", 60)).read_bytes()
    Path("in/torn.mkv").write_bytes(long[: len(long) * 3 // 4])
    Path("in/zero.mp4").touch()
    Path("in/text.mp4").write_text("no video")
    out, err = built("in", "missing.mp4", "nothing*.mp4", "-o", "out", *QUICK, status=1)
    for said in (
        "failed 'nothing*.mp4' matches no file",
        "failed 'missing.mp4' cannot be read (No such file or directory)",
        "failed 'in/zero.mp4' is empty",
        "failed 'in/text.mp4'",
    ):
        assert said in err
    assert "Traceback" not in err
    assert err.count("failed") == 4
    assert re.search(r"'in/torn\.mkv': .*(lost|cut off|decoded|ends)", err), err
    assert re.search(r"one-\w+: no pairs of the frames from 0: expected 0\.0 dB of 40 \(only 1 frame\)", out)
    assert re.search(r"dry-\w+: no pairs of the frames from 0: no rain is seen in the frames", out)
    assert re.search(r"heavy-\w+: no pairs of the frames from 0: expected [\d.]+ dB of 40 \(only 21 frames\)", out)
    assert {record.source for record in read_manifest("out")} == {"good.mkv", "torn.mkv"}
    assert verify("out").ok


def test_what_was_made_before_a_video_breaks_is_kept(here, built):
    for number, frame in enumerate(clip("coffee", 30)):
        put(Path("v", f"{number}.png"), frame if number != 27 else frame[:60])
    _, err = built("v", "-o", "out", "--every", "0.8", *QUICK, status=1)
    assert err.startswith("failed 'v' changes its size: frame 27 ('27.png') has 60 x 128 pixels")
    assert len(read_manifest("out")) == 2
    assert verify("out").ok
    # Mended, it is another video; what is no longer asked for stays.
    put(Path("v", "27.png"), clip("coffee", 30)[27])
    built("v", "-o", "out", "--every", "0.8", *QUICK)
    assert len(read_manifest("out")) > 2


@pytest.mark.slow
def test_windows_after_a_knock_do_not_depend_on_what_was_noted(here):
    frames = [np.roll(frame, -4 * (k >= 22), axis=1) for k, frame in enumerate(clip("coffee", 30))]
    save(Path("v.mkv"), frames)
    job = VideoJob(Path("v.mkv"), "v", here / "out", BuildSettings(every=0.0, pairs=1, accept=99))
    first = build_video(job)
    assert first.error is None
    assert len(first.windows) > 1
    for note in (here / "out" / NOTES).rglob("*.json"):
        if note.name != "000000.json":
            note.unlink()
    assert noted_window(job, 0) == first.windows[0]
    assert build_video(job).windows == first.windows
