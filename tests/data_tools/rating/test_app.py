"""What the page of a study asks for, and what it is never told."""

import io

import numpy as np
import pytest
from PIL import Image

from data_tools.rating.app import rating_app
from data_tools.rating.questions import QUESTIONS
from data_tools.rating.sources import gather
from data_tools.rating.study import Study
from rainopt.web.access import Access
from tests.support.datasets import noise, put
from tests.support.pages import client_of

SOURCES, NAMES = ("rainy-input", "our_method"), ("alley", "bridge", "castle")


@pytest.fixture
def study(tmp_path):
    for s, source in enumerate(SOURCES):
        for n, name in enumerate(NAMES):
            put(tmp_path / source / f"{name}.png", noise(3 * s + n))
    return Study(gather([tmp_path / source for source in SOURCES]).chosen, tmp_path / "r")


@pytest.fixture
def client(study):
    return client_of(rating_app(study, QUESTIONS["quality"], Access()))


def test_a_session_rates_takes_back_and_goes_on(study, client):
    about = client.get("/api/study").json()
    assert (about["count"], about["rater"], about["scale"][4]) == (6, None, "excellent")
    assert client.post("/api/raters", json={"name": "ada"}).json() == {"rater": "ada", "ratings": [None] * 6}
    for position, rating in ((0, 4), (1, 2)):
        answer = client.post("/api/raters/ada/ratings", json={"position": position, "rating": rating, "seconds": 2})
        assert answer.json()["ratings"][position] == rating
    assert client.post("/api/raters/ada/undo", json={}).json()["position"] == 1
    assert client.post("/api/raters", json={"name": "ada"}).json()["ratings"] == [4] + [None] * 5
    assert client.post("/api/raters", json={"name": "bo"}).json()["ratings"] == [None] * 6


def test_pictures_are_what_the_files_hold_and_tell_nothing_else(study, client):
    for position, picture in enumerate(study.rater("ada").order):
        answer = client.get(f"/api/raters/ada/pictures/{position}")
        assert answer.headers["content-type"] == "image/png"
        shown, stored = (Image.open(file) for file in (io.BytesIO(answer.content), picture.path))
        assert np.array_equal(np.asarray(shown), np.asarray(stored))
        assert shown.info == {}


def test_no_answer_holds_a_name(study, client):
    answers = [client.get("/"), client.get("/api/study"), client.post("/api/raters", json={"name": "ada"})]
    answers += [client.get(f"/api/raters/ada/pictures/{k}") for k in (0, 99)]
    answers += [client.post("/api/raters/ada/ratings", json={"position": 0, "rating": 3})]
    study.rater("ada").picture(1).path.unlink()
    answers += [client.get("/api/raters/ada/pictures/1")]
    said = b" ".join(answer.content + str(answer.headers).encode() for answer in answers)
    assert not [name for name in (*SOURCES, *NAMES) if name.encode() in said]
    assert answers[-1].status_code == 404


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"position": 0, "rating": 6}, 400),
        ({"position": 6, "rating": 3}, 400),
        ({"position": 0}, 422),
        ({"position": 0, "rating": 3, "seconds": -1}, 422),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(study, client, said, status):
    answer = client.post("/api/raters/ada/ratings", json=said)
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert study.ratings() == []


def test_a_rating_that_is_not_on_disk_is_not_confirmed(study, client, tmp_path):
    (tmp_path / "r").write_text("a file where the folder should be")
    answer = client.post("/api/raters/ada/ratings", json={"position": 0, "rating": 3})
    assert answer.status_code == 507
    assert "ada.jsonl' cannot be" in answer.json()["error"]
    assert study.ratings() == []


def test_deep_and_grey_pictures_are_shown(tmp_path, client, study):
    first, second = (study.rater("ada").picture(k).path for k in (0, 1))
    put(first, np.full((4, 5), 0x8080, np.uint16))
    put(second, np.dstack([noise(1), np.full((6, 8), 128, np.uint8)]))
    shown = [Image.open(io.BytesIO(client.get(f"/api/raters/ada/pictures/{k}").content)) for k in (0, 1)]
    assert [(one.mode, one.size) for one in shown] == [("L", (5, 4)), ("RGBA", (8, 6))]
    assert set(np.asarray(shown[0]).flat) == {0x80}
