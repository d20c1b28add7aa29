"""Only files of the dataset are served, and only to its own page; the kit's guard stands before the review page."""

import json
import os

import cv2
import numpy as np
import pytest

from data_tools.commands.main import app
from data_tools.decisions.board import Board
from data_tools.manifest.file import ManifestError
from data_tools.review.api import review_app
from rainopt.web.access import Access
from tests.support.pages import client_of
from tests.support.processes import call
from tests.support.reviews import SHAPE, mask_file, reviewable, reviewing, scene_names

ODD = ["../manifest.jsonl", "..%2fmanifest.jsonl", "%2e%2e%2fmanifest.jsonl", "..%5cmanifest.jsonl", "%00", "rainy%00"]


@pytest.mark.parametrize("odd", ODD)
def test_addresses_lead_to_nothing_but_pictures_of_scenes(page, odd):
    for path in (f"/api/picture/0/0/{odd}", f"/api/picture/0/{odd}/rainy", f"/api/picture/{odd}/0/rainy", f"/{odd}"):
        answer = page.get(path)
        assert answer.status_code in (404, 422)
        assert b"rainopt-manifest" not in answer.content
    for path in (
        "/manifest.jsonl",
        "/review/ada.jsonl",
        "/.build",
        "/static/review/../api.py",
        "/openapi.json",
        "/docs",
    ):
        assert page.get(path).status_code == 404


def test_links_out_of_the_dataset_are_not_followed(page, dataset, tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes((dataset / f"clean/{scene_names(1)[0]}.png").read_bytes())
    frame = page.get("/api/scenes/0").json()["frames"][0]
    rainy = dataset / "rainy" / f"{frame['name']}.png"
    rainy.unlink()
    rainy.symlink_to(secret)
    answer = page.get(f"{frame['rainy']}&size=full")
    assert answer.status_code == 404
    assert "link" in answer.json()["error"]
    folder = dataset / "clean" / os.path.dirname(frame["name"])
    folder.rename(tmp_path / "outside")
    folder.symlink_to(tmp_path / "outside")
    assert page.get(f"{frame['clean']}&size=full").status_code == 404


def test_a_manifest_that_names_a_link_out_is_not_reviewed_at_all(dataset, tmp_path):
    (dataset / "rainy").rename(tmp_path / "elsewhere")
    (dataset / "rainy").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ManifestError, match="link"), reviewing(dataset):
        pass


def test_strangers_decide_nothing(page, dataset):
    with reviewing(dataset) as (_, session):
        stranger = client_of(review_app(session, Access()), own=False)
        change = {"json": {"verdict": "reject"}}
        evil = {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}
        assert stranger.post("/api/scenes/0/decision", **change).status_code == 403
        assert stranger.post("/api/scenes/0/decision", **change, headers=evil).status_code == 403
        assert stranger.post("/api/undo", json={}, headers={"origin": "null"}).status_code == 403
        assert stranger.get("/api/dataset", headers={"host": "evil.example:8000"}).status_code == 421
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert page.post("/api/undo", content=b"a=1", headers=form).status_code == 415
    assert not (dataset / "review").exists()


def test_masks_are_limited_before_they_are_decoded(dataset, monkeypatch):
    def never(*arguments):
        raise AssertionError("a mask is decoded")

    with reviewing(dataset) as (client, _):
        monkeypatch.setattr(cv2, "imdecode", never)
        header = {"content-type": "image/png"}
        bomb = bytearray(mask_file(np.zeros(SHAPE, bool)))
        bomb[16:24] = (60_000).to_bytes(4, "big") * 2
        assert client.put("/api/scenes/0/invalid", content=bytes(bomb), headers=header).status_code == 422
        assert client.put("/api/scenes/0/invalid", content=b"\0" * (17 << 20), headers=header).status_code == 413


def test_a_log_that_names_other_scenes_and_masks_leads_nowhere(dataset):
    folder = dataset / "review"
    folder.mkdir()
    lines = [
        '{"kind": "decision", "scene": "../../etc/passwd", "verdict": "more"}',
        json.dumps({"kind": "invalid", "scene": scene_names(1)[0], "mask": "../" * 21 + "x"}),
    ]
    (folder / "eve.jsonl").write_text("\n".join(lines) + "\n")
    assert len(Board(dataset).faults()) == 1
    with reviewing(dataset) as (client, _):
        assert client.get("/api/dataset").status_code == 200
        assert all(client.get(f"/api/scenes/{k}").status_code == 200 for k in range(4))


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--host", "0.0.0.0", "--token", "short"), "token"),
        (("--host", "not a host"), "host"),
        (("--reviewer", "../eve"), "reviewer"),
        (("--port", "70000"), "port"),
        (("--reviewer", ""), "empty"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_served(dataset, options, what):
    status, _, err = call(app, "review", dataset, "--no-browser", *options)
    assert status == 2
    assert what in err.lower()


def test_what_is_no_dataset_is_refused(tmp_path):
    for place in (tmp_path, tmp_path / "none"):
        assert call(app, "review", place, "--no-browser")[0] == 2
    status, _, err = call(app, "review", reviewable(tmp_path / "empty", scenes=0), "--no-browser")
    assert status == 1
    assert "no scene" in err
