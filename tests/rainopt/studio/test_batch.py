"""All pictures as one of them."""

import time

import pytest

from rainopt.studio.asked import Asked, Line, Stroke
from rainopt.studio.batch import shared
from rainopt.studio.pictures import Picture
from tests.support.photos import save_photo
from tests.support.studio import Studio, session_of

ASKED = {"lines": [{"angle": 0.0}], "strength": 1.5}


@pytest.fixture
def folder(tmp_path):
    return [save_photo(tmp_path / "in" / f"{name}.png", seed) for seed, name in enumerate("abc")]


@pytest.fixture
def studio(folder, tmp_path):
    with session_of(*folder, output=tmp_path / "out") as session:
        yield Studio(session)


def ended(studio):
    end = time.monotonic() + 60
    while (told := studio.client.get("/api/all").json())["state"] == "running":
        assert time.monotonic() < end
        time.sleep(0.02)
    return told


def test_every_picture_is_saved_and_what_is_there_is_left(studio, folder, tmp_path):
    assert studio.client.get("/api/all").json() == {"state": "none"}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b_dry.png").write_bytes(b"mine")
    studio.ask("/api/pictures/0/all", asked=ASKED, lines=True)
    told = ended(studio)
    assert (told["state"], told["of"], told["done"]) == ("done", 3, 3)
    assert [bool(one["saved"]) for one in told["pictures"]] == [True, False, True]
    assert "is there already" in told["pictures"][1]["error"]
    assert (tmp_path / "out" / "b_dry.png").read_bytes() == b"mine"
    # The settings are those pictures' own now, and their results are there at full size.
    pictures = studio.client.get("/api/session").json()["pictures"]
    assert [one["asked"]["strength"] for one in pictures] == [1.5, 1.0, 1.5]
    assert studio.ask("/api/pictures/2/view", asked=ASKED)["exact"]

    studio.ask("/api/pictures/0/all", asked=ASKED, lines=True, overwrite=True)
    assert all(one["saved"] for one in ended(studio)["pictures"])
    assert (tmp_path / "out" / "b_dry.png").read_bytes() != b"mine"


def test_a_bad_picture_leaves_the_others(studio, folder, tmp_path):
    folder[1].write_bytes(b"no picture")
    studio.ask("/api/pictures/0/all", asked=ASKED)
    told = ended(studio)
    assert [bool(one["error"]) for one in told["pictures"]] == [False, True, False]
    assert len(list((tmp_path / "out").glob("*.png"))) == 2


def test_it_can_be_stopped(studio, monkeypatch):
    results = studio.session.results
    begin = results.start

    def slow(picture, asked, urgent=True):
        time.sleep(0.3)
        return begin(picture, asked, urgent=urgent)

    monkeypatch.setattr(results, "start", slow)
    studio.ask("/api/pictures/0/all", asked=ASKED)
    assert studio.post("/api/pictures/0/all", asked=ASKED).status_code == 404
    studio.client.post("/api/all/stop", json={})
    told = ended(studio)
    assert told["state"] == "stopped"
    assert told["done"] < 3


def test_marks_and_directions_are_each_pictures_own(tmp_path):
    stroke = Stroke("rain", 1.0, (1.0, 2.0))
    other = Picture(1, "b.png", tmp_path / "b.png", asked=Asked(strokes=(stroke,), lines=(Line(5.0),)))
    asked = Asked(strength=2.0, lines=(Line(9.0),), strokes=(stroke, stroke))
    assert shared(asked, other, lines=False) == Asked(strength=2.0, lines=(Line(5.0),), strokes=(stroke,))
    assert shared(asked, other, lines=True) == Asked(strength=2.0, lines=(Line(9.0),), strokes=(stroke,))
