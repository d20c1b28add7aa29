"""What the page is told, and what it can have: what the command makes, of its own pictures, and nothing else."""

import io
import json
import shlex

import numpy as np
import pytest
from PIL import Image

from rainopt.commands.main import app as program
from rainopt.io import read_image, read_image_file, write_image
from rainopt.studio.pictures import MOST_BYTES
from tests.support.image_files import exif_bytes, srgb
from tests.support.pages import client_of
from tests.support.photos import files, levels, rainy, save_photo
from tests.support.processes import call
from tests.support.studio import Studio, session_of

ASKED = {"lines": [{"angle": 0.0}], "strength": 1.5}
MARKED = ASKED | {"strokes": [{"kind": "protect", "radius": 9, "points": [10, 30, 60, 30]}]}


def picture(studio, address):
    answer = studio.client.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg"), answer.text
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def test_a_session_begins_with_what_was_named(studio, photo):
    told = studio.client.get("/api/session").json()
    (one,) = told["pictures"]
    assert (one["name"], one["named"], one["saved"]) == ("a b.png", True, None)
    assert one["target"] == str(photo.parent / "a b_dry.png")
    assert [method["name"] for method in told["methods"]][:2] == ["solver", "refine"]
    assert studio.client.get("/").text.startswith("<!doctype html>")
    assert studio.client.get("/static/studio/studio.js").headers["content-type"].startswith("text/javascript")
    assert picture(studio, "/api/pictures/0/thumb").shape == (72, 96, 3)


def test_a_view_shows_before_after_and_the_rain(studio, photo):
    told = studio.ask("/api/pictures/0/view", asked=ASKED)
    assert (told["width"], told["height"], told["exact"], told["box"]) == (96, 72, False, [0, 0, 96, 72])
    before, after = (picture(studio, told[kind]).astype(int) for kind in ("rainy", "derained"))
    assert np.abs(before - read_image(photo)).mean() < 3  # JPEG
    taken = (before - after).mean()
    assert taken > 0.5
    assert abs(picture(studio, told["rain"]).mean() / 4 - taken) < 0.5
    part = studio.ask("/api/pictures/0/view", asked=ASKED, box=[50, -10, 999, 40], quick=True)
    assert part["box"] == [50, 0, 46, 40]
    assert picture(studio, part["derained"]).shape == (40, 46, 3)
    # What was asked last is what a page that is loaded again begins with.
    assert studio.client.get("/api/session").json()["pictures"][0]["asked"]["strength"] == 1.5


@pytest.mark.parametrize(
    "asked", [ASKED, MARKED, {}, {"lines": [], "veil": True}, {"lines": [{"angle": 0, "on": False}]}]
)
@pytest.mark.parametrize("name", ["a.png", "deep.png", "photo.jpg", "grey.tif"])
def test_what_is_saved_is_what_the_command_line_makes(tmp_path, monkeypatch, asked, name):
    source = tmp_path / "in" / name
    source.parent.mkdir()
    image = rainy()
    if name == "photo.jpg":
        Image.fromarray(levels(image)).save(source, exif=exif_bytes(6), icc_profile=srgb(), quality=90)
    elif name == "deep.png":
        alpha = np.linspace(0, 1, image.shape[0] * image.shape[1]).reshape(image.shape[:2])
        write_image(source, levels(np.dstack([image, alpha]), np.uint16))
    elif name == "grey.tif":
        write_image(source, levels(image[..., 1], np.uint16))
    else:
        write_image(source, levels(image))
    with session_of(source) as session:
        studio = Studio(session)
        work = studio.result(0, asked)
        told = studio.ask("/api/pictures/0/save", asked=asked)
        target = tmp_path / "in" / f"{source.stem}_dry{source.suffix}"
        assert told == {"saved": str(target)}
        command = studio.ask("/api/pictures/0/command", asked=asked, write=True)["command"]
        words = shlex.split(command)
        assert words[:2] == ["rainopt", "derain"]
        handed = studio.client.get(f"/api/pictures/0/result/{work}")
        assert handed.content == target.read_bytes()
        assert f'filename="{target.name}"' in handed.headers["content-disposition"]
        # At full size, the page shows the result itself.
        seen = studio.ask("/api/pictures/0/view", asked=asked)
        assert seen["exact"]
    saved = target.read_bytes()
    monkeypatch.chdir(tmp_path)
    status, _, err = call(program, *words[1:], "--overwrite")
    assert (status, err) == (0, "")
    assert target.read_bytes() == saved
    one, other = read_image_file(source), read_image_file(target)
    assert (one.pixels.dtype, one.pixels.shape) == (other.pixels.dtype, other.pixels.shape)
    assert one.metadata.icc == other.metadata.icc
    assert bool(one.metadata.exif) == bool(other.metadata.exif)


