"""The one format of all results."""

import json
from pathlib import Path
from typing import Annotated

import pytest
import typer

from benchmarks import measured, result
from benchmarks.options import Data, Json, Quick, Sheet, benchmark
from benchmarks.result import ResultError, environment, finish, how_measured, problems, read
from benchmarks.words import command_words
from tests.support.processes import call

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.json")), ids=lambda path: path.stem)
def test_every_published_result_has_the_form(path):
    assert read(path)["benchmark"] == path.stem


def test_what_is_written_is_read(tmp_path):
    finish({"benchmark": "wet", "drops": 3}, tmp_path / "new" / "wet.json")
    found = read(tmp_path / "new" / "wet.json")
    assert list(found) == ["benchmark", "environment", "measured", "drops"]
    assert found["environment"] == environment()
    assert how_measured(found).seconds >= 0


def test_results_before_measured_are_read(tmp_path):
    path = tmp_path / "wet.json"
    path.write_text(json.dumps({"benchmark": "wet", "environment": environment(), "drops": 3}), "utf-8")
    assert how_measured(read(path)) is None


def test_environment_names_versions_and_no_places():
    facts = environment()
    assert "numpy" in facts["versions"]
    assert "/" not in str(facts)


def test_a_result_without_a_name_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"as 'benchmark', got the keys \['drops'\]"):
        finish({"drops": 3}, tmp_path / "wet.json")
    assert not list(tmp_path.iterdir())


def test_no_half_result_replaces_a_whole_one(tmp_path):
    path = tmp_path / "wet.json"
    finish({"benchmark": "wet", "drops": 3}, path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        finish({"benchmark": "wet", "drops": float("nan")}, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"benchmark": "dry"}, "must be the name of the file, 'wet', got 'dry'"),
        ({"environment": None}, "'environment' must be an object, got None"),
        ({"measured": {"date": "2026-11-29"}}, "'measured' must hold date, commit, dirty, .*, got date"),
        ({"environment": {**environment(), "cores": "two"}}, "'environment.cores' must be int, got 'two'"),
    ],
)
def test_another_form_is_told(tmp_path, change, message):
    path = tmp_path / "wet.json"
    finish({"benchmark": "wet", "drops": 3}, path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(ResultError, match=message):
        read(path)


@pytest.mark.parametrize("text", ["", "[1]", '{"benchmark": "wet"'])
def test_what_is_no_result_is_told_with_its_name(tmp_path, text):
    (tmp_path / "wet.json").write_text(text, "utf-8")
    with pytest.raises(ResultError, match=r"wet\.json"):
        read(tmp_path / "wet.json")


def test_figures_are_part_of_a_result():
    assert problems({"benchmark": "wet", "environment": environment()}, "wet") == ["it holds no figures"]


def test_a_command_tells_when_and_how_it_was_run(tmp_path, monkeypatch):
    monkeypatch.setattr(result, "_running", [])

    @benchmark("It rains.")
    def wet(quick: Quick = False, target: Json = None) -> None:
        finish({"benchmark": "wet", "drops": 3}, target)

    status, _, err = call(wet, "--quick", "--json", tmp_path / "wet.json")
    assert (status, err) == (0, "")
    told = how_measured(read(tmp_path / "wet.json"))
    assert told.quick
    assert told.command.endswith(" --quick")
    assert (told.commit, told.dirty) == (measured.tree().commit, measured.tree().dirty)


def test_words_of_a_command_hold_no_path_and_no_default():
    def wet(
        data: Data,
        drops: Annotated[list[int] | None, typer.Option("--drops")] = None,
        size: Annotated[str, typer.Option(metavar="HxW")] = "1x2",
        warm_rain: Annotated[bool, typer.Option()] = True,
        model: Annotated[str, typer.Option("--model")] = "small",
        sheet: Sheet = None,
    ) -> None: ...

    given = {"data": Path("/home/me/rain"), "sheet": Path("out.png"), "drops": [1, 2], "warm_rain": False}
    words = command_words(wet, {**given, "model": "runs/mine"})
    assert words.partition(" --")[2] == "data DIR --drops 1 --drops 2 --no-warm-rain --model FILE"


def test_without_git_the_tree_is_unknown(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert measured.tree() == measured.Tree(None, False)
    assert measured.changed_since("0123456") is None


def test_a_commit_that_is_not_there_is_no_older_tree():
    assert measured.changed_since("0" * 40) is None
