"""The table of all benchmarks against what is there: modules, options, results, and the page."""

import importlib.util
from pathlib import Path

import pytest
import typer

from benchmarks.measured import Measured, tree
from benchmarks.overview import command, tables, took, tree_of, with_tables
from benchmarks.registry import BENCHMARKS, find

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "benchmarks" / "README.md"
BY_NAME = [pytest.param(one, id=one.name) for one in BENCHMARKS]


def test_names_and_modules_are_said_once():
    assert len({one.name for one in BENCHMARKS}) == len(BENCHMARKS) == len({one.module for one in BENCHMARKS})


def command_module(one):
    """The module that holds the command: of a package it is the one of that name."""
    name = f"benchmarks.{one.module}"
    return f"{name}.command" if importlib.util.find_spec(name).submodule_search_locations else name


@pytest.mark.parametrize("one", BY_NAME)
def test_a_benchmark_has_the_options_that_it_is_run_with(one):
    module = importlib.import_module(command_module(one))
    parameters = typer.main.get_command(getattr(module, "app", module.main)).params
    options = {option for parameter in parameters for option in parameter.opts}
    given = {"--json", *(word for word in one.options if word.startswith("--")), *(f"--{run}" for run in one.runs)}
    assert given <= options
    assert ("--data" in options) == (one.needs_data or one.optional_data)
    assert ("--quick" in options) == one.quick
    needed = {parameter.opts[0] for parameter in parameters if parameter.required}
    assert needed <= given | ({"--data"} if one.needs_data else set())


@pytest.mark.parametrize("one", BY_NAME)
def test_a_benchmark_writes_its_own_name(one):
    source = Path(importlib.util.find_spec(command_module(one)).origin).read_text("utf-8")
    assert f'"benchmark": "{one.name}"' in source


def test_every_result_belongs_to_a_benchmark():
    files = {file.stem for file in (ROOT / "benchmarks" / "results").glob("*.json")}
    assert files <= {one.name for one in BENCHMARKS}


def test_the_page_holds_the_tables_of_today():
    page = PAGE.read_text("utf-8")
    assert with_tables(page) == page, "run: python -m benchmarks list --page"


def test_every_question_is_on_the_page():
    told = "\n".join(tables().values())
    assert all(one.question in told and command(one) in told for one in BENCHMARKS)


def test_a_page_without_markers_is_refused():
    with pytest.raises(ValueError, match="must hold '<!-- measurements"):
        with_tables("# Benchmarks")


def test_benchmarks_are_found_in_the_order_of_the_table():
    assert [one.name for one in find(["angle", "speed", "angle"])] == ["speed", "angle"]


@pytest.mark.parametrize(
    ("name", "near"), [("agnle", "near are angle"), ("spanet", "net_spanet"), ("", "none is near"), ("qqq", "none is")]
)
def test_an_unknown_name_is_told_with_what_is_near(name, near):
    with pytest.raises(LookupError, match=f"'{name}' is no benchmark; .*{near}"):
        find(["speed", name])


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0.001, "1 s"), (0.2, "12 s"), (0.97, "1 minute"), (1.6, "2 minutes"), (90, "90 minutes"), (120, "2 hours")],
)
def test_times_as_they_are_said(minutes, words):
    assert took(minutes) == words


def test_a_tree_is_current_older_or_unknown(monkeypatch):
    def measured(commit, dirty=False):
        return Measured("2026-11-29", commit, dirty, "python", 1.0, False)

    monkeypatch.setattr("benchmarks.overview.changed_since", {"new": False, "old": True, "gone": None}.get)
    assert [tree_of(measured(name)) for name in ("new", "old", "gone")] == ["current", "older tree", "unknown"]
    assert tree_of(measured("new", dirty=True)) == tree_of(measured(None)) == "unknown"


def test_this_tree_has_not_changed_since_itself_or_is_dirty():
    from benchmarks.measured import changed_since

    here = tree()
    assert here.commit is None or here.dirty or changed_since(here.commit) is False
