"""What raters say: in an order of their own, on disk before anybody is told, and never lost."""

import json
from pathlib import Path

import pytest

from data_tools.rating.sources import Picture
from data_tools.rating.study import OtherQuestionError, RatingError, Study
from rainopt.io.journal import JournalError

PICTURES = [Picture(source, name, Path(source, name)) for source in ("a", "b") for name in "uvwxyz"]


def keys(rater):
    return [(one.source, one.name) for one in rater.order]


def test_orders_depend_on_seed_and_rater_and_nothing_else(tmp_path):
    orders = {
        (seed, name): keys(Study(PICTURES, tmp_path, seed).rater(name)) for seed in (0, 1) for name in ("ada", "bo")
    }
    assert len({tuple(order) for order in orders.values()}) == 4
    assert all(sorted(order) == sorted((one.source, one.name) for one in PICTURES) for order in orders.values())
    fewer = keys(Study(PICTURES[3:], tmp_path, 0).rater("ada"))
    assert fewer == [key for key in orders[0, "ada"] if key in fewer]


def test_orders_mix_the_sources():
    # Of 200 raters, the mean place of the first source is that of chance, 5.5 with a standard error of 0.07.
    places = []
    for k in range(200):
        order = keys(Study(PICTURES, Path("nowhere")).rater(f"r{k}"))
        places += [place for place, (source, _) in enumerate(order) if source == "a"]
    assert abs(sum(places) / len(places) - 5.5) < 0.25


def test_every_rating_is_on_disk_when_it_is_confirmed(tmp_path):
    rater = Study(PICTURES, tmp_path / "r").rater("ada")
    assert not (tmp_path / "r").exists()
    for position in range(3):
        rater.rate(position, position + 2, 1.234)
        lines = [json.loads(line) for line in (tmp_path / "r" / "ada.jsonl").read_text().splitlines()]
        assert lines[0]["seed"] == 0
        assert (lines[-1]["rating"], lines[-1]["seconds"], lines[-1]["position"]) == (position + 2, 1.23, position + 1)
        assert Study(PICTURES, tmp_path / "r").rater("ada").given() == rater.given()
    assert rater.given() == [2, 3, 4] + [None] * 9


def test_rating_anew_replaces_and_undo_brings_back(tmp_path):
    rater = Study(PICTURES, tmp_path).rater("ada")
    rater.rate(0, 1)
    rater.rate(1, 2)
    rater.rate(0, 5)
    assert rater.given()[:2] == [5, 2]
    assert rater.undo() == 0
    assert rater.given()[:2] == [1, 2]
    assert Study(PICTURES, tmp_path).rater("ada").given()[:2] == [1, 2]
    assert [rater.undo(), rater.undo()] == [1, 0]
    with pytest.raises(RatingError, match="no rating to take back"):
        rater.undo()
    assert len((tmp_path / "ada.jsonl").read_text().splitlines()) == 7  # nothing is ever taken out


def test_a_torn_last_line_is_no_rating_and_does_no_harm(tmp_path):
    rater = Study(PICTURES, tmp_path).rater("ada")
    rater.rate(0, 3)
    file = tmp_path / "ada.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"rating": 5, "sou')
    again = Study(PICTURES, tmp_path).rater("ada")
    assert again.given()[0] == 3
    again.rate(1, 4)
    assert Study(PICTURES, tmp_path).rater("ada").given()[:2] == [3, 4]


def test_raters_have_files_of_their_own_and_names_that_differ_in_capitals_are_one(tmp_path):
    study = Study(PICTURES, tmp_path)
    for k, name in enumerate(("Ada", "bo", "ada ", "Žofie K.")):
        study.rater(name).rate(k, 4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Ada.jsonl", "bo.jsonl", "Žofie K..jsonl"]
    assert len(study.ratings()) == 4
    assert [rater.name for rater in Study(PICTURES, tmp_path).raters] == ["Ada", "bo", "Žofie K."]


@pytest.mark.parametrize("name", ["", " ", "../ada", "a/b", ".ada", "a" * 41, "a\n", "a\x00"])
def test_names_that_are_no_file_names_are_refused(tmp_path, name):
    with pytest.raises(RatingError, match="a name has 1 to 40"):
        Study(PICTURES, tmp_path).rater(f"{name}!" if name == "a\n" else name)


@pytest.mark.parametrize(("position", "rating"), [(-1, 3), (12, 3), (0, 0), (0, 6)])
def test_what_is_not_there_cannot_be_rated(tmp_path, position, rating):
    rater = Study(PICTURES, tmp_path).rater("ada")
    with pytest.raises(RatingError, match="must be"):
        rater.rate(position, rating)
    assert list(tmp_path.iterdir()) == []


def test_ratings_of_pictures_that_are_gone_are_counted_and_left_out(tmp_path):
    rater = Study(PICTURES, tmp_path).rater("ada")
    for position in range(12):
        rater.rate(position, 3)
    study = Study(PICTURES[:6], tmp_path)
    assert (len(study.ratings()), study.strays()) == (6, 6)
    assert {one.source for one in study.ratings()} == {"a"}


def test_a_line_that_is_none_of_a_study_is_named(tmp_path):
    (tmp_path / "ada.jsonl").write_text('{"at": ""}\n{"rating": 9, "source": "a", "name": "u"}\n')
    with pytest.raises(JournalError, match=r"ada\.jsonl', line 2"):
        Study(PICTURES, tmp_path)


def test_answers_to_another_question_do_not_mix(tmp_path):
    Study(PICTURES, tmp_path, asked="real").rater("ada").rate(0, 4)
    assert Study(PICTURES, tmp_path, asked="real").rater("ada").given()[0] == 4
    with pytest.raises(
        OtherQuestionError, match="answers to the question 'real', and 'rain' is asked; name another file"
    ):
        Study(PICTURES, tmp_path, asked="rain")