def test_nothing_is_overwritten_unasked(studio, photo):
    target = photo.parent / "a b_dry.png"
    target.write_bytes(b"mine")
    studio.result(0, ASKED)
    before = files(photo.parent)
    assert studio.ask("/api/pictures/0/save", asked=ASKED) == {"there": str(target)}
    assert files(photo.parent) == before
    assert studio.ask("/api/pictures/0/save", asked=ASKED, overwrite=True) == {"saved": str(target)}
    assert target.read_bytes() != b"mine"
    assert {name for name, content in files(photo.parent).items() if before.get(name) != content} == {target.name}


def test_what_is_not_made_is_not_saved(studio):
    for answer in (
        studio.post("/api/pictures/0/save", asked=ASKED),
        studio.client.get("/api/pictures/0/result/1"),
        studio.client.get("/api/work/7"),
    ):
        assert answer.status_code == 404
        assert "error" in answer.json()


def test_an_upload_is_taken_home_by_the_browser(tmp_path):
    content = save_photo(tmp_path / "x.png").read_bytes()
    with session_of() as session:
        studio = Studio(session)
        told = studio.upload("rain%20%26%20more.png", content).json()
        assert (told["number"], told["name"], told["named"]) == (0, "rain _ more.png", False)
        folder = session.pictures.of(0).path.parents[2]
        work = studio.result(0, MARKED)
        assert studio.post("/api/pictures/0/save", asked=MARKED).status_code == 404
        assert studio.client.get(f"/api/pictures/0/result/{work}").status_code == 200
        told = studio.ask("/api/pictures/0/command", asked=MARKED, write=True)
        assert shlex.split(told["command"])[2:6] == ["rain _ more.png", "-o", "rain _ more_derained.png", "--angle"]
        assert told["marks"] == "rain _ more_derained_marks.png"
        address = studio.ask("/api/pictures/0/marks", asked=MARKED)["address"]
        assert Image.open(io.BytesIO(studio.client.get(address).content)).size == (96, 72)
        assert folder.is_dir()
    assert not folder.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]


def test_bad_uploads_are_told(tmp_path):
    with session_of() as session:
        studio = Studio(session)
        for name, content in (("a.png", b"no picture"), ("a.exe", b"MZ"), ("a.png", b"")):
            answer = studio.upload(name, content)
            assert answer.status_code in (400, 404)
            error = answer.json()["error"]
            # Others may be let in: where uploads lie is not for them.
            assert "/" not in error
        assert session.pictures.all == []
        assert studio.upload("a.png", b"x" * (MOST_BYTES + 1)).status_code == 413


def test_files_that_were_not_named_cannot_be_had(studio, photo):
    save_photo(photo.parent / "other.png")
    for address in (
        "/api/pictures/1/thumb",
        "/api/pictures/-1/thumb",
        "/api/pictures/..%2fother.png/thumb",
        "/api/views/..%2f..%2fother/rainy",
        "/api/marks/..%2f..%2fother",
        "/static/studio/..%2f..%2fapp.py",
        "/static/studio/../app.py",
    ):
        assert studio.client.get(address).status_code in (404, 422), address


def test_what_the_page_does_not_send_is_refused(studio):
    for body in (
        {},
        {"asked": []},
        {"asked": {"strength": -1}},
        {"asked": {"method": "solver", "target": "/etc"}},
        {"asked": {}, "box": [1, 2, 3]},
        {"asked": {}, "box": [0.5, 0, 1, 1]},
        {"asked": {}, "more": 1},
    ):
        assert studio.client.post("/api/pictures/0/view", json=body).status_code == 422, body
    assert studio.client.post("/api/pictures/0/view", json={"asked": {"method": "none"}}).status_code == 404
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert studio.client.post("/api/pictures/0/view", content=b"a=b", headers=form).status_code == 415


def test_other_pages_and_names_are_refused(studio):
    app = studio.client._client._transport.app
    asked = {"content": json.dumps({"asked": {}}), "headers": {"content-type": "application/json"}}
    stranger = client_of(app, own=False)
    assert stranger.post("/api/pictures/0/save", **asked).status_code == 403
    asked["headers"] |= {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}
    assert stranger.post("/api/pictures/0/save", **asked).status_code == 403
    assert stranger.get("/api/session", headers={"host": "evil.example"}).status_code == 421
    policy = studio.client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_file_that_went_away_is_told(studio, photo):
    photo.unlink()
    answer = studio.post("/api/pictures/0/view", asked={})
    assert answer.status_code == 400
    assert "does not exist" in answer.json()["error"]


def test_options_that_look_like_files_are_no_options(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with session_of() as session:
        studio = Studio(session)
        studio.upload("-o.png", save_photo(tmp_path / "x.png").read_bytes())
        command = studio.ask("/api/pictures/0/command", asked={})["command"]
    assert shlex.split(command)[2] == "./-o.png"
