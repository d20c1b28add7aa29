"""Work on more frames: begun, told, given up, and open again when it is done; the worker itself is played here."""

import threading
import time
from typing import ClassVar

import pytest

from data_tools.decisions.board import Board
from data_tools.decisions.rounds import round_folder
from data_tools.decisions.scenes import group
from data_tools.manifest.file import read_manifest, write_manifest
from data_tools.manifest.record import ManifestHeader
from rainopt.parallel.apart import ApartError
from tests.support.datasets import put
from tests.support.reviews import reviewing, scene_names

WINDOW = scene_names(4)[2]  # scene 0 of the page


class Played:
    """Stands for a worker: ends when it is told to."""

    ran: ClassVar[list] = []

    def __init__(self, function, task):
        self.task, self.end = task, threading.Event()
        self.failure = None
        Played.ran.append(self)

    def watch(self, report):
        report(0.5, "half")
        self.end.wait(20)
        if self.failure:
            raise ApartError(self.failure)

    def give_up(self):
        self.failure = "given up"
        self.end.set()

    def succeed(self):
        place, dataset = self.task.place, self.task.place.parents[4]
        records = group(read_manifest(dataset))[WINDOW].records
        for record in records:
            for path in record.checksums:
                put(place / path, ~_read(dataset / path))
        write_manifest(place, [one.model_copy(update={"checksums": {}}) for one in records], ManifestHeader())
        self.end.set()


def _read(path):
    from rainopt.io import read_image

    return read_image(path)


@pytest.fixture(autouse=True)
def workers(monkeypatch, tmp_path):
    monkeypatch.setattr("data_tools.review.again.Apart", Played)
    monkeypatch.setattr("data_tools.review.sources.Sources.find", lambda self, video: (tmp_path / "v.mp4", None))
    Played.ran = []
    return Played.ran


def until(what, seconds=10):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def ask(page, verdict="more"):
    return page.post("/api/scenes/0/decision", json={"verdict": verdict}).json()["scene"]


def state(page):
    return (page.get("/api/scenes/0").json()["again"] or {}).get("state")


@pytest.fixture(autouse=True)
def settings(dataset):
    manifest = read_manifest(dataset)
    header = ManifestHeader.parse({"build": {"accept": 40.0, "pairs": 2}})
    write_manifest(dataset, manifest.records, header)


def test_what_is_done_is_shown_and_open_again_and_accepted_by_its_round(page, dataset, workers):
    before = page.get("/api/scenes/0").json()
    assert ask(page)["decision"]["verdict"] == "more"
    until(lambda: workers)
    assert (workers[0].task.more, workers[0].task.frames) == (1, 20)
    until(lambda: state(page) == "running")
    last = page.get("/api/changes").json()["last"]
    workers[0].succeed()
    news = page.get("/api/changes", params={"since": last}).json()
    assert news["again"]["0"]["state"] == "done"
    assert 0 in news["scenes"]
    after = page.get("/api/scenes/0").json()
    assert (after["round"], after["decision"], after["again"]["state"]) == (1, None, "done")
    assert after["frames"][0]["clean"] != before["frames"][0]["clean"]
    assert page.get("/api/dataset").json()["decided"]["more"] == 0
    old, new = (page.get(f"{one['frames'][0]['clean']}&size=full").content for one in (before, after))
    assert old != new
    ask(page, "accept")
    assert Board(dataset).opinion("ada", WINDOW).round == 1
    page.post("/api/undo", json={})
    page.post("/api/undo", json={})
    assert page.get("/api/scenes/0").json()["frames"][0]["clean"] == before["frames"][0]["clean"]


def test_what_failed_says_why_and_the_scene_is_open(page, workers):
    ask(page)
    until(lambda: workers)
    workers[0].failure = "the scene has no more frames"
    workers[0].end.set()
    until(lambda: state(page) == "failed")
    scene = page.get("/api/scenes/0").json()
    assert scene["again"]["text"] == "the scene has no more frames"
    assert scene["decision"] is None


def test_undone_wishes_are_given_up(page, workers):
    ask(page)
    until(lambda: workers)
    assert page.post("/api/undo", json={}).json()["scene"]["again"] is None
    assert workers[0].end.wait(5)
    ask(page)
    until(lambda: len(workers) == 2)
    ask(page, "reject")
    assert workers[1].end.wait(5)


def test_the_end_of_a_server_gives_up_and_the_next_goes_on(dataset, workers):
    with reviewing(dataset) as (page, _):
        ask(page)
        until(lambda: workers)
    assert workers[0].end.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name in ("more frames", "pictures")]
    with reviewing(dataset) as (page, _):
        until(lambda: len(workers) == 2)
        assert page.get("/api/scenes/0").json()["decision"]["verdict"] == "more"


def test_a_video_that_is_gone_is_said_and_nothing_is_decided(page, dataset, monkeypatch):
    monkeypatch.setattr("data_tools.review.sources.Sources.find", lambda self, video: (None, "the video is gone"))
    answer = page.post("/api/scenes/0/decision", json={"verdict": "more"})
    assert (answer.status_code, answer.json()["error"]) == (409, "the video is gone")
    assert Board(dataset).opinions(WINDOW) == []


def test_windows_alone_can_be_estimated_again(page, dataset):
    manifest = read_manifest(dataset)
    write_manifest(dataset, manifest.records, ManifestHeader())
    with reviewing(dataset) as (other, _):
        assert other.post("/api/scenes/0/decision", json={"verdict": "more"}).status_code == 409
    scene = group(manifest)[WINDOW]
    assert round_folder(dataset, scene, 3) == dataset / "review/more" / WINDOW / "3"
