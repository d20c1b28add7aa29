"""One video by the solver; what is true of all derained videos is tested in `tests/rainopt/app/test_video*.py`."""

import functools
import json
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from rainopt import UDGWeights
from rainopt.app.results import OutputSettings
from rainopt.commands import derain_video as module
from rainopt.commands.derain_video import derain_video
from rainopt.commands.main import app
from rainopt.io import write_image
from rainopt.io.video.read import read_frames
from rainopt.video import stretches
from rainopt.video.settings import VideoSettings
from tests.support.clips import coded, rained, save, view
from tests.support.photos import files
from tests.support.processes import call, environment
from tests.support.stretches import STRETCH, parts_of, times_of

H, W, COUNT = 120, 160, 30
FEW, SAMPLES = 10, 2
QUICK = {"angle": 8.0, "weights": UDGWeights(), "max_iter": 2, "background": False}
ASKED = ["--angle", "8", "--weights", "sparsity=0.01", "--max-iter", "2", "--no-background"]
KEYS = {"input", "output", "status", "frames", "scenes", "angles", "dry", "still", "kept_parts", "height", "width"}
KEYS |= {"seconds", "iterations"}


@functools.cache
def frames(count=COUNT, name="coffee", preset="light"):
    return rained(view(name), preset, count)


def psnr(pictures, name="coffee"):
    return -10 * np.log10(np.mean([np.square((picture.astype(float) - view(name)) / 255) for picture in pictures]))


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch):
    monkeypatch.setattr(module, "STRETCH", STRETCH)
    monkeypatch.setattr(stretches, "FEW", FEW)
    monkeypatch.setattr(stretches, "SAMPLES", SAMPLES)
    monkeypatch.setattr(stretches, "LOOKED_AT", 4)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return save(tmp_path_factory.mktemp("clip") / "clip.mp4", frames())


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Two stretches of small frames."""
    return save(tmp_path_factory.mktemp("clip") / "short.mp4", [frame[:48, :64] for frame in frames()[:14]])


def done(source, target, output=None, **settings):
    output = OutputSettings(crf=5) if output is None else output
    record = derain_video(source, target, VideoSettings(**settings), output, {})
    assert (record.status, record.error) == ("ok", None)
    return record


@pytest.fixture
def stopped(monkeypatch):
    """Interrupt a run before a stretch."""

    def stop(source, target, at, **settings):
        begun, real = [], module.stretch_settings

        def interrupted(*arguments):
            if len(begun) == at:
                raise KeyboardInterrupt
            begun.append(arguments)
            return real(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(module, "stretch_settings", interrupted)
            with pytest.raises(KeyboardInterrupt):
                done(source, target, **settings)

    return stop


@pytest.fixture(scope="module")
def whole(tmp_path_factory, clip):
    """Records and frames of runs that nothing stopped."""

    @functools.cache
    def made(**settings):
        target = tmp_path_factory.mktemp("whole") / "a.mp4"
        return done(clip, target, **settings), read_frames(target)

    return made


def test_a_video_comes_back_without_its_rain(clip, whole):
    record, got = whole()
    assert got.shape == (COUNT, H, W, 3)
    assert psnr(got) > psnr(read_frames(clip)) + 5
    assert (record.frames, record.scenes, record.still, record.dry, record.lost) == (COUNT, 1, 1.0, 0.0, None)
    assert len(record.angles) == 3
    assert all(abs(angle - 8.2) < 2 for angle in record.angles)
    assert "100 % helped by the background" in record.line()
    assert re.search(r"30 frames; rain at \+\d\.\d°", record.line())


def test_each_frame_alone(clip, whole):
    record, got = whole(background=False)
    assert psnr(got) > psnr(read_frames(clip)) + 1
    assert record.still == 0


def test_a_dry_video_is_left_and_that_is_said(tmp_path):
    source = save(tmp_path / "a.mkv", frames(14, preset=None))
    record = done(source, tmp_path / "b.mkv", OutputSettings(crf=0))
    assert (record.dry, record.angles, record.still) == (1.0, [], 0.0)
    assert "no rain seen in 100 % of them" in record.line()
    # Colours are rounded once more.
    lumas = [read_frames(path) @ np.array([0.299, 0.587, 0.114]) for path in (source, tmp_path / "b.mkv")]
    assert np.abs(lumas[1] - lumas[0]).mean() < 0.5


@pytest.mark.parametrize("background", [True, False])
def test_it_goes_on_as_if_nothing_had_happened(tmp_path, clip, whole, stopped, background):
    target, settings = tmp_path / "a.mp4", {} if background else {"background": False}
    stopped(clip, target, 2, **settings)
    assert done(clip, target, **settings).kept_parts == 2
    np.testing.assert_array_equal(read_frames(target), whole(**settings)[1])
    assert times_of(target) == times_of(clip)
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"weights": UDGWeights()}, 1),
        ({"weights": UDGWeights(sparsity=0.02)}, 0),
        ({"weights": None}, 0),
        ({"angle": 9.0}, 0),
        ({"max_iter": 3}, 0),
        ({"tol": 0.5}, 0),
        ({"background": True}, 0),
    ],
)
def test_parts_of_other_settings_are_thrown_away(tmp_path, short, stopped, change, kept):
    target = tmp_path / "a.mp4"
    stopped(short, target, 1, **QUICK)
    assert done(short, target, **QUICK | change).kept_parts == kept


def test_parts_of_another_quality_are_thrown_away(tmp_path, short, stopped):
    stopped(short, tmp_path / "a.mp4", 1, **QUICK)
    assert done(short, tmp_path / "a.mp4", OutputSettings(crf=40), **QUICK).kept_parts == 0
    done(short, tmp_path / "b.mp4", **QUICK)
    assert (tmp_path / "b.mp4").stat().st_size > 2 * (tmp_path / "a.mp4").stat().st_size


SMALL_STEPS = f"""
from rainopt.commands import derain_video, main
from rainopt.video import stretches
derain_video.STRETCH, stretches.FEW, stretches.SAMPLES = {STRETCH}, {FEW}, {SAMPLES}
main.main()
"""


def test_a_killed_process_leaves_parts_and_the_next_run_goes_on(here):
    source = save(here / "in" / "two words ☂.mp4", [frame[:64, :96] for frame in frames(48)])
    target = here / "out" / "two words ☂.mp4"
    arguments = ["derain", "in", "-o", "out", "--no-background"]
    with subprocess.Popen(
        [sys.executable, "-c", SMALL_STEPS, *arguments], env=environment(), stderr=subprocess.DEVNULL
    ) as run:
        try:
            end = time.monotonic() + 60
            while not (parts_of(target) / "00000000.json").exists() and run.poll() is None and time.monotonic() < end:
                time.sleep(0.002)
        finally:
            run.kill()
    assert run.returncode == -signal.SIGKILL
    assert not target.exists()
    finished = len(list(parts_of(target).glob("0*.json")))
    assert 1 <= finished < 4
    status, out, _ = call(app, *arguments, "--json")
    assert (status, json.loads(out)["kept_parts"]) == (0, finished)
    assert list(files(target.parent)) == [target.name]
    done(source, here / "whole.mp4", OutputSettings(), background=False)
    np.testing.assert_array_equal(read_frames(target), read_frames(here / "whole.mp4"))


def test_a_folder_of_images_and_videos(here):
    small = [frame[:48, :64] for frame in frames(30)[:6]]
    save(here / "in" / "Ünï [x] ☂" / "two words.avi.mkv", small)
    coded(here / "in" / "old.avi", small, "mpeg4", options={"qscale": "2"})
    write_image(here / "in" / "photo.png", small[0])
    (here / "in" / "zero.mp4").touch()
    (here / "in" / "notes.txt").write_text("no video")
    status, out, err = call(app, "derain", "in", "-o", "out", *ASKED)
    assert status == 1
    names = {"Ünï [x] ☂/two words.avi.mkv", "old.mp4", "photo.png"}
    assert files(here / "out").keys() == names
    assert len(out.splitlines()) == 3
    assert "failed 'in/zero.mp4' is empty" in err
    assert err.endswith("3 derained, 1 failed")
    assert len(read_frames(here / "out" / "old.mp4")) == 6
    _, out, err = call(app, "derain", "in", "-o", "out", *ASKED)
    assert err.endswith("0 derained, 3 skipped, 1 failed")
    assert "in/old.avi: kept out/old.mp4 (--overwrite to do it again)" in out


def test_json_has_its_keys(here, short):
    status, out, err = call(app, "derain", short, "-o", "a.mp4", *ASKED, "--json")
    assert (status, err) == (0, "")
    entry = json.loads(out)
    assert set(entry) == KEYS
    assert (entry["input"], entry["output"], entry["status"]) == (str(short), "a.mp4", "ok")
    assert entry["angles"] == [8.0, 8.0]
    status, out, _ = call(app, "derain", short, "-o", "a.mp4", "--json")
    assert json.loads(out) == {"input": str(short), "output": "a.mp4", "status": "skipped"}
    for option in ("--veil", "--save-rain"):
        status, out, err = call(app, "derain", short, "-o", "b.mp4", "--json", option)
        assert status == 1
        assert json.loads(out)["error"] == f"'{short}': {option} is for images; leave it out for videos"
        assert err == f"failed {json.loads(out)['error']}"
    assert files(here).keys() == {"a.mp4"}


def test_an_image_does_not_become_a_video_nor_a_video_an_image(here, short):
    write_image(here / "a.png", frames()[0])
    for source, target in (("a.png", "b.mp4"), (short, "b.png")):
        status, _, err = call(app, "derain", source, "-o", target)
        assert status in (1, 2)
        assert "b." in err
    assert files(here).keys() == {"a.png"}
