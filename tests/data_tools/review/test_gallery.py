"""Pictures as they are served: what they show, what is kept of them, and what is made ahead."""

import shutil
import time

import cv2
import numpy as np
import pytest

from data_tools.build.rendered import finish
from data_tools.build.settings import SynthSettings
from data_tools.build.synth_plan import plan_pairs, remaining
from data_tools.commands.main import app
from data_tools.decisions.board import Board
from data_tools.manifest.file import read_manifest, write_manifest
from data_tools.manifest.folder import REVIEW_CACHE
from data_tools.manifest.record import ManifestHeader, PairRecord
from data_tools.review.cache import PictureCache, key_of
from data_tools.review.pictures import difference_of, median_of, opened
from data_tools.verify.dataset import verify
from tests.support.datasets import files, put, waves
from tests.support.processes import call
from tests.support.reviews import SHAPE, reviewing


def decoded(content):
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1]


def test_what_is_brighter_is_warm_and_what_is_darker_cold():
    clean = np.full((4, 6, 3), 100, np.uint8)
    rainy = clean.copy()
    rainy[0], rainy[1], rainy[2] = 120, 80, 255
    shown = difference_of(rainy, clean).astype(int)
    red, blue = shown[..., 0], shown[..., 2]
    assert (red[0] > blue[0]).all()
    assert (blue[1] > red[1]).all()
    assert (red[2] == 255).all()
    assert (shown[3] == 0).all()


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_of_picture_is_shown_in_colours_of_8_bits(tmp_path, depth, channels):
    image = waves((30, 40), channels=channels)
    path = put(tmp_path / "a.png", np.rint(image * np.iinfo(depth).max).astype(depth))
    shown = opened(path, "full")
    assert (shown.shape, shown.dtype) == ((30, 40, 3), np.uint8)
    assert np.abs(shown / 255 - (image if channels == 3 else image[..., None])).max() < 0.005
    wide = put(tmp_path / "wide.png", np.zeros((10, 2000, 3), np.uint8))
    assert opened(wide, "screen").shape == (8, 1600, 3)
    assert opened(wide, "thumb").shape == (2, 320, 3)


def test_the_median_of_a_sequence_stands_for_its_background(tmp_path):
    clean = np.rint(255 * waves(SHAPE)).astype(np.uint8)
    paths = []
    for k in range(12):
        rainy = clean.copy()
        rainy[:, k] = 255
        paths.append(put(tmp_path / f"{k}.png", rainy))
    assert np.array_equal(median_of(paths, "full"), clean)


def test_sequences_and_lone_pictures_are_reviewed_too(tmp_path):
    folder = tmp_path / "set"
    records = []
    for k in range(5):
        put(folder / f"rainy/{k}.png", np.full((*SHAPE, 3), 40 * k, np.uint8))
        scene = "lapse/000_000000" if k < 4 else None
        records.append(PairRecord(id=f"lapse/{k}", rainy=f"rainy/{k}.png", scene=scene, frame=k))
    write_manifest(folder, records, ManifestHeader.parse({"sequences": {"frames": 30}}))
    with reviewing(folder) as (page, _):
        sequence, lone = (page.get(f"/api/scenes/{k}").json() for k in range(2))
        assert (len(sequence["frames"]), sequence["frames"][0]["estimated"]) == (4, True)
        clean = decoded(page.get(f"{sequence['frames'][0]['clean']}&size=full").content)
        assert (clean == 60).all()  # between the two in the middle
        assert lone["frames"][0]["clean"] is None
        assert page.get("/api/picture/1/0/clean").status_code == 404
        assert page.post("/api/scenes/0/decision", json={"verdict": "more"}).status_code == 409
        page.post("/api/scenes/0/decision", json={"verdict": "reject"})
    assert call(app, "review", folder, "--apply")[0] == 0
    assert [record.id for record in read_manifest(folder)] == ["lapse/4"]


def test_rendered_rain_is_reviewed_and_not_rendered_again_when_it_was_rejected(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for k in range(2):
        put(tmp_path / "photos" / f"{k}.png", np.rint(255 * waves((48, 64), seed=k)).astype(np.uint8))
    command = ("synth", "photos", "-o", "set", "--count", "4")
    assert call(app, *command)[0] == 0
    before = files(tmp_path / "set")
    with reviewing(tmp_path / "set") as (page, _):
        scenes = page.get("/api/scenes").json()["scenes"]
        assert [(scene["id"], scene["score"]) for scene in scenes] == [("train/clean/0", 1.0), ("train/clean/1", 1.0)]
        page.post("/api/scenes/1/decision", json={"verdict": "reject"})
    assert finish(tmp_path / "set") == 2
    settings = SynthSettings()
    jobs = plan_pairs(["photos"], tmp_path / "set", settings, 4)
    assert remaining(jobs, tmp_path / "set", settings) == []
    report = verify(tmp_path / "set")
    assert report.ok
    assert not report.notes
    Board(tmp_path / "set").undo("ada")
    assert call(app, *command)[0] == 0
    after = {path: content for path, content in files(tmp_path / "set").items() if not path.startswith(("review", "."))}
    assert after == before


def until(what, seconds=20):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_thumbnails_are_made_ahead_and_are_no_part_of_the_dataset(dataset):
    folder = dataset / REVIEW_CACHE
    with reviewing(dataset) as (page, _):
        page.get("/api/scenes?count=4")
        until(lambda: len(list(folder.rglob("*.jpg"))) == 4)
        thumb = page.get("/api/scenes/3").json()["thumb"]
        assert max(decoded(page.get(thumb).content).shape[:2]) <= 320
    report = verify(dataset)
    assert report.ok
    assert not report.notes
    shutil.rmtree(folder)  # it may go at any time
    with reviewing(dataset) as (page, _):
        assert page.get(thumb).status_code == 200


def test_a_folder_that_cannot_be_written_costs_time_alone(dataset):
    (dataset / REVIEW_CACHE).write_bytes(b"a file in its place")
    with reviewing(dataset) as (page, _):
        assert page.get("/api/picture/0/0/rainy?size=thumb").status_code == 200


def test_disk_and_memory_are_bounded_and_what_was_of_use_last_stays(tmp_path):
    cache = PictureCache(tmp_path / "cache", disk=1000, memory=300)
    for k in range(50):
        cache.put(key_of(k), bytes([k]) * 100, disk=True)
        time.sleep(0.002)
        cache.get(key_of(0))
    held = [file.stat().st_size for file in (tmp_path / "cache").rglob("*.jpg")]
    assert sum(held) <= 1000
    assert cache.get(key_of(49)) == bytes([49]) * 100
    assert cache.get(key_of(10)) is None
    assert cache._held <= 300
    again = PictureCache(tmp_path / "cache", disk=1000)
    assert again.get(key_of(49)) == bytes([49]) * 100


def test_a_changed_file_is_another_picture(page, dataset):
    frame = page.get("/api/scenes/0").json()["frames"][0]
    first = page.get(f"{frame['rainy']}&size=thumb")
    put(dataset / "rainy" / f"{frame['name']}.png", np.zeros((*SHAPE, 3), np.uint8))
    second = page.get(f"{frame['rainy']}&size=thumb", headers={"if-none-match": first.headers["etag"]})
    assert second.status_code == 200
    assert decoded(second.content).max() < 10
