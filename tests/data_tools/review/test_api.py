"""What the page is told, and that what it was told is on the disk."""

import json
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from data_tools.decisions.board import Board
from rainopt.io import read_image
from tests.support.disk import full_disk
from tests.support.reviews import SHAPE, mask_file, reviewing, scene_names

NAMES = [scene_names(4)[k] for k in (2, 0, 1, 3)]


def decide(page, number, verdict, **more):
    answer = page.post(f"/api/scenes/{number}/decision", json={"verdict": verdict, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def decoded(answer):
    assert answer.status_code == 200, answer.text
    return cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)


def test_scenes_come_with_the_most_uncertain_first(page):
    answer = page.get("/api/scenes?count=3").json()
    assert answer["count"] == 4
    assert [scene["id"] for scene in answer["scenes"]] == NAMES[:3]
    assert [scene["number"] for scene in answer["scenes"]] == [0, 1, 2]
    uncertainties = [scene["uncertainty"] for scene in page.get("/api/scenes").json()["scenes"]]
    assert uncertainties == sorted(uncertainties, reverse=True)


def test_a_scene_tells_all_that_the_page_needs(page):
    scene = page.get("/api/scenes/0").json()
    assert (scene["width"], scene["height"]) == SHAPE[::-1]
    assert (scene["automatic"], scene["decision"], scene["invalid"], scene["again"]) == ("review", None, None, None)
    assert scene["measures"]["sharpness"] == 0.85
    for frame in scene["frames"]:
        for kind in ("rainy", "clean", "difference", "mask"):
            assert page.get(f"{frame[kind]}&size=screen").status_code == 200


def test_decisions_are_counted_listed_and_on_the_disk(page, dataset):
    answer = decide(page, 0, "accept", note="good")
    assert answer["scene"]["decision"] | {"at": ""} == {"verdict": "accept", "by": "ada", "at": "", "note": "good"}
    decide(page, 1, "reject")
    assert page.get("/api/dataset").json()["decided"] == {"accept": 1, "reject": 1, "more": 0, "none": 2}
    for which, numbers in {"all": [0, 1, 2, 3], "open": [2, 3], "decided": [0, 1]}.items():
        assert [one["number"] for one in page.get(f"/api/scenes?which={which}").json()["scenes"]] == numbers
    lines = (dataset / "review" / "ada.jsonl").read_text().splitlines()
    assert [(line["scene"], line["verdict"]) for line in map(json.loads, lines)] == [
        (NAMES[0], "accept"),
        (NAMES[1], "reject"),
    ]
    assert answer["entry"] == "ada:1"


def test_undo_gives_back_the_scene_and_ends_with_nothing_left(page):
    decide(page, 0, "reject")
    page.post("/api/scenes/0/note", json={"note": "smeared"})
    undone = page.post("/api/undo", json={}).json()
    assert (undone["scene"]["number"], undone["scene"]["note"]) == (0, "")
    assert undone["scene"]["decision"]["verdict"] == "reject"
    assert page.post("/api/undo", json={}).json()["scene"]["decision"] is None
    assert page.post("/api/undo", json={}).status_code == 409


def test_accepting_the_rest_needs_the_count_that_was_seen_and_is_undone_at_once(page):
    decide(page, 3, "reject")  # the measure would accept it
    decide(page, 0, "reject")  # and is in doubt here
    seen = page.get("/api/above?score=0.5").json()
    assert seen == {"count": 2, "agree": 0, "of": 1}
    assert page.get("/api/above?score=0").json() == {"count": 2, "agree": 1, "of": 2}
    decide(page, 1, "accept")
    assert page.post("/api/above", json={"score": 0.5, "count": 2}).status_code == 409
    assert page.post("/api/above", json={"score": 0.5, "count": 1}).json() == {"count": 1}
    assert page.get("/api/dataset").json()["decided"] == {"accept": 2, "reject": 2, "more": 0, "none": 0}
    # What was swept in says nothing of agreement.
    assert page.get("/api/dataset").json()["automatic"] == {"agree": 2, "of": 3}
    undone = page.post("/api/undo", json={}).json()
    assert (undone["scene"], undone["scenes"]) == (None, 1)
    assert page.get("/api/dataset").json()["decided"]["none"] == 1


def test_regions_come_back_as_they_were_painted(page, dataset):
    mask = np.zeros(SHAPE, bool)
    mask[4:9, 11:20] = True
    answer = page.put("/api/scenes/1/invalid", content=mask_file(mask), headers={"content-type": "image/png"})
    url = answer.json()["scene"]["invalid"]
    assert np.array_equal(decoded(page.get(f"{url}&size=full")) > 127, mask)
    small = mask_file(np.zeros((3, 3), bool))
    refused = page.put("/api/scenes/1/invalid", content=small, headers={"content-type": "image/png"})
    assert refused.status_code == 422
    assert "24 x 32" in refused.json()["error"]
    page.put("/api/scenes/1/invalid", content=mask_file(~mask & mask), headers={"content-type": "image/png"})
    assert page.get("/api/scenes/1").json()["invalid"] is None
    page.post("/api/undo", json={})
    assert page.get("/api/scenes/1").json()["invalid"] == url


def test_pictures_are_those_of_the_dataset(page, dataset):
    frame = page.get("/api/scenes/1").json()["frames"][1]
    rainy, clean = (decoded(page.get(f"{frame[kind]}&size=full"))[..., ::-1] for kind in ("rainy", "clean"))
    assert np.array_equal(rainy, read_image(dataset / f"rainy/{frame['name']}.png"))
    assert np.array_equal(clean, read_image(dataset / f"clean/{NAMES[1]}.png"))
    difference = decoded(page.get(f"{frame['difference']}&size=full"))
    assert np.array_equal(difference.any(axis=(0, 2)), (rainy != clean).any(axis=(0, 2)))
    first = page.get(f"{frame['rainy']}&size=thumb")
    again = page.get(f"{frame['rainy']}&size=thumb", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_two_pages_and_two_reviewers_see_each_other(page, dataset):
    with reviewing(dataset, "bo") as (other, _):
        decide(page, 0, "accept")
        decide(other, 0, "reject")
        decide(page, 1, "reject")
        decide(other, 1, "reject")
        assert page.get("/api/scenes/0").json()["others"] == [{"by": "bo", "verdict": "reject"}]
        found = other.get("/api/dataset").json()["agreement"]["with"]["ada"]
        assert (found["scenes"], found["kappa"]) == (2, 0.0)
    with reviewing(dataset, "ada") as (again, _):  # the second server of one reviewer
        assert again.get("/api/scenes/1").json()["decision"]["verdict"] == "reject"
        again.post("/api/undo", json={})
        assert page.get("/api/scenes/1").json()["decision"] is None


def test_news_tell_what_changed_elsewhere(page, dataset):
    last = page.get("/api/changes").json()
    assert (last["scenes"], last["again"]) == ([], {})
    with reviewing(dataset, "bo") as (other, _):
        decide(other, 2, "reject")
    news = page.get("/api/changes", params={"since": last["last"]}).json()
    assert news["scenes"] == [2]
    for odd in ("", "nonsense", "ada=-5&%00=x", "ada=99999999999999999999"):
        assert page.get("/api/changes", params={"since": odd}).status_code == 200
    assert page.get("/api/changes", params={"since": "x" * 5000}).status_code == 422


def test_news_wait_for_what_comes(page, dataset, monkeypatch):
    monkeypatch.setattr("data_tools.review.news.LONGEST", 0.5)
    last = page.get("/api/changes").json()["last"]
    assert page.get("/api/changes", params={"since": last}).json() == {"last": last, "scenes": [], "again": {}}
    monkeypatch.setattr("data_tools.review.news.LONGEST", 20.0)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(page.get, "/api/changes", params={"since": last})
        Board(dataset).add("bo", kind="note", scenes=(NAMES[3],), note="late")
        assert waiting.result(timeout=10).json()["scenes"] == [3]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/scenes/0/decision", {"verdict": "perhaps"}),
        ("/api/scenes/0/decision", {"verdict": "accept", "extra": 1}),
        ("/api/scenes/0/decision", {"verdict": "accept", "note": "x" * 5000}),
        ("/api/scenes/0/decision", []),
        ("/api/scenes/0/note", {"note": 5}),
        ("/api/above", {"score": "high", "count": 1}),
        ("/api/above", {"score": 0.5, "count": -1}),
    ],
)
def test_what_is_no_change_changes_nothing(page, dataset, path, body):
    answer = page.post(path, json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]
    assert not (dataset / "review").exists()


