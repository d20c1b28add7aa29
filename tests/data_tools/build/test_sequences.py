"""Sequences of frames of still cameras: what is in such a dataset, why scenes give none, and what goes on."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from data_tools.build.plan import VideoJob
from data_tools.build.settings import SequenceSettings
from data_tools.build.video import build_video
from data_tools.commands.main import app
from data_tools.manifest.file import read_manifest, write_manifest
from data_tools.manifest.paths import checksum
from data_tools.verify.dataset import verify
from rainopt.io import read_image
from rainopt.io.video.read import read_frames
from tests.support.clips import rained, save, seen_from
from tests.support.datasets import clip, files, put, waves
from tests.support.processes import call

STILL, PAN = 20, 15
ARGUMENTS = ("in", "--sequences", "--per-sequence", "6", "--licence", "CC0-1.0")


@pytest.fixture(scope="module")
def lapse(tmp_path_factory):
    """A folder with a video, a copy of it, and in `out` what is built of them: a still scene, a cut, and a pan."""
    top = tmp_path_factory.mktemp("lapse")
    pan = [seen_from("astronaut", 0, k - 7, (96, 128)) for k in range(PAN)]
    frames = [*clip("coffee", STILL), *rained(pan, "light", PAN, scale=0.3, density=4500.0)]
    shutil.copy(save(top / "in" / "v.mkv", frames), top / "in" / "copy.mkv")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(top)
        status, out, err = call(app, "build", *ARGUMENTS, "-o", "out", "--json")
    assert status == 0
    assert "is the same video as 'in/copy.mkv' and is taken once" in err
    return top, json.loads(out)


def test_a_still_scene_gives_a_sequence_and_one_in_which_the_camera_moves_is_refused_by_name(lapse):
    top, said = lapse
    assert (said["frames"], said["scenes"], said["sequences"], said["frames_taken"]) == (STILL + PAN, 2, 1, 6)
    assert list(said["rejected"]) == [str(STILL)]
    assert "the camera moves by up to 14" in said["rejected"][str(STILL)]
    manifest = read_manifest(top / "out")
    frames = read_frames(top / "in" / "copy.mkv")
    numbers = [record.extra["frame"] for record in manifest]
    assert numbers == [0, 4, 8, 11, 15, 19]
    assert manifest.header.extra["sequences"]["frames"] == 6
    for record in manifest:
        name, number = said["name"], record.extra["frame"]
        assert record.id == f"{name}/000000_{number:06}"
        assert (record.scene, record.clean) == (f"{name}/000_000000", None)
        assert (record.split, record.licence, record.source) == ("train", "CC0-1.0", "copy.mkv")
        assert record.extra["time"] == pytest.approx(number / 25, abs=1e-3)
        assert record.extra["gain"] == pytest.approx(1, abs=0.01)
        assert record.extra["astray"] == pytest.approx(0, abs=0.2)
        assert 0 < record.extra["rain_share"] < 0.5
        assert record.extra["status"] == "accepted"
        assert abs(record.angle) < 30
        assert record.checksums == {record.rainy: checksum(manifest.path(record.rainy))}
        np.testing.assert_array_equal(read_image(manifest.path(record.rainy)), frames[number])


def test_verify_finds_nothing_wrong_and_export_says_that_there_is_no_pair(lapse, monkeypatch):
    monkeypatch.chdir(lapse[0])
    status, out, _ = call(app, "verify", "out")
    assert status == 0
    assert "nothing is wrong with 6 images of 1 scene; whether they are rainy cannot be told" in out
    status, _, err = call(app, "export", "out", "-o", "new", "--to", "spa")
    assert status == 2
    assert "holds no pair to export; its 6 rainy images without a clean one can be trained on where they lie" in err


def test_a_run_on_what_is_there_changes_nothing_and_one_on_what_was_lost_makes_it_again(lapse, monkeypatch):
    monkeypatch.chdir(lapse[0])
    before = files(Path("out"))

    def never(*args):
        raise AssertionError("a video is opened again")

    with monkeypatch.context() as patch:
        patch.setattr("data_tools.build.video.open_video", never)
        status, out, _ = call(app, "build", *ARGUMENTS, "-o", "out")
        assert status == 0
    assert "out holds 6 frames in 1 sequence, out/contact_sheet.png" in out
    assert f", scene 1: no sequence of the frames from {STILL}: the camera moves by up to 14" in out
    assert files(Path("out")) == before
    manifest = read_manifest("out")
    manifest.path(manifest.records[2].rainy).unlink()
    assert call(app, "build", *ARGUMENTS, "-o", "out")[0] == 0
    assert files(Path("out")) == before


def test_a_dataset_of_one_kind_is_not_gone_on_with_as_another(lapse, monkeypatch):
    monkeypatch.chdir(lapse[0])
    before = files(Path("out"))
    status, _, err = call(app, "build", "in", "-o", "out")
    assert status == 2
    assert "'out' holds a dataset of another kind: its manifest has no settings of 'build'" in err
    assert files(Path("out")) == before


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        (clip("coffee", 3), "only 3 frames, and 4 are needed to tell the rain"),
        ([np.full((96, 128, 3), 90, np.uint8)] * 8, "no rain is seen in the frames"),
    ],
)
def test_scenes_that_are_too_short_or_dry_are_told(tmp_path, frames, said):
    save(tmp_path / "v.mkv", frames)
    result = build_video(VideoJob(tmp_path / "v.mkv", "v", tmp_path / "out", SequenceSettings()))
    assert [(window.accepted, window.reason) for window in result.windows] == [(False, said)]


@pytest.mark.slow
def test_crops_are_scenes_of_their_own_and_a_long_scene_gives_several_sequences(tmp_path):
    save(tmp_path / "v.mkv", clip("coffee", 32))
    settings = SequenceSettings(frames=3, crop=40, crops=2, every=0.6)
    result = build_video(VideoJob(tmp_path / "v.mkv", "v", tmp_path / "out", settings))
    assert [(window.start, window.next, window.accepted) for window in result.windows] == [
        (0, 16, True),
        (16, 32, True),
    ]
    scenes = {}
    for record in result.records:
        scenes.setdefault(record.scene, []).append(record)
        assert read_image(tmp_path / "out" / record.rainy).shape == (40, 40, 3)
    assert [len(records) for records in scenes.values()] == [3] * 4
    assert len({record.id for record in result.records}) == 12
    assert all(window.fingerprint for window in result.windows)


def test_frames_that_do_not_belong_into_a_sequence_are_found(lapse, tmp_path):
    records = []
    manifest = read_manifest(lapse[0] / "out")
    pictures = [read_image(manifest.path(record.rainy)) for record in manifest]
    pictures[3:] = pictures[1], waves((96, 128)), pictures[5][:90]
    for record, picture in zip(manifest, pictures, strict=True):
        put(tmp_path / record.rainy, picture)
        records.append(record.model_copy(update={"checksums": {record.rainy: checksum(tmp_path / record.rainy)}}))
    write_manifest(tmp_path, records, manifest.header)
    found = [(one.kind, one.where) for one in verify(tmp_path).findings]
    assert sorted(found) == sorted([("size", records[5].id), ("repeated", records[3].id), ("unlike", records[4].id)])
