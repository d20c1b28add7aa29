"""The command `raindata rate`."""

import csv
import io
import json
from pathlib import Path

import pytest

from data_tools.commands.main import app
from data_tools.rating.sources import gather
from data_tools.rating.study import Study
from tests.support.datasets import files, noise, put
from tests.support.processes import call

RATE = ("rate", "a", "b", "-o", "study.csv")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for source in "ab":
        for k in range(3):
            put(tmp_path / source / f"{k}.png", noise(k))
    return tmp_path


def rated(values, rater="ada"):
    """Let somebody rate the pictures of source a, then of b, name by name."""
    study = Study(gather([Path("a"), Path("b")]).chosen, Path("study.ratings"))
    person = study.rater(rater)
    places = {(one.source, one.name): k for k, one in enumerate(person.order)}
    for (source, name), value in zip([(s, n) for s in "ab" for n in "012"], values, strict=False):
        person.rate(places[source, name], value)


def table(name):
    return list(csv.DictReader(io.StringIO(Path(name).read_text())))


def test_the_report_has_the_numbers_in_words_tables_and_json(here):
    rated([1, 2, 3, 5, 5, 5])
    status, out, err = call(app, *RATE, "--report")
    assert (status, err) == (0, "")
    assert {"2.00", "0.25"} <= set(out.split())
    assert "ada: 6 of 6 rated" in out
    assert [int(row["rating"]) for row in table("study.csv")] == [1, 2, 3, 5, 5, 5]
    first, second = table("study_summary.csv")
    assert (first["source"], float(first["mean"]), float(first["realism"])) == ("a", 2, 0.25)
    assert (second["source"], float(second["deviation"]), float(second["realism"])) == ("b", 0, 1)
    said = json.loads(call(app, *RATE, "--report", "--json")[1])
    assert said["sources"][0]["mean"] == 2
    assert said["raters"] == {"ada": {"rated": 6, "of": 6}}
    assert said["files"] == ["study.csv", "study_summary.csv"]


def test_tables_of_the_study_are_written_anew_and_nothing_else_is(here):
    rated([3])
    assert call(app, *RATE, "--report")[0] == 0
    rated([4] * 6, "bo")
    assert call(app, *RATE, "--report")[0] == 0
    assert len(Path("study.csv").read_text().splitlines()) == 8
    Path("study.csv").write_text("mine")
    before = files(here)
    status, _, err = call(app, *RATE, "--report")
    assert (status, files(here)) == (2, before)
    assert "'study.csv' exists already; name another file, or allow it with --overwrite" in err
    assert call(app, *RATE, "--report", "--overwrite")[0] == 0
    assert len(Path("study.csv").read_text().splitlines()) == 8


def test_what_is_left_out_is_named_and_damage_is_the_status(here):
    put(here / "a" / "alone.png", noise(9))
    Path("b/1.png").write_bytes(b"no picture")
    rated([2])
    status, out, err = call(app, *RATE, "--report", "--json")
    assert status == 1
    assert "left out: alone, in a alone" in err
    assert "failed 'b/1.png' is not a" in err
    said = json.loads(out)
    assert (said["unmatched"], list(said["failed"])) == ({"alone": ["a"]}, ["b/1.png"])
    assert said["raters"]["ada"]["of"] == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rate", "a", "none", "-o", "study.csv"], "'none' does not exist"),
        (["rate", "a", "b", "-o", "study.txt"], "must end in .csv"),
        (["rate", "a", "b", "-o", "no/study.csv"], "there is no folder 'no'"),
        ([*RATE, "--ask", "beauty"], "must be real, rain, quality, got 'beauty'"),
        ([*RATE, "--rater", "../ada"], "a name has 1 to 40"),
        ([*RATE, "--host", "a b"], "`host` must be a name or an address"),
        (["rate", "-o", "study.csv"], "Missing argument 'FOLDER"),
        (["rate", "a"], "Missing option '-o' / '--output'"),
    ],
)
def test_wrong_usage_is_refused_and_changes_nothing(here, arguments, message):
    before = files(here)
    status, out, err = call(app, *arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert files(here) == before


def test_a_study_that_nobody_has_begun_says_so_and_writes_no_table(here):
    status, out, err = call(app, *RATE, "--report")
    assert (status, out) == (1, "")
    assert "there are no ratings yet in 'study.ratings'; the same command without --report takes some" in err
    status, out, _ = call(app, *RATE, "--report", "--json")
    assert (status, json.loads(out)["files"]) == (1, [])
    assert not Path("study.csv").exists()
    assert not Path("study.ratings").exists()