@pytest.mark.parametrize("number", [-1, 4, 10**9])
def test_scenes_that_are_not_there_are_not_found(page, number):
    assert page.get(f"/api/scenes/{number}").status_code == 404
    assert page.post(f"/api/scenes/{number}/decision", json={"verdict": "accept"}).status_code == 404
    assert page.get(f"/api/picture/{number}/0/rainy").status_code == 404


def test_a_full_disk_is_said_and_the_decision_is_not_taken(page, dataset):
    decide(page, 0, "accept")
    with full_disk(150):
        answer = page.post("/api/scenes/1/decision", json={"verdict": "accept"})
    assert answer.status_code == 507
    assert "check the disk" in answer.json()["error"]
    assert page.get("/api/scenes/1").json()["decision"] is None
    decide(page, 1, "reject")
    assert Board(dataset).opinion("ada", NAMES[1]).verdict == "reject"


def test_a_picture_that_is_gone_is_said(page, dataset):
    (dataset / f"clean/{NAMES[3]}.png").unlink()
    frame = page.get("/api/scenes/3").json()["frames"][0]
    assert page.get(frame["clean"]).status_code == 404
    assert page.get(frame["rainy"]).status_code == 200


def test_an_estimate_that_does_not_exist_is_not_judged(page, dataset):
    answer = page.post("/api/scenes/0/decision", json={"verdict": "accept", "round": 7})
    assert (answer.status_code, "no round 7, the last is 0" in answer.json()["error"]) == (409, True)
    assert Board(dataset).reviewers() == []
